"""Encoded words in header fields (RFC 2047): octets of a field to the text that a mail program shows.

Owns the decoding of ``=?charset?encoding?text?=``, also where no RFC allows it. Refuses to know what a field means.
Stands in *extract* below `parameters` and `addresses`. Linear: Python's ``email.policy.default`` takes 5.8 s and 1.7 GB
for one Subject of 15,000 encoded words, which here are one pass.
"""

import binascii
import re

from gateway.extract.decoding import characters, loose_base64

_WORD = re.compile(r"=\?([^?\s]{0,64})\?([bBqQ])\?((?:[^?=]|=(?!\?(?!=))|\?(?!=))*)(?:\?=)?")
"""The text may hold spaces and question marks, and may never end: some programs show such words decoded."""
_MAX_NESTED = 3

Run = list[tuple[str, str]]


def header_text(value: bytes) -> tuple[str, bool]:
    """Return a field's value as text, encoded words decoded, and whether characters were lost or guessed.

    Adjacent encoded words of one charset are joined before they are decoded, since some programs split a
    character between two of them.
    """
    text, note = characters(value, "")
    if "=?" not in text:
        return text, note is not None
    text, guessed = _decoded(text, joined=False)
    return text, guessed or note is not None


def other_header_texts(value: bytes) -> tuple[str, ...]:
    """Return what programs show for ``value`` that decode otherwise than `header_text`: none, almost always.

    Some join the base64 of adjacent words before they decode it; some decode what an encoded word says once more.
    """
    text, _ = characters(value, "")
    if "=?" not in text:
        return ()
    first = _decoded(text, joined=False)[0]
    found = [_decoded(text, joined=True)[0]]
    again = first
    for _ in range(_MAX_NESTED):
        if not _WORD.search(again):
            break
        again = _decoded(again, joined=False)[0]
        found.append(again)
    return tuple(dict.fromkeys(each for each in found if each != first))


def _decoded(text: str, *, joined: bool) -> tuple[str, bool]:
    pieces: list[str] = []
    guessed = False
    run: Run = []
    charset, position = "", 0
    for word in _WORD.finditer(text):
        between = text[position : word.start()]
        name = word[1].partition("*")[0].lower()
        if run and (between.strip() or name != charset):
            guessed |= _flush(run, charset, pieces, joined=joined)
        if between.strip() or not position:
            pieces.append(between)
        run.append((word[2].lower(), word[3]))
        charset, position = name, word.end()
    if run:
        guessed |= _flush(run, charset, pieces, joined=joined)
    pieces.append(text[position:])
    return "".join(pieces), guessed


def _flush(run: Run, charset: str, pieces: list[str], *, joined: bool) -> bool:
    """Decode the adjacent words ``run`` of one charset into ``pieces``; return whether that was a guess."""
    if joined and all(encoding == "b" for encoding, _ in run) and any(len(text) % 4 for _, text in run[:-1]):
        data = loose_base64("".join(text for _, text in run).encode("utf-8", "replace"))
    else:
        data = b"".join(_octets(encoding, text) for encoding, text in run)
    run.clear()
    text, note = characters(data, charset)
    pieces.append(text)
    return note is not None


def _octets(encoding: str, text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    return loose_base64(data) if encoding == "b" else binascii.a2b_qp(data, header=True)
