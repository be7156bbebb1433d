"""The visitor's own account: who they are here, and what they prove it with.

Whoever comes from the force's directory proves it there: for them there is nothing to change here. What is changed
asks for the password again, ends every other session of the account, and is written down.
"""

import asyncio
from dataclasses import replace

from starlette.responses import Response

from gateway import audit
from gateway.console import factors, passwords, proofs, sessions, tries
from gateway.console.pages import Absent, Page, Visit
from gateway.console.proofs import TooManyTries
from gateway.console.sessions import SignedIn
from gateway.model import Event
from gateway.review.access import Permission
from gateway.store import Tx
from gateway.store import sessions as kept
from gateway.store.sessions import Method, Stage

_WRONG = "That is not your password."
_WRONG_CODE = "That is not the code of this moment. Look at the clock of your telephone."


async def show(visit: Visit) -> Response:
    """Show who is signed in, what they may do, and what they sign in with."""
    return await _page(visit)


async def change_password(visit: Visit) -> Response:
    """Set another password; every other session of the account ends."""
    signed, desk = _local(visit), visit.desk
    email, chosen = signed.row.email, visit.form.secret("new")
    if why := passwords.objection_to(chosen, email, min_chars=desk.settings.console.min_password_chars):
        return await _page(visit, says=why, status=422)
    if chosen != visit.form.secret("again"):
        return await _page(visit, says="The new password and its repetition differ.", status=422)
    try:
        if await proofs.by_password(visit, email, visit.form.secret("password")) is None:
            return await _page(visit, says=_WRONG, status=422)
    except TooManyTries as wait:
        return await _page(visit, says=wait.says, status=429)
    async with desk.slow_work:
        hashed = await asyncio.to_thread(passwords.hashed, chosen)

    def change(tx: Tx) -> str:
        kept.set_password(tx, email, hashed, desk.now())
        _record(tx, visit, Event.ACCOUNT_PASSWORD_SET)
        return _only_session(tx, visit)

    answer = visit.redirect("/account")
    sessions.keep(answer, await desk.store.write(change))
    return answer


async def begin_factor(visit: Visit) -> Response:
    """Begin to set up a second factor, in place of one that there may be."""
    signed, desk = _local(visit), visit.desk
    try:
        if await proofs.by_password(visit, signed.row.email, visit.form.secret("password")) is None:
            return await _page(visit, says=_WRONG, status=422)
    except TooManyTries as wait:
        return await _page(visit, says=wait.says, status=429)
    answer = visit.redirect("/account/factor")
    sessions.keep(answer, await desk.store.write(lambda tx: _only_session(tx, visit, factors.new_secret())))
    return answer


async def show_factor(visit: Visit) -> Response:
    """Show the secret of the factor that is being set up, as a picture and as text."""
    return _factor(visit)


async def confirm_factor(visit: Visit) -> Response:
    """Take the factor once its first code is right, and show the recovery codes, this once."""
    signed, desk = _local(visit), visit.desk
    email, secret = signed.row.email, signed.row.pending
    if not secret:
        return visit.redirect("/account")
    step = factors.step_of(secret, visit.form.text("code"), desk.now())
    if step is None:
        try:
            await proofs.failed_code(visit, email)
        except TooManyTries as wait:
            return _factor(visit, says=wait.says, status=429)
        return _factor(visit, says=_WRONG_CODE, status=422)
    codes = factors.new_recovery_codes()

    def take(tx: Tx) -> str:
        kept.set_second_factor(tx, email, secret, codes, step=step)
        tries.succeeded(tx, email)
        _record(tx, visit, Event.ACCOUNT_FACTOR_SET)
        return _only_session(tx, visit)

    new_session = await desk.store.write(take)
    answer = replace(visit, form_secret=new_session).page("recovery_codes.html", codes=codes)
    sessions.keep(answer, new_session)
    return answer


def _local(visit: Visit) -> SignedIn:
    """Return the session of a local account; the pages are absent for others."""
    assert visit.signed is not None, "the page has a permission"
    if visit.signed.row.method is not Method.PASSWORD:
        raise Absent
    return visit.signed


def _only_session(tx: Tx, visit: Visit, pending: str = "") -> str:
    """End every session of the account and begin the one that goes on from here."""
    signed = _local(visit)
    kept.end_sessions(tx, signed.row.email)
    return sessions.begin(tx, visit.desk, signed.row.email, Method.PASSWORD, Stage.SIGNED_IN, pending=pending)


def _record(tx: Tx, visit: Visit, event: Event) -> None:
    email = _local(visit).row.email
    audit.append(tx, event, actor=email, subject=email, at=visit.desk.now())


async def _page(visit: Visit, *, says: str = "", status: int = 200) -> Response:
    signed = visit.signed
    assert signed is not None, "the page has a permission"

    def look(tx: Tx) -> tuple[bool, int]:
        credentials = kept.credentials_of(tx, signed.row.email)
        return bool(credentials and credentials.totp), kept.recovery_codes_left(tx, signed.row.email)

    has_factor, codes_left = await visit.desk.store.read(look)
    return visit.page(
        "account.html",
        status=status,
        says=says,
        is_local=signed.row.method is Method.PASSWORD,
        has_factor=has_factor,
        codes_left=codes_left,
        min_chars=visit.desk.settings.console.min_password_chars,
    )


def _factor(visit: Visit, *, says: str = "", status: int = 200) -> Response:
    signed = _local(visit)
    if not signed.row.pending:
        return visit.redirect("/account")
    address = factors.address(signed.row.pending, signed.row.email)
    return visit.page(
        "factor.html",
        status=status,
        says=says,
        picture=factors.picture(address),
        secret=signed.row.pending,
    )


PAGES = (
    Page(path="/account", permission=Permission.ACCOUNT_OWN, get=show),
    Page(path="/account/password", permission=Permission.ACCOUNT_OWN, post=change_password),
    Page(path="/account/factor/new", permission=Permission.ACCOUNT_OWN, post=begin_factor),
    Page(
        path="/account/factor",
        permission=Permission.ACCOUNT_OWN,
        get=show_factor,
        post=confirm_factor,
        stages=frozenset({Stage.SIGNED_IN, Stage.ENROL}),
    ),
)
