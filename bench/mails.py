"""The mails of the benches: W1, W2 and W3 of fixed size, each one different from the one before.

Every text is put together from sentences of ordinary police work with names, places, days and numbers filled in, so
that no cache of words, sentences or retries makes a later mail cheaper than an earlier one would be in life. The
same seed gives the same mails. Nothing here knows SMTP or the gateway.
"""

import base64
import random
import textwrap
from dataclasses import dataclass
from functools import cache

SIZES = {"w1": 2_049, "w2": 19_333, "w3": 1_035_683}
"""Octets of a whole mail: a short letter, text with HTML, a letter with a scan. As in earlier measurements."""

CRLF = "\r\n"
_VARIANTS = {"w1": 1_000, "w2": 300, "w3": 50}
_TEXT_CHARS = {"w1": 1_350, "w2": 5_400, "w3": 1_350}
_NAMES = (
    "Osei",
    "Mallory",
    "Trevanion",
    "Whitlock",
    "Achebe",
    "Denholm",
    "Noone",
    "Farrow",
    "Pemberton",
    "Lindqvist",
)
_PLACES = (
    "Northmoor",
    "Easthaven",
    "Castle Road",
    "Kings Court",
    "Fairwater",
    "Oldbridge",
    "Harbour Street",
    "Millgate",
)
_DAYS = ("the second", "the fourth", "the ninth", "the sixteenth", "the twentieth")
"""No weekdays: what tells of a hearing within two days is urgent when held, and each such mail sends a notice too."""
_MONTHS = ("January", "March", "April", "June", "September", "October", "November")
_THINGS = (
    "statement",
    "report",
    "form",
    "recording",
    "exhibit",
    "file",
    "application",
    "schedule",
    "invoice",
)
_TEAMS = (
    "the prosecutors",
    "the court office",
    "the forensic laboratory",
    "the property store",
    "the custody team",
)

_SENTENCES = (
    "The file in case 42/{n}/26 went to {team} on {d} {month}.",
    "The hearing is listed at {place} Crown Court on {d} {month} at {h}.{m}.",
    "Your {thing} with the number {n} was received and added to the papers.",
    "Mr {name} was charged on {d} {month} and will appear before the magistrates at {place}.",
    "The {thing} taken at {place} is with {team}, who expect to answer within {d} days.",
    "If you need the {thing} in another language then please say so before {day}.",
    "Expenses for travel from {place} can be claimed with the form numbered {n}.",
    "An application for special measures was made by {team} on {day}.",
    "The property listed as {n} can be collected from {place} police station after {h}.{m}.",
    "{team_up} asked for one further {thing}, which DC {name} will send by {day}.",
    "The crime number is {n}, and it should be quoted on every letter to {team}.",
    "Nothing has changed since the update of {d} {month}; the next one is due on {day}.",
    "The review by {team} ended on {d} {month} and its result is in the {thing}.",
    "Witness care at {place} will write about the dates and the room.",
    "The parking permit for {place} is valid on {d} {month} with the number {n}.",
    "The insurer may ask for the {thing}; reference {n} is enough for them.",
)  # fmt: skip
_ADVANCES = (
    "You looked amazingly hot on {day}.",
    "Would you fancy a drink with me on {day} evening, just the two of us?",
)


@dataclass(frozen=True, slots=True)
class Pieces:
    """One mail in two pieces, so that a counter can be put between them for next to nothing."""

    head: bytes
    tail: bytes

    def numbered(self, counter: int, recipient: str) -> bytes:
        """Return the mail with its own Message-ID; always of the same length for recipients of the same length."""
        return b"%s%012d@force.example>\r\nTo: <%s>%s" % (self.head, counter, recipient.encode(), self.tail)


@cache
def pieces(size: str, *, advance: bool = False) -> tuple[Pieces, ...]:
    """Return all variants of one of the `SIZES`; with ``advance`` each crosses the line in words."""
    return tuple(
        _mail(size, random.Random(f"{size}:{number}"), advance=advance) for number in range(_VARIANTS[size])
    )


def recipient(counter: int, *, contacts: int) -> str:
    """Return the recipient of mail number ``counter``: one of ``contacts`` registered people, or with 0 nobody's."""
    if contacts:
        return f"contact{counter % contacts:08d}@home.example"
    return f"reader{counter % 1_000_000:06d}@town{counter % 500:03d}.example"


_LONGEST_RECIPIENT = len(recipient(0, contacts=0))


def _mail(size: str, dice: random.Random, *, advance: bool) -> Pieces:
    text = _letter(dice, _TEXT_CHARS[size], advance=advance)
    head = "From: Amir Khan <amir.khan@force.example>\r\nDate: Wed, 04 Mar 2026 11:20:00 +0000\r\n"
    head += f"Subject: Case 42/{dice.randrange(10_000, 99_999)}/26\r\nMIME-Version: 1.0\r\nMessage-ID: <"
    room = SIZES[size] - len(head) - len("000000000000@force.example>\r\nTo: <>") - _LONGEST_RECIPIENT
    body = {"w1": _plain, "w2": _with_html, "w3": _with_scan}[size](text, dice, room)
    return Pieces(head.encode(), body)


