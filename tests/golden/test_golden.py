"""The golden messages: for each, what a careful reader says the officer newly wrote, what was set aside, what is unread.

The expectations beside each message were written from reading the mail, not the cutter; README.md says how they are to
be read. Words are compared, not layout: white space is folded and quote marks at the start of a line are dropped.
"""

import difflib
import re
from email import message_from_bytes, policy
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from gateway.extract import decoded, extract
from gateway.model import Authored, Limits

HERE = Path(__file__).parent
MESSAGES = sorted(HERE.glob("*/*.eml"))
PENDING = set((HERE / "pending.txt").read_text(encoding="utf-8").split())
"""Messages that the reader of mail gets wrong today. A message that turns right must leave the list."""
FAMILIES = 20
ALWAYS = {"subject", "body", "attachment", "attachment-name", "calendar", "alt-text"}
"""Kinds whose every word must be listed. Other kinds (display names, link targets) count where a message names them."""
LAYOUT = re.compile(r"[-*_=|>•·–—#~+─-╿]+")
"""What draws a line, a bullet or a quote mark, and says nothing."""
UNSEEN = dict.fromkeys(map(ord, "\ufeff\u200b\u00ad"))


class Word(NamedTuple):
    """A word, and the passage or cut that it came from."""

    text: str
    source: object


def words(text: str) -> list[str]:
    """Return the words of ``text`` without quote marks at the start of lines, and without what only draws a layout."""
    found = []
    for line in text.translate(UNSEEN).split("\n"):
        found += [word.strip("*_|") or word for word in re.sub(r"^[\s>|]+", "", line).split()]
    return [word for word in found if not LAYOUT.fullmatch(word)]


class Own(NamedTuple):
    """One piece of the officer's own words as a reader expects it."""

    words: list[str]
    kind: str
    part: str | None
    uncertain: bool | str
    hidden: bool | str
    optional: bool


def own_of(entry: str | dict) -> Own:
    """Return an entry of ``own`` with its defaults."""
    given = {"text": entry} if isinstance(entry, str) else dict(entry)
    kind = given.pop("kind", "body")
    return Own(
        words(given.pop("text")),
        kind,
        given.pop("part", None),
        given.pop("uncertain", False),
        given.pop("hidden", False if kind == "body" else "any"),
        given.pop("optional", False),
    )


def differences(authored: Authored, expected: dict) -> list[str]:
    """Return everything in which ``authored`` is not what the reader expects, one entry a difference."""
    own = [own_of(entry) for entry in expected["own"]]
    return [
        *_own_words(authored, own),
        *_cuts(authored, expected.get("cut", []), may_sign=any(piece.optional for piece in own)),
        *_unreadable(authored, expected.get("unreadable", [])),
    ]


def _group(kind: str, hidden: object) -> str:
    return f"{kind} (hidden)" if kind == "body" and hidden is True else kind


def _own_words(authored: Authored, own: list[Own]) -> list[str]:
    kinds = ALWAYS | {piece.kind for piece in own}
    found: dict[str, list[Word]] = {}
    for passage in authored.passages:
        if passage.kind.value in kinds:
            group = _group(passage.kind.value, passage.hidden)
            found.setdefault(group, []).extend(Word(word, passage) for word in words(passage.text))
    if subject := found.get("subject"):
        found["subject"] = _without_reply_prefix(subject)
    wanted: dict[str, list[Own]] = {}
    for piece in own:
        wanted.setdefault(_group(piece.kind, piece.hidden), []).append(piece)
    return [
        difference
        for group in sorted(found.keys() | wanted.keys())
        for difference in _aligned(group, found.get(group, []), wanted.get(group, []))
    ]


def _without_reply_prefix(subject: list[Word]) -> list[Word]:
    prefix = re.compile(r"(?i)(?:(?:re|fw|fwd|ateb|ymlaen):)+$")
    while subject and prefix.match(subject[0].text):
        subject = subject[1:]
    return subject


def _aligned(group: str, found: list[Word], wanted: list[Own]) -> list[str]:
    """Lay the pieces over the words found, in order; pieces that may be absent are skipped where they do not fit."""
    texts = [word.text for word in found]
    taken: list[tuple[Own, list[Word]]] = []
    place = 0
    for piece in wanted:
        end = place + len(piece.words)
        if texts[place:end] == piece.words:
            taken.append((piece, found[place:end]))
            place = end
        elif not piece.optional:
            break
    else:
        if place == len(texts):
            return [difference for piece, run in taken for difference in _marks(group, piece, run)]
    should = [word for piece in wanted if not piece.optional for word in piece.words]
    return [f"{group}: the own words differ:\n{_shown(should, texts)}"]


