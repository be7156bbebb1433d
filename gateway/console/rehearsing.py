"""The process that tries words and rules for the playground: one, with the limits of a worker, started when it is needed.

What somebody pastes may be hostile and a rule may be heavy: both are judged beside the console, in a process that has no key and
no setting, that can be killed, and that ends when nobody tries anything. Owns that process's life; knows no page.
"""

import asyncio
from typing import Final, TypeVar

from gateway.errors import NoWorker, StarvedWorker, UninspectableMessage
from gateway.settings import Settings
from gateway.store import Store, records
from gateway.workers import Drafted, DraftRequest, Explained, ExplainRequest, Loaded, LoadRequest, Pool

_A = TypeVar("_A", Explained, Drafted)
_BUSY: Final = "The machine is busy, or somebody else tries something heavy. Try it again in a moment."


class Untried(Exception):
    """It was not tried: a sentence for the person who asked."""


class Rehearser:
    """Tries messages and rules on the set in force. One a desk; one try at a time."""

    def __init__(self, store: Store, settings: Settings) -> None:
        """Start nothing yet."""
        self._store = store
        self._inspection = settings.inspection.model_copy(update={"spare_workers": 0})
        self._most_s = settings.console.playground_timeout_s
        self._idle_s = settings.console.playground_idle_min * 60
        self._turn = asyncio.Lock()
        self._pool: Pool | None = None
        self._holds = ""
        """The hash of the set that its process holds."""
        self._starting: asyncio.Task[Pool] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._rest: asyncio.TimerHandle | None = None

    async def explain(self, request: ExplainRequest) -> Explained:
        """Return the verdict taken apart. Raises `Untried`."""
        return await self._try(request.rules_hash, request, Explained)

    async def draft(self, request: DraftRequest) -> Drafted:
        """Return what is wrong with a rule and what it makes of a message. Raises `Untried`."""
        return await self._try(request.rules_hash, request, Drafted)

    @property
    def is_at_rest(self) -> bool:
        """Whether no process is kept."""
        return self._pool is None

    async def close(self) -> None:
        """End the process; a later try starts a new one."""
        if self._rest is not None:
            self._rest.cancel()
        if self._starting is not None:
            await asyncio.wait((self._starting,))
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()

    async def _try(self, rules_hash: str, request: ExplainRequest | DraftRequest, answer: type[_A]) -> _A:
        if self._rest is not None:
            self._rest.cancel()
        try:
            async with asyncio.timeout(self._most_s), self._turn:
                pool = await self._holding(rules_hash)
                return await pool.ask(request, answer)
        except TimeoutError:
            starts = self._starting is not None and not self._starting.done()
            took = f"It took more than {self._most_s:g} s (console.playground_timeout_s)."
            raise Untried(
                "The playground is starting. Try it again in a moment." if starts else took
            ) from None
        except UninspectableMessage as trouble:
            raise Untried(str(trouble)) from None
        except (NoWorker, StarvedWorker):
            raise Untried(_BUSY) from None
        finally:
            self._rest = asyncio.get_running_loop().call_later(self._idle_s, self._end)

    async def _holding(self, rules_hash: str) -> Pool:
        """Return the pool once its process holds that set."""
        if self._pool is None:
            if self._starting is None or self._starting.done():
                self._starting = asyncio.get_running_loop().create_task(self._started(rules_hash))
            # Shielded: who gives up waiting leaves no half-started process behind.
            self._pool = await asyncio.shield(self._starting)
        if self._holds != rules_hash:
            await self._load(self._pool, rules_hash)
        return self._pool

    async def _started(self, rules_hash: str) -> Pool:
        kind = "language" if self._inspection.language else "lexical"
        pool = Pool(kind, self._inspection, size=1)
        pool.first_request = await self._request(rules_hash)
        await pool.start()
        self._holds = rules_hash
        return pool

    async def _load(self, pool: Pool, rules_hash: str) -> None:
        request = await self._request(rules_hash)
        loaded = await pool.ask(request, Loaded)
        if loaded.mistakes:
            raise Untried(f"The set in force cannot be loaded by this version: {loaded.mistakes[0]}")
        pool.first_request, self._holds = request, rules_hash

    async def _request(self, rules_hash: str) -> LoadRequest:
        row = await self._store.read(lambda tx: records.rule_set(tx, rules_hash))
        assert row is not None, "sets are never deleted"
        return LoadRequest(
            bundle=row.bundle,
            language=self._inspection.language,
            encoder_windows=self._inspection.encoder_windows,
        )

    def _end(self) -> None:
        if not self._turn.locked():
            self._ending = asyncio.get_running_loop().create_task(self.close())
