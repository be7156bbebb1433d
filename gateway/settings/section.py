"""What a setting is made of: a field with unit and reason, in a section that takes no unknown names."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

_LONGEST_DAYS = 365_000
"""A thousand years, for what is to be kept for good; the calendar that is counted back in begins with the year 1."""


def setting(
    default: Any, says: str, *, unit: str = "", why: str = "", secret: bool = False, **bounds: Any
) -> Any:
    """Return a pydantic field that also carries its unit, its reason and whether it is secret."""
    return Field(
        default, description=says, json_schema_extra={"unit": unit, "why": why, "secret": secret}, **bounds
    )


def days(default: float, says: str, **more: Any) -> Any:
    """Return the field for how many days something is kept, or looked back."""
    return setting(default, says, unit="days", le=_LONGEST_DAYS, **more)


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
