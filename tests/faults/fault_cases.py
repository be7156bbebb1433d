"""Every fault that is tested, what the sender is told, and the page that is printed from it (docs/faults.md).

The tests run these cases and nothing else, so the page cannot say what was not measured.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(
    0, str(Path(__file__).resolve().parent.parent)
)  # `make faults` runs this file to print the page

from smarthost import (
    Act,
    Stage,
    accept_and_hang_up,
    answer,
    hang_up,
    raw,
    reset_connection,
    silence,
)

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "faults.md"

ACCEPTED = "250 2.0.0 Accepted ID"
LATER = "451 4.4.1 Try again later"
OURS = "451 4.3.0 Try again later"
NO_WORKER = "451 4.3.2 Try again later"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmarthostFault:
    """One thing that the smarthost does, each time it comes to ``stage``, and what three kinds of mail are told.

    ``passed`` holds for mail to nobody registered, for mail to a contact that passes and for flagged mail; ``held``
    for a hold without other recipients; ``mixed`` for a hold whose other copies go on. None: not tried, for the
    dialogue has no such step. ``again``: only in the second dialogue, for the copies that do not wait.
    ``copies`` is how often the smarthost has the message in the end, after a retry without the fault.
    """

    stage: Stage | None
    fault: str
    act: Act | None
    passed: str | None
    held: str | None
    mixed: str
    again: bool = False
    copies: int = 1

    @property
    def name(self) -> str:
        stage = "refused" if self.stage is None else self.stage
        return f"{stage}{'-again' if self.again else ''}-{self.fault.replace(' ', '-')}"


def _everybody(stage: Stage, fault: str, act: Act, told: str) -> SmarthostFault:
    return SmarthostFault(stage=stage, fault=fault, act=act, passed=told, held=told, mixed=told)


def _after_data(stage: Stage, fault: str, act: Act, told: str, *, copies: int = 1) -> SmarthostFault:
    return SmarthostFault(
        stage=stage,
        fault=fault,
        act=act,
        passed=f"dot: {told}",
        held=f"dot: {ACCEPTED}",
        mixed=f"dot: {told}",
        copies=copies,
    )


def _rest(stage: Stage, fault: str, act: Act, told: str) -> SmarthostFault:
    return SmarthostFault(
        stage=stage, fault=fault, act=act, passed=None, held=None, mixed=f"dot: {told}", again=True
    )


def _losses(*, closes: bool = True) -> list[tuple[str, Act]]:
    found = [
        ("421", answer("421 4.3.2 Shutting down", closes=True)),
        ("silence", silence()),
        ("garbage", raw(b"hello, who is there?\r\n")),
    ]
    if closes:
        found += [("closes", hang_up()), ("resets", reset_connection())]
    return found


_TEMPORARY = "450 4.7.1 Come back in five minutes"
_PERMANENT = "550 5.7.1 Not wanted here"
_SIGN_IN = "530 5.7.0 Authentication required"

SMARTHOST: tuple[SmarthostFault, ...] = (
    SmarthostFault(
        stage=None,
        fault="connection refused",
        act=None,
        passed=f"MAIL: {LATER}",
        held=f"MAIL: {LATER}",
        mixed=f"MAIL: {LATER}",
    ),
    _everybody(Stage.CONNECT, "554 banner", answer("554 5.3.2 No service"), f"MAIL: {LATER}"),
    *(_everybody(Stage.CONNECT, fault, act, f"MAIL: {LATER}") for fault, act in _losses()),
    _everybody(Stage.EHLO, "4xx", answer(_TEMPORARY), f"MAIL: {LATER}"),
    _everybody(Stage.EHLO, "5xx", answer(_PERMANENT), f"MAIL: {LATER}"),
    *(_everybody(Stage.EHLO, fault, act, f"MAIL: {LATER}") for fault, act in _losses()),
    _everybody(Stage.MAIL, "4xx", answer(_TEMPORARY), f"MAIL: {_TEMPORARY}"),
    _everybody(Stage.MAIL, "5xx", answer(_PERMANENT), f"MAIL: {_PERMANENT}"),
    _everybody(Stage.MAIL, "530", answer(_SIGN_IN), f"MAIL: {LATER}"),
    *(_everybody(Stage.MAIL, fault, act, f"MAIL: {LATER}") for fault, act in _losses()),
    _everybody(Stage.RCPT, "4xx", answer(_TEMPORARY), f"RCPT: {_TEMPORARY}"),
    _everybody(Stage.RCPT, "5xx", answer(_PERMANENT), f"RCPT: {_PERMANENT}"),
    _everybody(Stage.RCPT, "530", answer(_SIGN_IN), f"RCPT: {LATER}"),
    *(_everybody(Stage.RCPT, fault, act, f"RCPT: {LATER}") for fault, act in _losses()),
    _rest(Stage.RSET, "5xx", answer("502 5.5.1 What is RSET?"), ACCEPTED),
    *(_rest(Stage.RSET, fault, act, ACCEPTED) for fault, act in _losses()),
    _rest(Stage.MAIL, "4xx", answer(_TEMPORARY), OURS),
    _rest(Stage.MAIL, "5xx", answer(_PERMANENT), OURS),
    *(_rest(Stage.MAIL, fault, act, OURS) for fault, act in _losses()),
    _rest(Stage.RCPT, "4xx", answer(_TEMPORARY), OURS),
    _rest(Stage.RCPT, "5xx", answer(_PERMANENT), OURS),
    *(_rest(Stage.RCPT, fault, act, OURS) for fault, act in _losses()),
    _after_data(Stage.DATA, "4xx", answer(_TEMPORARY), _TEMPORARY),
    _after_data(Stage.DATA, "5xx", answer(_PERMANENT), _PERMANENT),
    _after_data(Stage.DATA, "530", answer(_SIGN_IN), LATER),
    _after_data(Stage.DATA, "250 instead of 354", answer("250 2.0.0 Ok"), LATER),
    *(_after_data(Stage.DATA, fault, act, LATER) for fault, act in _losses()),
    _after_data(Stage.UPLOAD, "421", answer("421 4.3.2 Shutting down", closes=True), LATER),
    _after_data(Stage.UPLOAD, "closes", hang_up(), LATER),
    _after_data(Stage.UPLOAD, "resets", reset_connection(), LATER),
    _after_data(Stage.UPLOAD, "silence", silence(), LATER),
    _after_data(Stage.DOT, "4xx", answer(_TEMPORARY), _TEMPORARY),
    _after_data(Stage.DOT, "5xx", answer(_PERMANENT), _PERMANENT),
    _after_data(Stage.DOT, "530", answer(_SIGN_IN), LATER),
    _after_data(Stage.DOT, "354 again", answer("354 More"), LATER),
    *(_after_data(Stage.DOT, fault, act, LATER) for fault, act in _losses()),
    _after_data(Stage.DOT, "takes it and closes", accept_and_hang_up(), LATER, copies=2),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnFault:
    """Something that fails on our side. ``contact`` is what mail to a contact is told, ``others`` all other mail."""

    fault: str
    contact: str
    others: str
    besides: str


DATABASE_LOCKED = OwnFault(
    fault="another process holds the database locked",
    contact=f"dot: {OURS}",
    others=f"dot: {ACCEPTED}",
    besides="after `store.busy_timeout_s` or `store.write_timeout_s`, whichever is over first; the banner comes at once; nothing was sent to the contact",
)
DISK_FULL = OwnFault(
    fault="the disk is full under the store and under the log",
    contact=f"dot: {OURS}",
    others=f"dot: {ACCEPTED}",
    besides="once there is room the retry is held or passes, once; log lines of that time are missing",
)
WORKER_KILLED = OwnFault(
    fault="a worker is killed while it reads the message",
    contact=f"dot: {ACCEPTED}",
    others="–",
    besides="held as unreadable (`worker-failed`; `not-in-time` when it was being judged); the worker is replaced",
)
OUT_OF_TIME = OwnFault(
    fault="the message needs more than `inspection.message_timeout_s` of processor time",
    contact=f"dot: {ACCEPTED}",
    others="–",
    besides="held as unreadable; the worker is replaced",
)
OUT_OF_MEMORY = OwnFault(
    fault="the message needs more than `inspection.worker_memory_bytes`",
    contact=f"dot: {ACCEPTED}",
    others="–",
    besides="held as unreadable; the worker is replaced",
)
NO_WORKER_FREE = OwnFault(
    fault="no worker is free in `inspection.wait_timeout_s`",
    contact=f"dot: {NO_WORKER}",
    others=f"dot: {ACCEPTED}",
    besides="",
)
STARVED = OwnFault(
    fault="a worker is given no processor time",
    contact=f"dot: {NO_WORKER}",
    others=f"dot: {ACCEPTED}",
    besides="the third try of the same bytes is held",
)
SMARTHOST_DOWN_AT_START = OwnFault(
    fault="the smarthost was never reached since the start",
    contact="EHLO: 421 4.3.0 Not ready yet, try again later",
    others="EHLO: 421 4.3.0 Not ready yet, try again later",
    besides="until it is up; no restart needed",
)
STOPPING = OwnFault(
    fault="SIGTERM while a message is being uploaded",
    contact=f"dot: {ACCEPTED}",
    others=f"dot: {ACCEPTED}",
    besides="then `421` and the end; an idle client gets `421 4.3.2` at once",
)
STOPPING_ALL = OwnFault(
    fault="SIGTERM to every process of the gateway at once while messages are being uploaded, with `--workers 2`",
    contact=f"dot: {ACCEPTED}",
    others=f"dot: {ACCEPTED}",
    besides="each is read and judged to its end, and nothing is held for it; exit status 0",
)
RULES_BROKEN = OwnFault(
    fault="the rule set on disk is broken at the start",
    contact=f"dot: {ACCEPTED}",
    others=f"dot: {ACCEPTED}",
    besides="the last good set of the store is in force, `rules:refused` in log and audit log",
)
REGISTRY_BAD = OwnFault(
    fault="the contact list is broken at SIGHUP",
    contact=f"dot: {ACCEPTED}",
    others=f"dot: {ACCEPTED}",
    besides="the last good registry stays in force; its contacts stay contacts; `registry:stale` in log and audit log",
)
OURS_ALL = (
    DATABASE_LOCKED, DISK_FULL, WORKER_KILLED, OUT_OF_TIME, OUT_OF_MEMORY, NO_WORKER_FREE,
    STARVED, SMARTHOST_DOWN_AT_START, STOPPING, STOPPING_ALL, RULES_BROKEN, REGISTRY_BAD,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class NoStart:
    """What keeps `gateway serve` from starting: exit status, and what it says."""

    fault: str
    says: str


WRONG_KEY = NoStart(fault="`store.key_file` is another store's", says="restore the key file from escrow")
NO_KEY = NoStart(fault="`store.key_file` is not there", says="sealing.key")
NO_REGISTRY = NoStart(fault="no registry was ever loaded, and the files are not there", says="contacts.csv")
NO_RULES = NoStart(fault="the rule set is broken, and no set was ever in force", says="policy.yaml")
NO_STORE = NoStart(fault="the store was never made", says="gateway store init")
NO_STARTS = (WRONG_KEY, NO_KEY, NO_REGISTRY, NO_RULES, NO_STORE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """Where a client leaves, and what becomes of its message to a contact."""

    after: str
    becomes: str


DEPARTURES = (
    Departure(after="connect", becomes="nothing"),
    Departure(after="EHLO", becomes="nothing"),
    Departure(after="MAIL", becomes="nothing"),
    Departure(after="RCPT", becomes="nothing"),
    Departure(after="DATA", becomes="nothing"),
    Departure(after="half the message", becomes="nothing"),
    Departure(after="the message without its dot", becomes="nothing"),
    Departure(after="the dot", becomes="what it would have become; the retry makes no second hold"),
)


# --- the page -----------------------------------------------------------------------------------------------

_HEAD = """\
# Faults, and what the sender is told

