"""`gateway demo`: the whole road on one machine, with a sample registry and a smarthost that keeps what it gets.

Makes a folder with settings, registry, store and key as a mail administrator would, runs the same service as
`gateway serve`, sends three mails as an officer's mail program would, says what became of each, and opens the console
for the supervisor who decides (`demo_console`). It stays up, so that the reader can send more. The only place besides
`receive` that uses aiosmtpd: for its own small smarthost.
"""

import asyncio
import contextlib
import shutil
import smtplib
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import typer
from aiosmtpd.smtp import SMTP

from gateway.cli import demo_console
from gateway.cli.invocation import configure_log
from gateway.cli.serve import Service, run, run_until_stopped
from gateway.cli.store import initialise
from gateway.errors import GatewayError
from gateway.model import ItemKind
from gateway.settings import Settings, load
from gateway.store import Store, items

_OFFICER = "amir.khan@force.example"
_CONTACT = "nadia.rahman@home.example"
_SETTINGS = """\
# Made by `gateway demo`. docs/settings.md explains every setting.
smtp:     {{listen: "127.0.0.1:{port}", hostname: "gateway.force.example", allow_from: ["127.0.0.0/8", "::1/128"]}}
next_hop: {{url: "smtp://127.0.0.1:{smarthost}"}}
store:    {{url: "sqlite:///gateway.db", key_file: "sealing.key"}}
registry: {{contacts: "contacts.csv", staff: "staff.csv", domains: ["force.example"], max_age_h: 8760}}
notices:  {{from: "boundary-gateway@force.example", url: "http://127.0.0.1:{console}/"}}
console:  {{listen: "127.0.0.1:{console}", second_factor: optional}}
log:      {{format: text, level: warning}}
"""


@dataclass(frozen=True, slots=True)
class _Sample:
    """One mail of the demonstration."""

    name: str
    subject: str
    text: str


_SAMPLES = (
    _Sample(
        "a proper update",
        "Your case 42/10231/26",
        "Dear Ms Rahman,\n\nThe man arrested on Tuesday was charged with robbery today and bailed to appear at the\n"
        "magistrates' court on 14 January. A condition of his bail is that he must not contact you.\n"
        "The witness care unit will write to you about the hearing.\n\nKind regards,\nDC Amir Khan\n",
    ),
    _Sample(
        "a kiss",
        "Statement on Thursday",
        "Hi Nadia,\n\nThursday at two is fine for your statement, come to the front desk and ask for me.\n\nAmir x\n",
    ),
    _Sample(
        "an advance",
        "Re: Any news on my case?",
        "No news yet I'm afraid, the footage is still with the lab.\n\nI have to say you looked amazingly hot on Monday. "
        "Would you fancy a drink with me one evening, just the two of us?\n\nAmir\n\n"
        "On Mon, 2 Mar 2026 at 09:12, Nadia Rahman <nadia.rahman@home.example> wrote:\n"
        "> Hello, is there any news on my case?\n> Nadia\n",
    ),
)


class _Smarthost:
    """A mail server that takes everything and keeps each mail as a file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep the mail, with its envelope on top as a mail store would."""
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}.eml"
        top = f"Return-Path: <{envelope.mail_from}>\r\nDelivered-To: {', '.join(envelope.rcpt_tos)}\r\n"
        (self.folder / name).write_bytes(top.encode("utf-8", "replace") + envelope.original_content)
        return f"250 2.0.0 Kept as {name}"


class _Protocol(SMTP):
    line_length_limit = 1_000_000


def demo(
    folder: Annotated[Path, typer.Option("--folder", help="Where settings, store and mail are kept.")] = Path(
        "var/demo"
    ),
    port: Annotated[int, typer.Option("--port", help="Port of the relay.")] = 2525,
    smarthost_port: Annotated[
        int, typer.Option("--smarthost-port", help="Port of the built-in smarthost.")
    ] = 2600,
    console_port: Annotated[int, typer.Option("--console-port", help="Port of the console.")] = 8025,
    *,
    once: Annotated[
        bool, typer.Option("--once", help="End after the three mails and a look at the console.")
    ] = False,
) -> None:
    """Run relay, console and a built-in smarthost with a sample registry, and send three mails.

    Prints where the console is and how to sign in; the passwords are new at every start.
    """
    folder = folder.resolve()
    settings = _prepare(folder, {"port": port, "smarthost": smarthost_port, "console": console_port})
    run(_demonstrate(settings, folder, smarthost_port, once=once))


