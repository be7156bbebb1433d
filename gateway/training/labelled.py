"""Corpus entries as the encoder learns them: the sentences of each text, with the categories of every character.

Owns the way from a labelled mail to labelled sentences, through the same reading and the same cutting into sentences as
live mail goes: what `extract` sets aside as quoted, the encoder never sees. Refuses to know how anything is learnt.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from random import Random
from typing import Final

from gateway.extract import extract
from gateway.inspection.encoder import CATEGORIES
from gateway.inspection.shadow import shadow_of
from gateway.model import Headers, HouseStyle, Limits, PassageKind
from gateway.rehearsal.judging import Sample, as_contacts
from gateway.training.corpus import Mail, Passage, Span

OFFICER: Final = "officer@force.example"
CONTACT: Final = "contact@mail.example"
_SENT: Final = datetime(2027, 2, 2, 10, 20, tzinfo=UTC)
"""A working day, in office hours: conduct must not decide where words are judged. After every mail that the corpus quotes,
or the quotes would be taken for inventions (`gateway.extract.doubts`) and the victims' words for the officer's."""
_INTRODUCED: Final = re.compile(r"^[>\s]*(?:(?:On|At)\b.{0,200}\bwrote:|From:.{0,200})$", re.MULTILINE)
_ADDRESS: Final = re.compile(r"[\w.+-]+@(?:[\w-]+\.)+example\b")
_BITS: Final = {name: 1 << number for number, name in enumerate(CATEGORIES)}


@dataclass(frozen=True, slots=True)
class Sentence:
    """``marks`` has one number for each character of ``text``: a bit for each category it belongs to."""

    text: str
    marks: tuple[int, ...]

    @property
    def label(self) -> int:
        """Return the categories of the sentence, as bits; 0 is proper."""
        label = 0
        for mark in set(self.marks):
            label |= mark
        return label


@dataclass(frozen=True, slots=True)
class Text:
    """The sentences of one subject, body or passage of the entry ``source``, in order."""

    source: str
    batch: str
    kind: str
    sentences: tuple[Sentence, ...]

    @property
    def crosses(self) -> bool:
        """Return whether any sentence is marked."""
        return any(sentence.label for sentence in self.sentences)


def contact_of(mail: Mail) -> str:
    """Return to whom ``mail`` goes: who wrote what it quotes first, or anybody where it quotes nobody.

    A police address is no contact's: it is the officer's own mail that is quoted, or a colleague's.
    """
    for introduction in _INTRODUCED.findall(mail.body):
        for address in _ADDRESS.findall(introduction):
            if "police" not in address:
                return str(address)
    return CONTACT


def message_of(mail: Mail) -> bytes:
    """Return the mail as it would reach the relay: one officer to one contact, in office hours."""
    message = EmailMessage(policy=SMTP.clone(max_line_length=998))
    message["From"], message["To"], message["Date"] = OFFICER, contact_of(mail), _SENT
    message["Subject"] = re.sub(r"\s+", " ", mail.subject)
    message["Message-ID"] = f"<{mail.id}@force.example>"
    if mail.reply:
        message["In-Reply-To"] = f"<before-{mail.id}@mail.example>"
    message.set_content(mail.body, cte="8bit")
    return message.as_bytes()


def sample_of(mail: Mail) -> Sample:
    """Return the mail with the people and the hour that its verdict depends on: an assigned officer and a victim."""
    parties = as_contacts(Headers(from_=(OFFICER,), to=(contact_of(mail),)))
    return Sample(name=mail.id, raw=message_of(mail), parties=parties, at=_SENT)


def texts_of_mail(mail: Mail) -> Iterator[Text]:
    """Yield the subject and the officer's own words of ``mail``."""
    authored = extract(message_of(mail), Limits(), HouseStyle())
    for passage in authored.passages:
        if passage.kind not in {PassageKind.SUBJECT, PassageKind.BODY}:
            continue
        part = "subject" if passage.kind is PassageKind.SUBJECT else "body"
        spans = [_moved(span, -passage.start) for span in mail.spans if span.part == part]
        if sentences := _sentences(passage.text, spans):
            yield Text(mail.id, mail.batch, part, sentences)


