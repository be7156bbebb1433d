"""The lines with which mail programs introduce what they quote: "On ... wrote:", dividers, and blocks of fields.

Owns the layouts, English and Welsh first, and the other languages that a recipient's or an officer's program may
speak. Refuses to know where a quote ends or whether to believe it: `quotes` and `doubts` do. Stands in *extract*
below `quotes`; every question is asked of one line, or of a few lines joined, of bounded length.

Prose looks much like an introduction: "In your statement of 3 March 2026 you said:". So strength is told apart. A
weak introduction only explains quote marks that stand under it; a strong one has what programs write and people do
not (an address, or a date with a time, before the verb), and may begin a quote without marks.
"""

import re
from collections.abc import Sequence
from enum import IntEnum, auto
from typing import NamedTuple

from gateway.extract.dates import is_date
from gateway.extract.layout import Line, Mark

LONGEST = 400
"""Characters of an attribution, however many lines it was wrapped over."""

_VERBS = (
    r"(?:wrote|writes?|written|said|says|spake|stated|mentioned|quoted|replied|typed|commented|ysgrifennodd|dywedodd|schrieb|schreef|skrev|napisa\u0142(?:\(a\)|a)?"
    r"|a \u00e9crit|escribi\u00f3|ha scritto|escreveu|a scris|kirjoitti)"
)
_OPENERS = r"(?:On|At|In|Ar|Am|Den|Le|El|Il|Op|Em|Dnia|W dniu|P\u00e5|Pe|\u00cen data)"
_ADDRESS = r"<?[^\s<>@\"(]+@[^\s<>@)]+>?"
_TIME = re.compile(r"\b\d{1,2}[:.h]\d{2}\b")
_DAY = re.compile(r"\b\d{4}\b|\b\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b|\b\d{1,2}(?:st|nd|rd|th)?[ -][A-Z][a-z]{2}")
_ENDS = re.compile(rf"(?:\b{_VERBS}\b.{{0,60}}|[>)\]\"])\s*:\s*$|\b(?:ysgrifennodd|schrieb)\b.{{1,200}}:\s*$")
_VERB = re.compile(rf"\b{_VERBS}\b")
_WEEKDAY = re.compile(r"^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, ")
_OPENED = re.compile(rf"^{_OPENERS}\b")
_ADDRESSED = re.compile(_ADDRESS)
_DATE_FIRST = re.compile(
    r"^\d{1,4}[-/. ][\w/. -]{2,40}.*(?:\b(?:wrote|writes)\b|<[^<>@\s]+@[^<>\s]+>|\bby [^\s<>@]+@[^\s<>]+)\s*:$"
)
_QUOTING = re.compile(
    rf"^(?:Quoting|Citing|Quoth|According to|Thus spake)\b.{{1,160}}:$|^\* .{{0,160}}{_ADDRESS}.{{0,60}}:$"
    r"|^\"?[^\"=]{1,40}\"? ==? .{1,160}\bwrites:$|^<quote who=\"[^\"]{1,80}\">$"
)
_NAME = r"[A-Z\u00c0-\u00de][\w.'\u2019-]*"
_NAMED = re.compile(
    rf"^(?:\"?{_NAME},?\s+){{0,5}}{_NAME}\"?(?:\s+\([^()]{{1,60}}\))?\s+(?:wrote|writes|said|ysgrifennodd)"
    r"(?:\s+(?:the following )?on\s.{6,60}|\s*,?\s*on\s.{6,60})?\s*:$"
)
_NAME_ONLY = re.compile(rf"^(?:{_NAME}\s+){{1,3}}{_NAME}\s*:$")
_PRONOUN = re.compile(
    rf"\b(?:you|he|she|they|we|I|who|it|u)(?:['\u2019](?:d|ve|s)|\s+(?:also|then|once|just|have|has|had|first))?\s+{_VERBS}\b",
    re.IGNORECASE,
)
"""A sentence of the sender's, not a program's line."""
_DASHES_BEFORE = re.compile(r"^-{3,5}\s+(?=[A-Z\"])")
_DASHES_AFTER = re.compile(r"(?<=wrote)\s*:?\s*-{3,5}$")
_BARE_FIELD = re.compile(r"^(From|Sent|Date|To|Cc|Subject)\s+(\S.*)$")
_GROUPWISE = re.compile(
    rf"^(?:.{{0,120}}{_ADDRESS}.{{0,20}}|.{{2,120}}\s)\d{{1,2}}[/.]\d{{1,2}}[/.]\d{{2,4}}\b.{{0,30}}>>>$"
)
_NOTES_LINE = re.compile(
    r"^.{2,80}---\s?\d{1,4}[-/.]\d{1,2}[-/.]\d{2,4},? +\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?: ?[AP]M)?(?: \w{2,4})?---"
)
_NOTES_DIVIDER = re.compile(r"^-{3,8}(?!-)\s*\S.{1,120}\bwrote:\s*-{3,}$")
_NOTES_DATE = re.compile(r"^\d{1,2}[/.-](?:\d{1,2}|[A-Z][a-z]{2})[/.-]\d{2,4} +\d{1,2}[:.]\d{2}")
_NOTES_FIELD = re.compile(r"^(To|cc|bcc|Subject|Please respond to|At|Pwnc)(?:\s*\t\s*(.*)|\s*)$")

