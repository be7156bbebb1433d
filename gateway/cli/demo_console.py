"""The demonstration's console: accounts with passwords made on the spot, and `gateway console` beside the relay.

The console is the command of its own that a force runs, with the same settings file. The passwords are printed once
and kept nowhere but hashed; every start makes new ones. Knows nothing of mail.
"""

import asyncio
import contextlib
import secrets
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from gateway.cli.accounts import add_account, set_password
from gateway.errors import GatewayError
from gateway.model import Role
from gateway.settings import ConsoleSettings, Settings, listen_address
from gateway.store import Store

_PEOPLE = (
    ("helen.brooks@force.example", Role.REVIEWER, "the officer's supervisor: decides on what waits"),
    ("judith.marsh@force.example", Role.PSD, "professional standards: gets what is referred"),
)
"""Of the sample staff list. The first is who decides when a command gets no ``--as``."""
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that look alike in a terminal."""
_POLL_S = 0.05
_READY_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """What a person types to sign in, and who they are."""

    email: str
    password: str
    who: str


def require_free_port(console: ConsoleSettings) -> None:
    """Raise `GatewayError`, with the option to use, when the console's port is taken."""
    host, port = listen_address(console.listen)
    try:
        socket.create_server((host, port)).close()
    except OSError as taken:
        raise GatewayError(
            f"port {port} is taken ({taken.strerror}); choose another with --console-port"
        ) from taken


def make_accounts(store: Store) -> tuple[SignIn, ...]:
    """Give the sample people accounts and new passwords, and return what they sign in with. Ends their sessions."""
    from gateway.console import passwords

    made = tuple(SignIn(email=email, password=_password(), who=who) for email, _, who in _PEOPLE)
    for (email, role, _), one in zip(_PEOPLE, made, strict=True):
        hashed = passwords.hashed(one.password)
        store.write_now(lambda tx: add_account(tx, email, frozenset({role}), None))  # noqa: B023 - called at once
        store.write_now(lambda tx: set_password(tx, email, hashed))  # noqa: B023 - called at once
    return made


@contextlib.asynccontextmanager
async def running(settings: Settings, config: Path) -> AsyncIterator[None]:
    """Run `gateway console` while the block lasts. Raises `GatewayError` when it does not come up."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", "console", "--config", str(config), stdin=asyncio.subprocess.DEVNULL
    )
    try:
        await _until_it_listens(process, settings.console)
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def how_to_sign_in(settings: Settings, people: tuple[SignIn, ...]) -> str:
    """Return what is printed: the address, and who signs in with what."""
    host, port = listen_address(settings.console.listen)
    widest = max(len(one.email) for one in people)
    lines = [f"  {one.email:<{widest}}  {one.password}  {one.who}" for one in people]
    return "\n".join(
        (
            f"\nThe console is at http://{host}:{port}/ on this machine. Sign in as (the passwords are not shown again):",
            *lines,
            "What is held waits under Holds, what was flagged is under Flags. Ctrl-C ends the demonstration; remove its folder to begin afresh.",
        )
    )


def _password() -> str:
    """Return sixteen letters and figures in groups of four: 79 bits, and easily typed."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


async def _until_it_listens(process: asyncio.subprocess.Process, console: ConsoleSettings) -> None:
    """Return once the console takes connections; it does so as soon as it listens."""
    host, port = listen_address(console.listen)
    try:
        async with asyncio.timeout(_READY_S):
            while process.returncode is None:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection(host, port)
                    writer.close()
                    return
                await asyncio.sleep(_POLL_S)
    except TimeoutError as late:
        raise GatewayError(
            f"the console did not listen on {console.listen} within {_READY_S:.0f} s"
        ) from late
    raise GatewayError(f"the console ended with {process.returncode}; what it said stands above")
