"""`gateway serve`: the process that stands between the force's mail system and its smarthost.

Puts the stages together, keeps what is in force up to date, and ends in order: the first SIGTERM or SIGINT lets
messages under way finish, one that comes later ends at once; SIGHUP reads registry, rules and certificate again. With
``--workers N`` N such processes share the port and the store, under a parent that only watches over them (`siblings`).
"""

import asyncio
import contextlib
import gc
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer

from gateway import __version__, audit, inspection, receive
from gateway.cli.health import Alarms, Health
from gateway.cli.housekeeping import keep_house
from gateway.cli.invocation import ConfigOption, code_version, settings_from
from gateway.cli.rules import rule_folders
from gateway.cli.siblings import Siblings
from gateway.errors import GatewayError, Mistakes, origin
from gateway.model import Event
from gateway.outbox import Outbox
from gateway.pipeline import Conductor, InForce, Options, without_addresses
from gateway.receive import Server
from gateway.registry import Keeper, LoadResult, Pushed
from gateway.relay import Relay
from gateway.review import digest
from gateway.settings import Settings
from gateway.store import Store, Tx, ledger, outbox, records, retention
from gateway.store.rows import RegistryVersion, RuleReport, RuleSetRow
from gateway.webhook import Webhook
from gateway.workers import Workers

log = structlog.get_logger("gateway.serve")

ACTOR = "serve"
RULES_POLL_S = 1.0
REPORT_EVERY_S = 5.0
_PROBE_PAUSE_S = 2.0
_ASK_AGAIN_S = 30.0
_CHECKPOINT_S = 3600.0
_REMIND_LOOK_S = 60
_ALARM_LOOK_S = 1.0
_ALARM_HINT = "Every message is answered 451 until next_hop and the smarthost fit each other again."
_ONE_WORD_S = 1.0
"""Signals to stop that come so close together are one: the service manager, a terminal and our parent may all pass one on."""


