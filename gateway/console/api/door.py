"""The one door into the API: which token calls, may it, how often; and every trouble as a problem.

Nothing is said to a caller without a token but that a token is needed: neither which addresses there are nor whether a
token was ever known. Reads no cookie, so no page of another site can have a browser call it with somebody's session.
"""

import asyncio
from functools import partial

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway import audit
from gateway.console.api import description, pushes, states
from gateway.console.api.budget import Budget
from gateway.console.api.calls import Call, Operation
from gateway.console.api.problems import Kind, Problem
from gateway.console.desk import Desk
from gateway.errors import GatewayError, origin
from gateway.model import Event
from gateway.store import Tx, new_id, tokens
from gateway.store.tokens import Token

log = structlog.get_logger("gateway.console")

_WORK = (*pushes.OPERATIONS, *states.OPERATIONS)
OPERATIONS: tuple[Operation, ...] = (*_WORK, description.operation(_WORK))
"""Everything that can be done; the description and the tests walk over it."""
_NO_TOKEN = "Send Authorization: Bearer and a token of `gateway tokens add`."  # noqa: S105 - a sentence


class Api:
    """The API as an ASGI application, for the paths below ``/api/``."""

    def __init__(self, desk: Desk) -> None:
        """Every caller begins with a full budget."""
        settings = desk.settings.api
        self._desk = desk
        self._calls = Budget(settings.per_minute, 2 * settings.per_minute)
        self._refused = Budget(settings.refused_per_minute, settings.refused_per_minute)
        self._whole = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Never raises: the edge of this process."""
        request = Request(scope, receive)
        answer = await self._answer(request)
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        try:
            return await self._through(request)
        except Problem as problem:
            return problem.answer(self._desk.origin)
        except GatewayError as trouble:
            log.error("api:failed", error=type(trouble).__name__, hint=trouble.hint)
            busy = Problem(
                Kind.BUSY, "The store does not answer. Try again in a minute.", headers={"Retry-After": "60"}
            )
            return busy.answer(self._desk.origin)
        except Exception as error:  # noqa: BLE001 - our own fault, told once, at the edge
            trace = new_id()
            log.error("api:fault", trace=trace, error=type(error).__name__, at=origin(error))
            fault = Problem(Kind.FAULT, f"Tell the gateway's operator the number {trace}.")
            return fault.answer(self._desk.origin)

    async def _through(self, request: Request) -> Response:
        token = await self._token(request)
        found = [(one, path) for one in OPERATIONS if (path := one.match(request.url.path)) is not None]
        if not found:
            raise Problem(Kind.ABSENT, f"The addresses are listed in {description.PATH}.")
        for operation, path in found:
            if operation.method == request.method:
                if operation.may is not None and operation.may not in token.may:
                    why = f"The token is not for {operation.may}: `gateway tokens add NAME --may {operation.may}`."
                    raise Problem(Kind.NOT_ALLOWED, why)
                call = Call(desk=self._desk, request=request, token=token, path=path, whole=self._whole)
                return await operation.handle(call)
        methods = ", ".join(sorted(one.method for one, _ in found))
        raise Problem(Kind.NO_SUCH_METHOD, f"It has {methods}.", headers={"Allow": methods})

    async def _token(self, request: Request) -> Token:
        """Return the token of a request, its use counted. Raises `Problem`."""
        desk, now = self._desk, self._desk.now()
        client = request.client.host if request.client else ""
        given = request.headers.getlist("authorization")
        scheme, _, secret = given[0].partition(" ") if len(given) == 1 else ("", "", "")
        found, fits = None, False
        if scheme.lower() == "bearer":
            found, fits = await desk.store.read(lambda tx: tokens.find(tx, secret.strip()))
        if found is None or not fits:
            # Only now: whoever shows a right token never waits for what others do from the same address.
            _within(self._refused.wait_s(client, now))
            self._refused.spend(client, now)
            if found is not None:
                await desk.store.write(partial(_record_refusal, desk=desk, token=found))
            log.warning("api:refused", token=found.name if found else "")
            raise Problem(Kind.NO_TOKEN, _NO_TOKEN, headers={"WWW-Authenticate": 'Bearer realm="gateway"'})
        _within(self._calls.wait_s(found.id, now))
        self._calls.spend(found.id, now)
        if not tokens.is_use_noted(found, now):
            await desk.store.write(lambda tx: tokens.note_use(tx, found, now))
        return found


def _within(wait_s: float) -> None:
    """Raise `Problem` when somebody must wait."""
    if wait_s > 0:
        seconds = int(wait_s) + 1
        raise Problem(Kind.TOO_OFTEN, f"Try again in {seconds} s.", headers={"Retry-After": str(seconds)})


def _record_refusal(tx: Tx, *, desk: Desk, token: Token) -> None:
    why = "revoked" if token.revoked_at is not None else "wrong secret"
    payload: dict[str, audit.Value] = {"why": why, "system": "api"}
    audit.append(tx, Event.TOKEN_REFUSED, actor="console", subject=token.name, payload=payload, at=desk.now())
