"""What all pages share: the store, the settings, the staff list in force, the time, and the templates.

Made once a process. Owns no page and no request.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import jinja2
import structlog

from gateway.console import rendering, static_files
from gateway.console.directory import Directory
from gateway.console.item_reading import Reader
from gateway.console.rehearsing import Rehearser
from gateway.console.rule_book import RuleBook
from gateway.errors import GatewayError
from gateway.model import Registry
from gateway.registry import Keeper, Pushed, load_last_good, stamp
from gateway.settings import RegistrySettings, Settings, listen_address
from gateway.store import Store

log = structlog.get_logger("gateway.console")


def _now() -> datetime:
    return datetime.now(UTC)


class RegistryInForce:
    """The staff list by which access is judged: the last good one, read again when it is another.

    Where the lists are files, `serve` reads them and leaves a copy; where a records system pushes them, they are in the
    store, and are looked at as often as `serve` looks.
    """

    def __init__(self, settings: RegistrySettings, store: Store, now: Callable[[], datetime]) -> None:
        """Read nothing yet."""
        self._settings = settings
        self._seen: tuple[int, int, int] | None = None
        self._registry: Registry | None = None
        self._reading = asyncio.Lock()
        self._now = now
        self._keeper: Keeper | None = None
        self._looked_at: datetime | None = None
        if settings.source == "api":
            self._keeper = Keeper(settings, Pushed(store, settings), keeps_copy=False)

    async def get(self) -> Registry | None:
        """Return the staff list, or None when none was ever loaded: then nobody sees any item.

        A copy that cannot be used, or is gone, leaves the one before in force and is logged.
        """
        if self._keeper is not None:
            return await self._from_store(self._keeper)
        if self._mark() != self._seen:
            async with self._reading:
                mark = self._mark()
                if mark != self._seen:
                    self._registry = await asyncio.to_thread(self._read)
                    self._seen = mark
        return self._registry

    async def look_again(self) -> Registry | None:
        """Return the staff list as it is now, however lately it was looked at: after a push."""
        if self._keeper is not None:
            async with self._reading:
                await self._look(self._keeper)
        return await self.get()

    async def _from_store(self, keeper: Keeper) -> Registry | None:
        """Look at what was pushed, unless that was done lately or is being done for somebody else."""
        if self._is_fresh() or (self._reading.locked() and self._registry is not None):
            return self._registry
        async with self._reading:
            if not self._is_fresh():
                await self._look(keeper)
        return self._registry

    async def _look(self, keeper: Keeper) -> None:
        now = self._now()
        try:
            await asyncio.to_thread(keeper.look, now)
        except GatewayError as trouble:
            log.error("registry:not-read", error=str(trouble), hint=trouble.hint)
        self._registry, self._looked_at = keeper.registry, now

    def _is_fresh(self) -> bool:
        if self._looked_at is None:
            return False
        return self._now() - self._looked_at < timedelta(seconds=self._settings.check_every_s)

    def _mark(self) -> tuple[int, int, int] | None:
        return stamp(self._settings.last_good)

    def _read(self) -> Registry | None:
        try:
            found = load_last_good(self._settings)
        except GatewayError as trouble:
            log.error("registry:refused", error=str(trouble), hint=trouble.hint)
            return self._registry
        if found is None and self._registry is not None:
            log.error(
                "registry:gone",
                hint="Restore the file that registry.last_good names, or load the lists again.",
            )
        return found or self._registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a page works with. ``now`` is the only clock of the console."""

    store: Store
    settings: Settings
    registry: RegistryInForce
    templates: jinja2.Environment
    statics: static_files.Statics
    reader: Reader
    rules: RuleBook
    rehearser: Rehearser
    origin: str
    """``scheme://host`` that people type, without a slash at the end."""
    hosts: frozenset[str]
    """What a request may name as its host."""
    directory: Directory | None = None
    """The force's directory, if people sign in through it."""
    now: Callable[[], datetime] = _now
    slow_work: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    """Passwords checked at once: each takes a processor for a tenth of a second and 64 MiB."""
    live: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    """Open pages that may still be told of news."""
    live_of: Counter[str] = field(default_factory=Counter)
    """How many pages of a session are told, by its secret."""

    @classmethod
    def make(cls, store: Store, settings: Settings, now: Callable[[], datetime] = _now) -> "Desk":
        """Return a desk for ``settings``."""
        statics = static_files.load()
        origin, hosts = _addresses(settings)
        return cls(
            store=store,
            settings=settings,
            registry=RegistryInForce(settings.registry, store, now),
            templates=rendering.environment(statics, ZoneInfo(settings.console.timezone)),
            statics=statics,
            reader=Reader(settings.inspection, settings.limits),
            rules=RuleBook(store),
            rehearser=Rehearser(store, settings, settings.limits),
            origin=origin,
            hosts=hosts,
            directory=_directory(settings, origin, now),
            now=now,
            live=asyncio.Semaphore(settings.console.max_live),
        )

    @property
    def is_https(self) -> bool:
        """Whether people reach the console by HTTPS."""
        return self.origin.startswith("https:")


def _directory(settings: Settings, origin: str, now: Callable[[], datetime]) -> Directory | None:
    oidc = settings.console.oidc
    return Directory(oidc, f"{origin}/sign-in/directory/back", now) if oidc.issuer else None


def _addresses(settings: Settings) -> tuple[str, frozenset[str]]:
    """Return the origin that people type and the hosts that are answered."""
    console = settings.console
    if console.url:
        parts = urlsplit(console.url)
        return f"{parts.scheme}://{parts.netloc.lower()}", frozenset({parts.netloc.lower()})
    host, port = listen_address(console.listen)
    shown = f"[{host}]" if ":" in host else host
    scheme = "https" if console.tls.cert else "http"
    names = {f"{shown}:{port}"}
    if host in {"127.0.0.1", "::1", "localhost"}:
        names |= {f"localhost:{port}", f"127.0.0.1:{port}"}
    return f"{scheme}://{shown}:{port}", frozenset(names)
