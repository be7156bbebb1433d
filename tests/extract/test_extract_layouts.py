"""Mail as real programs write it, and what the sender wrote in it: one pair of files in mail/ for each case.

A line of an ``.expected`` file is ``KIND PART [SPEAKER] | TEXT``. Kinds of passages: own, unsure, hidden, alt, file,
calendar, name, unsurename. Kinds of cuts: quoted and forwarded (``+`` introduced, ``-`` only claimed), signature,
disclaimer, repeated; ``first ... last`` stands for a text that begins and ends so. Kinds of the rest: unreadable, with
a reason, and words of the detail. Passages come in the order of reading, then cuts, then what could not be read.
"""

from pathlib import Path

import pytest

from gateway.extract import decoded, extract
from gateway.model import CutReason, Limits, PassageKind

MAIL = Path(__file__).parent / "mail"
CASES = sorted(MAIL.glob("*.eml"))
KINDS = {
    PassageKind.SUBJECT: "own",
    PassageKind.BODY: "own",
    PassageKind.ATTACHMENT: "file",
    PassageKind.ATTACHMENT_NAME: "name",
    PassageKind.CALENDAR: "calendar",
    PassageKind.ALT_TEXT: "alt",
}


def found(raw):
    authored = extract(raw, Limits())
    for passage in authored.passages:
        if passage.kind is PassageKind.HEADER:
            continue  # display names: test_header_words
        kind = KINDS[passage.kind]
        if passage.hidden:
            kind = "hidden"
        elif passage.uncertain:
            kind = "unsurename" if kind == "name" else "unsure"
        yield f"{kind} {passage.part}", passage.text
    for cut in authored.cuts:
        sure = (
            {True: "+", False: "-"}[cut.attributed]
            if cut.reason in {CutReason.QUOTED, CutReason.FORWARDED}
            else ""
        )
        yield f"{cut.reason}{sure} {cut.part} {cut.speaker}".strip(), cut.text
    for entry in authored.unreadable:
        yield f"unreadable {entry.part} {entry.reason}", entry.detail


def is_as_expected(expected, text):
    first, elided, last = expected.partition(" ... ")
    if elided:
        return text.startswith(first) and text.endswith(last)
    return text == expected


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_layout(path):
    """Each layout yields exactly the words the sender wrote, what was set aside, and what could not be read."""
    lines = path.with_suffix(".expected").read_text(encoding="utf-8").splitlines()
    expected = [line.replace("\\n", "\n").partition(" | ") for line in lines]
    actual = list(found(path.read_bytes()))
    assert [label for label, _ in actual] == [label for label, _, _ in expected], actual
    for (label, text), (_, _, wanted) in zip(actual, expected, strict=True):
        if label.startswith("unreadable"):
            assert wanted in text
        else:
            assert is_as_expected(wanted, text), (label, text)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_layout_is_covered(path):
    """Every character of a decoded part is in a passage or a cut, once, or is white space or a quote marker."""
    raw = path.read_bytes()
    authored, texts = extract(raw, Limits()), decoded(raw, Limits())
    left = {part: list(text) for part, text in texts.items()}
    for piece in (*authored.passages, *authored.cuts):
        assert texts[piece.part][piece.start : piece.end] == piece.text
        assert None not in left[piece.part][piece.start : piece.end], "two pieces overlap"
        left[piece.part][piece.start : piece.end] = [None] * (piece.end - piece.start)
    for part, characters in left.items():
        rest = "".join(filter(None, characters)).translate({ord(mark): None for mark in "> \t\n\xa0"})
        if part == "subject":
            rest = rest.lower().removeprefix("re:").removeprefix("fwd:").removeprefix("fw:")
        assert rest == "", (part, rest)


def test_every_expectation_has_its_mail():
    """No expectation is left without a mail, and there are enough of them to trust."""
    assert {path.stem for path in MAIL.glob("*.expected")} == {path.stem for path in CASES}
    assert len(CASES) >= 60