def text_of_passage(passage: Passage) -> Text:
    """Return the sentences of ``passage``."""
    return Text(passage.id, passage.batch, "passage", _sentences(passage.text, passage.spans))


def texts_of(mails: Iterable[Mail], passages: Iterable[Passage]) -> tuple[Text, ...]:
    """Return all texts, mails first."""
    of_mails = [text for mail in mails for text in texts_of_mail(mail)]
    return (*of_mails, *(text_of_passage(passage) for passage in passages))


def plain_text(
    source: str, batch: str, words: str, *, kind: str = "outside", spans: Sequence[Span] = ()
) -> Text:
    """Return words that are no entry of the corpus as a text: outside mail, or what the rules are written for."""
    return Text(source, batch, kind, _sentences(words, spans))


def _moved(span: Span, by: int) -> Span:
    return Span(category=span.category, start=span.start + by, end=span.end + by, part=span.part)


def _sentences(source: str, spans: Sequence[Span]) -> tuple[Sentence, ...]:
    shadow = shadow_of(source)
    return tuple(
        Sentence(
            shadow.sentence(number),
            _marks(
                spans,
                [shadow.origin(at, at + 1)[0] for at in range(shadow.starts[number], shadow.end(number))]
                if any(span.start < end and span.end > begin for span in spans)
                else [-1] * (shadow.end(number) - shadow.starts[number]),
            ),
        )
        for number, (begin, end) in enumerate(shadow.spans)
    )


def _marks(spans: Sequence[Span], places: Sequence[int]) -> tuple[int, ...]:
    """Return the categories at each of ``places`` of the source."""
    marks = [0] * len(places)
    for span in spans:
        for at, place in enumerate(places):
            if span.start <= place < span.end:
                marks[at] |= _BITS[span.category]
    return tuple(marks)


# --- light noise: what people's typing does, so that a cue does not hang on an apostrophe ----------------------------

_KEYS: Final = dict(
    zip(
        "qwertyuiopasdfghjklzxcvbnm",
        ["wa", "qes", "wrd", "etf", "ryg", "tuh", "yij", "uok", "ipl", "ol", "qsz", "adw", "sfe", "dgr", "fht", "gjy",
         "hku", "jli", "ko", "xa", "zcs", "xvd", "cbf", "vng", "bmh", "nj"],
        strict=True,
    )
)  # fmt: skip
_SHORT: Final = {
    "you": "u",
    "your": "ur",
    "are": "r",
    "to": "2",
    "please": "pls",
    "because": "cos",
    "tomorrow": "tmrw",
}
_WORD: Final = re.compile(r"[A-Za-z']+|[^A-Za-z']+")


def noised(sentence: Sentence, chance: Random, *, rate: float = 0.03) -> Sentence:
    """Return ``sentence`` with slips of the keyboard in ``rate`` of its words, and at times no apostrophes or stops."""
    no_apostrophe, no_stop = chance.random() < 0.15, chance.random() < 0.1
    texts: list[str] = []
    marks: list[int] = []
    for match in _WORD.finditer(sentence.text):
        word = match[0]
        here = sentence.marks[match.start() : match.end()]
        kept = _slipped(word, chance) if word[0].isalpha() and chance.random() < rate else word
        if no_apostrophe and word[0].isalpha():
            kept = kept.replace("'", "")
        if no_stop and match.end() == len(sentence.text):
            kept = kept.rstrip(".!") if not word[0].isalpha() else kept
        texts.append(kept)
        marks += here if len(kept) == len(here) else [max(here, default=0)] * len(kept)
    return replace(sentence, text="".join(texts), marks=tuple(marks)) if marks else sentence


def _slipped(word: str, chance: Random) -> str:
    if word.lower() in _SHORT and chance.random() < 0.5:
        return _SHORT[word.lower()]
    if len(word) < 4:
        return word
    at = chance.randrange(1, len(word) - 1)
    match chance.randrange(4):
        case 0:
            return word[:at] + word[at + 1 :]
        case 1:
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        case 2:
            return word[:at] + word[at] + word[at:]
        case _:
            return word[:at] + chance.choice(_KEYS.get(word[at].lower(), word[at])) + word[at + 1 :]
