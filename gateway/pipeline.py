"""The conductor: the only file that knows the order of things, from MAIL to the answer after the dot.

    identify  -> is a registered contact among the recipients?        nobody: relay the bytes unread (P4)
    extract   -> what did the officer write?                          workers
    inspection-> what does it say?                                    workers
    decide    -> pass, flag or hold, and whose copy waits
    record    -> verdict, sealed bytes and audit entry, one transaction, durable before anything acts on it
    relay     -> pass, flag: DATA to all. hold: RSET, then DATA to those whose copy does not wait (P5)

Owns no judgement, no SQL and no socket. It is handed the stages and calls them; it also keeps the two promises
that lie between stages: `250` is said only for what is safe (P1), and no failure ever passes a message to a
registered contact (P3).
"""

import asyncio
import base64
import hashlib
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache, partial
from zoneinfo import ZoneInfo

import structlog
from structlog.typing import FilteringBoundLogger

from gateway import identify, notices, recording
from gateway.decide import decide, waiting
from gateway.errors import GatewayError, StarvedWorker, UninspectableMessage, origin
from gateway.inspection import quoted_lines
from gateway.model import (
    Action,
    Authored,
    Capabilities,
    Client,
    ContactMatch,
    Envelope,
    History,
    HouseStyle,
    Inspection,
    ItemKind,
    MailCommand,
    MessageId,
    Mode,
    Parties,
    Policy,
    Registry,
    Reply,
    StaffId,
    Unreadable,
    UnreadableReason,
    Verdict,
)
from gateway.relay import Relay, Transaction
from gateway.settings import NoticeSettings
from gateway.store import Store, Tx, items, ledger
from gateway.store.rows import Kept, Outcome, Reach
from gateway.vitals import Outcome as Became
from gateway.vitals import Stage, Vitals
from gateway.workers import Workers

log: FilteringBoundLogger = structlog.get_logger("gateway.pipeline")

