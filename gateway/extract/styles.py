"""What styles and old presentational attributes say about text: whether it is seen, and where on the line it stands.

Owns the properties with which text is hidden or moved. Refuses to know selectors (`css` finds what a sheet declares for
an element) and elements. Stands below `markup`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from tinycss2.color4 import parse_color

from gateway.extract import css

_DECLARATION = re.compile(r"([a-z-]+)\s*:\s*([^;]*)")
_NUMBER = re.compile(r"-?\d*\.?\d+")
_FAR_OFF = 990.0
"""Pixels, points or per cent beyond which nothing is on the page any more."""
_LEGIBLE = {"px": 2.0, "pt": 2.0, "em": 0.1, "rem": 0.1, "%": 10.0}
_PAPER = "ffffff"
_NEAR = 24
_FAINT = 0.1
"""Opacity below which nobody sees a letter."""
_LONGEST_STYLE = 4000
_CLIPPED_AWAY = re.compile(
    r"inset\(\s*(?:[5-9]\d|100)(?:\.\d+)?%|circle\(\s*0|ellipse\(\s*0|polygon\((?:\s*0\w*\s+0\w*\s*,?)+\)"
    r"|rect\((?:\s*(?:0|1px|0px|auto)\s*,?){4}\)"
)
_FLATTENED = re.compile(r"(?:scale(?:x|y|3d)?|matrix)\(\s*0(?:\.0\d*)?\s*[,)]|rotate[xy]\(\s*-?(?:90|270)deg")
_MOVED = re.compile(r"translate(?:x|y|3d)?\(\s*(-?[\d.]+)[^,)]*(?:,\s*(-?[\d.]+))?")
_HEX = re.compile(r"#[0-9a-f]{6}\Z")
_MIRRORED = re.compile(r"scalex\(\s*-1|rotatey\(\s*180deg|scale\(\s*-1\s*,\s*1|matrix\(\s*-1")


CLEAR: Final = "clear"
"""A colour that paints nothing."""


@dataclass(frozen=True, slots=True)
class Look:
    """How text looks at one place, as far as it may hide it."""

    gone: bool = False
    """Not laid out, or laid out where nobody sees it; what is inside cannot undo that."""
    invisible: bool = False
    tiny: bool = False
    colour: str = "000000"
    """Six hexadecimal digits; `CLEAR` when nothing is painted."""
    background: str = _PAPER
    """Six hexadecimal digits, or empty when it is a picture or otherwise unknown."""

    @property
    def hidden(self) -> bool:
        """True when a reader would not see the text."""
        return (
            self.gone
            or self.invisible
            or self.tiny
            or self.colour == CLEAR
            or _same(self.colour, self.background)
        )


def declared_by(attributes: Mapping[str, str], sheet: css.Styled | None = None) -> Mapping[str, str]:
    """Return what holds for an element: its ``style``, the sheet beneath it, and above it what is important.

    Values are in lower case, white space and ``!important`` apart. Never raises.
    """
    style = attributes.get("style")
    inline = _inline(style[:_LONGEST_STYLE]) if style else {}
    if sheet is None or not (sheet.normal or sheet.important):
        return inline
    return {**sheet.normal, **inline, **sheet.important}


@lru_cache(maxsize=512)
def _inline(style: str) -> Mapping[str, str]:
    if "\\" in style or "/*" in style:
        return css.declarations(style)
    return {name: value.split("!")[0].strip() for name, value in _DECLARATION.findall(style.lower())}


def look_of(outer: Look, attributes: Mapping[str, str], declared: Mapping[str, str]) -> Look:
    """Return the look inside an element with ``attributes`` and what is ``declared``, given the look around it."""
    look = outer
    if "hidden" in attributes:
        look = replace(look, gone=True)
    if "bgcolor" in attributes or "background" in attributes:
        look = replace(look, background=_colour(attributes.get("bgcolor", "")))
    for name in ("color", "text"):  # of font, and of body
        if name in attributes:
            look = replace(look, colour=_colour(attributes[name]) or look.colour)
    return _styled(look, declared) if declared else look


def is_mirrored(declared: Mapping[str, str]) -> bool:
    """Return whether text runs from right to left, letter by letter."""
    reordered = "override" in declared.get("unicode-bidi", "") and declared.get("direction", "") == "rtl"
    return reordered or _MIRRORED.search(declared.get("transform", "")) is not None


def place_of(declared: Mapping[str, str], *, in_row: bool) -> tuple[float, float] | None:
    """Return what an element's place among its siblings is sorted by, or None when it stands where it was written.

    ``in_row``: the parent lays its children out in a row. Floats to the right come last, the first of them outermost.
    """
    if declared.get("position", "") in {"absolute", "fixed", "relative"} and "left" in declared:
        return _number(declared.get("top", "0"), 0.0), _number(declared["left"], 0.0)
    side = declared.get("float", "")
    if side == "right":
        return RIGHT, 0.0
    if side == "left" or in_row or declared.get("display", "") in _SIDE_BY_SIDE:
        return 0.0, _number(declared.get("order", "0"), 0.0)
    return None


RIGHT: Final = 1e9
"""The place of what floats to the right: behind all else, the first of them outermost."""
_SIDE_BY_SIDE: Final = frozenset({"inline-block", "inline-flex", "inline-table", "table-cell"})


def coordinate(value: str) -> float:
    """Return the number that a coordinate begins with, nought without one."""
    return _number(value, 0.0)


def lays_rows(declared: Mapping[str, str]) -> bool:
    """Return whether an element lays its children out side by side."""
    return declared.get("display", "") in {"flex", "inline-flex", "grid", "inline-grid", "-webkit-box"}


def is_turned(declared: Mapping[str, str]) -> bool:
    """Return whether an element lays its children out in reverse."""
    return "reverse" in declared.get("flex-direction", declared.get("flex-flow", "")) or (
        declared.get("direction", "") == "rtl"
    )


def _styled(look: Look, declared: Mapping[str, str]) -> Look:
    background = declared.get("background-color", declared.get("background"))
    if background is not None and background not in {"transparent", "none", "inherit", "initial", ""}:
        painted = _colour(background)
        look = look if painted == CLEAR else replace(look, background=painted)
    if "background-image" in declared and declared["background-image"] != "none":
        look = replace(look, background="")
    for name in ("color", "-webkit-text-fill-color"):
        if name in declared:
            look = replace(look, colour=_colour(declared[name]) or look.colour)
    if "visibility" in declared:
        look = replace(look, invisible=declared["visibility"].startswith(("hidden", "collapse")))
    if "font-size" in declared:
        look = replace(look, tiny=_is_tiny(declared["font-size"]))
    elif "font" in declared:
        look = replace(look, tiny=any(_is_tiny(word) for word in declared["font"].split()))
    return replace(look, gone=True) if _is_gone(declared) else look


def _is_gone(declared: Mapping[str, str]) -> bool:
    if declared.get("display", "") == "none" or declared.get("mso-hide", "") == "all":
        return True
    if abs(_number(declared.get("opacity", ""), 1.0)) < _FAINT or "opacity(0" in declared.get("filter", ""):
        return True
    if any(_number(declared.get(name, ""), 1.0) == 0.0 for name in ("zoom", "scale")):
        return True
    clips = any(
        declared.get(name, "") in {"hidden", "clip"} for name in ("overflow", "overflow-x", "overflow-y")
    )
    sides = ("height", "max-height", "width", "max-width")
    if clips and any(_is_sliver(declared.get(side, "")) for side in sides):
        return True
    placed = declared.get("position", "") in {"absolute", "fixed"}
    if _CLIPPED_AWAY.search(declared.get("clip-path", "")) or (
        placed and _CLIPPED_AWAY.search(declared.get("clip", ""))
    ):
        return True
    return _is_flattened(declared.get("transform", "")) or _is_far_off(declared)


def _is_sliver(value: str) -> bool:
    """Return whether a box of this height or width shows nothing: none, or one pixel."""
    return _number(value, 9.0) == 0.0 or value in {"1px", "1pt"}


def _is_flattened(transform: str) -> bool:
    if not transform:
        return False
    moved = _MOVED.search(transform)
    away = moved is not None and any(abs(_number(each or "", 0.0)) >= _FAR_OFF for each in moved.groups())
    return away or _FLATTENED.search(transform) is not None


def _is_far_off(declared: Mapping[str, str]) -> bool:
    """Return whether a box or its text lies off the page. What lies far down may be scrolled to."""
    sides = ["text-indent", "margin-left", "margin-top"]
    if "position" in declared:
        sides += "left", "top", "right", "bottom"
    if any(_number(declared.get(side, ""), 1.0) <= -_FAR_OFF for side in sides):
        return True
    return declared.get("position", "") in {"absolute", "fixed"} and (
        _number(declared.get("left", ""), 1.0) >= _FAR_OFF * 2
    )


def _number(value: str, otherwise: float) -> float:
    """Return the number that a value begins with; ``otherwise`` when it begins with none. Units are left aside."""
    match = _NUMBER.match(value.strip()[:32])
    return float(match[0]) if match else otherwise


def _is_tiny(size: str) -> bool:
    size = size.strip()[:32]
    match = _NUMBER.match(size)
    if not match:
        return False
    unit = re.match(r"[a-z%]*", size[match.end() :])
    return float(match[0]) < _LEGIBLE.get(unit[0] if unit else "", 0.0001 if float(match[0]) else 1.0)


@lru_cache(maxsize=512)
def _colour(value: str) -> str:
    """Return a colour as six hexadecimal digits, `CLEAR`, or an empty string when it is none that we know."""
    value = value.lower().split("!")[0].strip()[:64]
    if _HEX.match(value):
        return value[1:]
    words = value.split()
    for word in (value, *words, value if value.startswith("#") else f"#{value}"):
        parsed = parse_color(word)
        if parsed is not None and not isinstance(parsed, str):
            if parsed.alpha is not None and parsed.alpha < _FAINT:
                return CLEAR
            try:
                shares = parsed.to("srgb").coordinates
            except NotImplementedError:  # a colour space of which nobody's mail has heard
                return ""
            return "".join(f"{min(max(round((share or 0) * 255), 0), 255):02x}" for share in shares)
    return ""


@lru_cache(maxsize=256)
def _same(colour: str, background: str) -> bool:
    if not colour or not background or CLEAR in {colour, background}:
        return False
    if colour == background:
        return True
    return all(
        abs(int(colour[place : place + 2], 16) - int(background[place : place + 2], 16)) <= _NEAR
        for place in (0, 2, 4)
    )
