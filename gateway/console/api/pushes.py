"""Pushing contacts and staff: whole sets and single entries, validated as the files are, by the same code.

As of a file, good entries of a set take effect, and one with a mistake keeps its last good version (DECISIONS 12); who
would rather have all or nothing says so (RFC 7240, ``Prefer: handling=strict``). PUT and DELETE are idempotent by
themselves (RFC 9110, 9.2.2): what is sent twice changes nothing the second time, and says so. What is pushed comes into
force where mail is judged when `serve` looks next; this process uses it at once. docs/decisions/0034.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from starlette.responses import Response

from gateway import audit
from gateway.console.api import entries
from gateway.console.api.calls import Call, Operation, answer, body
from gateway.console.api.problems import Fault, Kind, Problem, listed
from gateway.errors import Mistake
from gateway.model import Event, Registry
from gateway.registry import COLUMNS, Weighed, states, table_of, weigh
from gateway.registry import weigh_contact as weigh_one_contact
from gateway.settings import RegistrySettings
from gateway.store import Tx, pushed, records
from gateway.store.pushed import Entry, SetName, SetState
from gateway.store.tokens import May

_TRIES = 3
_NOT_NOW = "Somebody else is pushing. Try again in a few seconds."
_CHANGED = "It is at another revision: read it again, and decide anew."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Before:
    """A set as it was when a push was looked at."""

    state: SetState | None
    entries: Mapping[str, Entry]
    staff: Mapping[str, Entry]
    """The pushed staff, which contacts are looked at beside."""

    @property
    def revision(self) -> str | None:
        return self.state.revision if self.state else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What a push came to: what its caller is told of it."""

    mistakes: tuple[Fault, ...]
    warnings: tuple[Fault, ...]
    kept: tuple[str, ...] = ()
    """Entries that stand as they were, because what was sent of them cannot be read."""


class _Overtaken(Exception):
    """Somebody else changed the set meanwhile."""


# --- reading ------------------------------------------------------------------------------------------------


async def read_registry(call: Call) -> Response:
    """Answer with what is known of both sets, and which registry is in force where mail is judged."""
    both, version = await call.desk.store.read(lambda tx: (states(tx), records.latest_registry_version(tx)))
    in_force = None
    if version is not None:
        in_force = {
            "version": version.version,
            "since": _time(version.at),
            "contacts": version.contacts,
            "staff": version.staff,
        }
    source = call.desk.settings.registry.source
    return answer({"source": source, "sets": [_said(one) for one in both if one], "in_force": in_force})


async def read_set(call: Call, name: SetName) -> Response:
    """Answer with what is known of a set, never with what is in it."""
    state = await call.desk.store.read(lambda tx: pushed.state(tx, name))
    if state is None:
        raise Problem(Kind.ABSENT, f"{name} were never pushed: PUT /api/{name}.")
    return answer(_said(state), headers=_tag(state.revision))


# --- whole sets ---------------------------------------------------------------------------------------------


async def put_set(call: Call, name: SetName) -> Response:
    """Put a whole set in place of what was pushed before."""
    settings = call.desk.settings
    _must_be_source(settings.registry)
    accept_loss = call.flag("accept_loss")
    if call.whole.locked():
        raise Problem(Kind.BUSY, _NOT_NOW, headers={"Retry-After": "10"})
    async with call.whole:
        sent = await asyncio.to_thread(entries.whole_set, await body(call, settings.api.max_body_bytes), name)
        for _ in range(_TRIES):
            try:
                return await _put_set(call, name, sent, accept_loss=accept_loss)
            except _Overtaken:
                continue
    raise Problem(Kind.BUSY, _NOT_NOW, headers={"Retry-After": "10"})


