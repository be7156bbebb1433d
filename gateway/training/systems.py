"""Who judges in the evaluation: the gateway with one layer after another, and what a developer would reach for first.

Owns the baselines: a list of words, a library against profanity, one for sentiment, and the encoder's base as it comes
with a regression on top. Each turns mails into outcomes. Baselines that give a number are allowed the threshold that
acts on one proper mail in a hundred of the very mails that they are judged on, which flatters them.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.errors import GatewayError
from gateway.inspection.encoder import Encoder
from gateway.model import Action, Attribution, RuleStatus
from gateway.rehearsal.judging import Judge
from gateway.training.corpus import TRAPS, Corpus, Mail, Split
from gateway.training.figures import Outcome
from gateway.training.labelled import sample_of, texts_of, texts_of_mail

ALLOWED: Final = 0.01
"""Share of proper mail on which a baseline may act."""
_WORDS: Final = re.compile(
    r"\b(?:sexy|gorgeous|beautiful|stunning|hot|cute|lovely|pretty|handsome|attractive|love|kiss(?:es)?|hugs?|date|dinner|"
    r"drinks?|coffee|single|boyfriend|girlfriend|whatsapp|snapchat|insta(?:gram)?|tinder|my number|secret|between us|"
    r"delete this|babe|hun|sweetheart|darling|naughty|flirt\w*|naked|lonely|x{1,3}$)\b",
    re.IGNORECASE | re.MULTILINE,
)
ACTING: Final = frozenset({RuleStatus.FLAG, RuleStatus.ENFORCE})


class NotInstalled(GatewayError):
    """A baseline needs a library that is not here."""

    hint = "Install the extra dev for the baselines."


@dataclass(frozen=True, slots=True)
class System:
    """A line of the table: its name, and what it makes of mails."""

    name: str
    judge: Callable[[Sequence[Mail]], tuple[Outcome, ...]]


def engine(name: str, judge: Judge) -> System:
    """Return the whole gateway as ``judge`` has it: reading, rules, cues and policy."""

    def judged(mails: Sequence[Mail]) -> tuple[Outcome, ...]:
        return tuple(outcome_of(judge, mail) for mail in mails)

    return System(name, judged)


def outcome_of(judge: Judge, mail: Mail) -> Outcome:
    """Return what hold mode does with ``mail``, and the words that acting findings point at."""
    found = judge.judge(sample_of(mail))
    spans = tuple(
        ("subject" if finding.part == "subject" else "body", finding.start, finding.end)
        for finding in found.verdict.findings
        if finding.start is not None
        and finding.end is not None
        and finding.status in ACTING
        and finding.attribution is not Attribution.QUOTED
    )
    return Outcome(found.verdict.action, spans)


def word_list() -> System:
    """Return a list of words over the whole mail, as a first afternoon would have it."""
    return System(
        "keyword list", lambda mails: tuple(_flagged(_WORDS.search(mail.text) is not None) for mail in mails)
    )


def profanity() -> System:
    """Return a library against profanity; raises `NotInstalled`."""
    try:
        from better_profanity import profanity as library
    except ImportError as missing:
        raise NotInstalled("better-profanity is not installed") from missing
    return System(
        "profanity library",
        lambda mails: tuple(_flagged(bool(library.contains_profanity(mail.text))) for mail in mails),
    )


def sentiment() -> System:
    """Return a library for sentiment, warm mail being suspect; raises `NotInstalled`."""
    try:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
    except ImportError as missing:
        raise NotInstalled("vaderSentiment is not installed") from missing
    library = SentimentIntensityAnalyzer()
    return scored("sentiment library", lambda mail: float(library.polarity_scores(mail.text)["compound"]))


def alone(model: Encoder) -> System:
    """Return the encoder without rules, relations and policy: the surest sentence of a mail."""
    return scored("encoder alone", lambda mail: surest(model, mail))


def surest(model: Encoder, mail: Mail) -> float:
    """Return how surely the surest sentence of ``mail`` crosses."""
    return max(
        (reading.crossing for text in texts_of_mail(mail) for reading in model.read([each.text for each in text.sentences])),
        default=0.0,
    )  # fmt: skip


def frozen(corpus: Corpus) -> System:
    """Return the encoder's base as published, with a logistic regression over its sentence vectors."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    from gateway.training.vectors import Vectors

    vectors = Vectors()
    texts = texts_of(corpus.mails_of(Split.TRAIN), corpus.passages_of(Split.TRAIN))
    sentences = [sentence for text in texts for sentence in text.sentences]
    model = LogisticRegression(C=4.0, class_weight="balanced", max_iter=2000)
    model.fit(
        np.array([vectors.of(sentence.text) for sentence in sentences]),
        np.array([sentence.label != 0 for sentence in sentences]),
    )

    def score(mail: Mail) -> float:
        rows: list[Any] = [vectors.of(each.text) for text in texts_of_mail(mail) for each in text.sentences]
        return float(model.predict_proba(np.array(rows))[:, 1].max()) if rows else 0.0

    return scored("frozen encoder and regression", score)


def scored(name: str, score: Callable[[Mail], float]) -> System:
    """Return a system that flags what scores above all but `ALLOWED` of the corpus' proper mail it is judged on."""

    def judged(mails: Sequence[Mail]) -> tuple[Outcome, ...]:
        scores = [score(mail) for mail in mails]
        proper = sorted(found for found, mail in zip(scores, mails, strict=True) if mail.trap in TRAPS)
        limit = proper[min(len(proper) - 1, int(len(proper) * (1 - ALLOWED)))] if proper else 0.0
        return tuple(_flagged(found > limit) for found in scores)

    return System(name, judged)


def baselines(corpus: Corpus, *, with_frozen: bool) -> Iterator[System | NotInstalled]:
    """Yield every baseline, or why it cannot be had."""
    yield word_list()
    for make in (profanity, sentiment):
        try:
            yield make()
        except NotInstalled as missing:
            yield missing
    if with_frozen:
        yield frozen(corpus)


def _flagged(acted: bool) -> Outcome:
    return Outcome(Action.FLAG if acted else Action.PASS)
