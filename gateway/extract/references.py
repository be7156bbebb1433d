"""Character references of HTML (``&amp;``, ``&#x41;``), resolved as browsers do, whatever number they name."""

import re
from html import unescape

_LONG_NUMBER = re.compile(r"&#([xX]?)([0-9a-fA-F]{8,})")


def unescaped(text: str) -> str:
    """Return ``text`` with character references resolved; long numbers are shortened, which `html` fails on."""
    return unescape(_LONG_NUMBER.sub(_shorter, text)) if "&" in text else text


def _shorter(number: re.Match[str]) -> str:
    return f"&#{number[1]}{number[2].lstrip('0')[:8] or '0'}"
