"""Reads the settings file and the environment into `Settings`; all mistakes in one run.

First everything that was given is gathered with its place (`sources`), then the types judge it (`declared`),
then what belongs together is looked at (`checks`). A value that failed is put aside, so that what it stands
beside is still examined.
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gateway.errors import Mistake, Mistakes
from gateway.settings.checks import Fault, faults
from gateway.settings.declared import Settings
from gateway.settings.listing import Declared, declared_settings
from gateway.settings.sources import (
    Given,
    Place,
    Text,
    Tree,
    others_may_read,
    read_environment,
    read_file,
    read_secret,
)

DEFAULT_FILE = Path("gateway.yaml")
_SQLITE = "sqlite:///"
SECRET_FILES = {
    ("next_hop", "password"): ("next_hop", "password_file"),
    ("notices", "webhook", "url"): ("notices", "webhook", "url_file"),
    ("notices", "webhook", "token"): ("notices", "webhook", "token_file"),
    ("console", "metrics_token"): ("console", "metrics_token_file"),
    ("console", "oidc", "client_secret"): ("console", "oidc", "client_secret_file"),
}
"""Secrets that may stand in a file of their own, and the setting that names the file."""


class OriginKind(StrEnum):
    """Where a value came from."""

    DEFAULT = "default"
    FILE = "file"
    ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the value of one setting came from: ``place`` is ``file:line``, or the variable's name."""

    kind: OriginKind
    place: str = ""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings in force, and by dotted name where each came from."""

    settings: Settings
    origins: Mapping[str, Origin]


def load(path: Path | None, environ: Mapping[str, str]) -> Loaded:
    """Return the settings in force: the file's, and over them the environment's.

    Without ``path``, ``gateway.yaml`` in the current folder is read if it is there. Relative paths, those of
    the defaults and of the environment too, are relative to the folder of the file; without a file, to the
    current folder. The content of ``next_hop.password_file`` stands in ``next_hop.password``, and so with each
    secret of `SECRET_FILES`. Raises `Mistakes` with everything that is wrong, in the order of the file.
    """
    declared = declared_settings()
    tree = Tree(declared)
    file = path or (DEFAULT_FILE if DEFAULT_FILE.is_file() else None)
    folder = (file.parent if file else Path()).absolute()
    from_file, mistakes = read_file(file, tree) if file else ((), ())
    from_environment, more = read_environment(environ, tree)
    given = {one.declared.path: one for one in (*from_file, *from_environment)}
    draft = _Draft(declared, given, folder, str(file) if file else "settings")
    settings = draft.judged()
    found = [*mistakes, *more, *draft.mistakes]
    if found:
        raise Mistakes(
            tuple(sorted(found, key=lambda one: (one.line is None, one.line or 0, one.column or 0)))
        )
    return Loaded(settings, draft.origins())


class _Draft:
    """What was given, on its way to `Settings`; collects what is wrong with it."""

    def __init__(
        self,
        declared: tuple[Declared, ...],
        given: Mapping[tuple[str, ...], Given],
        folder: Path,
        source: str,
    ) -> None:
        self.declared = declared
        self.given = given
        self.folder = folder
        self.source = source
        self.mistakes: list[Mistake] = []
        self.aside: set[tuple[str, ...]] = set()
        self.secret_files: dict[tuple[str, ...], Path] = {}

    def judged(self) -> Settings:
        """Return the settings, with the default in place of every value that is wrong."""
        self._put_aside(self._unwritable())
        try:
            settings = Settings.model_validate(self._nested())
        except ValidationError as error:
            for problem in error.errors(include_url=False):
                self._refuse(problem["loc"])
            settings = Settings.model_validate(self._nested())
        self._put_aside(faults(settings))
        self._put_aside(self._exposed())
        return self._with_secrets(settings)

    def origins(self) -> dict[str, Origin]:
        """Return by dotted name where each value came from."""
        return {setting.name: self._origin(setting) for setting in self.declared}

    def _origin(self, setting: Declared) -> Origin:
        if setting.path in self.secret_files:
            return Origin(OriginKind.FILE, str(self.secret_files[setting.path]))
        one = self.given.get(setting.path)
        if one is None:
            return Origin(OriginKind.DEFAULT)
        if one.place.variable:
            return Origin(OriginKind.ENVIRONMENT, one.place.source)
        return Origin(OriginKind.FILE, f"{one.place.source}:{one.place.line}")

    def _unwritable(self) -> Iterator[Fault]:
        """Yield the texts that no setting can have: control characters, and paths that are empty."""
        for one in self.given.values():
            texts = _texts(one.text)
            if any(re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text) for text in texts) or (
                one.declared.path != ("notices", "return_text") and any("\n" in text for text in texts)
            ):
                name = one.declared.name
                yield Fault(
                    one.declared.path, f"{name} holds a control character", "write it in one plain line"
                )
            elif one.declared.is_path and "" in texts:
                yield Fault(
                    one.declared.path, f"{one.declared.name} is empty", "write a path, or remove the line"
                )

    def _nested(self) -> dict[str, Any]:
        """Return what was given, and the paths among the defaults, as pydantic takes it."""
        nested: dict[str, Any] = {}
        for setting in self.declared:
            one = self.given.get(setting.path)
            if one is not None and setting.path not in self.aside:
                text: Any = one.text
            elif setting.is_path or setting.path == ("store", "url"):
                text = None if setting.default is None else str(setting.default)
            else:
                continue
            table = nested
            for key in setting.path[:-1]:
                table = table.setdefault(key, {})
            table[setting.path[-1]] = self._absolute(setting, text)
        return nested

    def _absolute(self, setting: Declared, text: Text) -> Text:
        if setting.is_path:
            if isinstance(text, str):
                return str(self.folder / text)
            if isinstance(text, tuple):
                return tuple(str(self.folder / one) for one in text)
        if setting.path == ("store", "url") and isinstance(text, str) and text.startswith(_SQLITE):
            database = text.removeprefix(_SQLITE)
            if database and not database.startswith(("?", ":memory:")):
                return f"{_SQLITE}{self.folder / database}"
        return text

    def _refuse(self, location: tuple[int | str, ...]) -> None:
        """Put the value aside that the types refused, with what may be written instead."""
        path = tuple(str(step) for step in location)
        while path not in self.given:
            path = path[:-1]
        one = self.given[path]
        element = location[len(path)] if len(location) > len(path) else None
        text = _element(one.text, element)
        shown = "that" if one.declared.secret else repr(text)
        what = f"{one.declared.name} cannot be {shown}"
        self._put_aside([Fault(path, what, _remedy(one.declared, text), element)])

    def _put_aside(self, wrong: Iterable[Fault]) -> None:
        for fault in wrong:
            self.aside.add(fault.path)
            self.mistakes.append(self._place(fault).mistake(fault.what, fault.remedy))

    def _place(self, fault: Fault) -> Place:
        one = self.given.get(fault.path) or self.given.get(fault.beside)
        if one is None:
            return Place(source=self.source)
        return one.place if fault.element is None else one.inner.get(fault.element, one.place)

    def _exposed(self) -> Iterator[Fault]:
        """Yield the secrets that stand in a settings file which everybody may read."""
        for one in self.given.values():
            if (
                one.place.variable
                or not others_may_read(Path(one.place.source))
                or not isinstance(one.text, str)
            ):
                continue
            if (one.declared.secret and one.text) or re.match(r"[^:]+://[^/@]*:[^/@]+@", one.text):
                what = f"{one.declared.name} holds a password, and everybody may read this file"
                remedy = f"run chmod o-rwx on it, or set {one.declared.variable} instead"
                yield Fault(one.declared.path, what, remedy)

    def _with_secrets(self, settings: Settings) -> Settings:
        """Return ``settings`` with the secrets that stand in files of their own."""
        for secret, in_file in SECRET_FILES.items():
            file = _value(settings, in_file)
            if not isinstance(file, Path) or in_file in self.aside:
                continue
            try:
                text = read_secret(file)
            except (OSError, ValueError) as error:
                what = f"{'.'.join(in_file)} is {file}, which cannot be used: {error}"
                word = secret[-1].rpartition("_")[2]
                self._put_aside([Fault(in_file, what, f"write the {word} in its only line")])
                continue
            self.secret_files[secret] = file
            settings = _replaced(settings, secret, text)
        return settings


def _value(section: Any, path: tuple[str, ...]) -> Any:
    """Return the setting at ``path``."""
    for name in path:
        section = getattr(section, name)
    return section


def _replaced(section: Any, path: tuple[str, ...], value: object) -> Any:
    """Return ``section`` with another value at ``path``; sections are frozen, so each on the way is made anew."""
    name, *rest = path
    inner = _replaced(getattr(section, name), tuple(rest), value) if rest else value
    return section.model_copy(update={name: inner})


def _texts(text: Text) -> tuple[str, ...]:
    match text:
        case None:
            return ()
        case str():
            return (text,)
        case tuple():
            return text
        case _:
            return (*text, *text.values())


def _element(text: Text, element: str | int | None) -> object:
    if isinstance(text, tuple) and isinstance(element, int):
        return text[element]
    if isinstance(text, dict) and isinstance(element, str):
        return text.get(element, element)
    return text


def _remedy(declared: Declared, text: object) -> str:
    """Return what to write instead of ``text``: the choice that was meant, the number without its unit, or the kind."""
    if declared.choices:
        near = difflib.get_close_matches(str(text).lower(), declared.choices, n=1)
        if near:
            return f"did you mean {near[0]}?"
    number = _number(declared.unit, str(text))
    if number:
        return f"the unit is {declared.unit}: write {number}"
    unit = f", in {declared.unit}" if declared.unit else ""
    return f"write {declared.expects}{unit}"


def _number(unit: str, text: str) -> str:
    """Return the number in ``unit`` that somebody meant who wrote ``35 MiB`` or ``5m``; empty if none."""
    match = re.fullmatch(r"(\d+)\s*([A-Za-z]+)", text.strip())
    if match is None:
        return ""
    sizes = {"k": 1024, "m": 1024**2, "g": 1024**3, "kb": 1000, "mb": 1000**2, "gb": 1000**3}
    sizes |= {"kib": 1024, "mib": 1024**2, "gib": 1024**3, "b": 1}
    times = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}
    factor = {"octets": sizes, "s": times}.get(unit, {}).get(match[2].lower())
    return str(int(match[1]) * factor) if factor else ""