async def _put_set(call: Call, name: SetName, sent: dict[str, Entry], *, accept_loss: bool) -> Response:
    desk, now = call.desk, call.desk.now()
    before = await asyncio.to_thread(desk.store.read_now, partial(_before, name=name))
    ordered = dict(sorted(sent.items()))
    _check_preconditions(
        call, before.revision, is_same=before.state is not None and ordered == before.entries
    )
    registry = await desk.registry.get()
    weighed = await asyncio.to_thread(
        weigh,
        desk.settings.registry,
        name,
        table_of(name, ordered),
        registry,
        accept_loss=accept_loss,
        staff=table_of(SetName.STAFF, before.staff) if before.staff else None,
    )
    told = _told(
        name, weighed, tuple(ordered), {one: f"#/entries/{number}" for number, one in enumerate(sent)}
    )
    if weighed.refused or (call.is_strict and weighed.mistakes):
        await _refuse(call, name, told, weighed.refused or "handling=strict")
    names = tuple(ordered)
    wrong = {names[number - 1] for number in weighed.wrong}
    kept = tuple(one for one in names if one in wrong and one in before.entries)
    told = _Told(mistakes=told.mistakes, warnings=told.warnings, kept=kept)
    after = ordered | {one: before.entries[one] for one in kept}
    content = await asyncio.to_thread(pushed.packed, after)
    changes = _changes(before.entries, after)
    payload = changes | {
        "mistakes": len(told.mistakes),
        "kept": len(kept),
        "accept_loss": accept_loss,
        "entries": len(after),
    }

    def write(tx: Tx) -> str:
        _must_be_at(pushed.state(tx, name, to_change=True), before.revision)
        if after == before.entries and before.state is not None:
            pushed.confirm(tx, name, by=call.actor, at=now)
            revision = before.state.revision
        else:
            revision = pushed.replace(tx, name, content, len(after), by=call.actor, at=now)
        _record(tx, call, name, payload | {"revision": revision}, now)
        return revision

    revision = await desk.store.write(write)
    await desk.registry.look_again()
    said = {"set": name.value, "revision": revision, "entries": len(after)} | changes | _said_of(told)
    return answer(said, status=200 if before.state else 201, headers=_tag(revision) | call.applied)


# --- single entries -----------------------------------------------------------------------------------------


async def put_entry(call: Call, name: SetName) -> Response:
    """Put one entry in place of what was pushed of it before."""
    settings, called = call.desk.settings, call.path["entry"]
    _must_be_source(settings.registry)
    sent = entries.single(await body(call, settings.api.max_entry_bytes), name, called)
    for _ in range(_TRIES):
        try:
            return await _put_entry(call, name, called, sent)
        except _Overtaken:
            continue
    raise Problem(Kind.BUSY, _NOT_NOW, headers={"Retry-After": "10"})


async def _put_entry(call: Call, name: SetName, called: str, sent: Entry) -> Response:
    desk, now = call.desk, call.desk.now()
    before = await asyncio.to_thread(desk.store.read_now, partial(_before, name=name))
    if before.state is None:
        raise Problem(Kind.CONFLICT, f"Push the whole set first: PUT /api/{name}.")
    old = before.entries.get(called)
    _check_preconditions(call, before.revision, is_same=sent == old)
    told, is_wrong, is_lost = await asyncio.to_thread(
        _weighed_entry, desk.settings.registry, name, dict(before.entries) | {called: sent}, called,
        await desk.registry.get(),
    )  # fmt: skip
    if told.mistakes and (call.is_strict or (is_wrong and (old is not None or is_lost))):
        await _refuse(call, name, told, "an entry with a mistake keeps its last good version")

    def write(tx: Tx) -> str:
        state = pushed.state(tx, name, to_change=True)
        _must_be_at(state, before.revision)
        assert state is not None, "it is at the revision that it was at"
        if sent == old:
            pushed.confirm(tx, name, by=call.actor, at=now)
            revision = state.revision
        else:
            grows = 1 if old is None else 0
            revision = pushed.change(tx, state, called, sent, grows=grows, by=call.actor, at=now)
        payload: dict[str, audit.Value] = _changes_of_one(called, old, sent) | {
            "mistakes": len(told.mistakes)
        }
        _record(tx, call, name, payload | {"revision": revision}, now)
        return revision

    revision = await desk.store.write(write)
    said = {"set": name.value, "entry": called, "revision": revision} | _said_of(told)
    return answer(said, status=200 if old is not None else 201, headers=_tag(revision) | call.applied)


