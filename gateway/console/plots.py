"""Plots drawn on the server: bars, as SVG without script or style. The table beneath says the same in figures."""

from collections.abc import Sequence

from markupsafe import Markup

_WIDTH, _HEIGHT, _LEFT, _FOOT, _TOP = 640, 180, 40, 24, 12
_MARKS = 4


def bars(title: str, values: Sequence[tuple[str, float | None]]) -> Markup:
    """Return a plot of ``values`` with their labels; None is a value that is not shown. Labels that would touch are left out."""
    top = _round_up(max([value for _, value in values if value is not None], default=0))
    inner, ground = _HEIGHT - _FOOT - _TOP, _HEIGHT - _FOOT
    step = (_WIDTH - _LEFT) / max(1, len(values))
    drawn = Markup()
    for mark in range(_MARKS + 1):
        y = ground - inner * mark / _MARKS
        drawn += _line(y) + _text(_LEFT - 6, y + 4, f"{top * mark / _MARKS:g}", "end")
    every = max(1, round(56 / step))
    for number, (label, value) in enumerate(values):
        x = _LEFT + step * number
        if value:
            drawn += _bar(x + step * 0.15, step * 0.7, ground, inner * value / top, f"{label}: {value:g}")
        if number % every == 0:
            drawn += _text(x + step / 2, _HEIGHT - 6, label, "middle")
    return Markup('<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        _WIDTH, _HEIGHT, title, drawn
    )


def _bar(x: float, width: float, ground: float, height: float, says: str) -> Markup:
    return Markup(
        '<rect class="series-a" x="{}" y="{}" width="{}" height="{}" rx="2"><title>{}</title></rect>'
    ).format(*(f"{one:.1f}" for one in (x, ground - height, width, height)), says)


def _line(y: float) -> Markup:
    return Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
        _LEFT, _WIDTH, f"{y:.1f}", f"{y:.1f}"
    )


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(
        f"{x:.1f}", f"{y:.1f}", anchor, text
    )


def _round_up(value: float) -> float:
    """Return the next number that quarters well: 4, 8, 20, 40, 80, 200 and so on."""
    size = 1.0
    while True:
        for step in (4, 8, 20):
            if value <= step * size:
                return step * size
        size *= 10