def _prepare(folder: Path, ports: dict[str, int]) -> Settings:
    """Make what an administrator would make, where it is missing, and return the settings."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "gateway.yaml").write_text(_SETTINGS.format_map(ports), encoding="utf-8")
    for name in ("contacts.csv", "staff.csv"):
        if not (folder / name).exists():
            with resources.as_file(resources.files("gateway.cli") / "sample" / name) as sample:
                shutil.copyfile(sample, folder / name)
    settings = load(folder / "gateway.yaml", {}).settings
    configure_log(settings.log)
    if not (
        folder / "gateway.db"
    ).exists():  # the store of an earlier version is brought up to date by the service
        initialise(settings.store, "demo").store.close()
    return settings


async def _demonstrate(settings: Settings, folder: Path, smarthost_port: int, *, once: bool) -> None:
    smarthost = _Smarthost(folder / "smarthost")
    typer.echo("Starting the smarthost, the workers, the relay and the console ...")
    demo_console.require_free_port(settings.console)
    try:
        listener = await asyncio.get_running_loop().create_server(
            lambda: _Protocol(smarthost, enable_SMTPUTF8=True, hostname="smarthost.example"),
            "127.0.0.1",
            smarthost_port,
        )
    except OSError as taken:
        raise GatewayError(
            f"port {smarthost_port} is taken ({taken.strerror}); choose another with --smarthost-port"
        ) from taken
    service = Service(settings)

    async with contextlib.AsyncExitStack() as ending:

        async def show() -> None:
            await asyncio.to_thread(_send_and_tell, settings, service, smarthost)
            with Store.open(settings.store) as store:
                people = await asyncio.to_thread(demo_console.make_accounts, store)
            await ending.enter_async_context(demo_console.running(settings, folder / "gateway.yaml"))
            _print_commands(service.server.port, folder)
            typer.echo(demo_console.how_to_sign_in(settings, people))
            if once:
                service.stopping.set()

        ending.callback(listener.close)
        await run_until_stopped(service, when_ready=show)


def _send_and_tell(settings: Settings, service: Service, smarthost: _Smarthost) -> None:
    """Send the samples one by one and print what became of each."""
    for sample in _SAMPLES:
        before = len(list(smarthost.folder.glob("*.eml")))
        answer = _send(service.server.port, sample)
        arrived = len(list(smarthost.folder.glob("*.eml"))) > before
        item_id = answer.split()[-1]
        with Store.open(settings.store) as store:
            item = store.read_now(lambda tx: items.item_in_full(tx, item_id))  # noqa: B023 - called at once
        typer.echo(f"\n{sample.name}: “{sample.subject}” from {_OFFICER} to {_CONTACT}")
        typer.echo(f"  the officer's mail program was told: {answer}")
        if item is None:
            typer.echo("  passed: nothing was found")
        else:
            held = item.item.kind is ItemKind.HOLD
            typer.echo(f"  {'HELD for a supervisor' if held else 'flagged'}: item {item_id}")
            for finding in item.verdict.findings:
                typer.echo(f"    {finding.rule}: {f'“{finding.text}”' if finding.text else finding.why}")
        typer.echo(f"  the smarthost {'has it' if arrived else 'has NOT got it'}")


def _send(port: int, sample: _Sample) -> str:
    mail = EmailMessage()
    mail["From"] = f"Amir Khan <{_OFFICER}>"
    mail["To"] = f"Nadia Rahman <{_CONTACT}>"
    mail["Subject"] = sample.subject
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = make_msgid(domain="force.example")
    if sample.subject.startswith("Re: "):
        mail["In-Reply-To"] = "<question@home.example>"
    mail.set_content(sample.text)
    with smtplib.SMTP("127.0.0.1", port, local_hostname="mail.force.example") as client:
        client.ehlo()
        client.mail(_OFFICER)
        client.rcpt(_CONTACT)
        code, text = client.data(mail.as_bytes(policy=mail.policy.clone(linesep="\r\n")))
        return f"{code} {text.decode()}"


def _print_commands(port: int, folder: Path) -> None:
    try:
        shown = folder.relative_to(Path.cwd())
    except ValueError:
        shown = folder
    config = f"--config {shown}/gateway.yaml"
    typer.echo(
        f"""
Look further, in another terminal (with .venv/bin on the PATH):
  gateway holds list {config}
  gateway holds show ID {config}
  gateway holds release ID --reason "in your words" {config}
  gateway holds return ID --reason "in your words" {config}
  gateway flags list {config}
  gateway outbox list {config}
  gateway audit verify {config}
  gateway rules test
What the smarthost got lies in {shown}/smarthost. Send more yourself, with swaks or any mail program:
  swaks --server 127.0.0.1:{port} --from {_OFFICER} --to {_CONTACT} --body "Fancy a coffee on Saturday? Not police business."
The store, the key and the mail stay in {shown}."""
    )