async def remove_entry(call: Call, name: SetName) -> Response:
    """Remove one entry; one that is not there is gone already, and that is no trouble (RFC 9110, 9.2.2)."""
    _must_be_source(call.desk.settings.registry)
    for _ in range(_TRIES):
        try:
            return await _remove_entry(call, name, call.path["entry"])
        except _Overtaken:
            continue
    raise Problem(Kind.BUSY, _NOT_NOW, headers={"Retry-After": "10"})


async def _remove_entry(call: Call, name: SetName, called: str) -> Response:
    desk, now = call.desk, call.desk.now()
    before = await asyncio.to_thread(desk.store.read_now, partial(_before, name=name))
    old = before.entries.get(called)
    _check_preconditions(call, before.revision, is_same=old is None)
    if old is None:
        return Response(status_code=204, headers=_tag(before.revision) if before.revision else None)
    if len(before.entries) == 1:
        why = "It is the last one: a gateway without people would inspect nothing. Push a whole set instead."
        raise Problem(Kind.CONFLICT, why)

    def write(tx: Tx) -> str:
        state = pushed.state(tx, name, to_change=True)
        _must_be_at(state, before.revision)
        assert state is not None, "it is at the revision that it was at"
        revision = pushed.change(tx, state, called, None, grows=-1, by=call.actor, at=now)
        _record(tx, call, name, _changes_of_one(called, old, None) | {"revision": revision}, now)
        return revision

    return Response(status_code=204, headers=_tag(await desk.store.write(write)))


def _weighed_entry(
    settings: RegistrySettings, name: SetName, whole: dict[str, Entry], called: str, registry: Registry | None
) -> tuple[_Told, bool, bool]:
    """Return what is wrong with one entry, whether it cannot be read, and whether not even its address can.

    Staff are looked at as a whole, since two of them must not share an address; a contact alone, since there may be
    hundreds of thousands: what it says against another entry of the same case is found when the set is read.
    """
    places = {called: "#"}
    if name is SetName.CONTACTS:
        table = table_of(name, {called: whole[called]})
        weighed = weigh_one_contact(settings, table, registry)
        number = 1
    else:
        ordered = dict(sorted(whole.items()))
        number = tuple(ordered).index(called) + 1
        table = table_of(name, ordered)
        weighed = weigh(settings, name, table, registry, accept_loss=True)

    def concerns(one: Mistake) -> bool:
        """True for what stands at the entry, and at another because of it."""
        return one.line == number or f"entry {called!r}" in one.what

    only = Weighed(
        mistakes=tuple(one for one in weighed.mistakes if concerns(one)),
        warnings=tuple(one for one in weighed.warnings if concerns(one)),
        wrong=weighed.wrong, refused="", people=weighed.people, lost=0,
    )  # fmt: skip
    told = _told(name, only, table.names, places)
    return told, number in weighed.wrong, any(one.pointer == "#/email" for one in told.mistakes)


# --- what all of them share ---------------------------------------------------------------------------------


def _before(tx: Tx, name: SetName) -> _Before:
    entries_of = partial(pushed.entries, tx)
    staff = entries_of(SetName.STAFF) if name is SetName.CONTACTS else {}
    return _Before(state=pushed.state(tx, name), entries=entries_of(name), staff=staff)


def _must_be_source(settings: RegistrySettings) -> None:
    if settings.source != "api":
        raise Problem(Kind.CONFLICT, "The lists come from files here: set registry.source to api.")


def _must_be_at(state: SetState | None, revision: str | None) -> None:
    if (state.revision if state else None) != revision:
        raise _Overtaken


