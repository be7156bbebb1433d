"""The labelled corpus: from a writer's draft to entries, what is refused, and what its surface may not give away."""

import json
import random
from pathlib import Path

import msgspec
import pytest
import yaml

from gateway.errors import Mistakes
from gateway.inspection import policy_of, read
from gateway.model import Action, Severity
from gateway.training.corpus import CATEGORIES, Label, Mail, Split, load
from gateway.training.diversity import diversity, own_words
from gateway.training.drafts import read_draft
from gateway.training.surface import surface

ROOT = Path(__file__).resolve().parents[2]
DRAFT = """\
## crossing due=hold severity=high subtlety=plain twin=a reply
Subject: Re: {endearment|hun}

Thanks for the statement. {romantic-advance|Fancy a drink} one evening?
PC Al Dunn
> Is there any news?

## proper trap=appointment twin=a
Subject: Re: statement

Thanks for the statement. Would Friday do to sign it?
PC Al Dunn

## sentence crossing
{emotional-intimacy|I'm here for you, only you.}

## sentence look-alike trap=welfare
We are here for you, the number is below.
"""


def corpus_in(folder: Path, draft: str = DRAFT, split: str = "train") -> Path:
    mails, passages = read_draft(draft, "b1", "draft.txt")
    for below, entries in (("mails", mails), ("passages", passages)):
        (folder / below).mkdir(parents=True, exist_ok=True)
        lines = b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)
        (folder / below / "b1.jsonl").write_bytes(lines)
    batch = {"split": split, "brief": "test", "written": "2026-11-23", "labelled_by": "writer"}
    (folder / "batches.yaml").write_text(yaml.safe_dump({"b1": batch}))
    return folder


def test_draft_becomes_entries_with_exact_spans(tmp_path):
    """Marks become spans over the text without them, twins name each other, and all of it passes the check."""
    corpus = load(corpus_in(tmp_path))
    crossing, proper = corpus.mails
    assert [(span.category, crossing.part(span.part)[span.start : span.end]) for span in crossing.spans] == [
        ("endearment", "hun"),
        ("romantic-advance", "Fancy a drink"),
    ]
    assert (crossing.due, crossing.severity, crossing.reply) == (Action.HOLD, Severity.HIGH, True)
    assert (crossing.twin, proper.twin) == (proper.id, crossing.id)
    assert "{" not in crossing.text
    assert [one.label for one in corpus.passages] == [Label.CROSSING, Label.PROPER]
    assert corpus.mails_of(Split.TRAIN) == corpus.mails
    assert corpus.mails_of(Split.TEST) == ()


@pytest.mark.parametrize(
    ("head", "text", "what"),
    [
        ("crosing", "Subject: a\n\nb", "crosing is no label"),
        ("crossing severity=grave subtlety=plain", "Subject: a\n\nb", "grave is no severity"),
        ("proper trap=lift", "no subject here", "no subject"),
        ("proper trap=lift", "Subject: a\n\nsome {endearment|hun", "a mark that does not end"),
        ("proper tarp=lift", "Subject: a\n\nb", "no such field: tarp"),
        ("proper trap=lift twin=z", "Subject: a\n\nb", "1 mails say twin=z"),
    ],
)
def test_draft_mistakes_have_a_line_and_a_remedy(head, text, what):
    """A slip in a draft is named with its line, and nothing is taken over."""
    with pytest.raises(Mistakes) as wrong:
        read_draft(f"\n## {head}\n{text}\n", "b1", "draft.txt")
    (mistake,) = wrong.value.mistakes
    assert mistake.what.startswith(what)
    assert mistake.remedy
    assert mistake.line in {2, None}


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"trap": "nothing"}, "no such trap"),
        ({"due": "hold"}, "proper mail that is due to hold"),
        ({"spans": [{"category": "endearment", "start": 0, "end": 6}]}, "spans and label disagree"),
        ({"body": "Ring me on 07812 345678."}, "a telephone number that may be someone's"),
        ({"body": "Write to kit@mail.invalid.org"}, "an address outside .example"),
        ({"body": "See https://police.org"}, "a link outside .example"),
        ({"twin": "b1-009"}, "b1-009 is no twin"),
        ({"id": "b1-001"}, "given twice"),
        ({"body": " \n"}, "an empty body"),
    ],
)
def test_what_is_wrong_with_an_entry_is_named(tmp_path, change, what):
    """Every rule of the corpus is checked entry by entry, with file and line."""
    folder = corpus_in(tmp_path)
    path = folder / "mails" / "b1.jsonl"
    lines = path.read_text().splitlines()
    lines[1] = json.dumps(json.loads(lines[1]) | change)
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(Mistakes) as wrong:
        load(folder)
    assert any(mistake.what.startswith(what) or what in mistake.what for mistake in wrong.value.mistakes)
    assert {(mistake.file, mistake.line) for mistake in wrong.value.mistakes} <= {
        (str(path), 1),
        (str(path), 2),
    }


