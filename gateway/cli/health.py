"""How the relay is, for whoever watches over it: /metrics, /healthz and /readyz on a loopback address (`health.listen`).

Plain HTTP/1.1, one question a connection. /healthz: the event loop turns. /readyz: mail to a contact would be taken now,
and if not, why. /metrics: figures for Prometheus. What stands in the answers is ours alone: sentences and numbers, no
address, no text of a smarthost. `serve` starts it; it changes nothing but one fact in the store, by which /readyz
proves that the store can be written.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog

from gateway import __version__
from gateway.errors import GatewayError, Mistake, Mistakes, origin
from gateway.model import OutboxKind
from gateway.pipeline import Conductor
from gateway.settings import HealthSettings, listen_address
from gateway.store import Tx, outbox, records
from gateway.store.instants import instant_text
from gateway.store.rows import DeliveryState
from gateway.vitals import MEDIA, family

log = structlog.get_logger("gateway.health")

_MOST_PORTS = 64
"""As many as `serve --workers` may start."""
_MOST_AT_ONCE = 16
"""Questions; one more is closed. A monitoring system asks three."""
_MAX_HEAD_BYTES = 8192
_REMEMBERED_S = 2.0
"""How long an answer of the store is good for: whoever asks again and again must not keep the writer busy."""
_FACT = "health_at"
_PLAIN = "text/plain; charset=utf-8"
_REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    503: "Service Unavailable",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """What is wrong and does not mend itself, one sentence each; empty where nothing is."""

    smarthost: str = ""
    registry: str = ""
    rules: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What the store said: whether it could be written, what its outbox holds, why that is suspended."""

    at: float
    is_writable: bool
    backlog: tuple[outbox.Backlog, ...] = ()
    suspended: bool = False