_CRASHES_UNTIL_HELD = 3
_CRASHES_REMEMBERED = 10_000
_AFTERWARDS_S = 0.05
"""How long what nobody waits for may be left, so that it is written together. A crash loses no more than that."""
_LONG_THREAD_CHARS = 20_000
_MANY_ADDRESSES = 200
"""In one message, envelope and header block; looking up more than that keeps no other mail waiting."""
_TRY_AGAIN = Reply(451, ("4.3.0 Try again later",))
_OVERROUTED = Reply(553, ("5.1.3 The address goes by too many hosts; give the mailbox itself",))
_ADDRESS = re.compile(r'(?:"[^"]*"|[^\s"@])*@\S*')
_LOGGED_CHARS = 500
"""Of what a smarthost says; it may say 64 KiB, and looking for addresses in that takes seconds."""
_HELO = re.compile(r"[A-Za-z0-9.:_\[\]-]{1,255}")


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """What messages are judged by. Replaced as a whole; a message keeps the one it began with."""

    registry: Registry
    policy: Policy
    rules_hash: str
    style: HouseStyle


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The settings of the order of things. ``max_excluded``: more people than that cannot all be conflicted."""

    hostname: str
    mode: Mode
    unit_modes: Mapping[str, Mode]
    max_excluded: int
    reach: Reach
    notices: NoticeSettings
    code_version: str


class Conductor:
    """The stages, and what is in force. One a process; `receive` opens an `Exchange` for each connection."""

    def __init__(
        self, *, relay: Relay, workers: Workers, store: Store, in_force: InForce, options: Options
    ) -> None:
        """The stages are started and closed by whoever made them; ``in_force`` may be replaced at any time."""
        self.relay = relay
        self.workers = workers
        self.store = store
        self.in_force = in_force
        self.options = options
        self.vitals = Vitals()
        self._crashes: OrderedDict[str, int] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None
        self._afterwards = 0
        self._settled = asyncio.Event()

    @property
    def capabilities(self) -> Capabilities | None:
        """What EHLO may offer; None until the smarthost was reached once."""
        return self.relay.capabilities

    def open(self, client: Client) -> "Exchange":
        """Return the road for the messages of one connection."""
        return Exchange(self, client)

    def mode_of(self, parties: Parties, registry: Registry) -> Mode:
        """Return how far a verdict may act: the strictest mode of all whom the mail claims to come from.

        Whom to name as Sender is the writer's choice, and must not make the mode milder. Who is not on the staff list
        may be anybody: the strictest mode that any unit has.
        """
        members = [registry.staff_by_id.get(claim.staff_id or StaffId("")) for claim in parties.claimed]
        if not members or None in members:
            modes = [self.options.mode, *self.options.unit_modes.values()]
        else:
            modes = [self._mode_in(member.unit) for member in members if member]
        return max(modes, key=lambda mode: mode.strictness)

    def _mode_in(self, unit: str) -> Mode:
        """Return the mode of a unit, which the settings need not write as the staff list does: by capitals, or spaces around it."""
        named = [mode for name, mode in self.options.unit_modes.items() if _folded(name) == _folded(unit)]
        return max(named, key=lambda mode: mode.strictness, default=self.options.mode)

    def count_crash(self, sha256: str) -> None:
        """Remember that these bytes ended in a fault of ours once more."""
        self._crashes[sha256] = self._crashes.pop(sha256, 0) + 1
        while len(self._crashes) > _CRASHES_REMEMBERED:
            self._crashes.popitem(last=False)

    def keeps_crashing(self, sha256: str) -> bool:
        """True when the next crash on these bytes would be the third: a person must look (DECISIONS 7)."""
        return self._crashes.get(sha256, 0) >= _CRASHES_UNTIL_HELD - 1

    def afterwards(self, job: Callable[[Tx], None], event: str, *, at_once: bool = False) -> None:
        """Write ``job`` without making the sender wait; a failure is logged as ``event`` and undoes nothing.

        It goes with the next record, or with whatever else has come after `_AFTERWARDS_S`: nobody waits for it, and
        a transaction of its own would cost a sync of the disk. ``at_once`` is for what a retry must find: copies
        that went out already.
        """
        try:
            self.store.write_later(job, partial(self._written, event))
        except GatewayError as trouble:
            log.error(event, error=str(trouble), hint=trouble.hint)
            return
        self._afterwards += 1
        if at_once:
            self._hurry()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_AFTERWARDS_S, self._hurry)

    async def settle(self) -> None:
        """Return when everything that was left for afterwards is written, or known not to be."""
        while self._afterwards:
            self._settled.clear()
            self._hurry()
            await self._settled.wait()

    def _hurry(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.store.hurry()

    def _written(self, event: str, problem: BaseException | None) -> None:
        self._afterwards -= 1
        if not self._afterwards:
            self._settled.set()
        if isinstance(problem, GatewayError):
            log.error(event, error=str(problem), hint=problem.hint)
        elif problem is not None:
            log.error(event, error=type(problem).__name__, where=origin(problem))


class Exchange:
    """The transactions of one connection, one after the other."""

    def __init__(self, conductor: Conductor, client: Client) -> None:
        self._conductor = conductor
        self._client = client
        self._in_force = conductor.in_force
        self._upstream: Transaction | None = None
        self._mail = MailCommand(reverse_path="")
        self._contacts: list[ContactMatch] = []

    async def mail(self, command: MailCommand) -> Reply:
        """Return the smarthost's answer to MAIL."""
        await self.reset()
        self._in_force = self._conductor.in_force
        self._mail = command
        self._upstream = self._conductor.relay.begin()
        reply = self._conductor.vitals.answered("mail", await self._upstream.mail(command))
        if not reply.is_positive:
            self._log_refusal("mail:refused", reply)
            await self.reset()
        return reply

    async def rcpt(self, recipient: str) -> Reply:
        """Return the smarthost's answer to RCPT; it is not asked about an address that nobody can read to its end."""
        assert self._upstream is not None, "receive asks for MAIL first"
        if identify.is_overrouted(recipient):
            log.warning("rcpt:overrouted", client=self._client.address)
            return self._conductor.vitals.answered("rcpt", _OVERROUTED)
        # Looked up before the smarthost takes it: whatever goes wrong here, no recipient is taken and not looked up.
        match = identify.contacts_for(self._in_force.registry, recipient)
        reply = self._conductor.vitals.answered("rcpt", await self._upstream.rcpt(recipient))
        if not reply.is_positive:
            self._log_refusal("rcpt:refused", reply)
        elif match:
            self._contacts.append(match)
        return reply

    async def data(self, raw: bytes) -> Reply:
        """Return what became of the message: the truth, and 250 only when it is safe (P1)."""
        vitals = self._conductor.vitals
        with vitals.timed(Stage.WHOLE):
            return vitals.answered("data", await self._taken(raw))

    async def _taken(self, raw: bytes) -> Reply:
        message_id = new_id()
        told = log.bind(message=message_id, client=self._client.address)
        try:
            return await self._data(message_id, raw, told)
        except GatewayError as trouble:
            told.error("message:trouble", error=without_addresses(str(trouble)), hint=trouble.hint)
            self._conductor.vitals.messages[Became.NOT_TAKEN] += 1
            code, _, text = trouble.reply.partition(" ")
            return Reply(int(code), (text,))
        except Exception as bug:  # noqa: BLE001 - the edge
            # Our own bug: whatever it was, the force's server still has the mail (STYLE section 4, errors). Its
            # text may quote the mail, so the log gets its place alone.
            self._conductor.count_crash(hashlib.sha256(raw).hexdigest())
            told.error("message:fault-of-ours", error=type(bug).__name__, where=origin(bug))
            self._conductor.vitals.messages[Became.NOT_TAKEN] += 1
            return _TRY_AGAIN
        finally:
            await self.reset()

    async def reset(self) -> None:
        """Forget the transaction; the smarthost's side is given up."""
        upstream, self._upstream = self._upstream, None
        self._contacts = []
        if upstream is not None:
            await upstream.abandon()

    async def _data(self, message_id: MessageId, raw: bytes, told: FilteringBoundLogger) -> Reply:
        upstream = self._upstream
        assert upstream is not None, "receive asks for MAIL first"
        envelope = Envelope(
            mail=self._mail,
            recipients=upstream.accepted,
            client=self._client,
            received_at=datetime.now(UTC),
        )
        if not self._contacts:
            line = received_line(message_id, envelope, self._conductor.options.hostname)
            self._conductor.vitals.messages[Became.UNREAD] += 1
            reply = await upstream.data((line, raw))
            _log_answer(told, "message:relayed", reply, upstream, size=len(raw))
            return _answer(message_id, reply)
        message = recording.Message(
            id=message_id, raw=raw, sha256=hashlib.sha256(raw).hexdigest(), envelope=envelope
        )
        return await _Inspected(self._conductor, self._in_force, upstream, message, told).run()

    def _log_refusal(self, event: str, reply: Reply) -> None:
        trouble = self._upstream.trouble if self._upstream else ""
        log.info(event, client=self._client.address, code=reply.code, smarthost=without_addresses(str(reply)))
        if trouble:
            log.warning("smarthost:trouble", error=without_addresses(trouble))


