"""Does the surface give the label away? What a model could learn from the shape of the mail alone.

In a composed corpus improper mail drifts long, comic and in paragraphs, proper mail short and stiff. A gradient-boosted
model that sees nothing but shape (lengths, lines, sign-off, punctuation, share of "I") must not tell them apart: a
cross-validated area under the curve of at most `LIMIT`, folds by batch, or the corpus is rewritten.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.training.corpus import Label, Mail
from gateway.training.diversity import own_words

LIMIT: Final = 0.65
LEAST: Final = 20
"""Mails of either label below which the measure says nothing."""
_FOLDS: Final = 5
_SEED: Final = 20260302

_WORD = re.compile(r"[A-Za-z']+")


def _rate(pattern: str, flags: int = 0) -> Callable[[str], float]:
    compiled = re.compile(pattern, flags)
    return lambda text: len(compiled.findall(text)) / max(len(_WORD.findall(text)), 1)


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


FEATURES: Final[dict[str, Callable[[str], float]]] = {
    "characters": lambda text: float(len(text)),
    "words": lambda text: float(len(_WORD.findall(text))),
    "lines": lambda text: float(len(_lines(text))),
    "paragraphs": lambda text: float(len(re.split(r"\n\s*\n", text.strip()))),
    "line length": lambda text: sum(map(len, _lines(text))) / max(len(_lines(text)), 1),
    "sentence length": lambda text: len(_WORD.findall(text)) / max(len(re.findall(r"[.!?]+", text)), 1),
    "word length": lambda text: sum(map(len, _WORD.findall(text))) / max(len(_WORD.findall(text)), 1),
    "last line": lambda text: float(len(_lines(text)[-1])) if _lines(text) else 0.0,
    "first line": lambda text: float(len(_lines(text)[0])) if _lines(text) else 0.0,
    "commas": _rate(","),
    "questions": _rate(r"\?"),
    "exclamations": _rate("!"),
    "dashes": _rate(r"[-\u2013\u2014:;]"),
    "quotation marks": _rate('["\u201c\u201d]'),
    "digits": _rate(r"\d"),
    "capitals": _rate("[A-Z]"),
    "I": _rate(r"\bI\b|\bi\b"),
    "we": _rate(r"\bwe\b|\bour\b", re.IGNORECASE),
    "contractions": _rate(r"\w'(?:s|t|m|re|ve|ll|d)\b"),
    "lower-case starts": _rate(r"(?:^|[.!?]\s+)[a-z]", re.MULTILINE),
    "formal greeting": lambda text: float(text.lstrip().startswith("Dear")),
    "formal close": lambda text: float(
        re.search(r"\b(?:regards|sincerely|faithfully)\b", text, re.IGNORECASE) is not None
    ),
    "own telephone": _rate(r"\b07700"),
    "footer": lambda text: float(
        re.search(
            r"confidential|intended|recipient|received this|in error|monitored|disclaimer|\bwww\.", text
        )
        is not None
    ),
}
"""What is seen of the officer's own words: numbers about their shape, and no word of what they say."""


@dataclass(frozen=True, slots=True)
class Surface:
    """``auc`` 0.5 is chance; ``telling`` names the features that matter most and by how much the AUC falls without."""

    auc: float
    mails: int
    telling: tuple[tuple[str, float], ...]

    @property
    def ok(self) -> bool:
        """True when the surface does not give the label away."""
        return self.auc <= LIMIT


def means(mails: Sequence[Mail]) -> tuple[tuple[str, float, float], ...]:
    """Return the mean of each feature for crossings and for proper mail: where a batch drifts."""
    texts = {label: [own_words(mail) for mail in mails if mail.label is label] for label in Label}
    return tuple(
        (
            name,
            sum(map(feature, texts[Label.CROSSING])) / max(len(texts[Label.CROSSING]), 1),
            sum(map(feature, texts[Label.PROPER])) / max(len(texts[Label.PROPER]), 1),
        )
        for name, feature in FEATURES.items()
    )


def surface(mails: Sequence[Mail]) -> Surface:
    """Return how well shape alone tells the labels apart; folds by batch, where there are several.

    Needs `LEAST` mails of each label, and scikit-learn (extra ``dev``).
    """
    import numpy as np
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.inspection import permutation_importance
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedGroupKFold
    from threadpoolctl import threadpool_limits

    texts = [own_words(mail) for mail in mails]
    rows = np.array([[feature(text) for feature in FEATURES.values()] for text in texts])
    labels = np.array([mail.label is Label.CROSSING for mail in mails])
    batches = {mail.batch for mail in mails}
    # Of one batch, twins go into the same fold: each would teach the other's label.
    groups = np.array(
        [mail.batch if len(batches) > 1 else min(mail.id, mail.twin or mail.id) for mail in mails]
    )
    folds = StratifiedGroupKFold(_FOLDS if len(batches) == 1 else min(_FOLDS, len(batches))).split(
        rows, labels, groups
    )
    scores = np.zeros(len(mails))
    falls = np.zeros(len(FEATURES))
    threadpool_limits(1)  # a few hundred rows: threads only wait for one another
    for train, test in folds:
        model = HistGradientBoostingClassifier(
            max_iter=150, max_leaf_nodes=15, learning_rate=0.06, random_state=_SEED
        )
        model.fit(rows[train], labels[train])
        scores[test] = model.predict_proba(rows[test])[:, 1]
        if len(set(labels[test])) > 1:
            fall = permutation_importance(
                model, rows[test], labels[test], scoring="roc_auc", n_repeats=3, random_state=_SEED
            )
            falls += fall.importances_mean / _FOLDS
    order = np.argsort(falls)[::-1][:8]
    names = list(FEATURES)
    return Surface(
        auc=float(roc_auc_score(labels, scores)),
        mails=len(mails),
        telling=tuple((names[at], float(falls[at])) for at in order),
    )