class Health:
    """The listener. Made by `Service`; `start`, then `close`."""

    def __init__(
        self,
        settings: HealthSettings,
        conductor: Conductor,
        *,
        alarms: Callable[[], Alarms],
        is_stopping: Callable[[], bool],
        language: str,
    ) -> None:
        """``language`` says what hears the language cues; ``alarms`` is asked at each question."""
        self._settings = settings
        self._conductor = conductor
        self._alarms = alarms
        self._is_stopping = is_stopping
        self._language = language
        self._listener: asyncio.Server | None = None
        self._guests = 0
        self._kept: _Kept | None = None
        self._asking = asyncio.Lock()
        self.port = 0

    async def start(self, *, one_of_many: bool) -> None:
        """Listen on the port of the settings, or with ``one_of_many`` the first free one from it on. Raises `Mistakes`."""
        host, first = listen_address(self._settings.listen)
        last = min(first + _MOST_PORTS, 65_536) if one_of_many and first else first + 1
        trouble = OSError("no port is left")
        for port in range(first, last):
            try:
                self._listener = await asyncio.start_server(
                    self._serve, host, port, limit=_MAX_HEAD_BYTES, reuse_port=False
                )
            except OSError as error:
                trouble = error
                continue
            self.port = self._listener.sockets[0].getsockname()[1]
            return
        raise Mistakes((_listen_mistake(self._settings.listen, trouble),)) from trouble

    async def close(self) -> None:
        """Listen no more; questions under way are not waited for."""
        if self._listener is not None:
            self._listener.close()

    # --- questions ------------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._guests += 1
        try:
            if self._guests > _MOST_AT_ONCE:
                return
            async with asyncio.timeout(self._settings.timeout_s):
                head = await reader.readuntil(b"\r\n\r\n")
            async with asyncio.timeout(2 * self._settings.timeout_s):
                writer.write(await self._answer(head))
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return  # who does not ask, or does not listen, gets nothing
        except Exception as bug:  # noqa: BLE001 - the edge
            log.error("health:fault-of-ours", error=type(bug).__name__, where=origin(bug))
        finally:
            self._guests -= 1
            with contextlib.suppress(OSError):
                writer.close()

    async def _answer(self, head: bytes) -> bytes:
        method, path = (*head.split(b" ", 2), b"", b"")[:2]
        if method not in {b"GET", b"HEAD"}:
            return _response(405, "GET or HEAD.\n")
        if path == b"/healthz":
            found = _response(200, "lives\n")
        elif path == b"/readyz":
            why = await self._why_not()
            found = _response(503 if why else 200, "".join(f"{one}\n" for one in why or ("ready",)))
        elif path == b"/metrics":
            found = _response(200, "".join(self._lines(await self._ask_store())), MEDIA)
        else:
            found = _response(404, "/metrics, /healthz or /readyz.\n")
        return found if method == b"GET" else found[: found.index(b"\r\n\r\n") + 4]

    async def _why_not(self) -> tuple[str, ...]:
        """Return why no mail to a contact would be taken now; nothing when it would."""
        if self._is_stopping():
            return ("The relay is stopping.",)
        why = []
        if self._conductor.capabilities is None:
            why.append("The smarthost was not reached yet; see smarthost:unreachable in the log.")
        elif self._alarms().smarthost:
            why.append("The smarthost refuses us as we are set up; see smarthost:alarm in the log.")
        why += [
            f"No {crew.kind} worker is alive." for crew in self._conductor.workers.crews if not crew.alive
        ]
        if not (await self._ask_store()).is_writable:
            why.append("The store cannot be written; see health:store in the log.")
        return tuple(why)

    async def _ask_store(self) -> _Kept:
        """Return what the store says, asked once in a while however many want to know."""
        loop = asyncio.get_running_loop()
        async with self._asking:
            if self._kept is None or loop.time() - self._kept.at > _REMEMBERED_S:
                try:
                    async with asyncio.timeout(self._settings.timeout_s):
                        found = await self._conductor.store.write(self._look)
                    self._kept = replace(found, at=loop.time())
                except (GatewayError, TimeoutError) as trouble:
                    self._kept = _Kept(at=loop.time(), is_writable=False)
                    hint = trouble.hint if isinstance(trouble, GatewayError) else ""
                    log.error("health:store", error=str(trouble) or type(trouble).__name__, hint=hint)
            return self._kept

    @staticmethod
    def _look(tx: Tx) -> _Kept:
        records.set_fact(tx, _FACT, instant_text(datetime.now(UTC)))
        return _Kept(
            at=0,
            is_writable=True,
            backlog=outbox.backlog(tx),
            suspended=bool(outbox.suspension(tx)),
        )

    # --- figures --------------------------------------------------------------------------------------------

    def _lines(self, kept: _Kept) -> Iterator[str]:
        conductor, alarms = self._conductor, self._alarms()
        yield from conductor.vitals.lines()
        yield from self._of_workers()
        yield from self._of_smarthost()
        in_force = conductor.in_force
        loaded = in_force.registry.loaded_at.timestamp()
        yield from family(
            "gateway_registry_loaded_timestamp_seconds",
            "gauge",
            "When the registry was loaded.",
            [("", loaded)],
        )
        names = f'{{version="{__version__}",rules_hash="{in_force.rules_hash}",language="{_label(self._language)}"}}'
        yield from family("gateway_in_force_info", "gauge", "What messages are judged by.", [(names, 1)])
        ringing = {
            "smarthost": alarms.smarthost,
            "registry": alarms.registry,
            "rules": alarms.rules,
            "store": not kept.is_writable,
            "outbox_suspended": kept.suspended,
        }
        rows = [(f'{{what="{what}"}}', int(bool(why))) for what, why in ringing.items()]
        yield from family("gateway_alarm", "gauge", "1: somebody must look; the log says why.", rows)
        if kept.is_writable:
            yield from _of_outbox(kept.backlog, datetime.now(UTC))

    def _of_workers(self) -> Iterator[str]:
        crews = self._conductor.workers.crews
        for name, kind, says, values in (
            (
                "gateway_workers_wanted",
                "gauge",
                "Workers there are to be, spares too.",
                [c.wanted for c in crews],
            ),
            ("gateway_workers_alive", "gauge", "Workers that serve.", [c.alive for c in crews]),
            (
                "gateway_workers_busy",
                "gauge",
                "Workers that read or judge a message.",
                [c.busy for c in crews],
            ),
            ("gateway_workers_replaced_total", "counter", "Workers replaced.", [c.replaced for c in crews]),
        ):
            rows = [(f'{{kind="{crew.kind}"}}', value) for crew, value in zip(crews, values, strict=True)]
            yield from family(name, kind, says, rows)

    def _of_smarthost(self) -> Iterator[str]:
        used = self._conductor.relay.connections
        rows = [
            ('{state="busy"}', used.open - used.resting),
            ('{state="resting"}', used.resting),
            ('{state="waited_for"}', used.waited_for),
        ]
        yield from family("gateway_smarthost_connections", "gauge", "Connections to the smarthost.", rows)
        most = [("", used.places)]
        yield from family("gateway_smarthost_connections_max", "gauge", "next_hop.max_connections.", most)


def _of_outbox(backlog: Iterable[outbox.Backlog], now: datetime) -> Iterator[str]:
    """Yield what the outbox holds: the same from each relay of a store."""
    kinds, states = tuple(OutboxKind), (DeliveryState.QUEUED, DeliveryState.LEASED, DeliveryState.FAILED)
    found = {(one.kind, one.state): one for one in backlog}
    rows = [
        (f'{{kind="{kind}",state="{state}"}}', found[kind, state].deliveries if (kind, state) in found else 0)
        for kind in kinds
        for state in states
    ]
    yield from family("gateway_outbox_deliveries", "gauge", "Deliveries that are not through.", rows)
    ages = []
    for kind in kinds:
        due = [found[kind, state].first_at for state in states[:2] if (kind, state) in found]
        oldest = max(0.0, (now - min(due)).total_seconds()) if due else 0
        ages.append((f'{{kind="{kind}"}}', oldest))
    says = "Since when the next attempt at a delivery is due; 0 when none is."
    yield from family("gateway_outbox_oldest_due_seconds", "gauge", says, ages)


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")


def _response(code: int, text: str, media: str = _PLAIN) -> bytes:
    body = text.encode()
    head = (
        f"HTTP/1.1 {code} {_REASONS[code]}\r\nContent-Type: {media}\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


def _listen_mistake(listen: str, error: OSError) -> Mistake:
    return Mistake(
        file="health.listen",
        what=f"cannot listen on {listen}: {error.strerror or error}",
        remedy="choose a free port of this machine's loopback address, above 1023",
    )
