"""`gateway contacts`: check the contact list and the staff list, put them in force, look one address up.

Translates between the shell and `registry`; judges nothing. What is wrong with a file goes to stderr as
``file:line:column: what; remedy`` (with ``--json`` to stdout, one object each). Putting lists in force and looking
a contact up are audit entries, without any address of a contact in them.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway import audit, registry
from gateway.cli.invocation import ConfigOption, JsonOption, emit, fail, settings_from
from gateway.cli.listing import system_actor
from gateway.errors import Mistake, Mistakes
from gateway.identify import contacts_for, is_force_address, keys_of, staff_for
from gateway.model import Contact, Event, Registry
from gateway.registry import LoadResult, Pushed, Source
from gateway.settings import RegistrySettings, Settings
from gateway.store import Store, Tx, records
from gateway.store.rows import RegistryVersion

app = typer.Typer(no_args_is_help=True, help="Check and import the contact list and the staff list.")


@contextmanager
def lists_of(settings: Settings) -> Iterator[Source | None]:
    """Yield where the two lists come from as `registry.load` takes it: None for the files, else the open store."""
    if settings.registry.source == "files":
        yield None
        return
    with Store.open(settings.store) as store:
        yield Pushed(store, settings.registry)


@app.command()
def check(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Read both lists as `serve` would, files or what was pushed, and list everything that is wrong; exit 1 when there is a mistake.

    Warnings are listed too and change nothing: those rows take effect. Nothing is taken over.
    """
    settings = settings_from(config)
    previous = _last_good(settings.registry, as_json=as_json)
    with lists_of(settings) as source:
        result = registry.load(settings.registry, previous, datetime.now(UTC), source=source)
    _print(result, as_json=as_json)
    if result.mistakes:
        raise typer.Exit(1)


