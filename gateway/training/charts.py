"""Charts of the evaluation as SVG: plain text that a browser, a repository and a printed report all show.

Owns the drawing of bars with intervals and of a line against the diagonal. Refuses to know what is drawn. Equal input
gives equal text, so that a chart in docs/ changes only when its figures do.
"""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

_WIDTH: Final = 720
_LEFT: Final = 250
_RIGHT: Final = 110
_ROW: Final = 22
_TOP: Final = 44
_SIDE: Final = 360
_INK: Final = "#1d2b3a"
_BAR: Final = "#4a78a8"
_RULE: Final = "#c3ccd5"
_GOAL: Final = "#b3402a"


def bars(title: str, rows: Sequence[tuple[str, float, float, float, str]], goal: float | None = None) -> str:
    """Return horizontal bars: name, share, the ends of its interval (0 to 1), and what stands behind it."""
    height = _TOP + _ROW * len(rows) + 30
    return _page(_WIDTH, height, title, _bars(rows, goal, height))


def _bars(
    rows: Sequence[tuple[str, float, float, float, str]], goal: float | None, height: int
) -> Iterator[str]:
    for tenth in range(0, 11, 2):
        x = _across(tenth / 10)
        yield _line(x, _TOP - 6, x, height - 24, _RULE)
        yield _text(x, height - 8, f"{tenth * 10} %", "middle")
    if goal is not None:
        yield _line(_across(goal), _TOP - 6, _across(goal), height - 24, _GOAL)
    for number, (name, value, low, high, behind) in enumerate(rows):
        y = _TOP + _ROW * number
        yield _text(_LEFT - 8, y + 13, name, "end")
        width = max(_across(value) - _LEFT, 0.5)
        yield f'<rect x="{_LEFT}" y="{y + 3}" width="{width:.1f}" height="12" fill="{_BAR}"/>'
        yield _line(_across(low), y + 9, _across(high), y + 9, _INK)
        yield _text(_WIDTH - _RIGHT + 12, y + 13, behind, "start")


def line(
    title: str, across: str, up: str, points: Sequence[tuple[float, float]], *, diagonal: bool = False
) -> str:
    """Return a line through ``points`` (0 to 1 both ways), with the diagonal where it is what would be right."""
    return _page(_SIDE + 110, _SIDE + 110, title, _line_chart(across, up, points, diagonal=diagonal))


def _line_chart(
    across: str, up: str, points: Sequence[tuple[float, float]], *, diagonal: bool
) -> Iterator[str]:
    left, bottom = 70, _SIDE + _TOP
    for tenth in range(0, 11, 2):
        x, y = left + _SIDE * tenth / 10, bottom - _SIDE * tenth / 10
        yield _line(left, y, left + _SIDE, y, _RULE)
        yield _line(x, bottom - _SIDE, x, bottom, _RULE)
        yield _text(left - 8, y + 4, f"{tenth / 10:.1f}", "end")
        yield _text(x, bottom + 18, f"{tenth / 10:.1f}", "middle")
    if diagonal:
        yield _line(left, bottom, left + _SIDE, bottom - _SIDE, _GOAL)
    placed = [(left + _SIDE * x, bottom - _SIDE * y) for x, y in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
    yield f'<polyline points="{path}" fill="none" stroke="{_BAR}" stroke-width="2"/>'
    yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{_BAR}"/>' for x, y in placed)
    yield _text(left + _SIDE / 2, bottom + 40, across, "middle")
    yield f'<text transform="translate(20 {bottom - _SIDE / 2:.0f}) rotate(-90)" text-anchor="middle">{escape(up)}</text>'


def _across(value: float) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * min(max(value, 0.0), 1.0)


def _line(x: float, y: float, to_x: float, to_y: float, colour: str) -> str:
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{colour}"/>'


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _page(width: int, height: int, title: str, parts: Iterator[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="12" fill="{_INK}" role="img" aria-label="{escape(title)}">'
    )
    ground = f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    heading = f'<text x="12" y="24" font-size="15" font-weight="bold">{escape(title)}</text>'
    return "\n".join([head, ground, heading, *parts, "</svg>"]) + "\n"