def _shown(should: list[str], texts: list[str]) -> str:
    """Return runs of missing (-) and extra (+) words with a little of what stands around them."""
    lines = []
    matcher = difflib.SequenceMatcher(None, should, texts, autojunk=False)
    for tag, first, last, begin, end in matcher.get_opcodes():
        if tag == "equal":
            same = should[first:last]
            lines.append("    " + " ".join(same if len(same) < 9 else [*same[:4], "...", *same[-4:]]))
        lines += ["  - " + " ".join(should[first:last])] if tag in {"delete", "replace"} else []
        lines += ["  + " + " ".join(texts[begin:end])] if tag in {"insert", "replace"} else []
    return "\n".join(lines)


def _marks(group: str, piece: Own, run: list[Word]) -> list[str]:
    wrong = []
    for passage, spoken in groupby(run, lambda word: word.source):
        text = " ".join(word.text for word in spoken)
        for mark in ("uncertain", "hidden"):
            want, is_so = getattr(piece, mark), getattr(passage, mark)
            if want not in {"any", is_so}:
                wrong.append(f"{group}: {mark} should be {want}, and is {is_so}: {text}")
        if piece.part is not None and passage.part != piece.part:
            wrong.append(f"{group}: should stand in part {piece.part}, and stands in {passage.part}: {text}")
    return wrong


def _bare(found: list[str]) -> list[str]:
    """Return words without the punctuation at their ends, so that part of a sentence can be looked for."""
    return [word.strip(".,;:!?'\"®") for word in found]


def _choice(value: str | list[str] | None) -> list[str]:
    return value if isinstance(value, list) else [value] if value else []


def _cuts(authored: Authored, wanted: list[dict], *, may_sign: bool) -> list[str]:
    runs: dict[tuple[str, str], list[Word]] = {}
    for cut in authored.cuts:
        run = runs.setdefault((cut.reason.value, cut.part), [])
        run.extend(Word(word, cut) for word in words(cut.text))
    allowed = {reason for entry in wanted for reason in _choice(entry["reason"])} | {"repeated"}
    allowed |= {"signature"} if may_sign else set()
    wrong = [
        f"cut as {reason}, where nothing is: {' '.join(word.text for word in run)[:200]}"
        for (reason, _), run in runs.items()
        if reason not in allowed and run
    ]
    return wrong + [difference for entry in wanted for difference in _cut(runs, entry)]


def _cut(runs: dict[tuple[str, str], list[Word]], entry: dict) -> list[str]:
    """Look for one expected cut; where it is not, say what stands in the cuts of that reason."""
    reasons, whole = _choice(entry["reason"]), "text" in entry
    sought = _bare(words(entry["text"] if whole else entry["contains"]))
    speakers = [name.casefold() for name in _choice(entry.get("speaker"))]
    heard: list[str] = []
    for (reason, _), run in runs.items():
        if reason not in reasons:
            continue
        texts = _bare([word.text for word in run])
        places = [0] if whole else range(len(texts) - len(sought) + 1)
        for place in places:
            if (texts if whole else texts[place : place + len(sought)]) != sought:
                continue
            said = {word.source.speaker for word in run[place : place + len(sought)]}
            if not speakers or all(any(name in who.casefold() for name in speakers) for who in said):
                return []
            heard += said
    if entry.get("optional"):
        return []
    if heard:
        return [f"cut {' '.join(sought)!r}: speaker should be {entry['speaker']}, and is {heard}"]
    return [f"not cut as {' or '.join(reasons)}: {' '.join(sought)}"]


def _unreadable(authored: Authored, wanted: list[dict]) -> list[str]:
    left = list(dict.fromkeys((item.part, item.reason.value) for item in authored.unreadable))
    wrong = []
    for entry in wanted:
        fits = [
            (part, reason)
            for part, reason in left
            if reason in _choice(entry["reason"]) and entry.get("part", part) == part
        ]
        if fits:
            left.remove(fits[0])
        elif not entry.get("optional"):
            wrong.append(f"not named unreadable: {entry}")
    return wrong + [f"named unreadable, and is not: {part} ({reason})" for part, reason in left]


def _name(message: Path) -> str:
    return message.relative_to(HERE).with_suffix("").as_posix()


def _parameters() -> list:
    known = pytest.mark.xfail(reason="listed in pending.txt", strict=True)
    return [
        pytest.param(message, id=_name(message), marks=[known] if _name(message) in PENDING else [])
        for message in MESSAGES
    ]


@pytest.mark.parametrize("message", _parameters())
def test_golden(message):
    """What the officer newly wrote, and nothing else, is in the passages; the rest is cut for the right reason."""
    raw = message.read_bytes()
    expected = yaml.safe_load(message.with_suffix(".yaml").read_text(encoding="utf-8"))
    authored = extract(raw, Limits())
    texts = decoded(raw, Limits())
    for piece in (*authored.passages, *authored.cuts):
        assert piece.text == texts[piece.part][piece.start : piece.end]
    wrong = differences(authored, expected)
    assert not wrong, "\n".join([f"{_name(message)}: {expected['why']}", *wrong])


