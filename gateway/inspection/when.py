"""The language of ``when``: names, and / or / not, parentheses, ``2 of (a, b, c)``.

Owns its grammar, its mistakes with their columns, and its evaluation. Refuses to know what a name stands for.

    expression  = and-part { "or" and-part }
    and-part    = not-part { "and" not-part }
    not-part    = "not" not-part | "(" expression ")" | count "of" "(" expression { "," expression } ")" | name
    count       = a number | "any" | "all"
"""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import chain
from math import inf
from operator import itemgetter
from typing import Final

MAX_DEPTH: Final = 30
"""Nested parentheses and nots; a reader is lost after three."""
_WORD: Final = re.compile(r"\s*(?:(?P<word>[A-Za-z_][\w-]*)|(?P<number>\d+)|(?P<mark>[(),])|(?P<odd>\S))")
_KEYWORDS: Final = frozenset({"and", "or", "not", "of", "any", "all"})


class WhenMistake(Exception):
    """The expression is wrong at ``offset`` characters from its start."""

    def __init__(self, offset: int, what: str, remedy: str) -> None:
        """Keep where, what and what to do."""
        super().__init__(what)
        self.offset = offset
        self.what = what
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Name:
    """A condition, and where its name stands in the expression."""

    name: str
    offset: int


@dataclass(frozen=True, slots=True)
class Not:
    """True when its operand is false."""

    operand: "Expression"


@dataclass(frozen=True, slots=True)
class AtLeast:
    """True when ``count`` of the operands are; ``and`` and ``or`` are special cases of it."""

    count: int
    operands: tuple["Expression", ...]


Expression = Name | Not | AtLeast

NEVER: Final = AtLeast(1, ())
"""What is never true: one of none."""


def holds(expression: Expression, value: Callable[[str], bool]) -> bool:
    """Return the truth of ``expression`` when ``value`` tells the truth of each name."""
    if isinstance(expression, Name):
        return value(expression.name)
    if isinstance(expression, Not):
        return not holds(expression.operand, value)
    wanted, spare = expression.count, len(expression.operands) - expression.count
    for operand in expression.operands:
        if holds(operand, value):
            wanted -= 1
            if not wanted:
                return True
        else:
            spare -= 1
            if spare < 0:
                return False
    return False


def outlook(expression: Expression, value: Callable[[str], bool | None]) -> bool | None:
    """Return the truth of ``expression`` where some names are not known yet (None), or None if it hangs on them."""
    if isinstance(expression, Name):
        return value(expression.name)
    if isinstance(expression, Not):
        inner = outlook(expression.operand, value)
        return None if inner is None else not inner
    wanted, spare = expression.count, len(expression.operands) - expression.count
    for operand in expression.operands:
        found = outlook(operand, value)
        if found is False:
            spare -= 1
            if spare < 0:
                return False
        elif found:
            wanted -= 1
            if not wanted:
                return True
    return None if spare >= 0 else False


def without(expression: Expression, never: Collection[str]) -> Expression:
    """Return ``expression`` as it reads where the names in ``never`` are never true.

    What can then not be true is `NEVER`.
    """
    if isinstance(expression, Name):
        return NEVER if expression.name in never else expression
    if isinstance(expression, Not):
        inner = without(expression.operand, never)
        return expression if inner == expression.operand else Not(inner)
    operands = (without(operand, never) for operand in expression.operands)
    left = tuple(operand for operand in operands if operand != NEVER)
    if len(left) < expression.count:
        return NEVER
    return left[0] if len(left) == 1 else AtLeast(expression.count, left)


def gates(
    expression: Expression, of: Callable[[str], frozenset[int]], cost: Callable[[frozenset[int]], float]
) -> tuple[frozenset[int], ...]:
    """Return sets of which each must be met for ``expression`` to be true, the cheapest first.

    ``of`` gives what a name waits for, empty where it may be true without; ``cost`` says how often a set is met.
    """
    if isinstance(expression, Name):
        found = of(expression.name)
        return (found,) if found else ()
    if isinstance(expression, Not):
        return ()
    inner = [gates(operand, of, cost) for operand in expression.operands]
    spare = len(inner) - expression.count
    if not spare:
        return tuple(sorted(chain.from_iterable(inner), key=cost))
    first = sorted((each[0] for each in inner if each), key=cost)[: spare + 1]
    return (frozenset().union(*first),) if len(first) > spare else ()


