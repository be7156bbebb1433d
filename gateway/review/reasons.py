"""What a reviewer must say: which reasons will do for which decision. Pure.

A hold is released in the reviewer's own words (docs/decisions/0023): a reason that was offered, one character or none
is how a queue is clicked through. Everything else may take an offered reason.
"""

import unicodedata

from gateway.settings import ReviewSettings
from gateway.store.rows import DecisionAction

_OWN_WORDS = frozenset({DecisionAction.RELEASE, DecisionAction.APPROVE})
_WITHOUT = frozenset({DecisionAction.UNDO})
_FEWEST_LETTERS = 2
_FEWEST_DIFFERENT = 3


def reason_objection(action: DecisionAction, reason: str, settings: ReviewSettings) -> str:
    """Return what is wrong with the reason given for ``action``, or an empty string."""
    if action in _WITHOUT:
        return ""
    words = _folded(reason)
    if len(reason) > settings.max_text_chars:
        return f"that is {len(reason)} characters; write at most {settings.max_text_chars}"
    if len(words) < _FEWEST_LETTERS:
        return "a reason is required, in your own words"
    return _own_words_objection(words, settings) if action in _OWN_WORDS else ""


def _own_words_objection(words: str, settings: ReviewSettings) -> str:
    if len(words) < settings.min_reason_chars or len(set(words)) < _FEWEST_DIFFERENT:
        return f"say in your own words why it may go out, in at least {settings.min_reason_chars} letters"
    if words in {_folded(offered) for offered in (*settings.reasons, *settings.return_texts.values())}:
        return "that is a reason that is offered to everybody; say in your own words why it may go out"
    return ""


def words_objection(words: str, settings: ReviewSettings) -> str:
    """Return what is wrong with the words to the officer, or an empty string; none at all are fine."""
    if len(words) > settings.max_text_chars:
        return (
            f"the words to the officer have {len(words)} characters; write at most {settings.max_text_chars}"
        )
    if any(unicodedata.category(char) in {"Cc", "Cs"} and char not in "\r\n\t" for char in words):
        return "the words to the officer have control characters in them"
    return ""


def _folded(text: str) -> str:
    """Return the letters and digits of ``text`` alone, in one case: what makes two reasons the same."""
    return "".join(char for char in unicodedata.normalize("NFKC", text).casefold() if char.isalnum())
