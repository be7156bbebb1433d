"""Signing in through the force's directory: the way there, and the way back."""

import structlog
from starlette.responses import RedirectResponse, Response

from gateway import audit
from gateway.console import forms, sessions
from gateway.console.directory import NotBelieved, Vouched
from gateway.console.pages import Absent, Page, Visit
from gateway.model import Event
from gateway.store import Tx
from gateway.store.sessions import Method, SessionRow, Stage

log = structlog.get_logger("gateway.console")

COOKIE = "__Host-gateway-directory"
BACK = "/sign-in/directory/back"


async def leave(visit: Visit) -> Response:
    """Send the browser to the directory. Changes nothing here: what must come back lies in a cookie."""
    directory = visit.desk.directory
    if directory is None:
        raise Absent
    begun = await directory.begin()
    wanted = visit.query.get("next", "/")
    answer = RedirectResponse(begun.address, status_code=303)
    answer.set_cookie(
        COOKIE,
        f"{begun.kept}|{wanted if forms.is_own_path(wanted) else '/'}",
        max_age=int(visit.desk.settings.console.sign_in_s),
        path="/",
        secure=True,
        httponly=True,
        samesite="lax",
    )
    return answer


async def come_back(visit: Visit) -> Response:
    """Begin the session of somebody the directory vouches for. The cookie is used up, whatever comes of it."""
    directory = visit.desk.directory
    if directory is None:
        raise Absent
    kept, _, wanted = visit.request.cookies.get(COOKIE, "").partition("|")
    try:
        vouched = await directory.finish(visit.query, kept)
        answer = await _let_in(visit, vouched, wanted)
    except NotBelieved as why:
        log.warning("sign-in:refused", method="oidc", why=str(why))
        answer = await _refuse(visit, str(why))
    answer.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return answer


async def _let_in(visit: Visit, vouched: Vouched, wanted: str) -> Response:
    desk, now = visit.desk, visit.desk.now()
    before = visit.signed.secret if visit.signed else ""

    def begin(tx: Tx) -> str:
        row = SessionRow(
            email=vouched.email,
            stage=Stage.SIGNED_IN,
            method=Method.OIDC,
            roles=vouched.roles,
            made_at=now,
            seen_at=now,
            ends_at=now,
        )
        if sessions.person_of(tx, row, visit.registry) is None:
            if vouched.roles:
                raise NotBelieved(f"{vouched.email!r} is no person on the staff list and has no account")
            return ""
        return sessions.begin(
            tx, desk, vouched.email, Method.OIDC, Stage.SIGNED_IN, before=before, roles=vouched.roles
        )

    secret = await desk.store.write(begin)
    if not secret:
        raise NotBelieved("they have no role here")
    answer = visit.redirect(wanted if forms.is_own_path(wanted) else "/")
    sessions.keep(answer, secret)
    return answer


async def _refuse(visit: Visit, why: str) -> Response:
    """Say that it did not work, and write down why; the visitor is not told what did not fit."""
    now = visit.desk.now()
    payload: dict[str, audit.Value] = {"what": "directory", "why": why}
    await visit.desk.store.write(
        lambda tx: audit.append(
            tx, Event.SIGN_IN_REFUSED, actor="console", subject="unknown", payload=payload, at=now
        )
    )
    says = "The directory did not vouch for you, or you have no role here. Try again, or ask the gateway's operator."
    return visit.page("message.html", status=403, title="Not signed in", says=says)


PAGES = (
    Page(path="/sign-in/directory", permission=None, get=leave),
    Page(path=BACK, permission=None, get=come_back),
)