def _check_preconditions(call: Call, revision: str | None, *, is_same: bool) -> None:
    """Raise `Problem` when it has changed since the caller looked; not when there is nothing left to do (RFC 9110, 13.1.1)."""
    if not is_same and not call.matches(revision):
        raise Problem(Kind.CHANGED, _CHANGED, headers=_tag(revision) if revision else None)


def _told(name: SetName, weighed: Weighed, names: tuple[str, ...], places: Mapping[str, str]) -> _Told:
    columns = (*COLUMNS[name].required, *COLUMNS[name].optional)

    def faults(found: tuple[Mistake, ...]) -> tuple[Fault, ...]:
        return entries.faults_of(found, names, columns, places)

    return _Told(mistakes=faults(weighed.mistakes), warnings=faults(weighed.warnings))


async def _refuse(call: Call, name: SetName, told: _Told, why: str) -> None:
    """Write down that a push was refused, and raise it as a `Problem`."""
    payload: dict[str, audit.Value] = {"mistakes": len(told.mistakes), "why": why, "system": "api"}

    def record(tx: Tx) -> None:
        audit.append(
            tx,
            Event.REGISTRY_REFUSED,
            actor=call.actor,
            subject=name.value,
            payload=payload,
            at=call.desk.now(),
        )

    await call.desk.store.write(record)
    detail = "Nothing was taken over. Mend each place named and send it again."
    raise Problem(Kind.MISTAKES, detail, errors=told.mistakes, headers=call.applied)


def _record(tx: Tx, call: Call, name: SetName, payload: Mapping[str, audit.Value], at: datetime) -> None:
    said = dict(payload) | {"system": "api"}
    audit.append(tx, Event.REGISTRY_PUSHED, actor=call.actor, subject=name.value, payload=said, at=at)


def _changes(before: Mapping[str, Entry], after: Mapping[str, Entry]) -> dict[str, audit.Value]:
    return {
        "added": len(after.keys() - before.keys()),
        "changed": sum(before[one] != after[one] for one in after.keys() & before.keys()),
        "removed": len(before.keys() - after.keys()),
    }


def _changes_of_one(called: str, old: Entry | None, new: Entry | None) -> dict[str, audit.Value]:
    before = {} if old is None else {called: old}
    return _changes(before, {} if new is None else {called: new}) | {"entry": called}


def _said(state: SetState) -> dict[str, Any]:
    return {
        "set": state.name.value,
        "revision": state.revision,
        "entries": state.entries,
        "changed_at": _time(state.changed_at),
        "pushed_at": _time(state.pushed_at),
    }


def _said_of(told: _Told) -> dict[str, Any]:
    return {
        "taken_over": "in-part" if told.kept or told.mistakes else "whole",
        "kept": list(told.kept),
        "mistakes": listed(told.mistakes),
        "warnings": listed(told.warnings),
    }


def _tag(revision: str) -> dict[str, str]:
    return {"ETag": f'"{revision}"'}


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _operations(name: SetName) -> tuple[Operation, ...]:
    one, many = {SetName.CONTACTS: ("Contact", "Contacts"), SetName.STAFF: ("Member", "Staff")}[name]
    path, may = f"/api/{name}", May.CONTACTS
    return (
        Operation(method="GET", path=path, name=f"read{many}", may=may, handle=partial(read_set, name=name)),
        Operation(method="PUT", path=path, name=f"put{many}", may=may, handle=partial(put_set, name=name)),
        Operation(
            method="PUT", path=f"{path}/{{entry}}", name=f"put{one}", may=may, handle=partial(put_entry, name=name)
        ),
        Operation(
            method="DELETE", path=f"{path}/{{entry}}", name=f"remove{one}", may=may,
            handle=partial(remove_entry, name=name),
        ),
    )  # fmt: skip


OPERATIONS = (
    Operation(
        method="GET", path="/api/registry", name="readRegistry", may=May.CONTACTS, handle=read_registry
    ),
    *_operations(SetName.CONTACTS),
    *_operations(SetName.STAFF),
)