def test_every_message_has_an_expectation():
    """No message lies beside the tests unread, no expectation without its message, and the families are all there."""
    assert {_name(path) for path in HERE.glob("*/*.yaml")} == {_name(path) for path in MESSAGES}
    assert len(MESSAGES) >= 150
    assert len({message.parent for message in MESSAGES}) >= FAMILIES
    assert {_name(message) for message in MESSAGES} >= PENDING


@pytest.mark.parametrize("message", MESSAGES, ids=_name)
def test_expectation_is_whole(message):
    """Each expectation says why the message is here, and uses only the keys that the runner reads."""
    expected = yaml.safe_load(message.with_suffix(".yaml").read_text(encoding="utf-8"))
    assert expected.keys() <= {"why", "own", "cut", "unreadable"}
    assert expected["why"].strip().endswith(".")
    for entry in expected["own"]:
        keys = {"text", "part", "kind", "uncertain", "hidden", "optional"}
        assert isinstance(entry, str) or entry.keys() <= keys, entry
    for entry in expected.get("cut", []):
        assert len(entry.keys() & {"contains", "text"}) == 1, entry
        assert "reason" in entry, entry
        assert entry.keys() <= {"reason", "contains", "text", "speaker", "optional"}, entry
    for entry in expected.get("unreadable", []):
        assert entry.keys() <= {"part", "reason", "optional"}, entry


@pytest.mark.parametrize("message", MESSAGES, ids=_name)
def test_bytes_are_as_sent(message):
    """Lines end in CRLF, as on the wire, and every address and mobile number in the mail is an invented one."""
    raw = message.read_bytes()
    assert re.search(rb"(?<!\r)\n|\r(?!\n)", raw) is None
    texts = []
    for part in message_from_bytes(raw, policy=policy.compat32).walk():
        texts += map(str, part.values())
        if part.get_content_maintype() == "text":
            texts.append(part.get_payload(decode=True).decode("utf-8", "replace"))
    domains = re.findall(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)", "\n".join(texts))
    assert {domain for domain in domains if not domain.lower().endswith((".example", ".example."))} == set()
    assert re.findall(r"\b07\d{3} ?\d{6}\b(?<!07700 900\d{3})", "\n".join(texts)) == []


def _authored(body: str) -> Authored:
    return extract(f"Subject: Update\r\n\r\n{body}\r\n".encode(), Limits())


SUBJECT = {"text": "Update", "kind": "subject"}


def test_runner_finds_a_word_too_many_and_a_word_too_few():
    """One word more or less than expected fails, wherever it stands."""
    authored = _authored("Thank you for your call.")
    assert differences(authored, {"own": [SUBJECT, "Thank you for your call."]}) == []
    for text in (
        "Thank you for your",
        "you for your call.",
        "Thank you for your call. Tom",
        "Thank you for a call.",
    ):
        assert differences(authored, {"own": [SUBJECT, text]}), text
    assert differences(authored, {"own": ["Thank you for your call."]})
    assert differences(authored, {"own": [SUBJECT, {"text": "Thank you for your call.", "uncertain": True}]})
    assert differences(authored, {"own": [SUBJECT, {"text": "Thank you for your call.", "hidden": True}]})
    assert differences(authored, {"own": [SUBJECT, {"text": "Thank you for your call.", "part": "1"}]})


def test_runner_finds_cuts_and_unreadables_that_are_not_expected():
    """A cut must be there for its reason, with its words and its speaker; and no reason may come that is not listed."""
    raw = b"\r\n".join([
        b"Subject: Re: Update", b"In-Reply-To: <1@home.example>", b"MIME-Version: 1.0",
        b"Content-Type: text/plain; charset=utf-8", b"",
        b"Yes, please.", b"", b"On 12/03/2024 10:15, Maya Holt wrote:", b"> Shall I send it?", b"",
    ])  # fmt: skip
    authored = extract(raw, Limits())
    own = [SUBJECT | {"uncertain": "any"}, "Yes, please."]
    cut = {"reason": "quoted", "contains": "Shall I send it?", "speaker": "Maya Holt"}
    assert differences(authored, {"own": own, "cut": [cut]}) == []
    assert differences(authored, {"own": own})
    assert differences(authored, {"own": own, "cut": [cut | {"reason": "forwarded"}]})
    assert differences(authored, {"own": own, "cut": [cut | {"contains": "Shall I send them?"}]})
    assert differences(authored, {"own": own, "cut": [cut | {"speaker": "Leon Pratt"}]})
    assert differences(authored, {"own": own, "cut": [cut], "unreadable": [{"reason": "charset"}]})