def _plain(text: str, _: random.Random, room: int) -> bytes:
    return _padded(f"\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}", room)


def _with_html(text: str, dice: random.Random, room: int) -> bytes:
    """Return text and HTML as Outlook writes them: a paragraph a ``<p>``, with its style each time."""
    style = 'class="MsoNormal" style="margin:0cm;font-size:11pt;font-family:Calibri,sans-serif;mso-fareast-language:EN-US"'
    rows = "".join(
        f'<p {style}><span lang="EN-GB">{paragraph.replace(CRLF, " ")}<o:p></o:p></span></p>\r\n<p {style}><o:p>&nbsp;</o:p></p>\r\n'
        for paragraph in text.split(2 * CRLF)
    )
    mark = f"=_{dice.getrandbits(64):016x}"
    start = f'\r\nContent-Type: multipart/alternative; boundary="{mark}"\r\n\r\n--{mark}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}--{mark}\r\nContent-Type: text/html; charset=utf-8\r\n\r\n'
    return _padded(f"{start}<html><body>\r\n{rows}</body></html>\r\n--{mark}--\r\n", room)


def _with_scan(text: str, dice: random.Random, room: int) -> bytes:
    mark = f"=_{dice.getrandbits(64):016x}"
    start = f'\r\nContent-Type: multipart/mixed; boundary="{mark}"\r\n\r\n--{mark}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}--{mark}\r\nContent-Type: application/pdf; name="scan.pdf"\r\nContent-Disposition: attachment; filename="scan.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    end = f"--{mark}--\r\n"
    lines = (room - len(start) - len(end) - 100) // 78
    return _padded(f"{start}{_scan(lines)}{end}", room)


@cache
def _scan(lines: int) -> str:
    """Return a PDF of one page as ``lines`` lines of 76 in base64: a sentence, and the large stream beside it."""
    size = lines * 57
    octets = _pdf(b"")
    octets = _pdf(random.Random("scan").randbytes(size - len(octets) - len(str(size)) + 1))
    assert 0 <= size - len(octets) < 8, "padded with line ends, which a PDF may end in"
    octets += b"\n" * (size - len(octets))
    return "".join(
        base64.b64encode(octets[start : start + 57]).decode() + "\r\n" for start in range(0, size, 57)
    )


def _pdf(beside: bytes) -> bytes:
    """Return a PDF of one page that says one sentence, with the stream ``beside`` as a scanner's own data."""
    says = b"BT /F 12 Tf 72 700 Td (The property receipt is on this page.) Tj ET"
    objects = (
        b"<</Type/Catalog/Pages 2 0 R/PieceInfo<</Scanner<</LastModified(D:20260302)/Private 6 0 R>>>>>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 5 0 R/Resources<</Font<</F 4 0 R>>>>>>",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"<</Length %d>>\nstream\n%s\nendstream" % (len(says), says),
        b"<</Length %d>>\nstream\n%s\nendstream" % (len(beside), beside),
    )
    out = bytearray(b"%PDF-1.7\n")
    table = b"xref\n0 7\n0000000000 65535 f \n"
    for number, body in enumerate(objects, 1):
        table += b"%010d 00000 n \n" % len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    trailer = b"trailer\n<</Size 7/Root 1 0 R>>\nstartxref\n%010d\n%%%%EOF\n" % len(out)
    return bytes(out + table + trailer)


def _letter(dice: random.Random, characters: int, *, advance: bool) -> str:
    """Return CRLF lines of about ``characters`` in all: greeting, sentences, signature."""
    said = [_filled(sentence, dice) for sentence in _ADVANCES] if advance else []
    while sum(map(len, said)) < characters - 120:
        said.append(_filled(dice.choice(_SENTENCES), dice))
    paragraphs = [" ".join(said[start : start + 3]) for start in range(0, len(said), 3)]
    lines = ["Dear Ms Rahman,", ""]
    for paragraph in paragraphs:
        lines += [*textwrap.wrap(paragraph, 58), ""]
    lines += ["Yours sincerely", "Amir Khan", "Detective Constable 4417, Robbery Squad"]
    return "".join(f"{line}\r\n" for line in lines)


def _filled(sentence: str, dice: random.Random) -> str:
    team = dice.choice(_TEAMS)
    return sentence.format(
        n=dice.randrange(10_000, 99_999),
        d=dice.randrange(1, 29),
        h=dice.randrange(9, 18),
        m=f"{dice.randrange(0, 60):02d}",
        day=dice.choice(_DAYS),
        month=dice.choice(_MONTHS),
        place=dice.choice(_PLACES),
        name=dice.choice(_NAMES),
        thing=dice.choice(_THINGS),
        team=team,
        team_up=team[0].upper() + team[1:],
    )


def _padded(text: str, room: int) -> bytes:
    """Return ``text``, which begins with the end of a header line, with a header field that fills the ``room``."""
    octets = text.encode()
    missing = room - len(octets) - len("\r\nX-Trace: ")
    if missing < 0:
        raise ValueError(f"the mail is {-missing} octets too long")
    rows = "\r\n ".join("0" * min(70, missing - start) for start in range(0, missing, 73))
    return b"\r\nX-Trace: " + rows.encode()[:missing].ljust(missing, b"0") + octets