class _Inspected:
    """The road of one message to a registered contact: read, judge, decide, record, relay."""

    def __init__(
        self,
        conductor: Conductor,
        in_force: InForce,
        upstream: Transaction,
        message: recording.Message,
        told: FilteringBoundLogger,
    ) -> None:
        self._conductor = conductor
        self._vitals = conductor.vitals
        self._log = told
        self._in_force = in_force
        self._upstream = upstream
        self._message = message
        self._at = message.envelope.received_at

    async def run(self) -> Reply:
        """Return the answer after the dot."""
        # The registry is the one that RCPT was answered by; rules, policy and style are those in force now, as one.
        self._in_force = replace(self._conductor.in_force, registry=self._in_force.registry)
        with self._vitals.timed(Stage.READ):
            authored, failures = await self._read()
        parties = await self._parties(authored)
        # Whose copy would wait is part of the key: a private address added at a retry must not count as the rest.
        key = recording.retry_key(
            self._message.sha256,
            self._message.envelope.mail.reverse_path,
            waiting(parties, self._in_force.policy),
        )
        self._message = replace(self._message, retry_key=key)
        known, history = await self._conductor.store.read(
            partial(self._look_up, parties, quoted_lines(authored))
        )
        if known is not None:
            return await self._repeat(known, parties)
        inspection: Inspection | None = None
        if not failures:
            with self._vitals.timed(Stage.JUDGE):
                inspection, failures = await self._judge(authored, parties, history)
        verdict = decide(
            authored=authored,
            parties=parties,
            inspection=inspection,
            trouble=failures,
            history=history,
            policy=self._in_force.policy,
            mode=self._conductor.mode_of(parties, self._in_force.registry),
            limits=self._conductor.workers.limits,
            decided_at=self._at.astimezone(ZoneInfo(self._in_force.policy.timezone)),
            code_version=self._conductor.options.code_version,
        )
        return await self._record_and_act(authored, parties, verdict, inspection)

    # --- read and judge -------------------------------------------------------------------------------------

    async def _read(self) -> tuple[Authored, tuple[Unreadable, ...]]:
        """Return what the officer wrote; nothing, and why, when the message would not let itself be read."""
        if self._conductor.keeps_crashing(self._message.sha256):
            return Authored(), (
                _unread(UnreadableReason.WORKER_FAILED, "Reading it failed again and again."),
            )
        try:
            return await self._conductor.workers.extract(self._message.raw, self._in_force.style), ()
        except UninspectableMessage as trouble:
            self._log.warning("message:not-read", error=trouble.reason)
            return Authored(), (_unread(UnreadableReason.WORKER_FAILED, trouble.reason),)
        except StarvedWorker:
            self._conductor.count_crash(self._message.sha256)
            raise

    async def _parties(self, authored: Authored) -> Parties:
        """Return who wrote to whom; very many addresses are looked through on a thread, the loop goes on."""
        headers = authored.headers
        envelope = self._message.envelope
        look = partial(identify.parties, self._in_force.registry, envelope, headers)
        named = (headers.from_, headers.sender, headers.to, headers.cc, headers.bcc, headers.reply_to)
        fields = (envelope.recipients, *named)
        return await asyncio.to_thread(look) if sum(map(len, fields)) > _MANY_ADDRESSES else look()

    def _look_up(self, parties: Parties, quoted: tuple[str, ...], tx: Tx) -> tuple[MessageId | None, History]:
        """Return the item this message is already, if any, and what the ledger knows of people and quoted lines."""
        persons = tuple(contact.person_id for match in parties.contacts for contact in match.contacts)
        # Everybody it claims to come from: naming a colleague as Sender must not leave one's own history behind.
        officers = (claim.staff_id for claim in parties.claimed if claim.staff_id)
        reach, key = self._conductor.options.reach, self._message.retry_key
        earlier = ledger.history(tx, officers, persons, self._at, reach, retry_key=key, quoted=quoted)
        return items.item_by_retry_key(tx, self._message.retry_key), earlier

    async def _judge(
        self, authored: Authored, parties: Parties, history: History
    ) -> tuple[Inspection | None, tuple[Unreadable, ...]]:
        """Return the findings; none, and why, when the message would not let itself be judged."""
        try:
            inspection = await self._conductor.workers.judge(
                authored, parties, history, at=self._at, rules_hash=self._in_force.rules_hash
            )
        except UninspectableMessage as trouble:
            self._log.warning("message:not-judged", error=trouble.reason)
            return None, (_unread(UnreadableReason.NOT_IN_TIME, trouble.reason),)
        except StarvedWorker:
            self._conductor.count_crash(self._message.sha256)
            raise
        return inspection, ()

    # --- record, then act -----------------------------------------------------------------------------------

    async def _record_and_act(
        self, authored: Authored, parties: Parties, verdict: Verdict, inspection: Inspection | None
    ) -> Reply:
        message = self._message
        who = await self._reviewers(authored, parties, verdict) if recording.is_listed(verdict) else None
        new = recording.draft(message, authored, parties, verdict, who, inspection)
        if new.item is not None and verdict.action is Action.HOLD and verdict.urgent:
            options, registry = self._conductor.options, self._in_force.registry
            told = notices.reviewers(options.notices, registry, new.item)
            if not told:
                self._log.error(
                    "hold:urgent-and-nobody-to-tell", hint="Set notices.urgent_to, or staff with role psd."
                )
            told_of = notices.urgent(options.notices, new.item, told)
            new = replace(new, notices=told_of + notices.call(options.notices, new.item))
        if new.item is not None and new.item.psd_only:
            self._log.error("item:psd-only", why=new.item.psd_only, hint="Professional standards must look.")
        with self._vitals.timed(Stage.RECORD):
            written = await self._conductor.store.write(partial(recording.record, new=new))
        if written != message.id:  # another process was handed the same message at the same moment
            return await self._repeat(written, parties)
        self._vitals.messages[Became(verdict.action)] += 1
        self._log.info(
            _EVENTS[verdict.action],
            score=verdict.score,
            because=verdict.because,
            rules=[finding.rule for finding in verdict.findings],
            rules_hash=verdict.rules_hash,
            registry_stale=bool(verdict.registry_stale),
            urgent=bool(verdict.urgent),
            size=len(message.raw),
        )
        if verdict.action is Action.HOLD:
            return await self._send_rest(message.id, verdict.sent)
        return await self._send_all(message.id, new.item.id if new.item else None)

    async def _reviewers(self, authored: Authored, parties: Parties, verdict: Verdict) -> recording.Reviewers:
        """Return who may review; a long thread is searched for names on a thread, the loop goes on."""
        told = recording.earlier_told(parties, verdict, self._at)
        earlier = await self._conductor.store.read(partial(items.kept_from, told=told)) if told else Kept()
        search = partial(recording.excluded_staff, self._in_force.registry, parties, authored)
        length = authored.characters + sum(len(cut.text) for cut in authored.cuts)
        excluded = await asyncio.to_thread(search) if length > _LONG_THREAD_CHARS else search()
        return recording.reviewers(
            self._in_force.registry,
            parties,
            excluded,
            earlier=earlier,
            max_excluded=self._conductor.options.max_excluded,
            was_read=authored != Authored() and all(one.part != "header" for one in authored.unreadable),
        )

    async def _send_all(self, shown_id: MessageId, flag: MessageId | None) -> Reply:
        """Send the message to everybody, and have the outcome written once it is known."""
        with self._vitals.timed(Stage.RELAY):
            reply = await self._upstream.data((self._line(shown_id), self._message.raw))
        _log_answer(self._log, "message:sent", reply, self._upstream, size=len(self._message.raw))
        outcome = (
            Outcome.ACCEPTED
            if reply.is_positive
            else Outcome.UNKNOWN
            if self._upstream.uncertain
            else Outcome.REFUSED
        )
        self._conductor.afterwards(
            partial(
                recording.record_outcome,
                ledger_key=self._message.retry_key,
                item_id=flag,
                outcome=outcome,
                code=reply.code,
                at=datetime.now(UTC),
            ),
            "message:outcome-not-recorded",
        )
        return _answer(shown_id, reply)

    async def _send_rest(self, item_id: MessageId, rest: tuple[str, ...]) -> Reply:
        """Send the copies that need not wait (P5, DECISIONS 1), and answer for all of them."""
        if not rest:
            return _answer(item_id, _TAKEN)
        replies = await self._upstream.rewind(self._message.envelope.mail, rest)
        if not all(reply.is_positive for reply in replies):
            self._log.warning("message:rest-not-taken", codes=[reply.code for reply in replies])
            return _TRY_AGAIN
        reply = await self._upstream.data((self._line(item_id), self._message.raw))
        _log_answer(self._log, "message:rest-sent", reply, self._upstream, size=len(self._message.raw))
        self._conductor.afterwards(
            partial(
                recording.record_rest,
                item_id=item_id,
                rest=recording.recipients_key(rest),
                code=reply.code,
                at=datetime.now(UTC),
            ),
            "message:rest-not-recorded",
            at_once=True,
        )
        return _answer(item_id, reply)

    async def _repeat(self, item_id: MessageId, parties: Parties) -> Reply:
        """Answer a message that is an item already: same id, nothing new but what had not gone out before."""
        job = partial(recording.record_repeat, item_id=item_id, sha256=self._message.sha256, at=self._at)
        item, rest_taken = await self._conductor.store.write(job)
        self._vitals.messages[Became.REPEAT] += 1
        self._log.info("message:repeated", item=item_id, kind=item.kind)
        if item.kind is ItemKind.FLAG:
            return await self._send_all(item_id, item_id)
        kept = waiting(parties, self._in_force.policy)
        rest = tuple(one for one in self._message.envelope.recipients if one not in kept)
        if rest and rest_taken == recording.recipients_key(rest):
            return _answer(item_id, _TAKEN)
        return await self._send_rest(item_id, rest)

    def _line(self, shown_id: MessageId) -> bytes:
        return received_line(shown_id, self._message.envelope, self._conductor.options.hostname)


