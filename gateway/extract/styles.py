"""What inline styles and old presentational attributes say about the look of text: seen, or hidden.

Owns the few style properties with which text is hidden. Refuses to know style sheets: a class may hide text, and then
it is read as visible, which is the safer error. Stands below `markup`.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

_DECLARATION = re.compile(r"([a-z-]+)\s*:\s*([^;]*)")
_NUMBER = re.compile(r"-?\d*\.?\d+")
_FAR_OFF = -99.0
_LEGIBLE = {"px": 2.0, "pt": 2.0, "em": 0.1, "rem": 0.1, "%": 10.0}
_COLOURS = {
    "white": "ffffff", "black": "000000", "red": "ff0000", "green": "008000", "blue": "0000ff", "yellow": "ffff00",
    "gray": "808080", "grey": "808080", "silver": "c0c0c0", "navy": "000080", "snow": "fffafa", "ivory": "fffff0",
    "whitesmoke": "f5f5f5", "ghostwhite": "f8f8ff", "lightgray": "d3d3d3", "lightgrey": "d3d3d3",
}  # fmt: skip
_PAPER = "ffffff"
_NEAR = 12
_LONGEST_STYLE = 4000


@dataclass(frozen=True, slots=True)
class Look:
    """How text looks at one place, as far as it may hide it."""

    gone: bool = False
    """Not laid out, or laid out where nobody sees it; what is inside cannot undo that."""
    invisible: bool = False
    tiny: bool = False
    colour: str = "000000"
    background: str = _PAPER
    """Six hexadecimal digits, or empty when it is a picture or otherwise unknown."""

    @property
    def hidden(self) -> bool:
        """True when a reader would not see the text."""
        return self.gone or self.invisible or self.tiny or _same(self.colour, self.background)


@lru_cache(maxsize=256)
def _styled_by(look: Look, style: str) -> Look:
    return _styled(look, dict(_DECLARATION.findall(style.lower())))


def look_of(outer: Look, attributes: dict[str, str]) -> Look:
    """Return the look inside an element with ``attributes``, given the look around it."""
    look = outer
    if "hidden" in attributes:
        look = replace(look, gone=True)
    if "bgcolor" in attributes or "background" in attributes:
        look = replace(look, background=_colour(attributes.get("bgcolor", "")))
    if "color" in attributes:
        look = replace(look, colour=_colour(attributes["color"]) or look.colour)
    style = attributes.get("style")
    if style:
        look = _styled_by(look, style[:_LONGEST_STYLE])
    return look


def _styled(look: Look, declared: dict[str, str]) -> Look:
    background = declared.get("background-color", declared.get("background"))
    if background is not None and background.split("!")[0].strip() not in {
        "transparent",
        "none",
        "inherit",
        "",
    }:
        look = replace(look, background=_colour(background))
    if "background-image" in declared:
        look = replace(look, background="")
    if "color" in declared:
        look = replace(look, colour=_colour(declared["color"]) or look.colour)
    if "visibility" in declared:
        look = replace(look, invisible=declared["visibility"].startswith(("hidden", "collapse")))
    if "font-size" in declared:
        look = replace(look, tiny=_is_tiny(declared["font-size"]))
    elif "font" in declared:
        look = replace(look, tiny=any(_is_tiny(word) for word in declared["font"].split()))
    if _is_gone(declared):
        look = replace(look, gone=True)
    return look


def _is_gone(declared: dict[str, str]) -> bool:
    if declared.get("display", "").startswith("none") or declared.get("mso-hide", "").startswith("all"):
        return True
    if _is_zero(declared.get("opacity")):
        return True
    clipped = declared.get("overflow", "").startswith("hidden")
    if clipped and any(
        _is_zero(declared.get(side)) for side in ("height", "max-height", "width", "max-width")
    ):
        return True
    placed = "position" in declared
    sides = ("text-indent", *(("left", "top") if placed else ()), "margin-left")
    return any(_number(declared.get(side, "")) <= _FAR_OFF * 10 for side in sides)


def _number(value: str) -> float:
    match = _NUMBER.match(value.strip()[:32])
    return float(match[0]) if match else 1.0


def _is_zero(value: str | None) -> bool:
    return value is not None and _number(value) == 0.0


def _is_tiny(size: str) -> bool:
    size = size.strip()[:32]
    match = _NUMBER.match(size)
    if not match:
        return False
    unit = re.match(r"[a-z%]*", size[match.end() :])
    return float(match[0]) < _LEGIBLE.get(unit[0] if unit else "", 0.0001 if float(match[0]) else 1.0)


def _colour(value: str) -> str:
    """Return a colour as six hexadecimal digits, or an empty string when it is none we know."""
    value = value.lower().split("!")[0].strip()[:64]
    word = value.split()[0] if value and not value.startswith("rgb") else value
    if word in _COLOURS:
        return _COLOURS[word]
    digits = word.removeprefix("#")
    if re.fullmatch(r"[0-9a-f]{3}", digits):
        return "".join(digit * 2 for digit in digits)
    if re.fullmatch(r"[0-9a-f]{6}", digits):
        return digits
    parts = re.findall(r"\d{1,3}", value) if value.startswith("rgb") else []
    return "".join(f"{min(int(part), 255):02x}" for part in parts[:3]) if len(parts) >= 3 else ""


@lru_cache(maxsize=256)
def _same(colour: str, background: str) -> bool:
    if not colour or not background:
        return False
    if colour == background:
        return True
    return all(
        abs(int(colour[place : place + 2], 16) - int(background[place : place + 2], 16)) <= _NEAR
        for place in (0, 2, 4)
    )
