"""`gateway doctor`: is everything that the relay needs in order, and how to go around it when it is not.

Looks, and changes nothing: settings, registry, rules, store and key, audit chain, outbox, smarthost, and whether the
relay answers. Each line says what is well or what to do. Needs no account and shows no mail.
"""

import asyncio
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Annotated

import typer

from gateway import inspection, registry
from gateway.cli.contacts import lists_of
from gateway.cli.invocation import ConfigOption, JsonOption, emit, settings_from
from gateway.cli.rules import rule_folders
from gateway.errors import GatewayError, Mistakes, Sealed
from gateway.model import Capabilities, ItemKind
from gateway.relay import Relay
from gateway.review import stranded
from gateway.settings import NextHopSettings, Settings, listen_address
from gateway.store import Store, Tx, items, outbox
from gateway.store.rows import DeliveryState

_MOST_SAID = 4096


class Part(StrEnum):
    """What is looked at, in this order."""

    REGISTRY = "registry"
    RULES = "rules"
    LANGUAGE = "language"
    STORE = "store"
    SMARTHOST = "smarthost"
    RELAY = "relay"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look came to. ``well`` false: ``says`` tells what to do."""

    what: str
    well: bool
    says: str


class _Wrong(GatewayError):
    """Something is not in order; its text says what to do."""

    hint = ""


def doctor(
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
    bypass_plan: Annotated[
        bool,
        typer.Option("--bypass-plan", help="Print how to go around the gateway, and what to do afterwards."),
    ] = False,
    only: Annotated[
        list[Part] | None,
        typer.Option(
            "--only", help="Look at this alone; may be given more than once. A container asks `relay`."
        ),
    ] = None,
) -> None:
    """Look whether everything the relay needs is in order; exit 1 if something is not."""
    settings = settings_from(config)
    if bypass_plan:
        typer.echo(_plan(settings, config))
        return
    looks = [_looked(part, _LOOKS[part], settings) for part in only or Part]
    for one in looks:
        if as_json:
            emit({"what": one.what, "well": one.well, "says": one.says})
        else:
            typer.echo(f"{'ok   ' if one.well else 'WRONG'}  {one.what:<10} {one.says}")
    if not all(one.well for one in looks):
        raise typer.Exit(1)


def _looked(what: str, look: Callable[[Settings], str], settings: Settings) -> Look:
    """Return what ``look`` says; what it raises is what is wrong."""
    try:
        return Look(what=what, well=True, says=look(settings))
    except Mistakes as wrong:
        return Look(what=what, well=False, says="; ".join(str(mistake) for mistake in wrong.mistakes[:3]))
    except GatewayError as wrong:
        return Look(what=what, well=False, says=f"{wrong}. {wrong.hint}".removesuffix(". "))
    except OSError as wrong:
        return Look(what=what, well=False, says=f"{wrong.strerror or wrong}")


def _registry(settings: Settings) -> str:
    previous = registry.load_last_good(settings.registry)
    with lists_of(settings) as source:
        result = registry.load(settings.registry, previous, datetime.now(UTC), source=source)
    if result.mistakes:
        raise Mistakes(result.mistakes)
    if result.registry is not None and result.registry.stale:
        raise _Wrong(f"the registry is stale: {result.registry.stale}")
    return f"{result.contacts} contacts, {result.staff} staff{_from_directory(settings)}"


def _from_directory(settings: Settings) -> str:
    """Return what is not known here where the force's directory gives the roles; else nothing."""
    if not (settings.console.oidc.issuer and settings.console.oidc.roles_claim):
        return ""
    return "; digests and notices go by staff list and accounts: who decides by a role of the directory alone is told nothing"


def _rules(settings: Settings) -> str:
    bundle = inspection.read(rule_folders(settings.rules))
    if mistakes := inspection.check(bundle):
        raise Mistakes(mistakes)
    return f"{len(inspection.rules_of(bundle).rules)} rules, set {bundle.hash[:12]}"


def _language(settings: Settings) -> str:
    """Load the models as a worker does: a damaged one is named here, and not when mail waits."""
    inspection.warm_up(language=settings.inspection.language)
    return inspection.language_layer(language=settings.inspection.language)


def _store(settings: Settings) -> str:
    with Store.open(settings.store) as store:
        waiting, oldest, backlog, suspended = store.read_now(_counts)
        in_force = registry.load_last_good(settings.registry)
        nobody = store.read_now(lambda tx: stranded.stranded(tx, in_force))
    if suspended:
        raise _Wrong(f"the outbox is suspended: {suspended}; `gateway outbox resume` ends it")
    if failed := [one for one in backlog if one.state is DeliveryState.FAILED]:
        what = ", ".join(f"{one.deliveries} {one.kind}" for one in failed)
        raise _Wrong(f"approved deliveries failed ({what}); see `gateway outbox list --state failed`")
    if nobody:
        raise _Wrong(f"{nobody} holds wait on which nobody here may decide; {stranded.REMEDY}")
    since = f", the oldest since {oldest:%Y-%m-%d %H:%M} UTC" if oldest else ""
    return f"opens with its key; {waiting} holds wait{since}"