# --- lines and answers --------------------------------------------------------------------------------------

_TAKEN = Reply(250, ("2.0.0 Accepted",))
_EVENTS = {Action.PASS: "message:passed", Action.FLAG: "message:flagged", Action.HOLD: "message:held"}


def new_id() -> MessageId:
    """Return a fresh random id of 100 bits: nobody can guess one, and none says anything."""
    return MessageId(base64.b32encode(secrets.token_bytes(13))[:20].decode("ascii").lower())


def received_line(message_id: MessageId, envelope: Envelope, hostname: str) -> bytes:
    """Return the one line that is added on top (RFC 5321 section 4.4), unfolded, with CRLF.

    It is the same for a message that passes and for one that was held and released: nothing in it may tell them
    apart (P8). A HELO name with characters outside the grammar of names is left out.
    """
    client = envelope.client
    literal = f"[IPv6:{client.address}]" if ":" in client.address else f"[{client.address}]"
    said = client.helo if _HELO.fullmatch(client.helo) else literal
    protocol = "SMTP" if not client.extended else "UTF8SMTP" if envelope.mail.smtputf8 else "ESMTP"
    secured = "S" if client.tls and client.extended else ""
    when = _date(envelope.received_at.astimezone(UTC).replace(microsecond=0))
    return (
        f"Received: from {said} ({literal}) by {hostname} with {protocol}{secured} id {message_id}; {when}\r\n"
    ).encode("ascii")


