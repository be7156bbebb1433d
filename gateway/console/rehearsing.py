"""The processes that try words and rules for the playground: one that reads, one that judges, started when they are needed.

What somebody pastes may be hostile and a rule may be heavy: both are dealt with beside the console, in processes that have no key
and no setting, that can be killed, and that end when nobody tries anything. They are not those that read held messages for reviewers, who
wait for nobody's try. Owns their life; knows no page.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from gateway.console.item_reading import Reader
from gateway.errors import NoWorker, StarvedWorker, UninspectableMessage
from gateway.model import Authored, HouseStyle, Limits
from gateway.settings import Settings
from gateway.store import Store, records
from gateway.workers import Drafted, DraftRequest, Explained, ExplainRequest, Loaded, LoadRequest, Pool

_T = TypeVar("_T")
_BUSY: Final = "The machine is busy. Try it again in a moment."
_STARTING: Final = "The playground is starting, or somebody else tries something. Try it again in a moment."


class Untried(Exception):
    """It was not tried: a sentence for the person who asked."""


class Rehearser:
    """Tries messages and rules on the set in force. One a desk; one step of a try at a time."""

    def __init__(self, store: Store, settings: Settings, limits: Limits) -> None:
        """Start nothing yet. ``limits`` bound one message."""
        self._store = store
        self._inspection = settings.inspection.model_copy(update={"spare_workers": 0, "extract_workers": 1})
        self._most_s = settings.console.playground_timeout_s
        self._idle_s = settings.console.playground_idle_min * 60
        self._reader = Reader(self._inspection, limits)
        self._turn = asyncio.Lock()
        self._pool: Pool | None = None
        self._holds = ""
        """The hash of the set that the process holds."""
        self._starting: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._rest: asyncio.TimerHandle | None = None

    @property
    def is_at_rest(self) -> bool:
        """Whether no process is kept and none is under way."""
        return self._pool is None and self._starting is None and not self._turn.locked()

    async def read(self, raw: bytes, style: HouseStyle) -> Authored:
        """Return what a message says. Raises `Untried`."""

        async def step() -> Authored:
            try:
                return (await self._reader.read(raw, style)).authored
            except UninspectableMessage as trouble:
                raise Untried(f"It could not be read; on the road it would be held. {trouble}") from None

        return await self._step(step)

    async def explain(self, request: ExplainRequest) -> Explained:
        """Return the verdict taken apart. Raises `Untried`."""

        async def step() -> Explained:
            return await (await self._holding(request.rules_hash)).ask(request, Explained)

        return await self._step(step)

    async def draft(self, request: DraftRequest) -> Drafted:
        """Return what is wrong with a rule and what it makes of a message. Raises `Untried`."""

        async def step() -> Drafted:
            return await (await self._holding(request.rules_hash)).ask(request, Drafted)

        return await self._step(step)

    async def close(self) -> None:
        """End the processes; a later try starts new ones."""
        if self._rest is not None:
            self._rest.cancel()
        async with self._turn:
            if self._starting is not None:
                await asyncio.wait((self._starting,))
            pool, self._pool, self._holds = self._pool, None, ""
            if pool is not None:
                await pool.close()
            await self._reader.close()

    async def _step(self, step: Callable[[], Awaitable[_T]]) -> _T:
        """Return what ``step`` comes to, once it is its turn and within the time that a person waits."""
        if self._rest is not None:
            self._rest.cancel()
        begun = False
        try:
            async with asyncio.timeout(self._most_s), self._turn:
                begun = True
                return await step()
        except TimeoutError:
            if not begun or self._starting is not None:
                raise Untried(_STARTING) from None
            raise Untried(f"It took more than {self._most_s:g} s (console.playground_timeout_s).") from None
        except UninspectableMessage as trouble:
            raise Untried(str(trouble)) from None
        except (NoWorker, StarvedWorker):
            raise Untried(_BUSY) from None
        finally:
            self._rest = asyncio.get_running_loop().call_later(self._idle_s, self._end)

    async def _holding(self, rules_hash: str) -> Pool:
        """Return the pool once its process holds that set."""
        if self._pool is None:
            if self._starting is None:
                self._starting = asyncio.get_running_loop().create_task(self._start())
                self._starting.add_done_callback(_heard)
            # Shielded: who gives up waiting leaves a process that the next try finds warm.
            await asyncio.shield(self._starting)
        assert self._pool is not None, "it has started"
        if self._holds != rules_hash:
            await self._load(self._pool, rules_hash)
        return self._pool

    async def _start(self) -> None:
        kind = "language" if self._inspection.language else "lexical"
        pool = Pool(kind, self._inspection, size=1)
        try:
            await pool.start()
            self._pool, self._holds = pool, ""
        except BaseException:
            await pool.close()
            raise
        finally:
            self._starting = None

    async def _load(self, pool: Pool, rules_hash: str) -> None:
        row = await self._store.read(lambda tx: records.rule_set(tx, rules_hash))
        assert row is not None, "sets are never deleted"
        request = LoadRequest(
            bundle=row.bundle,
            language=self._inspection.language,
            encoder_windows=self._inspection.encoder_windows,
        )
        loaded = await pool.ask(request, Loaded)
        if loaded.mistakes:
            raise Untried(f"The set in force cannot be loaded by this version: {loaded.mistakes[0]}")
        pool.first_requests, self._holds = (request,), rules_hash

    def _end(self) -> None:
        if not self._turn.locked():
            self._ending = asyncio.get_running_loop().create_task(self.close())


def _heard(task: asyncio.Task[None]) -> None:
    """Take the failure of a start that nobody waits for any more: the next try starts anew, and hears of its own."""
    if not task.cancelled():
        task.exception()
