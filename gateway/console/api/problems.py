"""What can be wrong with a call: one list, from which answers (RFC 9457) and the API's description are made."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import msgspec
from starlette.responses import Response

MEDIA = "application/problem+json"
DESCRIPTION = "/api/openapi.json"


class Kind(Enum):
    """A kind of trouble: its HTTP status and its title, which is the same each time."""

    MALFORMED = (400, "The request cannot be read")
    NO_TOKEN = (401, "A token is needed")
    NOT_ALLOWED = (403, "The token is not good for this")
    ABSENT = (404, "There is no such thing")
    NO_SUCH_METHOD = (405, "That cannot be done with it")
    TOO_SLOW = (408, "The body did not arrive in time")
    CONFLICT = (409, "It cannot be done as things stand")
    CHANGED = (412, "It has changed since")
    TOO_LARGE = (413, "The body is too large")
    NO_JSON = (415, "The body is not JSON")
    MISTAKES = (422, "There are mistakes in it")
    TOO_OFTEN = (429, "Too many requests")
    FAULT = (500, "The gateway made a mistake")
    BUSY = (503, "Not now")

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(self.value[0])

    @property
    def title(self) -> str:
        """The title."""
        return str(self.value[1])

    @property
    def component(self) -> str:
        """What the API's description calls the answer."""
        return "".join(word.capitalize() for word in self.name.split("_"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One mistake in a body, or what looks like one: where (a JSON pointer), what, and what to do."""

    pointer: str
    detail: str
    remedy: str
    entry: str | None = None


class Problem(Exception):
    """A call that is answered with a problem."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        errors: tuple[Fault, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """``detail`` is a sentence with the remedy; nothing in it comes from a header or a path."""
        super().__init__(detail)
        self.kind, self.detail, self.errors, self.headers = kind, detail, errors, dict(headers or {})

    def answer(self, origin: str) -> Response:
        """Return it as RFC 9457 has it; its type is the address where the API's description tells of its kind."""
        said: dict[str, object] = {
            "type": f"{origin}{DESCRIPTION}#/components/responses/{self.kind.component}",
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
        }
        if self.errors:
            said["errors"] = listed(self.errors)
        return Response(msgspec.json.encode(said), self.kind.status, self.headers, MEDIA)


def listed(faults: tuple[Fault, ...]) -> list[dict[str, str]]:
    """Return faults as an answer lists them."""
    return [
        {"pointer": one.pointer, "detail": one.detail, "remedy": one.remedy}
        | ({} if one.entry is None else {"entry": one.entry})
        for one in faults
    ]