@lru_cache(maxsize=4)
def _date(second: datetime) -> str:
    """Return the date as a header has it; made once a second, for all messages of that second."""
    return format_datetime(second)


def _folded(unit: str) -> str:
    return unit.strip().lower()


def _answer(shown_id: MessageId, reply: Reply) -> Reply:
    """Return the same words for every 2xx, pass and hold alike (P8); anything else is passed on as it is."""
    return Reply(250, (f"2.0.0 Accepted {shown_id}",)) if reply.is_positive else reply


def _log_answer(
    told: FilteringBoundLogger, event: str, reply: Reply, upstream: Transaction, *, size: int
) -> None:
    told.info(event, size=size, code=reply.code, smarthost=without_addresses(str(reply)))
    if upstream.trouble:
        told.warning("smarthost:trouble", error=without_addresses(upstream.trouble))


def without_addresses(text: str) -> str:
    """Return ``text`` fit for the log: a smarthost's refusal often repeats the victim's address."""
    if len(text) > _LOGGED_CHARS:  # whole words: a local part must not stand there without its @
        text = f"{text[:_LOGGED_CHARS].rpartition(' ')[0]} ..."
    return _ADDRESS.sub("<address>", text)


def _unread(reason: UnreadableReason, detail: str) -> Unreadable:
    return Unreadable(part="", reason=reason, detail=detail)
