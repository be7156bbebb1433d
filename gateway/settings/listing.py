"""The declared settings as a flat list: what the loader, `gateway settings` and the docs all walk over.

Turns the types and bounds of `declared` into words for people. Knows no file and no environment.
"""

import json
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any, Literal

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gateway.settings.declared import Settings


class Shape(StrEnum):
    """How a value is written."""

    ONE = "one"
    LIST = "list"
    ONE_OR_LIST = "one-or-list"
    TABLE = "table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One setting as it is declared. ``path`` is how the file names it, ``attributes`` how our code does."""

    path: tuple[str, ...]
    attributes: tuple[str, ...]
    default: object
    unit: str
    says: str
    why: str
    secret: bool
    shape: Shape
    expects: str
    """What may be written, as the end of "write ..."."""
    choices: tuple[str, ...]
    is_path: bool
    may_be_unset: bool

    @property
    def name(self) -> str:
        """The dotted name: ``smtp.tls.cert``."""
        return ".".join(self.path)

    @property
    def variable(self) -> str:
        """The environment variable: ``GATEWAY_SMTP__TLS__CERT``."""
        return "GATEWAY_" + "__".join(self.path).upper()

    def value_in(self, settings: Settings) -> object:
        """Return the setting's value in ``settings``."""
        value: object = settings
        for attribute in self.attributes:
            value = getattr(value, attribute)
        return value


def sections() -> tuple[tuple[str, str], ...]:
    """Return the name and the sentence of each section, in the order of the file."""
    return tuple(
        (name, (field.annotation.__doc__ or "").strip())
        for name, field in Settings.model_fields.items()
        if field.annotation is not None
    )


def declared_settings() -> tuple[Declared, ...]:
    """Return every setting, in the order of the file."""
    return tuple(_walk(Settings, (), ()))


def written(value: object) -> str:
    """Return ``value`` as one would write it in the file; ``unset`` for None."""
    match value:
        case tuple():
            text = "[" + ", ".join(json.dumps(written(one), ensure_ascii=False) for one in value) + "]"
        case dict():
            text = "{" + ", ".join(f"{key}: {written(one)}" for key, one in value.items()) + "}"
        case str() if not value or "\n" in value:
            text = json.dumps(value, ensure_ascii=False)
        case float() if value.is_integer():
            text = str(int(value))
        case Enum():
            text = str(value.value)
        case None:
            text = "unset"
        case _:
            text = str(value).lower() if isinstance(value, bool) else str(value)
    return text


def _walk(model: type[BaseModel], path: tuple[str, ...], attributes: tuple[str, ...]) -> Iterator[Declared]:
    for attribute, field in model.model_fields.items():
        here = (*path, field.alias or attribute)
        there = (*attributes, attribute)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _walk(field.annotation, here, there)
        else:
            yield _declared(here, there, field)


def _declared(path: tuple[str, ...], attributes: tuple[str, ...], field: FieldInfo) -> Declared:
    members = _members(field.annotation)
    extra: dict[str, Any] = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    single = [member for member in members if typing.get_origin(member) not in {tuple, dict}]
    lists = [member for member in members if typing.get_origin(member) is tuple]
    tables = [member for member in members if typing.get_origin(member) is dict]
    element = (single or [typing.get_args((lists or tables)[0])[-1 if tables else 0]])[0]
    shape = (
        Shape.TABLE
        if tables
        else Shape.ONE_OR_LIST
        if lists and single
        else Shape.LIST
        if lists
        else Shape.ONE
    )
    choices = _choices(element)
    return Declared(
        path=path,
        attributes=attributes,
        default=field.default,
        unit=str(extra.get("unit", "")),
        says=field.description or "",
        why=str(extra.get("why", "")),
        secret=bool(extra.get("secret", False)),
        shape=shape,
        expects=_expects(shape, element, choices, field),
        choices=choices,
        is_path=element is Path,
        may_be_unset=type(None) in typing.get_args(field.annotation),
    )


def _members(annotation: Any) -> tuple[Any, ...]:
    """Return the types a value may have, without None."""
    if typing.get_origin(annotation) in {typing.Union, types.UnionType}:
        return tuple(member for member in typing.get_args(annotation) if member is not type(None))
    return (annotation,)


def _choices(element: Any) -> tuple[str, ...]:
    if typing.get_origin(element) is Literal:
        return tuple(str(choice) for choice in typing.get_args(element))
    if isinstance(element, type) and issubclass(element, Enum):
        return tuple(str(member.value) for member in element)
    return ()


def _expects(shape: Shape, element: Any, choices: tuple[str, ...], field: FieldInfo) -> str:
    kinds = {bool: "true or false", int: "a whole number", float: "a number", Path: "a path"}
    one = f"one of {', '.join(choices)}" if choices else kinds.get(element, "text") + _bounds(field)
    match shape:
        case Shape.ONE:
            return one
        case Shape.LIST:
            return f"a list, each {one}"
        case Shape.ONE_OR_LIST:
            return f"{one}, or a list of them"
        case Shape.TABLE:
            return f"names and for each {one}"


def _bounds(field: FieldInfo) -> str:
    said = []
    for bound in field.metadata:
        match bound:
            case annotated_types.Ge(ge):
                said.append(f"at least {ge}")
            case annotated_types.Gt(gt):
                said.append(f"greater than {gt}")
            case annotated_types.Le(le):
                said.append(f"at most {le}")
            case _:
                raise TypeError(f"no words for the bound {bound!r}")
    return f" of {' and '.join(said)}" if said and "than" not in said[0] else " ".join(["", *said]).rstrip()
