"""What a form said, and whether it is the visitor's own: its token, where it came from, how large it is.

A form is taken only when its token fits the session (or, before one, a cookie that only this host can have set), and
when the browser does not say that another site sent it. The token is made anew for each page and cannot be guessed
from a compressed answer. Knows no page.
"""

import asyncio
import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from gateway.console.desk import Desk

FIELD = "csrf"
VISITOR_COOKIE = "__Host-gateway-visitor"
_MAX_FIELDS = 200
_AT_ONCE = 65_536
"""Octets of a form that is taken apart at once; a larger one is, in a thread, so that nobody waits for it."""
_MASK_OCTETS = 32
_OUT_OF_DATE = "That form is out of date"
_UNREADABLE = "The form could not be read. Go back and send it again."
_GO_BACK = "You were signed out, or the form lay open too long. Go back, reload the page and send it again."
_OWN_PATH = re.compile(r"/(?![/\\])[A-Za-z0-9_\-./~%?=&+:@,]*")


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form; of two with one name the last."""

    fields: Mapping[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Return a field without the white space round it, or an empty string."""
        return self.fields.get(name, "").strip()

    def secret(self, name: str) -> str:
        """Return a field as it was typed, or an empty string."""
        return self.fields.get(name, "")


class FormRefused(Exception):
    """A form that is not taken: what the visitor is told."""

    def __init__(self, status: int, title: str, says: str) -> None:
        """``status`` is the HTTP status, ``says`` a sentence with the remedy."""
        super().__init__(title)
        self.status, self.title, self.says = status, title, says


class StaleForm(FormRefused):
    """A form of this site that was made for another session: what was typed into it need not be lost."""

    def __init__(self, form: Form) -> None:
        """``form`` is what it said."""
        super().__init__(403, _OUT_OF_DATE, _GO_BACK)
        self.form = form


def is_own_path(path: str) -> bool:
    """Return whether a browser led to ``path`` stays with us: no other host, scheme or control character."""
    return _OWN_PATH.fullmatch(path) is not None


def has_nul(pairs: Iterable[tuple[str, str]]) -> bool:
    """Return whether a name or a value has a NUL in it: nobody types one, and PostgreSQL takes none in a text."""
    return any("\0" in text for pair in pairs for text in pair)


def token(secret: str) -> str:
    """Return a new token for forms of the visitor whose secret this is; a mask makes each look different."""
    mask = secrets.token_bytes(_MASK_OCTETS)
    return base64.urlsafe_b64encode(mask + _masked(_proof(secret), mask)).decode()


def field_of(secret: str) -> Markup:
    """Return the hidden field with a token: the first thing in every form."""
    value = token(secret) if secret else ""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, value)


def is_token(text: str, secret: str) -> bool:
    """Return whether ``text`` is a token made with ``secret``. Never raises."""
    try:
        raw = base64.urlsafe_b64decode(text.encode("ascii"))
    except ValueError:
        return False
    mask, rest = raw[:_MASK_OCTETS], raw[_MASK_OCTETS:]
    if len(mask) != _MASK_OCTETS or len(rest) != _MASK_OCTETS:
        return False
    return hmac.compare_digest(_masked(rest, mask), _proof(secret))


async def read(desk: Desk, request: Request, secret: str, max_bytes: int = 0) -> Form:
    """Return the form of a request. Raises `FormRefused` when it is not the visitor's own, too large or none.

    `StaleForm` when it comes from this site, as far as the browser says, and its token is not the visitor's. What was
    read can be had once more by `already_read`, whoever's it is.
    ``max_bytes`` is what the form of this page may have; 0: what any may.
    """
    if not _is_same_origin(desk, request):
        raise FormRefused(403, _OUT_OF_DATE, _GO_BACK)
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise FormRefused(415, "No form", "The browser sent something that is not a form of this site.")
    body = await _body(request, max_bytes or desk.settings.console.max_form_bytes)
    try:
        pairs = _pairs(body) if len(body) <= _AT_ONCE else await asyncio.to_thread(_pairs, body)
    except ValueError:
        raise FormRefused(400, "Not readable", _UNREADABLE) from None
    fields = {name: value.replace("\r\n", "\n") for name, value in pairs}
    request.state.form = form = Form(fields)
    if not is_token(fields.get(FIELD, ""), secret):
        raise StaleForm(form)
    return form


def already_read(request: Request) -> Form | None:
    """Return the form that was read from a request, to be shown again where nothing came of it; None before that."""
    found = getattr(request.state, "form", None)
    return found if isinstance(found, Form) else None


def visitor_secret(request: Request) -> tuple[str, bool]:
    """Return the secret of somebody who is not signed in, and whether it is new and must be kept."""
    kept = request.cookies.get(VISITOR_COOKIE, "")
    return (kept, False) if re.fullmatch(r"[\w-]{43}", kept, re.ASCII) else (secrets.token_urlsafe(32), True)


def keep_visitor_secret(answer: Response, secret: str) -> None:
    """Have the browser keep that secret until it is closed."""
    answer.set_cookie(VISITOR_COOKIE, secret, path="/", secure=True, httponly=True, samesite="lax")


def _pairs(body: bytes) -> list[tuple[str, str]]:
    """Return the fields of a form; ValueError for what is none."""
    pairs = parse_qsl(
        body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS
    )
    if has_nul(pairs):
        raise ValueError("a NUL")
    return pairs


async def _body(request: Request, max_bytes: int) -> bytes:
    """Return the body; `FormRefused` as soon as it is larger than it may be."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise FormRefused(413, "Too long", f"A form may have {max_bytes:,} octets. Shorten the text.")
    return bytes(body)


def _is_same_origin(desk: Desk, request: Request) -> bool:
    """Return false when the browser says that the form is another site's. Old browsers say nothing."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return False
    said = request.headers.get("origin")
    if said is None:
        return True
    scheme = desk.origin.partition("://")[0]
    return said.lower() in {f"{scheme}://{host}" for host in desk.hosts}


def _proof(secret: str) -> bytes:
    return hmac.digest(secret.encode("utf-8", "surrogatepass"), b"gateway/console/form/1", hashlib.sha256)


def _masked(text: bytes, mask: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(text, mask, strict=True))
