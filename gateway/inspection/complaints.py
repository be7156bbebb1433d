"""What pydantic complains of, in the words of a rule author: what is wrong, and what to do.

Owns these words, and the guess at what was meant. Refuses to know what a rule means; `rules` does.
"""

import difflib
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, Final, get_args

from pydantic import BaseModel

from gateway.errors import Mistake
from gateway.inspection import schema
from gateway.inspection.nodes import Document, key_place, shortened

_CONDUCT: Final = frozenset(schema.ConductEntry.model_fields)


def complaint(document: Document, model: type[BaseModel], problem: Any) -> Mistake:
    """Return a complaint of pydantic's in a rule author's words, at its place."""
    path = tuple(problem["loc"])
    kind = problem["type"]
    if kind == "extra_forbidden":
        line, column = key_place(document, path)
        what, remedy = _unknown_key(str(path[-1]), model)
        return Mistake(file=document.name, line=line, column=column, what=what, remedy=remedy)
    if kind == "condition_kind":
        return document.mistake(path, *_condition_kind(str(path[-1]), problem.get("input")))
    if kind == "missing":
        return document.mistake(path[:-1], f"the key {path[-1]!r} is missing", f"write `{path[-1]}:` here")
    # The name of a condition's kind stands in the path twice: as the union's label, and as the key.
    name = ".".join(str(step) for step, before in zip(path, (None, *path), strict=False) if step != before)
    said = (
        problem["msg"]
        .removeprefix("Value error, ")
        .replace("Input should", "it should")
        .replace("String should", "it should")
    )
    given = problem.get("input")
    plain = isinstance(given, str | int | float | bool | date)
    shown = f" ({shortened(repr(given))} is given)" if plain else ""
    return document.mistake(path, f"{name}{shown}", said[0].lower() + said[1:])


def _condition_kind(name: str, given: object) -> tuple[str, str]:
    keys = [str(key) for key in given] if isinstance(given, dict) else []
    if any(key in _CONDUCT for key in keys):
        given_key = next(key for key in keys if key in _CONDUCT)
        return f"{name!r}: {given_key!r} stands alone", f"write `{name}: {{conduct: {{{given_key}: ...}}}}`"
    kinds = ", ".join(schema.CONDITION_KINDS)
    close = [match for key in keys for match in difflib.get_close_matches(key, schema.CONDITION_KINDS, n=1)]
    remedy = (
        f"did you mean {close[0]!r}?"
        if len(close) == 1
        else "give one of them; `when` joins several conditions"
    )
    return f"{name!r} needs exactly one of {kinds}", remedy


def _unknown_key(key: str, model: type[BaseModel]) -> tuple[str, str]:
    known = sorted(_keys(model))
    if key == "conduct":
        return (
            f"{key!r} stands in the wrong place",
            "it is a condition: write `NAME: {conduct: {...}}` under match",
        )
    if key in known:
        return f"{key!r} stands in the wrong place", "see rules/README.md for where it belongs"
    close = difflib.get_close_matches(key[:100], known, n=1)
    remedy = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"
    return f"unknown key {shortened(key)!r}", remedy


def _keys(model: type[BaseModel]) -> set[str]:
    """Return every key that may stand anywhere in a file of this kind."""
    keys: set[str] = set()
    models = {model}
    waiting = [model]
    while waiting:
        for name, field in waiting.pop().model_fields.items():
            keys.add(field.alias or name)
            new = set(_models_in(field.annotation)) - models
            models |= new
            waiting += new
    return keys


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models that a field may hold, however they are wrapped."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def closest(name: str, known: Iterable[str]) -> str:
    """Return the remedy for a name that nobody has: the one that was meant, if it can be told."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else "name one that exists, or take it out"