class Service:
    """One relay process: made, started, kept up to date, stopped."""

    def __init__(
        self, settings: Settings, *, reuse_port: bool = False, sock: socket.socket | None = None
    ) -> None:
        """``reuse_port`` lets several processes listen on one port; ``sock`` is listened on instead of the setting."""
        self.settings = settings
        self.process = f"{_place()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._reuse_port = reuse_port
        self._sock = sock
        self._hostname = settings.smtp.hostname or socket.gethostname()
        self._keeper: Keeper
        self._tasks: set[asyncio.Task[None]] = set()
        self._reported = 0.0
        self._refused_rules = ""
        self._refused = ""
        """Why a newer rule set is not in force; empty when there is none."""
        self._refused_at = self._kept_at = datetime.now(UTC)
        """When that was found, and when the store's latest set was put in force as of the last look."""
        self._trouble = ""
        self._is_draining = False
        self._adopting = asyncio.Lock()
        self._resources = contextlib.AsyncExitStack()
        self.stopping = asyncio.Event()
        """Set it to have `run_until_stopped` end the service."""
        self.has_failed = False
        """True once a duty ended by a fault of ours, which ends the service: whoever started it starts it again."""
        self.store: Store
        self.relay: Relay
        self.workers: Workers
        self.conductor: Conductor
        self.outbox: Outbox
        self.server: Server

    # --- start ----------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Return once the relay listens. Raises `GatewayError` or `Mistakes` when it must not start."""
        settings = self.settings
        self.store = await asyncio.to_thread(Store.open, settings.store, migrate=True)
        self._resources.push_async_callback(asyncio.to_thread, self.store.close)
        self.relay = Relay(settings.next_hop, self._hostname)
        self._resources.push_async_callback(self.relay.close)
        self.workers = Workers(settings.inspection, settings.limits)
        self._resources.push_async_callback(self.workers.close)
        pushed = Pushed(self.store, settings.registry) if settings.registry.source == "api" else None
        self._keeper = Keeper(settings.registry, pushed)
        looked = await asyncio.to_thread(self._keeper.look, datetime.now(UTC))
        assert looked is not None, "the first look always has a result"
        self._log_registry(looked)
        if looked.registry is None:
            raise Mistakes(looked.mistakes)
        bundle, refused = await self._first_rules()
        await self.workers.start(bundle)
        self.conductor = Conductor(
            relay=self.relay,
            workers=self.workers,
            store=self.store,
            in_force=InForce(
                registry=looked.registry,
                policy=inspection.policy_of(bundle),
                rules_hash=bundle.hash,
                style=inspection.house_style_of(bundle),
            ),
            options=_options(settings, self._hostname),
        )
        self._write(self._record_start)
        self._write(_take_over_leases)
        self._record_registry(looked)
        await self.store.write(self._kept_rules(bundle, refused))
        self._report("; ".join(refused))
        self.outbox = Outbox(
            store=self.store,
            relay=self.relay,
            webhook=Webhook(settings.notices.webhook),
            settings=settings.outbox,
            hostname=self._hostname,
            process=self.process,
        )
        await self._probe_once()
        self.server = await receive.serve(
            self.conductor, settings.smtp, reuse_port=self._reuse_port, sock=self._sock
        )
        await self._let_be_watched()
        watches = (self._probe, self._watch_smarthost, self._watch_registry, self._watch_rules)
        for duty in (*watches, self._sign_audit, self._keep_house, self._remind, self.outbox.run):
            self._spawn(duty)
        gc.freeze()  # a registry of 200,000 people is a million objects that the collector need not visit again
        log.info(
            "serve:ready",
            port=self.server.port,
            version=__version__,
            rules_hash=bundle.hash,
            registry=looked.registry.version,
            mode=settings.policy.mode,
            language=inspection.language_layer(language=settings.inspection.language),
        )
        _tell_systemd("READY=1")

    async def _let_be_watched(self) -> None:
        """Answer who asks how the relay is, where the settings say so. Raises `Mistakes`."""
        if not self.settings.health.listen:
            return
        health = Health(
            self.settings.health,
            self.conductor,
            alarms=self._alarms,
            is_stopping=lambda: self._is_draining,
            language=inspection.language_layer(language=self.settings.inspection.language),
        )
        await health.start(one_of_many=self._reuse_port)
        self._resources.push_async_callback(health.close)
        log.info("health:ready", port=health.port)

    async def _first_rules(self) -> tuple[inspection.Bundle, tuple[str, ...]]:
        """Return the set on disk; when it is wrong, the last good one in the store and what is wrong (DECISIONS 17)."""
        try:
            bundle = await asyncio.to_thread(_checked_rules, self.settings)
        except Mistakes as wrong:
            row = await self.store.read(records.latest_rule_set)
            if row is None:
                raise
            mistakes = tuple(str(mistake) for mistake in wrong.mistakes)
            self._refused = "; ".join(mistakes)
            log.error(
                "rules:refused",
                mistakes=mistakes,
                in_force=row.hash,
                hint="The last good set stays in force.",
            )
            return inspection.Bundle.from_json(row.bundle), mistakes
        return bundle, ()

    # --- stop -----------------------------------------------------------------------------------------------

    async def stop(self) -> None:
        """Finish what is under way, write what is left to write, and let everything go."""
        self._is_draining = True
        log.info("serve:draining", connections=self.server.connections)
        await self.server.close(self.settings.smtp.drain_timeout_s)
        self.outbox.stop()
        for task in tuple(self._tasks):
            if task.get_name() != "run":
                task.cancel()
        try:
            async with asyncio.timeout(self.settings.smtp.drain_timeout_s):
                await asyncio.gather(*self._tasks, return_exceptions=True)
        except TimeoutError:
            log.warning("serve:drain-timed-out", hint="A delivery was cut off; it is shown as interrupted.")
        self._write(self._record_stop)
        await self.conductor.settle()
        await self.close()
        log.info("serve:stopped")

    async def close(self) -> None:
        """Let go of processes, connections and the store; for `stop`, and for a start that failed half-way."""
        await self._resources.aclose()

    # --- what is in force -----------------------------------------------------------------------------------

    async def reload(self) -> None:
        """Read registry, rules and certificate again (SIGHUP). What is wrong is logged, and the old stays."""
        log.info("serve:reloading")
        await self._look_at_registry(force=True)
        try:
            async with self._adopting:
                await self._adopt(await asyncio.to_thread(_checked_rules, self.settings))
        except Mistakes as wrong:
            self._log_refused_rules(wrong, "")
        except GatewayError as trouble:
            log.error("rules:not-loaded", error=str(trouble), hint=trouble.hint)
        try:
            self.server.renew_certificate()
        except Mistakes as wrong:
            log.error("tls:refused", mistakes=[str(mistake) for mistake in wrong.mistakes])

    async def _look_at_registry(self, *, force: bool = False) -> None:
        try:
            looked = await asyncio.to_thread(self._keeper.look, datetime.now(UTC), force=force)
        except GatewayError as trouble:
            log.error("registry:not-read", error=str(trouble), hint=trouble.hint)
            return
        if looked is None or looked.registry is None:
            return
        before = self.conductor.in_force.registry
        if looked.registry is before:
            return
        self.conductor.in_force = replace(self.conductor.in_force, registry=looked.registry)
        if force or (looked.registry.version, looked.registry.stale) != (before.version, before.stale):
            self._log_registry(looked)
            self._record_registry(looked)

    async def _adopt(self, bundle: inspection.Bundle) -> None:
        """Put a set in force once every worker holds it and the store keeps it; one that is refused changes nothing.

        The caller holds `_adopting`. The store keeps it first: a verdict may name only a set that can be found again,
        and `_watch_rules`, which takes the store's latest, must never find an older one there than is in force here.
        """
        adopted = bundle.hash != self.conductor.in_force.rules_hash
        try:
            policy, style = inspection.policy_of(bundle), inspection.house_style_of(bundle)
            async with self.workers.adopting(bundle):
                await self.store.write(self._kept_rules(bundle, ()))
                self.conductor.in_force = replace(
                    self.conductor.in_force, policy=policy, rules_hash=bundle.hash, style=style
                )
        except Mistakes as wrong:
            self._log_refused_rules(wrong, bundle.hash)
            return
        self._refused_rules = self._refused = ""
        if adopted:
            log.info("rules:loaded", rules_hash=bundle.hash)
        self._report("")

    # --- duties ---------------------------------------------------------------------------------------------

    def _spawn(self, duty: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = asyncio.get_running_loop().create_task(duty(), name=duty.__name__)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (bug := task.exception()) is not None:
            log.error("serve:duty-ended", duty=task.get_name(), error=type(bug).__name__, where=origin(bug))
            self.has_failed = True
            self.stopping.set()

    async def _probe_once(self) -> None:
        try:
            await self.relay.probe()
        except GatewayError as trouble:
            log.error("smarthost:unreachable", error=str(trouble), hint=trouble.hint)

    async def _probe(self) -> None:
        """Look for the smarthost: until it was reached no client is served, and who is told that it refuses us may send none."""
        while self.relay.capabilities is None:
            await asyncio.sleep(_PROBE_PAUSE_S)
            await self._probe_once()
        while True:
            await asyncio.sleep(_ASK_AGAIN_S)
            await self.relay.ask_again()

    async def _watch_smarthost(self) -> None:
        """Say once that the smarthost will not serve us as we are set up, and once that it does again."""
        before = ""
        while True:
            await asyncio.sleep(_ALARM_LOOK_S)
            alarm = without_addresses(self.relay.alarm)
            if alarm and not before:
                log.error("smarthost:alarm", error=alarm, hint=_ALARM_HINT)
            elif before and not alarm:
                log.info("smarthost:alarm-over")
            before = alarm

    async def _watch_registry(self) -> None:
        while True:
            await asyncio.sleep(self.settings.registry.check_every_s)
            await self._look_at_registry()

    async def _watch_rules(self) -> None:
        """Adopt the set that `gateway rules reload` put in the store, and say which one is in force here."""
        while True:
            await asyncio.sleep(RULES_POLL_S)
            try:
                async with self._adopting:
                    await self._look_at_kept_rules()
                self._trouble = ""
            except GatewayError as trouble:
                if str(trouble) != self._trouble:
                    log.error("rules:not-looked-at", error=str(trouble), hint=trouble.hint)
                self._trouble = str(trouble)

    async def _look_at_kept_rules(self) -> None:
        latest, at = await self.store.read(records.latest_rules)
        is_anew, self._kept_at = at > max(self._kept_at, self._refused_at), at
        if is_anew and latest == self.conductor.in_force.rules_hash:
            self._refused_rules = self._refused = ""  # a person says that this is the set to judge by
        if latest and latest not in {self.conductor.in_force.rules_hash, self._refused_rules}:
            row = await self.store.read(lambda tx: records.rule_set(tx, latest))
            assert row is not None, "sets are never deleted"
            await self._adopt(inspection.Bundle.from_json(row.bundle))
        elif time.monotonic() - self._reported > REPORT_EVERY_S:
            self._report("")

    async def _sign_audit(self) -> None:
        """Write where the audit log ends, signed, whatever else is or is not kept."""
        while True:
            self._write(self._checkpoint)
            await asyncio.sleep(_CHECKPOINT_S)

    async def _keep_house(self) -> None:
        terms = retention.Terms.of(self.settings.store, self.settings.outbox.kept_days)
        await keep_house(self.store, terms, by=self.process, actor=ACTOR)

    async def _remind(self) -> None:
        """Tell reviewers now and then that holds wait for them (notices.digest_h)."""
        while self.settings.notices.digest_h:
            await asyncio.sleep(_REMIND_LOOK_S)
            registry = self.conductor.in_force.registry
            try:
                await digest.remind(self.store, self.settings.notices, registry, datetime.now(UTC))
            except GatewayError as trouble:
                log.error("digest:not-written", error=str(trouble), hint=trouble.hint)

    def _alarms(self) -> Alarms:
        """Return what is wrong with what the relay works with."""
        stale = self.conductor.in_force.registry.stale
        return Alarms(smarthost=self.relay.alarm, registry=stale, rules=self._refused)

    # --- records --------------------------------------------------------------------------------------------

    def _write(self, job: Callable[[Tx], None]) -> None:
        self.conductor.afterwards(job, "serve:not-recorded")

    def _audit(self, tx: Tx, event: Event, subject: str, payload: dict[str, audit.Value]) -> None:
        audit.append(tx, event, actor=ACTOR, subject=subject, payload=payload, at=datetime.now(UTC))

    def _record_start(self, tx: Tx) -> None:
        policy = self.settings.policy
        mode = ",".join((policy.mode, *(f"{unit}={mode}" for unit, mode in sorted(policy.units.items()))))
        before = records.fact(tx, "mode")
        if before != mode:
            records.set_fact(tx, "mode", mode)
            self._audit(tx, Event.MODE_CHANGED, "policy.mode", {"from": before or "", "to": mode})
        self._audit(tx, Event.SERVE_STARTED, self.process, {"version": __version__, "mode": mode})

    def _record_stop(self, tx: Tx) -> None:
        records.withdraw_report(tx, self.process)
        outbox.give_back(tx, self.process, datetime.now(UTC))
        self._audit(tx, Event.SERVE_STOPPED, self.process, {})

    def _record_registry(self, looked: LoadResult) -> None:
        registry = looked.registry
        assert registry is not None, "asked by the callers"
        row = RegistryVersion(
            version=registry.version,
            at=datetime.now(UTC),
            contacts=looked.contacts,
            staff=looked.staff,
            by=ACTOR,
        )

        def job(tx: Tx) -> None:
            if records.save_registry_version(tx, row):
                counts: dict[str, audit.Value] = {
                    "contacts": row.contacts,
                    "staff": row.staff,
                    "lost": looked.lost,
                }
                self._audit(tx, Event.REGISTRY_LOADED, registry.version, counts)
            if looked.refused:
                self._audit(tx, Event.REGISTRY_REFUSED, registry.version, {"mistakes": len(looked.mistakes)})
            if registry.stale:
                self._audit(tx, Event.REGISTRY_STALE, registry.version, {"why": registry.stale})

        self._write(job)

    def _kept_rules(self, bundle: inspection.Bundle, refused: tuple[str, ...]) -> Callable[[Tx], None]:
        """Return what writes down that ``bundle`` comes into force here, or stays so since another was refused."""
        row = RuleSetRow(hash=bundle.hash, bundle=bundle.to_json(), at=datetime.now(UTC), by=ACTOR)

        def job(tx: Tx) -> None:
            if refused:
                self._audit(tx, Event.RULES_REFUSED, bundle.hash, {"mistakes": refused})
            elif records.latest_rules_hash(tx) != bundle.hash:
                records.save_rule_set(tx, row)
            self._audit(tx, Event.RULES_LOADED, bundle.hash, {"process": self.process})

        return job

    def _checkpoint(self, tx: Tx) -> None:
        audit.checkpoint(tx, store_id=self.store.store_id, actor=ACTOR, at=datetime.now(UTC))

    def _report(self, trouble: str) -> None:
        self._reported = time.monotonic()
        report = RuleReport(
            process=self.process,
            hash=self.conductor.in_force.rules_hash,
            at=datetime.now(UTC),
            trouble=trouble,
        )
        self._write(lambda tx: records.report_rules(tx, report))

    def _log_refused_rules(self, wrong: Mistakes, rules_hash: str) -> None:
        """A refused set is named once, in log and audit; the one in force stays."""
        mistakes = tuple(str(mistake) for mistake in wrong.mistakes)
        self._refused_rules = rules_hash
        in_force = self.conductor.in_force.rules_hash
        log.error("rules:refused", mistakes=mistakes, in_force=in_force)
        self._write(
            lambda tx: self._audit(tx, Event.RULES_REFUSED, rules_hash or "files", {"mistakes": mistakes})
        )
        self._refused, self._refused_at = "; ".join(mistakes), datetime.now(UTC)
        self._report(self._refused)

    def _log_registry(self, looked: LoadResult) -> None:
        for mistake in looked.mistakes:
            log.error("registry:mistake", file=mistake.file, line=mistake.line, column=mistake.column)
        for doubtful in looked.warnings:  # the text may quote a row; `gateway contacts check` prints it
            log.warning("registry:warning", file=doubtful.file, line=doubtful.line, column=doubtful.column)
        if looked.registry is not None and looked.registry.stale:
            log.error("registry:stale", why=looked.registry.stale, hint="Its contacts stay registered.")
        log.info(
            "registry:loaded",
            contacts=looked.contacts,
            staff=looked.staff,
            kept=looked.kept,
            lost=looked.lost,
        )


def _place() -> str:
    """Return what names this process table and no other: host, boot and process namespace."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    table = Path("/proc/self/ns/pid")
    if not (boot.exists() and table.exists()):
        return f"{socket.gethostname()}:{secrets.token_hex(8)}"
    return f"{socket.gethostname()}:{boot.read_text()[:8]}:{table.stat().st_ino}"


def _take_over_leases(tx: Tx) -> None:
    """End the leases of relays that were killed on this machine: their deliveries need not wait out the lease."""
    for owner in outbox.lease_owners(tx):
        place, pid, _ = owner.rsplit(":", 2)
        if place == _place() and not Path(f"/proc/{pid}").exists():
            given = outbox.give_back(tx, owner, datetime.now(UTC))
            log.warning("outbox:taken-over", owner=owner, deliveries=given)


def _checked_rules(settings: Settings) -> inspection.Bundle:
    """Return the rule set on disk; raises `Mistakes` of load grade."""
    bundle = inspection.read(rule_folders(settings.rules))
    if mistakes := inspection.check(bundle):
        raise Mistakes(mistakes)
    return bundle


def _options(settings: Settings, hostname: str) -> Options:
    return Options(
        hostname=hostname,
        mode=settings.policy.mode,
        unit_modes=settings.policy.units,
        max_excluded=settings.policy.max_excluded,
        reach=ledger.reach_of(settings.store),
        notices=settings.notices,
        code_version=code_version(),
    )


def _tell_systemd(state: str) -> None:
    """Tell the service manager, if one started us (sd_notify(3)); without it, nothing."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.sendto(state.encode(), "\0" + address[1:] if address.startswith("@") else address)


# --- the process --------------------------------------------------------------------------------------------


async def run_until_stopped(
    service: Service, *, when_ready: Callable[[], Coroutine[Any, Any, None]] | None = None
) -> None:
    """Start ``service``, run ``when_ready``, and serve until SIGTERM or SIGINT; a later one ends at once."""
    loop = asyncio.get_running_loop()
    first: float | None = None

    def stop() -> None:
        nonlocal first
        if first is None:
            first = loop.time()
            service.stopping.set()
        elif loop.time() - first > _ONE_WORD_S:
            log.warning("serve:killed", hint="Messages under way were not accepted; their senders keep them.")
            os._exit(1)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    # Until it serves there is nothing to read again; without a handler, SIGHUP would end the process.
    loop.add_signal_handler(signal.SIGHUP, log.info, "serve:starting")
    try:
        await service.start()
    except BaseException:
        await service.close()
        raise
    reloads: set[asyncio.Task[None]] = set()

    def reload() -> None:
        task = loop.create_task(service.reload())
        reloads.add(task)
        task.add_done_callback(reloaded)

    def reloaded(task: asyncio.Task[None]) -> None:
        reloads.discard(task)
        if not task.cancelled() and (bug := task.exception()) is not None:
            hint = "What it did not come to stays as it was."
            log.error("serve:reload-failed", error=type(bug).__name__, where=origin(bug), hint=hint)

    loop.add_signal_handler(signal.SIGHUP, reload)
    try:
        if when_ready is not None:
            await when_ready()
        await service.stopping.wait()
    finally:
        await service.stop()


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run ``main`` on uvloop where it is installed, on asyncio's own loop otherwise."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(main)
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main)


def serve(
    config: ConfigOption = None,
    workers: Annotated[
        int, typer.Option("--workers", help="Relay processes that share the port.", min=1, max=64)
    ] = 1,
    *,
    reuse_port: Annotated[bool, typer.Option("--reuse-port", hidden=True)] = False,
) -> None:
    """Run the relay: SMTP in, inspection, SMTP out, and the outbox."""
    settings = settings_from(config)
    if workers > 1:
        command = [sys.executable, "-m", "gateway", "serve", "--reuse-port"]
        command += ["--config", str(config)] if config else []
        raise typer.Exit(Siblings(command, workers).watch())
    service = Service(settings, reuse_port=reuse_port)
    run(run_until_stopped(service))
    if service.has_failed:
        raise typer.Exit(1)
