"""Reading a held message again for the page that shows it: in a process of its own, which has no key and no setting.

The console holds the sealing key and a signed-in supervisor's page; hostile bytes are parsed elsewhere (`workers`), within the
same bounds of time and memory as when the message came. Owns that process's life; it is started with the first item
that somebody opens.
"""

import asyncio

from gateway.errors import NoWorker, StarvedWorker, UninspectableMessage
from gateway.model import Anatomy, Authored, HouseStyle, Limits
from gateway.settings import InspectionSettings
from gateway.workers import ExtractRequest, LaidOut, LayoutRequest, Looked, LookRequest, Pool

_MOST = 2
"""Messages read at once, if so many workers are set: a handful of reviewers open one a minute each."""


class Reader:
    """Reads messages for people. One a desk."""

    def __init__(self, settings: InspectionSettings, limits: Limits) -> None:
        """Start nothing yet. ``limits`` bound one message."""
        self._settings = settings.model_copy(update={"spare_workers": 0})
        self._size = min(_MOST, settings.extract_workers)
        self._limits = limits
        self._pool: Pool | None = None
        self._starting = asyncio.Lock()

    async def look(self, raw: bytes, style: HouseStyle | None = None) -> tuple[Authored, Anatomy] | str:
        """Return what the message says and what it is made of, or a sentence that says why it cannot be shown."""
        try:
            looked = await self.read(raw, style)
        except UninspectableMessage as trouble:
            return f"It could not be read, as when it came: {trouble}"
        except (NoWorker, StarvedWorker):
            return "It could not be read just now: the machine is busy. Load the page again."
        return looked.authored, looked.anatomy

    async def read(self, raw: bytes, style: HouseStyle | None = None) -> Looked:
        """Return what the message says and what it is made of; raises `UninspectableMessage`, or `NoWorker` or `StarvedWorker`."""
        pool = await self._started()
        return await pool.ask(LookRequest(raw=raw, limits=self._limits, style=style or HouseStyle()), Looked)

    async def layout(self, raw: bytes) -> str:
        """Return the HTML of a message with everything taken out that acts, loads or hides; or why it cannot be shown."""
        try:
            pool = await self._started()
            return (await pool.ask(LayoutRequest(raw=raw, limits=self._limits), LaidOut)).html
        except UninspectableMessage:
            return "<p>Its layout is too much to be made safe. What it says is above, and in its source.</p>"
        except (NoWorker, StarvedWorker):
            return "<p>It could not be read just now: the machine is busy. Load the page again.</p>"

    async def close(self) -> None:
        """End the processes; a later look starts new ones."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()

    async def _started(self) -> Pool:
        async with self._starting:
            if self._pool is None:
                pool = Pool("extract", self._settings, size=self._size)
                pool.first_requests = (ExtractRequest(raw=b"\r\n", limits=self._limits),)
                try:
                    await pool.start()
                except BaseException:
                    await pool.close()
                    raise
                self._pool = pool
            return self._pool