def arranged(expression: Expression, cost: Callable[[str], float]) -> tuple[float, Expression]:
    """Return ``expression`` with what is seldom true first in every list, and its own cost; ``not`` comes last."""
    if isinstance(expression, Name):
        return cost(expression.name), expression
    if isinstance(expression, Not):
        return inf, expression
    inner = sorted((arranged(each, cost) for each in expression.operands), key=itemgetter(0))
    costs = [each for each, _ in inner]
    total = costs[0] if expression.count == len(costs) else sum(costs)
    return total, AtLeast(expression.count, tuple(each for _, each in inner))


def names(expression: Expression, *, negated: bool = False) -> Iterator[tuple[Name, bool]]:
    """Yield each name in the expression with whether it stands under an odd number of nots."""
    if isinstance(expression, Name):
        yield expression, negated
    elif isinstance(expression, Not):
        yield from names(expression.operand, negated=not negated)
    else:
        for operand in expression.operands:
            yield from names(operand, negated=negated)


def parse(text: str) -> Expression:
    """Return the expression that ``text`` spells; raises `WhenMistake` with the column of what is wrong."""
    reader = _Reader(text)
    expression = reader.expression(0)
    reader.finish()
    return expression


class _Reader:
    """Recursive descent over the words of one expression."""

    def __init__(self, text: str) -> None:
        self._words: list[tuple[str, int]] = []
        for match in _WORD.finditer(text):
            if match["odd"]:
                remedy = "use names, and, or, not, parentheses and `2 of (a, b)`"
                raise WhenMistake(match.start("odd"), f"{match['odd']!r} means nothing here", remedy)
            start = match.end() - len(match.group().lstrip())
            self._words.append((match.group().strip(), start))
        self._end = len(text.rstrip())
        self._at = 0

    def _peek(self) -> tuple[str, int]:
        return self._words[self._at] if self._at < len(self._words) else ("", self._end)

    def _next(self) -> tuple[str, int]:
        word = self._peek()
        self._at += 1
        return word

    def _expect(self, mark: str) -> None:
        word, offset = self._next()
        if word != mark:
            found = f"found {word!r}" if word else "the expression ends"
            raise WhenMistake(offset, f"expected {mark!r}, {found}", f"write {mark!r} here")

    def finish(self) -> None:
        """Refuse what is left over."""
        word, offset = self._peek()
        if word:
            remedy = "join conditions with and or or; close each parenthesis once"
            raise WhenMistake(offset, f"{word!r} follows where the expression is complete", remedy)

    def expression(self, depth: int) -> Expression:
        """Read and-parts joined by ``or``."""
        return self._joined("or", depth)

    def _joined(self, keyword: str, depth: int) -> Expression:
        if depth > MAX_DEPTH:
            raise WhenMistake(self._peek()[1], "nested too deeply", "name parts of it as rules of their own")
        operands = [self._joined("and", depth) if keyword == "or" else self._single(depth)]
        while self._peek()[0] == keyword:
            self._next()
            operands.append(self._joined("and", depth) if keyword == "or" else self._single(depth))
        if len(operands) == 1:
            return operands[0]
        return AtLeast(1 if keyword == "or" else len(operands), tuple(operands))

    def _single(self, depth: int) -> Expression:
        word, offset = self._next()
        if word == "not":
            if depth >= MAX_DEPTH:
                raise WhenMistake(offset, "nested too deeply", "name parts of it as rules of their own")
            return Not(self._single(depth + 1))
        if word == "(":
            inner = self.expression(depth + 1)
            self._expect(")")
            return inner
        if word.isdigit() or word in {"any", "all"}:
            return self._counted(word, offset, depth)
        if not word or word in _KEYWORDS or word in "(),":
            found = f"found {word!r}" if word else "the expression ends"
            raise WhenMistake(offset, f"expected the name of a condition, {found}", "name one from `match`")
        return Name(word, offset)

    def _counted(self, word: str, offset: int, depth: int) -> Expression:
        self._expect("of")
        self._expect("(")
        operands = [self.expression(depth + 1)]
        while self._peek()[0] == ",":
            self._next()
            operands.append(self.expression(depth + 1))
        self._expect(")")
        count = {"any": 1, "all": len(operands)}.get(word) or int(word)
        if not 1 <= count <= len(operands):
            what = f"{word} of {len(operands)} can never be"
            raise WhenMistake(offset, what, f"ask for 1 to {len(operands)}")
        return AtLeast(count, tuple(operands))
