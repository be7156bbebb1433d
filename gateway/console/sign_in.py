"""Signing in and out with a local account: password, then code. The force's directory is in `directory_pages`.

Every failure is told in the same words and takes the same time, whether there is such an account or not. A password
that fits leads to the code, or to setting up a second factor, or in; each step is a new session.
"""

from urllib.parse import quote

from starlette.responses import Response

from gateway.console import factors, forms, proofs, sessions, tries
from gateway.console.pages import Page, Visit
from gateway.console.proofs import TooManyTries
from gateway.review.access import Permission
from gateway.store import Tx, records
from gateway.store.sessions import Credentials, Method, Stage

_EVERY_STAGE = frozenset(Stage)
_WRONG = "That address and password do not belong together."
_WRONG_CODE = "That is not the code of this moment, nor a recovery code that is left."


async def show(visit: Visit) -> Response:
    """Show the form; somebody who is signed in is led on."""
    if visit.signed is not None and visit.signed.row.stage is Stage.SIGNED_IN:
        return visit.redirect("/")
    return _form(visit)


async def sign_in(visit: Visit) -> Response:
    """Check address and password, and lead to the next step."""
    email = visit.form.text("email").lower()[:320]
    if not visit.desk.settings.console.local_accounts:
        return _form(visit, says="Sign in through the force's directory.", status=403)
    try:
        credentials = await proofs.by_password(visit, email, visit.form.secret("password"))
    except TooManyTries as wait:
        return _wait(_form(visit, says=wait.says, email=email, status=429), wait)
    if credentials is None:
        return _form(visit, says=_WRONG, email=email, status=422)
    secret, stage = await visit.desk.store.write(lambda tx: _next_stage(tx, visit, credentials))
    wanted = _wanted(visit)
    if stage is Stage.CODE and wanted != "/":
        step = f"{sessions.NEXT_STEP[stage]}?next={quote(wanted, safe='/')}"
    else:
        step = sessions.NEXT_STEP[stage] if stage is not Stage.SIGNED_IN else wanted
    answer = visit.redirect(step)
    sessions.keep(answer, secret)
    return answer


async def ask_code(visit: Visit) -> Response:
    """Ask for the code."""
    return _code(visit)


async def take_code(visit: Visit) -> Response:
    """Check the code and lead in."""
    signed = visit.signed
    assert signed is not None, "the page has a permission"
    email = signed.row.email
    try:
        fits = await proofs.by_code(visit, email, visit.form.text("code"))
    except TooManyTries as wait:
        return _wait(_code(visit, says=wait.says, status=429), wait)
    if not fits:
        return _code(visit, says=_WRONG_CODE, status=422)

    def enter(tx: Tx) -> str:
        tries.succeeded(tx, email)
        return sessions.begin(tx, visit.desk, email, Method.PASSWORD, Stage.SIGNED_IN, before=signed.secret)

    answer = visit.redirect(_wanted(visit))
    sessions.keep(answer, await visit.desk.store.write(enter))
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


def _next_stage(tx: Tx, visit: Visit, credentials: Credentials) -> tuple[str, Stage]:
    """Begin the session that follows a password that fits, and return its id and how far it is."""
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
    return (
        sessions.begin(
            tx,
            desk,
            credentials.email,
            Method.PASSWORD,
            stage,
            before=visit.signed.secret if visit.signed else "",
            pending=factors.new_secret() if stage is Stage.ENROL else "",
        ),
        stage,
    )


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


def _code(visit: Visit, *, says: str = "", status: int = 200) -> Response:
    return visit.page("code.html", status=status, says=says, next=_wanted(visit))


def _wait(answer: Response, wait: TooManyTries) -> Response:
    answer.headers["Retry-After"] = str(int(wait.wait_s) + 1)
    return answer


def _wanted(visit: Visit) -> str:
    """Return the page that was asked for before the sign-in, or the first one."""
    wanted = visit.form.text("next") or visit.query.get("next", "")
    is_sign_in = wanted.startswith("/sign-in")
    return wanted if forms.is_own_path(wanted) and not is_sign_in else "/"


PAGES = (
    Page(path="/sign-in", permission=None, get=show, post=sign_in),
    Page(
        path="/sign-in/code",
        permission=Permission.ACCOUNT_OWN,
        get=ask_code,
        post=take_code,
        stages=frozenset({Stage.CODE}),
    ),
    Page(path="/sign-out", permission=Permission.ACCOUNT_OWN, post=sign_out, stages=_EVERY_STAGE),
)
