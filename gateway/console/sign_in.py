"""Signing in and out: password, code, second factor. The force's directory is in `directory`.

Every failure is told in the same words and takes the same time, whether there is such an account or not. A password
that fits leads to the code, or to setting up a second factor, or in; each step is a new session.
"""

import asyncio
from dataclasses import dataclass
from functools import partial

from starlette.responses import Response

from gateway import audit
from gateway.console import forms, passwords, sessions, tries
from gateway.console.pages import Page, Visit
from gateway.model import Event
from gateway.review.access import Permission
from gateway.store import Tx, records
from gateway.store import sessions as kept
from gateway.store.sessions import Credentials, Method, Stage

_EVERY_STAGE = frozenset(Stage)
_WRONG = "That address and password do not belong together."


@dataclass(frozen=True, slots=True)
class _Try:
    """What came of a look before a try: how long to wait, and what the password is checked against."""

    wait_s: float
    credentials: Credentials | None


async def show(visit: Visit) -> Response:
    """Show the form; somebody who is signed in is led on."""
    if visit.signed is not None and visit.signed.row.stage is Stage.SIGNED_IN:
        return visit.redirect("/")
    return _form(visit)


async def sign_in(visit: Visit) -> Response:
    """Check address and password, and lead to the next step."""
    desk, settings = visit.desk, visit.desk.settings.console
    email = visit.form.text("email").lower()[:320]
    if not settings.local_accounts:
        return _form(visit, says="Sign in through the force's directory.", status=403)
    keys = tries.keys_of(email, _client(visit))

    def look(tx: Tx) -> _Try:
        return _Try(tries.wait_s(tx, keys, desk.now()), kept.credentials_of(tx, email))

    before = await desk.store.read(look)
    if before.wait_s > 0:
        return _too_many(visit, email, before.wait_s)
    hash_ = before.credentials.password if before.credentials else ""
    async with desk.slow_work:
        fits = await asyncio.to_thread(passwords.fits, hash_, visit.form.secret("password"))
    if not fits or before.credentials is None:
        await desk.store.write(partial(_count_failure, visit=visit, email=email, keys=keys, what="password"))
        return _form(visit, says=_WRONG, email=email, status=422)
    secret, stage = await desk.store.write(partial(_next_stage, visit=visit, credentials=before.credentials))
    leads = sessions.NEXT_STEP[stage] if stage is not Stage.SIGNED_IN else _wanted(visit)
    answer = visit.redirect(leads)
    sessions.keep(answer, secret)
    return answer


async def sign_out(visit: Visit) -> Response:
    """End the session and show the sign-in."""
    signed = visit.signed
    assert signed is not None, "the page has a permission"
    await visit.desk.store.write(lambda tx: sessions.end(tx, visit.desk, signed))
    answer = visit.redirect("/sign-in")
    sessions.forget(answer)
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


def _next_stage(tx: Tx, *, visit: Visit, credentials: Credentials) -> tuple[str, Stage]:
    """Begin the session that follows a password that fits."""
    desk = visit.desk
    stage = Stage.SIGNED_IN
    if credentials.totp:
        stage = Stage.CODE
    elif desk.settings.console.second_factor == "required":
        stage = Stage.ENROL
    if records.account(tx, credentials.email) is None:
        raise forms.FormRefused(422, "Not signed in", _WRONG)
    if stage is not Stage.CODE:
        tries.succeeded(tx, credentials.email)
    before = visit.signed.secret if visit.signed else ""
    return sessions.begin(tx, desk, credentials.email, Method.PASSWORD, stage, before=before), stage


def _count_failure(tx: Tx, *, visit: Visit, email: str, keys: tuple[str, ...], what: str) -> None:
    """Count a failure and write it down; of an account that is not there without the address, which may be a password."""
    now = visit.desk.now()
    tries.failed(tx, keys, now, visit.desk.settings.console)
    known = records.account(tx, email) is not None
    payload: dict[str, audit.Value] = {"what": what, "client": _client(visit)}
    who = email if known else "unknown"
    audit.append(tx, Event.SIGN_IN_REFUSED, actor="console", subject=who[:255], payload=payload, at=now)


def _form(visit: Visit, *, says: str = "", email: str = "", status: int = 200) -> Response:
    settings = visit.desk.settings.console
    return visit.page(
        "sign_in.html",
        status=status,
        says=says,
        email=email,
        next=_wanted(visit),
        local=settings.local_accounts,
        directory=bool(settings.oidc.issuer),
    )


def _too_many(visit: Visit, email: str, wait_s: float) -> Response:
    minutes = max(1, round(wait_s / 60))
    says = f"Too many tries. Wait {minutes} minute{'s' if minutes > 1 else ''}, then try again."
    answer = _form(visit, says=says, email=email, status=429)
    answer.headers["Retry-After"] = str(int(wait_s) + 1)
    return answer


def _wanted(visit: Visit) -> str:
    """Return the page that was asked for before the sign-in, or the first one."""
    wanted = visit.form.text("next") or visit.query.get("next", "")
    is_sign_in = wanted.startswith("/sign-in")
    return wanted if forms.is_own_path(wanted) and not is_sign_in else "/"


def _client(visit: Visit) -> str:
    """Return the address a request came from; uvicorn puts the one a trusted proxy names in its place."""
    return visit.request.client.host if visit.request.client else ""


PAGES = (
    Page(path="/sign-in", permission=None, get=show, post=sign_in),
    Page(path="/sign-out", permission=Permission.ACCOUNT_OWN, post=sign_out, stages=_EVERY_STAGE),
)
