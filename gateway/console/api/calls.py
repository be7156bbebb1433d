"""What a call and an operation are; the body of a call, its preconditions (RFC 9110) and its preference (RFC 7240)."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from gateway.console.api.problems import Kind, Problem
from gateway.console.desk import Desk
from gateway.store.tokens import May, Token

ENTRY = r"[A-Za-z0-9](?:[A-Za-z0-9._~:-]{0,126}[A-Za-z0-9])?"
"""What a records system may call an entry; it stands in addresses and logs, so it may be no mail address."""
_PLACES = {"{entry}": f"(?P<entry>{ENTRY})", "{item}": "(?P<item>[a-z2-7]{20})"}
_TAG = re.compile(r'\s*(W/)?"([!#-~]*)"\s*(?:,|$)')


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request by a token that is good for the operation. ``whole`` is held while a whole set is taken over."""

    desk: Desk
    request: Request
    token: Token
    path: Mapping[str, str]
    whole: asyncio.Lock

    @property
    def actor(self) -> str:
        """Who calls, for the audit log."""
        return f"token:{self.token.name}"

    @property
    def is_strict(self) -> bool:
        """Whether the caller would rather have nothing taken over than a part (RFC 7240, handling)."""
        return "handling=strict" in self._preferences()

    @property
    def applied(self) -> dict[str, str]:
        """The header that says which preference was heeded; none when none was stated."""
        stated = self._preferences() & {"handling=strict", "handling=lenient"}
        if not stated:
            return {}
        return {"Preference-Applied": "handling=strict" if self.is_strict else "handling=lenient"}

    def flag(self, name: str) -> bool:
        """Return whether a yes-or-no field of the query says yes. Raises `Problem` for anything but true and false."""
        said = self.request.query_params.get(name, "false")
        if said not in {"true", "false"}:
            raise Problem(
                Kind.MALFORMED, f"{name} is neither true nor false: write ?{name}=true, or leave it out."
            )
        return said == "true"

    def matches(self, revision: str | None) -> bool:
        """Return whether the preconditions of the call hold for ``revision``, None: there is nothing yet."""
        wanted, barred = self._tags("if-match"), self._tags("if-none-match")
        if wanted is not None and (revision is None or not wanted & {"*", revision}):
            return False
        return barred is None or revision is None or not barred & {"*", revision}

    @property
    def has_precondition(self) -> bool:
        """Whether the caller stated what it must be like to be changed."""
        return bool({"if-match", "if-none-match"} & set(self.request.headers.keys()))

    def _preferences(self) -> set[str]:
        said = ",".join(self.request.headers.getlist("prefer")).replace('"', "").lower()
        return {re.sub(r"\s", "", one.partition(";")[0]) for one in said.split(",")}

    def _tags(self, name: str) -> set[str] | None:
        """Return the strong entity tags of a header; None when it is not there. `Problem` when it cannot be read."""
        given = self.request.headers.getlist(name)
        if not given:
            return None
        said = ",".join(given).strip()
        if said == "*":
            return {"*"}
        found, at = set(), 0
        while at < len(said):
            tag = _TAG.match(said, at)
            if tag is None:
                raise Problem(
                    Kind.MALFORMED,
                    f'{name} holds what is no entity tag: write {name}: "..." as it was given.',
                )
            if not tag[1]:
                found.add(tag[2])
            at = tag.end()
        return found


Handler = Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A method on a path, what a token must be good for (None: any token), and what it does."""

    method: str
    path: str
    name: str
    may: May | None
    handle: Handler

    def match(self, path: str) -> Mapping[str, str] | None:
        """Return the fields of ``path``, or None when it is another."""
        pattern = re.escape(self.path)
        for place, expression in _PLACES.items():
            pattern = pattern.replace(re.escape(place), expression)
        found = re.fullmatch(pattern, path)
        return None if found is None else found.groupdict()


def answer(
    said: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a JSON answer."""
    return Response(msgspec.json.encode(said), status, headers, "application/json")


async def body(call: Call, max_bytes: int) -> bytes:
    """Return the body of a call. Raises `Problem` when it is no JSON by its headers, too large, or too slow."""
    headers = call.request.headers
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" or "content-encoding" in headers:
        raise Problem(Kind.NO_JSON, "Send the body as application/json, without a content coding.")
    too_large = Problem(
        Kind.TOO_LARGE, f"At most {max_bytes:,} octets are taken: see the settings of the API."
    )
    length = headers.get("content-length", "0")
    if length.isascii() and length.isdigit() and int(length[:20]) > max_bytes:
        raise too_large
    found = bytearray()
    try:
        async with asyncio.timeout(call.desk.settings.api.body_s):
            async for chunk in call.request.stream():
                found += chunk
                if len(found) > max_bytes:
                    raise too_large
    except TimeoutError:
        raise Problem(
            Kind.TOO_SLOW, "Send it again over a faster line.", headers={"Connection": "close"}
        ) from None
    except ClientDisconnect:
        raise Problem(Kind.MALFORMED, "The body ended early.") from None
    return bytes(found)
