"""The rule files as text, in order, with one hash: what is stored, sent to workers and named in verdicts.

Owns finding and reading the files, and the bounds on them. Refuses to know what they say. This is the only module of
the core that touches the disk; everything behind it works on a `Bundle`.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from gateway.errors import Mistake, Mistakes

MAX_FILE_BYTES: Final = 262_144
"""A rule is a page; a list of a force's numbers fits ten thousand of them in this."""
MAX_FILES: Final = 10_000
"""Rule files of all folders together; a force with a thousand rules of its own is far below."""
MAX_BYTES: Final = 33_554_432
"""Octets of all files together: the set is sent to every worker and kept in the store."""
MAX_ENTRIES: Final = 20_000
"""Files and folders of any kind below one rule folder: more is somebody's home, not a rule folder."""
MAX_FOLDERS: Final = 4
"""Folders below one another; rules stand one below the top."""
BENIGN: Final = "benign"
"""The folder of ordinary mail in a rule folder (`gateway.rehearsal.benign`): it judges the set, and is no part of it."""
_SUFFIX: Final = ".yaml"
_PLAIN: Final = "make it a plain file that the gateway's user may read"


@dataclass(frozen=True, slots=True)
class BundleFile:
    """One file: the layer (which folder, counted from 0), its path in that folder, and its text."""

    layer: int
    name: str
    text: str


@dataclass(frozen=True)
class Bundle:
    """A rule set as text. ``folders`` are the names shown in mistakes; they are no part of the hash."""

    folders: tuple[str, ...]
    files: tuple[BundleFile, ...]

    @cached_property
    def hash(self) -> str:
        """Return the SHA-256 of layers, paths and texts."""
        return hashlib.sha256(self._payload(folders=()).encode()).hexdigest()

    def shown(self, file: BundleFile) -> str:
        """Return the path of ``file`` as a person would open it."""
        folder = self.folders[file.layer] if file.layer < len(self.folders) else "rules"
        return f"{folder}/{file.name}"

    def to_json(self) -> str:
        """Return the bundle as text that `from_json` reads."""
        return self._payload(folders=self.folders)

    def _payload(self, folders: tuple[str, ...]) -> str:
        files = [[file.layer, file.name, file.text] for file in self.files]
        return json.dumps(
            {"folders": list(folders), "files": files}, ensure_ascii=False, separators=(",", ":")
        )

    @classmethod
    def from_json(cls, text: str) -> "Bundle":
        """Return the bundle that `to_json` wrote; raises ValueError or KeyError on anything else."""
        payload = json.loads(text)
        files = tuple(
            BundleFile(int(layer), str(name), str(words)) for layer, name, words in payload["files"]
        )
        return cls(folders=tuple(map(str, payload["folders"])), files=files)


def read(paths: tuple[Path, ...]) -> Bundle:
    """Return the YAML files under ``paths``; later folders add to and override earlier ones.

    Raises `Mistakes` naming every folder that is missing and every file that is too big, not UTF-8, outside its
    folder (by a link) or one too many. Hidden files and files that are not YAML are left alone, as is ordinary mail.
    """
    bundle = _read(paths, leave=BENIGN)
    if not bundle.files:
        place = ", ".join(map(str, paths)) or "rules"
        remedy = "name the folder that holds policy.yaml"
        raise Mistakes((Mistake(file=place, what="no rule files", remedy=remedy),))
    return bundle


def read_benign(paths: tuple[Path, ...]) -> Bundle:
    """Return the files of ordinary mail of the rule folders ``paths``, those that have any. Raises as `read` does."""
    return _read(tuple(path / BENIGN for path in paths if (path / BENIGN).is_dir()))


def _read(paths: tuple[Path, ...], *, leave: str = "") -> Bundle:
    mistakes: list[Mistake] = []
    files: list[BundleFile] = []
    for layer, folder in enumerate(paths):
        if not folder.is_dir():
            remedy = "name an existing folder in rules.path"
            mistakes.append(Mistake(file=str(folder), what="no such folder of rules", remedy=remedy))
            continue
        found = _yaml_files(folder, mistakes, leave)
        if len(files) + len(found) > MAX_FILES:
            remedy = f"keep at most {MAX_FILES} files"
            mistakes.append(Mistake(file=str(folder), what="too many rule files", remedy=remedy))
            break
        for path in found:
            _read_file(folder, path, layer, files, mistakes)
        if sum(len(file.text) for file in files) > MAX_BYTES:
            remedy = f"keep at most {MAX_BYTES} characters in all files together"
            mistakes.append(Mistake(file=str(folder), what="too much text for a rule set", remedy=remedy))
            break
    if mistakes:
        raise Mistakes(tuple(mistakes))
    return Bundle(folders=tuple(str(path) for path in paths), files=tuple(files))


def _yaml_files(folder: Path, mistakes: list[Mistake], leave: str) -> list[Path]:
    """Return the YAML files below ``folder`` in order, its folder ``leave`` apart; linked folders are refused."""
    found: list[str] = []
    entries = 0
    waiting = [(str(folder), 0)]
    while waiting:
        here, depth = waiting.pop()
        try:
            with os.scandir(here) as listing:
                for entry in listing:
                    entries += 1
                    if entries > MAX_ENTRIES or depth > MAX_FOLDERS:
                        what = (
                            f"more than {MAX_ENTRIES} files and folders"
                            if entries > MAX_ENTRIES
                            else f"folders nested deeper than {MAX_FOLDERS}"
                        )
                        remedy = "name a folder that holds rules and nothing else"
                        mistakes.append(Mistake(file=here, what=what, remedy=remedy))
                        return []
                    if entry.name.startswith(".") or (depth == 0 and entry.name == leave):
                        continue
                    if entry.name.lower().endswith((_SUFFIX, ".yml")):
                        found.append(entry.path)
                    elif entry.is_dir(follow_symlinks=False):
                        waiting.append((entry.path, depth + 1))
                    elif entry.is_symlink() and entry.is_dir():
                        what = "a link to a folder"
                        mistakes.append(
                            Mistake(file=entry.path, what=what, remedy="name it in rules.path, or copy it")
                        )
        except OSError as error:
            mistakes.append(
                Mistake(file=here, what=f"cannot be read: {error}", remedy="let the gateway's user read it")
            )
    return sorted(map(Path, found), key=lambda path: path.relative_to(folder).as_posix())


def _read_file(
    folder: Path, path: Path, layer: int, files: list[BundleFile], mistakes: list[Mistake]
) -> None:
    def refuse(what: str, remedy: str) -> None:
        mistakes.append(Mistake(file=str(path), what=what, remedy=remedy))

    if path.suffix != _SUFFIX:
        refuse(f"the name ends in {path.suffix}", f"end it in {_SUFFIX}")
        return
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            refuse("a link that leads out of the rule folder", "copy the file into the folder")
            return
        if not path.is_file():
            refuse("cannot be read: it is no plain file", _PLAIN)
            return
        raw = path.read_bytes() if path.stat().st_size <= MAX_FILE_BYTES else None
    except (OSError, RuntimeError) as error:  # RuntimeError: a link that leads to itself
        refuse(f"cannot be read: {error}", _PLAIN)
        return
    if raw is None:
        refuse(f"larger than {MAX_FILE_BYTES} octets", "split it")
        return
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        refuse(f"not UTF-8 at octet {error.start}", "save it as UTF-8")
        return
    files.append(BundleFile(layer, path.relative_to(folder).as_posix(), text))
