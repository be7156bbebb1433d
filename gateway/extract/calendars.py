"""What a calendar invitation says to people (RFC 5545): the values that a mail program shows, one a line.

Owns the unfolding and unescaping of an iCalendar text. Refuses to know times and recurrence. Used by `reading`.
"""

import re

_FOLD = re.compile(r"\n[ \t]")
_LINE = re.compile(
    r"^(?P<name>SUMMARY|DESCRIPTION|LOCATION|COMMENT|CONTACT|CATEGORIES|X-ALT-DESC|X-WR-CALNAME|ATTENDEE|ORGANIZER|ATTACH|URL)"
    r"(?P<parameters>(?:;[^:;\n\"]*(?:\"[^\"\n]*\"[^:;\n\"]*)*)*):(?P<value>[^\n]*)$",
    re.MULTILINE | re.IGNORECASE,
)
_NAME = re.compile(r";CN=(?:\"([^\"\n]*)\"|([^;:\n]*))", re.IGNORECASE)
_ESCAPE = re.compile(r"\\([\\;,nN])")
_TAGS = re.compile(r"<[^>]*>?")


def calendar_text(text: str) -> str:
    """Return the words of an iCalendar text; the whole text when it holds no property that people read."""
    values = []
    for match in _LINE.finditer(_FOLD.sub("", text)):
        name = match["name"].upper()
        if name in {"ATTENDEE", "ORGANIZER"}:
            shown = _NAME.search(match["parameters"])
            values.append((shown[1] or shown[2] or "") if shown else "")
            continue
        value = _ESCAPE.sub(lambda escape: "\n" if escape[1] in "nN" else escape[1], match["value"])
        values.append(_TAGS.sub(" ", value) if name == "X-ALT-DESC" else value)
    return "\n".join(filter(None, values)) or text