Printed from `tests/faults/fault_cases.py` by `make faults`, which tries each of them on `gateway serve` (a test fails when
this page says anything else). `250` stands nowhere without a message that is at the smarthost or durably held;
after every temporary answer below, the same message was sent again without the fault, was answered `250`, and was there
once: one hold, one flag, one copy for each recipient, but where the table says two.

## The smarthost goes wrong
Each time it comes to the stage named, so that a second try of ours on a fresh connection meets it too. *Second dialogue*:
what was held is committed, and `RSET`, `MAIL`, `RCPT` are said again for the copies that do not wait.

| stage | fault | passes or flagged | held | held, others sent |
|---|---|---|---|---|
"""

_OWN = """
## We go wrong

| fault | mail to a contact | other mail | besides |
|---|---|---|---|
"""

_NO_START = """
## We do not start
`gateway serve` ends with a status other than 0, having said:

| fault | in its words |
|---|---|
"""

_DEPARTURES = """
## The client leaves
Without QUIT: by RST, after the dot by FIN.

| after | what becomes of its message to a contact |
|---|---|
"""


def page() -> str:
    """Return docs/faults.md."""
    lines = [_HEAD]
    for case in SMARTHOST:
        stage = "connect" if case.stage is None else str(case.stage)
        stage = stage if stage in {"connect", "upload", "dot"} else stage.upper()
        again = ", second dialogue" if case.again else ""
        twice = " (the smarthost has it twice in the end)" if case.copies > 1 else ""
        cells = (
            f"{stage}{again}",
            case.fault,
            _cell(case.passed) + twice,
            _cell(case.held),
            _cell(case.mixed),
        )
        lines.append(f"| {' | '.join(cells)} |\n")
    lines.append(_OWN)
    lines += [
        f"| {one.fault} | {_cell(one.contact)} | {_cell(one.others)} | {one.besides or '–'} |\n"
        for one in OURS_ALL
    ]
    lines.append(_NO_START)
    lines += [f"| {one.fault} | … {one.says} … |\n" for one in NO_STARTS]
    lines.append(_DEPARTURES)
    lines += [f"| {one.after} | {one.becomes} |\n" for one in DEPARTURES]
    return "".join(lines)


def _cell(told: str | None) -> str:
    if told is None or ":" not in told:
        return "–"
    step, reply = told.split(": ", 1)
    return f"{step}: `{reply}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