_PROSE = re.compile(r"(?<![\w@.<+-])[a-z]{4,}(?![\w@.]*@)(?!\.?\s*\d)")
_PROGRAM_WORDS = """
    wrote writes write written said says stated mentioned quoted replied typed commented following message article dated
    schrieb escribi\u00f3 scritto schreef escreveu ysgrifennodd dywedodd napisa mailto http https behalf date time from
    january february march april june july august september october november december
"""
"""Words in lower case that programs write into their line."""
_PROGRAMS = frozenset(_PROGRAM_WORDS.split())
_MOST_PROSE = 2
_MESSAGE_ID = re.compile(r"^In (?:message|article)\s*<[^<>]*>\s*,?")
_SPEAKER_ADDRESS = re.compile(r"[^\s<>@\"(:,;\[]{1,64}@[^\s<>@),;:\]]{1,255}")
"""At most what RFC 5321 section 4.5.3.1 allows. Without bounds a line of 100 kB costs seconds here and below."""
_SPEAKER_NAME = re.compile(
    rf"(?:^|[,\"]|\d(?=\s)|[AP]M|GMT|BST|UTC|\b{_VERBS})\s{{0,20}}((?!\s|{_VERBS})[^,\d<>():\"]{{1,120}}?)\"?\s{{0,20}}(?:<|\(|:$|\b{_VERBS}\b)"
)
_SPEAKER_LAST = re.compile(rf"\b{_VERBS}\s{{1,20}}([^\d<>():\",]{{1,120}}?)\s{{0,20}}:$")
"""In Welsh and German the verb comes first."""
_PAIR = frozenset({"from", "date"})
_LONGEST_SENDER = 160
_MOST_NAMES = 6
_SENTENCE = re.compile(r"[?!;:]")
_AROUND_ADDRESS = re.compile(r"mailto:|[<>\[\]()\"'*]")
_NAMES = re.compile(rf"\"?(?:{_NAME},?\s+){{0,5}}{_NAME}\"?")

_FIELDS = {
    "from": "From|Oddi wrth|O|Von|De|Da|Van|Fra|Fr\u00e5n",
    "date": "Sent|Date|Sent on|Anfonwyd|Dyddiad|Gesendet|Datum|Envoy\u00e9|Enviado|Enviada|Fecha|Inviato|Data|Verzonden|Skickat",
    "to": "To|At|I|An|\u00c0|Para|A|Aan|Till",
    "cc": "Cc|Copi|Copy|Bcc|Kopie|Kopia",
    "subject": "Subject|Pwnc|Testun|Betreff|Objet|Asunto|Assunto|Oggetto|Onderwerp|\u00c4mne",
    "other": "Reply-To|Reply To|Importance|Attachments|Sensitivity|Priority|When|Where|Required|Optional|Pwysigrwydd|Atodiadau"
    "|Message-ID|Organization|Organisation|Newsgroups|References|X-Mailer|Sent by|Cadw|Delivered-To|Return-Path|Received|List-Id",
}
_CANONICAL = {name.lower(): field for field, names in _FIELDS.items() for name in names.split("|")}
_FIELD = re.compile(
    rf"^[*_\s]*({'|'.join(_FIELDS.values())})\s*[*_]*\s*:[*_\s]*(.*)$",
    re.IGNORECASE,
)
_DIVIDER = re.compile(
    r"(?:Original (?:Message|Appointment|mail|e-?mail)|Reply Message|Message from .{2,80}|Forwarded (?:message|e-?mail|mail)"
    r"|Forwarded by\b.*|Forwarded message from .*|Neges wreiddiol|Neges (?:wedi['\u2019]i hanfon|a anfonwyd) ymlaen"
    r"|Urspr\u00fcngliche Nachricht|Message d'origine|Mensaje original|Oorspronkelijk bericht|Inline Message Follows)\Z",
    re.IGNORECASE,
)
_DIVIDER_WORDS = re.compile(
    r"(?:Begin forwarded message|Forwarded message|Start of forwarded message|Dechrau neges a anfonwyd ymlaen)\s*:?\Z",
    re.IGNORECASE,
)
_RUN_TOGETHER = re.compile(
    r"^-{3,}\s*(?:Forwarded|Original) message\s*-{3,}\s*From:.{3,200}@.{3,300}Subject:", re.IGNORECASE
)
"""A plain part in which Yahoo lost the line breaks of its header block."""
_FORWARDING = re.compile(r"forwarded|anfon(?:wyd)? ymlaen", re.IGNORECASE)
_FORWARDED_BY = re.compile(r"forwarded by .*\d", re.IGNORECASE)
_FIRST_CHARACTERS = frozenset("-_=*<0123456789")
_FIRST_LETTERS = frozenset("OAILEDWPBF\u00ceSND")
_WRAPPED = re.compile(rf"{_OPENERS}\b.*\d|(?:Begin|Start|Forwarded|Dechrau|Neges)\b")
"""The first line of an attribution that was wrapped before its end; all others have a colon or an address."""


