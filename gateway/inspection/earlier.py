"""Words that we sent before: lines of a mail to digests, and a claimed quote without the lines that are known.

Owns what counts as the same line. Refuses to know keys and the store: what is kept is an HMAC of these digests under a
key of the store's (docs/decisions/0013), and `judge` is told which of them are known (`History.sent_lines`).

A *line* is a sentence, not a row of characters: programs wrap quoted text anew. Its words are compared without case,
marks and white space. A line of fewer than `LEAST_WORDS` is nobody's in particular and never known.
"""

import re
from collections.abc import Iterator
from hashlib import blake2b
from itertools import islice
from typing import Final

from gateway.model import Authored, CutReason, PassageKind

LEAST_WORDS: Final = 4
MAX_LINES: Final = 500
MAX_CHARS: Final = 50_000
"""How much of one message is kept or looked for; a longer one is judged as if the rest had never been sent."""
_DIGEST_BYTES: Final = 16
_END = re.compile(r"[.!?\n](?:(?<=\n)[ \t>|]*\n|(?<=[.!?])[.!?]*(?=\s))")
"""Stops before white space, or a blank line. The set in front is what makes `re` quick: it passes over all else at once."""
_WORD = re.compile(r"\w+")
_QUOTES = frozenset({CutReason.QUOTED, CutReason.FORWARDED})
_Line = tuple[int, int, str]


def written_lines(authored: Authored) -> tuple[str, ...]:
    """Return the digests of what the officer wrote now: to be kept once it was sent."""
    bodies = (passage.text for passage in authored.passages if passage.kind is PassageKind.BODY)
    return _digests(bodies)


def quoted_lines(authored: Authored) -> tuple[str, ...]:
    """Return the digests of what the mail quotes: to be looked for among those that were kept."""
    return _digests(cut.text for cut in authored.cuts if cut.reason in _QUOTES)


def without_sent(text: str, sent: frozenset[str]) -> str:
    """Return ``text`` with every known line blanked; of the same length, so that offsets hold."""
    if not sent:
        return text
    pieces: list[str] = []
    done = 0
    for start, end, digest in _lines(text):
        if digest in sent:
            pieces += (text[done:start], " " * (end - start))
            done = end
    return "".join((*pieces, text[done:]))


def _digests(texts: Iterator[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    left = MAX_CHARS
    for text in texts:
        for _, _, digest in _lines(text[:left]):
            found[digest] = None
        left -= min(left, len(text))
    return tuple(islice(found, MAX_LINES))


def _lines(text: str) -> Iterator[_Line]:
    """Yield each line with its place and digest, but those too short to be anybody's."""
    begin = 0
    for end in (*(match.end() for match in _END.finditer(text)), len(text)):
        words = _WORD.findall(text[begin:end].casefold())  # marks of quotes are no words
        if len(words) >= LEAST_WORDS:
            digest = blake2b(" ".join(words).encode("utf-8", "replace"), digest_size=_DIGEST_BYTES)
            yield begin, end, digest.hexdigest()
        begin = end
