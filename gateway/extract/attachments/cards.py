"""Visiting cards (vCard 2.1 to 4.0, RFC 6350): the values that people read, one a line.

Owns unfolding, unescaping and the quoted-printable of version 2.1. Refuses to know what a value means. Called by
`opening`.
"""

import binascii
import re
from typing import Final

from gateway.extract.attachments.contents import Collector, File
from gateway.extract.decoding import characters
from gateway.model import UnreadableReason

_FOLD: Final = re.compile(r"\n[ \t]")
_SOFT: Final = re.compile(r"=\n")
_LINE: Final = re.compile(r"^(?:[\w-]+\.)?([\w-]+)((?:;[^:\n]*)?):([^\n]*)$", re.MULTILINE)
_DULL: Final = frozenset(
    {"BEGIN", "END", "VERSION", "PRODID", "UID", "REV", "KIND", "CLIENTPIDMAP", "TZ", "GEO"}
)
_BINARY: Final = frozenset({"PHOTO", "LOGO", "SOUND", "KEY"})
_ESCAPE: Final = re.compile(r"\\([\\;,nN])")


def read(file: File, found: Collector) -> None:
    """Say what the cards in ``file`` say."""
    text, note = characters(file.data, "")
    if note is not None:
        found.refuse(file.path, note.reason, note.detail)
    values = []
    for match in _LINE.finditer(_FOLD.sub("", _SOFT.sub("", text))):
        found.step()
        name, parameters, value = match[1].upper(), match[2].upper(), match[3]
        if name in _DULL:
            continue
        if name in _BINARY:
            detail = f"a {name.lower()} in a visiting card"
            found.refuse(file.path, UnreadableReason.PICTURE, detail, value.encode("utf-8", "replace"))
            continue
        if "QUOTED-PRINTABLE" in parameters:
            value = characters(binascii.a2b_qp(value.encode("utf-8", "replace")), "")[0]
        escaped = _ESCAPE.sub(lambda escape: "\n" if escape[1] in "nN" else escape[1], value)
        values.append(" ".join(filter(None, escaped.split(";"))) if name in {"N", "ADR", "ORG"} else escaped)
    found.say(file.path, "\n".join(filter(None, values)) or text)
