"""Expression -> about how large RE2 will make it, without asking RE2: compiling is what a hostile set makes dear.

Owns a guess that need not be exact: all expressions of a set are weighed before any is compiled, and what RE2 made of
each is looked at afterwards (`matching`). Refuses to judge syntax; what it does not understand weighs little.
"""

import re
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Final

from gateway.errors import Mistake
from gateway.inspection import schema
from gateway.inspection.nodes import Document

MAX_WEIGHT: Final = 4_000_000
"""RE2 instructions, as guessed here, of all expressions of a set: ten times what ours has. More of them are minutes at
each start and gigabytes in each worker, and nothing but counted repetitions makes so many."""

_COUNT: Final = re.compile(r"\{(\d{1,6})(?:,(\d{0,6}))?\}")
_SCRIPT: Final = 60
r"""Instructions of a class such as \p{Greek}."""
_UNICODE: Final = 600
r"""Instructions of a class such as \pL over UTF-8; the largest have a thousand."""
_OUTSIDE: Final = 20
"""Instructions of a class that takes characters beyond ASCII: ``.``, ``[^x]``."""
_LETTERS: Final = 7
"""Instructions of a class of letters where case does not count: two characters beyond ASCII are k and s to it."""
_ESCAPES: Final = {"D": _OUTSIDE, "S": _OUTSIDE, "W": _OUTSIDE, "w": _LETTERS}

_Path = tuple[str | int, ...]
_Place = tuple[Document, _Path]


def overweight(
    lists: Iterable[tuple[schema.ListEntry, Document]], rules: Iterable[tuple[schema.RuleEntry, Document]]
) -> Mistake | None:
    """Return a mistake at the heaviest expression when all together are too heavy to be compiled, else None."""
    weights = [(weight(text), place) for text, place in _expressions(lists, rules)]
    whole = sum(each for each, _ in weights)
    if whole <= MAX_WEIGHT:
        return None
    heaviest, (document, path) = max(weights, key=itemgetter(0))
    what = f"the expressions of the set need about {whole} instructions, of which this one needs {heaviest}"
    return document.mistake(path, what, f"shorten counted repetitions: a set may need {MAX_WEIGHT}")


def _expressions(
    lists: Iterable[tuple[schema.ListEntry, Document]], rules: Iterable[tuple[schema.RuleEntry, Document]]
) -> Iterator[tuple[str, _Place]]:
    """Yield every expression of lists and rules, and its place."""
    for listed, document in lists:
        yield from _placed(document, ("regexes",), listed.regexes)
    for entry, document in rules:
        for name, condition in entry.match.items():
            if isinstance(condition, schema.RegexCondition):
                yield from _placed(document, ("match", name, "regex"), condition.regex)
        for number, exception in enumerate(entry.exceptions):
            yield from _placed(document, ("exceptions", number, "regex"), exception.regex or ())


def _placed(document: Document, path: _Path, texts: Iterable[str]) -> Iterator[tuple[str, _Place]]:
    for number, text in enumerate(texts):
        yield text, (document, (*path, number))


def weight(expression: str) -> int:
    """Return about how many instructions RE2 needs for ``expression``. Linear in its length; never raises."""
    open_groups = [0]
    last = 0
    at = 0
    while at < len(expression):
        char = expression[at]
        counted = _COUNT.match(expression, at) if char == "{" else None
        if counted:
            most = max(int(counted[1]), int(counted[2] or 0), 1)
            open_groups[-1] += last * (most - 1)
            last *= most
            at = counted.end()
            continue
        if char == "(":
            open_groups.append(0)
            at += 1
            continue
        if char == ")" and len(open_groups) > 1:
            last, at = open_groups.pop() + 2, at + 1
        elif char in "*+?|":
            open_groups[-1] += 1
            at += 1
            continue
        else:
            last, at = _one(expression, at)
        open_groups[-1] += last
    return sum(open_groups)


def _one(expression: str, at: int) -> tuple[int, int]:
    """Return what the character, escape or class at ``at`` weighs, and where the next begins."""
    char = expression[at]
    if char == "\\":
        if expression[at + 1 : at + 2] in {"p", "P"}:
            named = expression.find("}", at) if expression[at + 2 : at + 3] == "{" else -1
            return _UNICODE if named < 0 else _SCRIPT, (named if named >= 0 else at + 2) + 1
        return _ESCAPES.get(expression[at + 1 : at + 2], 1), at + 2
    if char != "[":
        return (_OUTSIDE if char == "." else len(char.encode(errors="replace"))), at + 1
    return _class(expression, at)


def _class(expression: str, at: int) -> tuple[int, int]:
    """Return what the class that begins at ``at`` weighs, and where it ends."""
    place = at + 1
    negated = expression[place : place + 1] == "^"
    heavy = _OUTSIDE if negated else _LETTERS
    place += negated
    first = place
    while place < len(expression) and (expression[place] != "]" or place == first):
        if expression[place] == "\\":
            if expression[place + 1 : place + 2] in {"p", "P"}:
                heavy += _UNICODE
            heavy += _OUTSIDE if expression[place + 1 : place + 2] == "x" else 0
            place += 1
        elif not expression[place].isascii():
            heavy += 2
        place += 1
    return heavy, place + 1
