"""What did the sender write now? Message bytes to `Authored`: the third stage of a message's road.

Owns the reading of a message: MIME, charsets, HTML, quotes, signatures. Refuses to judge a word of it, and does no
I/O: `workers` runs it in a process that can be killed, `inspection` reads what it returns.

The way in: `mime` finds the parts by byte offset, over `fields`, `parameters` and `words` of their headers; `decoding`
makes text of them; `markup`, `plain` and `layout` make lines of the text; `parting` asks `quotes` and `signatures` which
lines are the sender's own; `attachments` reads files; `alternatives` sets aside what stands twice; `language` says what
is not English; `reading` leads, and `collected` keeps what was found; `anatomy` says what a message is made of, for people,
and `safe_html` what of its layout may be shown to them. Each but this last is linear in the size of the message, and
none recurses.
"""

from collections.abc import Mapping

from gateway.extract import attachments, language
from gateway.extract.anatomy import anatomy
from gateway.extract.language import language_name
from gateway.extract.reading import read
from gateway.extract.safe_html import safe_html
from gateway.model import Authored, HouseStyle, Limits

__all__ = ["anatomy", "decoded", "extract", "language_name", "safe_html", "warm_up"]


NO_STYLE = HouseStyle()
"""A force whose own texts are not known: only what every disclaimer says is recognised."""


def extract(raw: bytes, limits: Limits, style: HouseStyle = NO_STYLE) -> Authored:
    """Return only the words the sender wrote now, what was set aside and why, and what could not be read.

    Quoted replies, forwarded mail, signatures and disclaimers are cut: a victim's words in a quote must not count
    against the officer. When it is not certain that a line is quoted, it stays, marked uncertain; reading one line
    too many is the safer error. ``style`` has the force's own disclaimers. Offsets are code points in the text that
    `decoded` gives for the part.

    Never raises. What cannot be decoded, or lies beyond ``limits``, is named in ``unreadable``; policy says what
    that means.
    """
    return read(raw, limits, style).authored


def decoded(raw: bytes, limits: Limits) -> Mapping[str, str]:
    """Return the decoded text of every part by its name, as the offsets in `extract`'s answer count it.

    The decoded text of a plain part is its characters with LF line ends, format=flowed as it is shown; of an HTML part
    its visible words, one line a block, and after them what is hidden; of a calendar part the values that people read;
    of a header field the words beside its addresses. Never raises.
    """
    return read(raw, limits, NO_STYLE).texts


def warm_up() -> None:
    """Load what reading needs, in the process that will read: the models of languages, and PDFium."""
    language.warm_up()
    attachments.warm_up()