def test_drama_numbers_are_no_real_numbers(tmp_path):
    """Numbers kept free for drama may stand in invented mail."""
    numbers = "07700 900123, 07700900456, 01632 960001, 020 7946 0123, 101"
    load(corpus_in(tmp_path, DRAFT.replace("Would Friday do", f"Ring {numbers}. Would Friday do")))


def test_categories_are_those_of_the_policy():
    """The corpus knows exactly the content categories that policy.yaml weighs."""
    assert set(CATEGORIES) <= set(policy_of(read((ROOT / "rules",))).categories)


def mail(number: int, body: str, label: Label = Label.PROPER) -> Mail:
    due = Action.PASS if label is Label.PROPER else Action.HOLD
    return Mail(id=f"m{number}", subject="", body=body, label=label, due=due, batch=f"b{number % 5}")


def test_repetition_is_measured_on_own_words_alone():
    """Two mails that share a sentence are found as the likest pair; what they quote does not count."""
    quoted = "\n> one two three four five six seven\n> eight nine ten eleven"
    measured = diversity(
        [
            mail(1, f"The van has been found and is at the pound in Mill Lane.{quoted}"),
            mail(2, f"Your bag was handed in at the desk this morning by a cleaner.{quoted}"),
            mail(3, "The van has been found and is at the pound in Quay Street."),
        ]
    )
    assert measured.nearest[0][1:] in {("m1", "m3"), ("m3", "m1")}
    assert measured.runs[0][0] == 2
    assert not any("eight nine" in run for _, run in measured.runs)
    assert (
        own_words(mail(4, "Yes.\n\nOn Tue, 3 Mar 2026 at 10:14, Jo <jo@mail.example> wrote:\n> no"))
        == "Yes.\n"
    )


def test_surface_that_gives_the_label_away_is_noticed():
    """Long crossings and short proper mail are told apart by shape; the same shapes on both sides are not."""
    rng = random.Random(7)

    def prose(words: int) -> str:
        return (
            " ".join(rng.choice(("case", "file", "court", "van", "desk", "form")) for _ in range(words)) + "."
        )

    drifted = [
        mail(number, prose(90 if number % 2 else 20), Label.CROSSING if number % 2 else Label.PROPER)
        for number in range(120)
    ]
    even = [
        mail(number, prose(rng.randint(20, 90)), Label.CROSSING if rng.random() < 0.5 else Label.PROPER)
        for number in range(120)
    ]
    assert not surface(drifted).ok
    assert surface(drifted).auc > 0.95
    assert surface(even).auc < 0.65


def test_shipped_corpus_is_sound():
    """Everything in corpus/ passes its own check, and what models learn from and are tuned on has an even surface."""
    corpus = load(ROOT / "corpus")
    assert len(corpus.mails) >= 240
    assert surface(corpus.open_mails).ok


def test_missing_folder_is_named():
    """A folder that holds no corpus is refused with the file that should be there."""
    with pytest.raises(Mistakes, match=r"batches\.yaml"):
        load(Path("nowhere"))