def _counts(tx: Tx) -> tuple[int, datetime | None, tuple[outbox.Backlog, ...], str]:
    """Return how many holds wait, since when, what is not delivered, and why nothing is. Raises Sealed for a damaged hold."""
    first = items.list_items(tx, ItemKind.HOLD, items.UNDECIDED)
    if damaged := [one for one in first if one.unopened]:
        more = f", and {len(damaged) - 1} more holds" if len(damaged) > 1 else ""
        raise Sealed(f"hold {damaged[0].id}: {damaged[0].unopened}{more}")
    return (
        items.count_items(tx, ItemKind.HOLD, items.UNDECIDED),
        first[0].held_at if first else None,
        outbox.backlog(tx),
        outbox.suspension(tx),
    )


def _smarthost(settings: Settings) -> str:
    capabilities = _probed(settings, settings.next_hop)
    offered = {
        "8BITMIME": capabilities.eight_bit_mime,
        "SMTPUTF8": capabilities.smtputf8,
        f"SIZE {capabilities.size}": capabilities.size is not None,
    }
    offers = ", ".join(name for name, there in offered.items() if there)
    return f"{settings.next_hop.url} answers; {offers or 'no extensions'}"


def _relay(settings: Settings) -> str:
    """Greet our own relay as a mail server would."""
    host, port = listen_address(settings.smtp.listen)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    url = f"smtp://[{host}]:{port}" if ":" in host else f"smtp://{host}:{port}"
    try:
        _probed(settings, NextHopSettings(url=url))
    except GatewayError as silent:
        raise _Wrong(
            f"no relay answers on {settings.smtp.listen} ({silent}); start `gateway serve`"
        ) from silent
    return f"{settings.smtp.listen} answers{_readiness(settings)}"


def _readiness(settings: Settings) -> str:
    """Ask the relay whether it would take mail to a contact now, where it lets itself be asked (`health.listen`)."""
    if not settings.health.listen:
        return ""
    host, port = listen_address(settings.health.listen)
    asked = HTTPConnection(host, port, timeout=3 * settings.health.timeout_s)
    try:
        asked.request("GET", "/readyz")
        answer = asked.getresponse()
        says = "; ".join(answer.read(_MOST_SAID).decode(errors="replace").splitlines())
    except (OSError, HTTPException) as silent:
        raise _Wrong(f"{settings.health.listen} does not say how the relay is ({silent})") from silent
    finally:
        asked.close()
    if answer.status != HTTPStatus.OK:
        raise _Wrong(f"the relay would not take mail to a contact: {says}")
    return ", and is ready"


def _probed(settings: Settings, next_hop: NextHopSettings) -> Capabilities:
    async def probe() -> Capabilities:
        relay = Relay(next_hop, settings.smtp.hostname or socket.gethostname())
        try:
            return await relay.probe()
        finally:
            await relay.close()

    return asyncio.run(probe())


_LOOKS: dict[Part, Callable[[Settings], str]] = {
    Part.REGISTRY: _registry,
    Part.RULES: _rules,
    Part.LANGUAGE: _language,
    Part.STORE: _store,
    Part.SMARTHOST: _smarthost,
    Part.RELAY: _relay,
}


def _plan(settings: Settings, config: Path | None) -> str:
    return "\n".join(_plan_lines(settings, config))


def _plan_lines(settings: Settings, config: Path | None) -> Iterator[str]:
    option = f" --config {config}" if config else ""
    next_hop = settings.next_hop.url.partition("://")[2]
    yield "Going around the gateway. While it lasts, no mail to victims and witnesses is inspected."
    yield "Who may: the duty inspector of professional standards, not the mail administrator alone. Write down who and when."
    yield ""
    yield "Before: is it needed? `gateway doctor` names what is wrong. The gateway refuses with 4xx, so the force's server"
    yield "keeps the mail and retries for days; with policy.mode observe the gateway delivers everything and still records."
    yield ""
    yield f"1. On the force's mail server, send straight to the smarthost: relayhost = [{next_hop.replace(':', ']:', 1)}"
    yield "   (Postfix: postconf -e, postfix reload; Exchange: enable the second send connector)."
    yield f"2. Let the smarthost take mail from that server again. Note the time: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC."
    yield f"3. Leave the gateway's store alone: what is held stays held. `gateway holds list{option}` still works."
    yield ""
    yield "Back: undo 2, then 1, and run `gateway doctor` again."
    yield "Afterwards, list what went past: export the mail of that time from the mail server's journal as .eml files, and"
    yield f"  gateway scan{option} --json FOLDER    # verdicts as if sent at their Date; action other than pass: tell PSD"