class Strength(IntEnum):
    """What an attribution can carry."""

    NONE = 0
    WEAK = auto()
    """Explains the quote marks under it."""
    STRONG = auto()
    """May begin a quote without marks."""


class Divider(NamedTuple):
    """A line like "-----Original Message-----". ``signed``: it says by whom and when, so nothing need follow it."""

    forward: bool
    signed: bool


def may_introduce(line: Line) -> bool:
    """Return whether ``line`` is worth a closer look: most lines are not."""
    text = line.text
    if not text or len(text) > LONGEST:
        return False
    if (
        ":" in text
        or "@" in text
        or text[-1] == ">"
        or text[0] in _FIRST_CHARACTERS
        or line.mark is not Mark.NONE
    ):
        return True
    return "---" in text or (text[0] in _FIRST_LETTERS and _WRAPPED.match(text) is not None)


def divider_of(text: str) -> Divider | None:
    """Return what kind of divider ``text`` is, or None."""
    words = text.strip("-_=* \t")
    dashed = text.lstrip("*_ \t").startswith(("--", "__", "==")) and _DIVIDER.match(words)
    if _RUN_TOGETHER.match(text):
        return Divider(forward=_FORWARDING.search(text) is not None, signed=True)
    if not dashed and not _DIVIDER_WORDS.match(words):
        return None
    return Divider(_FORWARDING.search(text) is not None, _FORWARDED_BY.search(text) is not None)


def field_of(text: str) -> tuple[str, str] | None:
    """Return the name and value of a line of a header block: from, date, to, cc, subject, other."""
    match = _FIELD.match(text)
    return (_CANONICAL[match[1].lower()], match[2].strip()) if match else None


def bare_field_of(text: str) -> tuple[str, str] | None:
    """Return the name and value of a field without its colon, as eM Client writes them under its divider."""
    match = _BARE_FIELD.match(text)
    return (_CANONICAL[match[1].lower()], match[2].strip()) if match else None


def notes_field_of(text: str) -> tuple[str, str] | None:
    """Return the name and value of a row of the table that Lotus Notes writes: it has no colons."""
    match = _NOTES_FIELD.match(text)
    if match is None:
        return None
    name = match[1].lower()
    return {"pwnc": "subject", "at": "to", "please respond to": "other"}.get(name, name), match[2] or ""


def is_notes_date(text: str) -> bool:
    """Return whether ``text`` is the line with date and time above the table of Lotus Notes."""
    return _NOTES_DATE.match(text) is not None


def is_notes_line(text: str) -> bool:
    """Return whether ``text`` is the line of Lotus Notes above its fields: "Name---date time---first words"."""
    return _NOTES_LINE.match(text) is not None or _NOTES_DIVIDER.match(text) is not None


def is_groupwise(text: str) -> bool:
    """Return whether ``text``, already without its marks, is the line ">>> Name date time >>>" of GroupWise."""
    return text.endswith(">>>") and _GROUPWISE.match(text) is not None