@app.command("import")
def import_(
    config: ConfigOption = None,
    *,
    accept_loss: Annotated[
        bool,
        typer.Option(
            "--accept-loss", help="Take a file over although it has lost more than max_loss_percent."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Put both files in force: record the version and write the last good copy, which `serve` adopts.

    Exit 1 when there is a mistake. Rows without one take effect all the same; a refused file changes nothing.
    """
    settings = settings_from(config)
    if settings.registry.source == "api":
        fail("registry.source is api: the records system pushes the lists, and files are not read")
    with Store.open(settings.store) as store:
        previous, now = _last_good(settings.registry, as_json=as_json), datetime.now(UTC)
        result = registry.load(settings.registry, previous, now, accept_loss=accept_loss)
        _print(result, as_json=as_json)
        store.write_now(lambda tx: _record(tx, result, now, accept_loss=accept_loss))
        if result.registry is None or not result.accepted:
            raise typer.Exit(1)
        registry.save_last_good(result.registry, settings.registry.last_good)
    if result.mistakes:
        raise typer.Exit(1)


@app.command()
def show(
    address: Annotated[str, typer.Argument(help="An address in any spelling.")],
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Print who an address is: its match key, the contacts and cases it reaches, and staff. Recorded as a view.

    Looks in the registry in force; in the two lists when none has been put in force yet.
    """
    settings = settings_from(config)
    in_force = _last_good(settings.registry, as_json=as_json)
    if in_force is None:
        with lists_of(settings) as source:
            in_force = registry.load(settings.registry, None, datetime.now(UTC), source=source).registry
    if in_force is None:
        fail("no registry was ever loaded; `gateway contacts check` says why")
    line = _shown(in_force, address)
    _record_view(settings, in_force, address)
    if as_json:
        emit(line)
        return
    for name, value in line.items():
        if name != "contacts":
            typer.echo(f"{name}: {', '.join(value) if isinstance(value, list) else value}")
    match = contacts_for(in_force, address)
    for contact in match.contacts if match else ():
        typer.echo(f"contact {contact.person_id}: {', '.join(contact.names)} <{', '.join(contact.emails)}>")
        typer.echo(f"    {', '.join(_flags(contact)) or 'no flags'}")
        for case in contact.cases:
            officers = ", ".join(case.officers) or "nobody"
            typer.echo(f"    {case.role} in {case.case_ref} ({case.status}), assigned: {officers}")


def _last_good(settings: RegistrySettings, *, as_json: bool) -> Registry | None:
    """Return the last good registry; a copy that cannot be used is a complaint and counts as none."""
    try:
        return registry.load_last_good(settings)
    except Mistakes as unusable:
        _complain("warning", unusable.mistakes, as_json=as_json)
        return None


def _print(result: LoadResult, *, as_json: bool) -> None:
    """Print what came of a load: every mistake, every warning, and one line that sums it up."""
    _complain("mistake", result.mistakes, as_json=as_json)
    _complain("warning", result.warnings, as_json=as_json)
    version = result.registry.version if result.registry else None
    stale = result.registry.stale if result.registry else ""
    if as_json:
        emit(
            {
                "version": version,
                "contacts": result.contacts,
                "staff": result.staff,
                "kept": result.kept,
                "lost": result.lost,
                "mistakes": len(result.mistakes),
                "warnings": len(result.warnings),
                "refused": result.refused,
                "stale": stale,
            }
        )
        return
    typer.echo(
        f"{result.contacts} contacts, {result.staff} staff; {len(result.mistakes)} mistakes, "
        f"{len(result.warnings)} warnings; {result.kept} kept from the last good copy, {result.lost} gone since"
    )
    if version:
        typer.echo(f"version {version}")
    if stale:
        typer.echo(f"stale: {stale}")


def _complain(grade: str, complaints: Iterable[Mistake], *, as_json: bool) -> None:
    for one in complaints:
        if as_json:
            emit(
                {
                    "grade": grade,
                    "file": one.file,
                    "line": one.line,
                    "column": one.column,
                    "what": one.what,
                    "remedy": one.remedy,
                }
            )
        else:
            typer.echo(f"{one}" if grade == "mistake" else f"{one} (warning)", err=True)


def _record(tx: Tx, result: LoadResult, now: datetime, *, accept_loss: bool) -> None:
    """Record what an import came to: the version put in force, or that a file was refused."""
    version = result.registry.version if result.registry else ""
    payload = {
        "contacts": result.contacts,
        "staff": result.staff,
        "kept": result.kept,
        "lost": result.lost,
        "mistakes": len(result.mistakes),
        "accept_loss": accept_loss,
    }
    event = Event.REGISTRY_LOADED if result.accepted else Event.REGISTRY_REFUSED
    actor = system_actor()
    audit.append(tx, event, actor=actor, subject=version, payload=payload, at=now)
    if result.accepted:
        new = RegistryVersion(version=version, at=now, contacts=result.contacts, staff=result.staff, by=actor)
        records.save_registry_version(tx, new)


def _record_view(settings: Settings, in_force: Registry, address: str) -> None:
    """Record that a contact is looked up, before anything is shown. Without a store there is no log to write."""
    match = contacts_for(in_force, address)
    url = settings.store.url
    if not (match and match.contacts) or (
        url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists()
    ):
        return
    people = [contact.person_id for contact in match.contacts]
    with Store.open(settings.store) as store:
        store.write_now(
            lambda tx: audit.append(
                tx,
                Event.CONTACT_SHOWN,
                actor=system_actor(),
                subject=",".join(people[:10]),
                payload={"contacts": people},
                at=datetime.now(UTC),
            )
        )


def _shown(in_force: Registry, address: str) -> dict[str, object]:
    """Return what the registry knows of an address."""
    match, member = contacts_for(in_force, address), staff_for(in_force, address)
    key, *other_readings = keys_of(address, in_force)
    return {
        "address": address,
        "key": key,
        "other_readings": other_readings,
        "in_scope": match is not None,
        "force_address": is_force_address(in_force, address),
        "staff": member.staff_id if member else (match.also_staff if match else None),
        "contacts": [_contact_line(contact) for contact in match.contacts] if match else [],
        "registry": in_force.version,
        "stale": in_force.stale,
    }


def _contact_line(contact: Contact) -> dict[str, object]:
    return {
        "person_id": contact.person_id,
        "names": list(contact.names),
        "emails": list(contact.emails),
        "flags": list(_flags(contact)),
        "safe_contact": contact.safe_contact,
        "cases": [
            {
                "case_ref": case.case_ref,
                "role": case.role,
                "status": case.status,
                "opened": case.opened.isoformat() if case.opened else None,
                "closed": case.closed.isoformat() if case.closed else None,
                "officers": list(case.officers),
                "team": case.team,
            }
            for case in contact.cases
        ],
    }


def _flags(contact: Contact) -> tuple[str, ...]:
    flags = {
        "vulnerable": contact.vulnerable,
        "child": contact.is_child,
        "do-not-contact": contact.do_not_contact,
        "no-email-consent": not contact.email_consent,
    }
    return tuple(name for name, is_set in flags.items() if is_set)
