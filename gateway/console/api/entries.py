"""JSON into entries: the shape of a body. What a field may hold is the registry's affair, as for the files.

A body that is shaped wrongly (unknown or missing fields, numbers for text, a key or an entry twice) is refused whole, as a
file with a wrong header is: a misspelt ``do_not_contact`` must not be overlooked. Pure.
"""

import difflib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from gateway.console.api.calls import ENTRY
from gateway.console.api.problems import Fault, Kind, Problem
from gateway.errors import Mistake
from gateway.registry import COLUMNS
from gateway.store.pushed import Entry, SetName

LISTS = frozenset({"officers", "aliases"})
"""Fields that hold several addresses: an array, or text with semicolons as in the files."""
YES_OR_NO = frozenset({"vulnerable", "is_child", "do_not_contact", "email_consent"})
"""Fields that may be true or false."""
_NAME = "entry"
_KINDS = {dict: "an object", list: "an array", bool: "true or false", int: "a number", float: "a number"}
_MOST_DIGITS = 20
_MOST_FAULTS = 10_000
"""A body that is shaped wrongly in more places than this is no export with slips in it."""


def parsed(body: bytes) -> Any:
    """Return the value of a JSON text (RFC 8259, UTF-8). Raises `Problem`; a key that stands twice is one too."""
    try:
        return json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_no_number,
            parse_int=_number(int),
            parse_float=_number(float),
        )
    except UnicodeDecodeError as wrong:
        raise Problem(Kind.MALFORMED, f"The body is not UTF-8 at octet {wrong.start + 1}.") from None
    except json.JSONDecodeError as wrong:
        where = f"line {wrong.lineno}, column {wrong.colno}"
        raise Problem(Kind.MALFORMED, f"The body is not JSON at {where}: {wrong.msg}.") from None
    except RecursionError:
        raise Problem(
            Kind.MALFORMED, "The body is nested too deeply: an entry holds text and lists of text."
        ) from None


def whole_set(body: bytes, name: SetName) -> dict[str, Entry]:
    """Return the entries of a whole set by what they are called, in the body's order. Raises `Problem`."""
    value = parsed(body)
    given = value.get("entries") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(given, list) or set(value) != {"entries"}:
        fault = Fault(
            pointer="#", detail="is not an object with one field, entries", remedy='write {"entries": [...]}'
        )
        raise _wrong((fault,))
    found: dict[str, Entry] = {}
    faults: list[Fault] = []
    for number, one in enumerate(given):
        pointer = f"#/entries/{number}"
        called = one.get(_NAME) if isinstance(one, dict) else None
        if not isinstance(called, str) or not re.fullmatch(ENTRY, called):
            remedy = (
                "give each entry a name of its own: up to 128 letters, digits and ._~:- ; no mail address"
            )
            faults.append(Fault(pointer=f"{pointer}/{_NAME}", detail="is no name of an entry", remedy=remedy))
            if len(faults) >= _MOST_FAULTS:
                break
            continue
        if called in found:
            faults.append(
                Fault(pointer=pointer, entry=called, detail="stands twice", remedy="leave one of the two out")
            )
        fields = {key: field for key, field in one.items() if key != _NAME}
        found[called] = _entry(fields, name, pointer, called, faults)
    if faults:
        raise _wrong(tuple(faults))
    return found


def single(body: bytes, name: SetName, called: str) -> Entry:
    """Return one entry, whose name is in the address of the call. Raises `Problem`."""
    value = parsed(body)
    if not isinstance(value, dict):
        fault = Fault(pointer="#", entry=called, detail=f"is {_kind(value)}", remedy="send one object")
        raise _wrong((fault,))
    faults: list[Fault] = []
    found = _entry(value, name, "#", called, faults)
    if faults:
        raise _wrong(tuple(faults))
    return found


def faults_of(
    found: Sequence[Mistake], names: Sequence[str], columns: Sequence[str], places: Mapping[str, str]
) -> tuple[Fault, ...]:
    """Return the registry's mistakes at their places in the body; ``places`` are the pointers of the entries."""
    return tuple(_fault(one, names, columns, places) for one in found)


def _fault(one: Mistake, names: Sequence[str], columns: Sequence[str], places: Mapping[str, str]) -> Fault:
    if not one.line:
        return Fault(pointer="#", detail=one.what, remedy=one.remedy)
    entry = names[one.line - 1]
    # Where a mistake is about several rows it names no column, but begins with its name, as in the files.
    column = columns[one.column - 1] if one.column else one.what.partition(":")[0]
    pointer = places.get(entry, "#")
    if entry in places and column in columns:
        pointer += f"/{column}"
    return Fault(pointer=pointer, entry=entry, detail=one.what, remedy=one.remedy)


def _entry(given: Mapping[str, Any], name: SetName, pointer: str, called: str, faults: list[Fault]) -> Entry:
    """Return an entry as the row of a file would have it, and put down what is wrong with its shape."""
    columns = COLUMNS[name]
    known = (*columns.required, *columns.optional)

    def wrong(field: str, detail: str, remedy: str) -> None:
        if len(faults) >= _MOST_FAULTS:
            raise _wrong(tuple(faults))
        faults.append(Fault(pointer=f"{pointer}{field}", entry=called, detail=detail, remedy=remedy))

    for key in given:
        if key not in known:
            near = difflib.get_close_matches(key[:60], known, n=1)
            remedy = (
                f"did you mean {near[0]!r}?" if near else f"leave it out; the fields are {', '.join(known)}"
            )
            shown = key[:40].encode("unicode_escape").decode()
            wrong("", f"has the unknown field '{shown}'", remedy)
    for key in columns.required:
        if key not in given:
            wrong("", f"the field {key!r} is missing", "add it; it may be empty")
    return {key: _text(key, value, wrong) for key, value in given.items() if key in known}


def _text(key: str, value: Any, wrong: Callable[[str, str, str], None]) -> str:
    """Return a field as the text that a file would have."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool) and key in YES_OR_NO:
        return "yes" if value else "no"
    if isinstance(value, list) and key in LISTS and all(isinstance(one, str) for one in value):
        return ";".join(value)
    more = " or an array of text" if key in LISTS else ", true or false" if key in YES_OR_NO else ""
    wrong(f"/{key}", f"is {_kind(value)}", f"write it as text{more}")
    return ""


def _kind(value: Any) -> str:
    return "null" if value is None else _KINDS.get(type(value), "text")


def _wrong(faults: tuple[Fault, ...]) -> Problem:
    return Problem(
        Kind.MISTAKES, "Nothing was taken over. Mend each place named and send it again.", errors=faults
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                shown = key[:40].encode("unicode_escape").decode()
                what = f"The key '{shown}' stands twice in one object: nobody could tell which counts."
                raise Problem(Kind.MALFORMED, what)
            seen.add(key)
    return found


def _no_number(said: str) -> NoReturn:
    raise Problem(Kind.MALFORMED, f"{said} is not JSON.")


def _number(kind: type[int] | type[float]) -> Callable[[str], int | float]:
    def read(text: str) -> int | float:
        """Return a number, of which none is ever used: a long one is not worked out."""
        return kind(text) if len(text) <= _MOST_DIGITS else 0

    return read