def _undashed(text: str) -> str:
    """Return an attribution without the dashes that Yahoo, Zimbra and Zoho set around theirs."""
    return _DASHES_AFTER.sub(":", _DASHES_BEFORE.sub("", text))


def ends_attribution(line: str) -> bool:
    """Return whether an attribution may end with this line."""
    text = _undashed(line)
    if not text.rstrip().endswith((":", ">")):  # as each of them does; a search to the end of a line is dear
        return False
    return bool(_ENDS.search(text) or _QUOTING.match(text) or (" by " in text and _DATE_FIRST.match(text)))


def may_go_on(joined: str) -> bool:
    """Return whether an attribution that begins so may have been wrapped."""
    text = _undashed(joined)
    return _OPENED.match(text) is not None or "@" in text or text[:1].isdigit() or text.startswith("Quoting")


def attribution_strength(joined: str, *, alone: bool) -> Strength:
    """Return what ``joined`` can carry as an attribution. ``alone``: it is one line."""
    text = _undashed(joined)
    if len(text) > LONGEST or _prose(text) > _MOST_PROSE:
        return Strength.NONE
    address = _ADDRESSED.search(text)
    verb = _VERB.search(text)
    dated, timed = _DAY.search(text), _TIME.search(text)
    if _PRONOUN.search(
        text
    ):  # "At 10:12 03/08/2026 +0100, you wrote:" is a program's; without a time it is a person's
        led = _OPENED.match(text) or _WEEKDAY.match(text)
        return Strength.WEAK if led and dated and timed else Strength.NONE
    if _QUOTING.match(text) or ((address or verb) and _DATE_FIRST.match(text)):
        return Strength.STRONG if address and (dated or timed) else Strength.WEAK
    if verb and _OPENED.match(text) and (dated or timed or address):
        return Strength.STRONG if address or (dated and timed) else Strength.WEAK
    if verb and address:
        return Strength.STRONG if dated and timed else Strength.WEAK
    return Strength.WEAK if alone and _NAMED.match(text) else Strength.NONE


def _prose(text: str) -> int:
    """Return how many words of ``text`` are neither a program's nor part of a name, an address or a date."""
    return sum(word not in _PROGRAMS for word in _PROSE.findall(text))


def is_name_only(text: str) -> bool:
    """Return whether ``text`` is a name with a colon: over marked lines it is an attribution."""
    return _NAME_ONLY.match(text) is not None


def speaker_of(text: str) -> str:
    """Return the address that an introduction names, else the name, else nothing."""
    text = _MESSAGE_ID.sub("", text)
    address = _SPEAKER_ADDRESS.search(text)
    if address:
        return address[0].strip("<>[]'.").removeprefix("mailto:")
    name = _SPEAKER_NAME.search(text) or _SPEAKER_LAST.search(text)
    if name:
        return name[1].strip().removeprefix("at ").strip()
    return "" if text.endswith(":") else text.strip()[:120]


def speaker_of_pair(texts: Sequence[str]) -> str | None:
    """Return who is said to speak by a From and a Date, in either order; None where ``texts`` are anything else.

    Two fields carry what "Jo Bloggs wrote:" carries, and more is asked of them: the one has to be a name or an address
    and nothing else, the other a day that can be compared with the mail's own.
    """
    seen: dict[str, str] = {}
    for text in texts:
        field = field_of(text)
        if field is None and next(reversed(seen), "") == "from":
            seen["from"] += f" {text}"  # a long name was wrapped
        elif field is None or field[0] not in _PAIR or field[0] in seen:
            return None
        else:
            seen[field[0]] = field[1]
    if seen.keys() != _PAIR or not is_date(seen["date"]) or not _is_sender(seen["from"]):
        return None
    return speaker_of(seen["from"])


def _is_sender(value: str) -> bool:
    """Return whether ``value`` is one address with or without a name, or a name, and no words beside."""
    if len(value) > _LONGEST_SENDER:
        return False
    addresses = {address.strip("'.").lower() for address in _SPEAKER_ADDRESS.findall(value)}
    if not addresses:
        return _NAMES.fullmatch(value.strip("*_ ")) is not None
    name = _AROUND_ADDRESS.sub(" ", _SPEAKER_ADDRESS.sub(" ", value))
    return (
        len(addresses) == 1
        and len(name.split()) <= _MOST_NAMES
        and _SENTENCE.search(name) is None
        and _prose(name) <= _MOST_PROSE
    )
