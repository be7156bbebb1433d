"""What a setting is made of: a field with unit and reason, in a section that takes no unknown names."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


def setting(
    default: Any, says: str, *, unit: str = "", why: str = "", secret: bool = False, **bounds: Any
) -> Any:
    """Return a pydantic field that also carries its unit, its reason and whether it is secret."""
    return Field(
        default, description=says, json_schema_extra={"unit": unit, "why": why, "secret": secret}, **bounds
    )


class Section(BaseModel):
    """One section of the settings: frozen, and strict about names."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        validate_by_name=True,
        validate_by_alias=True,
        allow_inf_nan=False,
    )
