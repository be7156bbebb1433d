"""What a page is, and the one door into every page: who asks, may they, and is the form theirs.

Nothing reaches a handler but through `door`. An unknown path, a page that is not for this role and an item out of
sight are answered alike, and before signing in every path leads to the sign-in. Owns no page.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote

import structlog
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from gateway import audit
from gateway.console import forms, sessions
from gateway.console.desk import Desk
from gateway.console.forms import Form, FormRefused, StaleForm
from gateway.console.sessions import SignedIn
from gateway.errors import GatewayError, Sealed, origin
from gateway.model import Event, Registry
from gateway.review.access import Permission, Person, objection
from gateway.review.decisions import Actor
from gateway.review.sight import sight_of
from gateway.settings import ConsoleSettings
from gateway.store import new_id, queue
from gateway.store.queue import Sight
from gateway.store.sessions import Stage

log = structlog.get_logger("gateway.console")

RENEWAL = "renewal"
"""The field in the query of a page that is open and asks for itself again, where there are no scripts."""

Handler = Callable[["Visit"], Awaitable[Response]]


class Absent(Exception):
    """There is no such thing, or not for this person: nobody can tell which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A path, who may use it, and what it does. ``permission`` None: before signing in, for everybody.

    ``stages`` are the steps of a sign-in at which the page opens; ``nav`` is its name in the navigation, if any.
    ``stream`` pages are asked for again and again by a page that is open, so they keep no session alive.
    ``form_bytes`` is the largest form it takes, where that is more than any page does.
    ``stale`` shows what was typed once more when the session that the form was made for is over; it does nothing.
    """

    path: str
    permission: Permission | None
    get: Handler | None = None
    post: Handler | None = None
    stale: Handler | None = None
    nav: str = ""
    stages: frozenset[Stage] = frozenset({Stage.SIGNED_IN})
    stream: bool = False
    form_bytes: Callable[[ConsoleSettings], int] | None = None

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods it answers."""
        return tuple(
            name for name, handler in (("GET", self.get), ("POST", self.post)) if handler is not None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request to a page by somebody who may make it."""

    desk: Desk
    request: Request
    nav: tuple[Page, ...]
    registry: Registry | None
    signed: SignedIn | None
    form_secret: str
    """What the token of this visitor's forms is made from: the session, or before one its own cookie."""
    form: Form = field(default_factory=Form)

    @property
    def person(self) -> Person:
        """Who asks. Only for pages with a permission."""
        assert self.signed is not None, "a page without a permission asked who visits it"
        return self.signed.person

    @property
    def actor(self) -> Actor:
        """Who decides, where a page decides something."""
        return Actor(person=self.person, registry=self.registry, system="console")

    @property
    def sight(self) -> Sight:
        """What they may know of; every question to the store about items is asked through it."""
        return sight_of(self.person, self.registry)

    @property
    def path(self) -> dict[str, Any]:
        """The fields of the path."""
        return self.request.path_params

    @property
    def query(self) -> QueryParams:
        """The query of the address."""
        return self.request.query_params

    def may(self, permission: Permission) -> bool:
        """Return whether the person may do this to any item at all: for what a page offers, not for what it does."""
        return not objection(self.person, permission, None, self.registry)

    async def item_in_sight(self, item_id: str, permission: Permission = Permission.ITEM_LIST) -> str:
        """Return ``item_id`` when there is such an item and this person may know of it; raise `Absent` otherwise.

        ``permission`` is by what they would come to know of it (`review.sight`). One question for both, and one entry
        in the audit log for both: neither the answer nor its time tells.
        """
        sight = sight_of(self.person, self.registry, permission)
        if await self.desk.store.read(lambda tx: queue.in_sight(tx, sight, item_id)):
            return item_id
        at, actor = self.desk.now(), self.person.email
        payload: dict[str, audit.Value] = {"wish": Permission.ITEM_VIEW, "why": "absent or out of sight"}
        subject = item_id[:64]
        await self.desk.store.write(
            lambda tx: audit.append(
                tx, Event.DECISION_REFUSED, actor=actor, subject=subject, payload=payload, at=at
            )
        )
        raise Absent

    def page(self, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """Return a page. Templates know ``visit``, ``csrf`` (the first field of every form) and ``values``."""
        made = self.desk.templates.get_template(template)
        shown = made.render(visit=self, csrf=forms.field_of(self.form_secret), **values)
        return HTMLResponse(shown, status_code=status)

    def redirect(self, path: str) -> RedirectResponse:
        """Return a redirect to a page of ours, asked for with GET."""
        assert forms.is_own_path(path), "a redirect leads to a page of ours"
        return RedirectResponse(path, status_code=303)


_SEALED: Final = (
    "What is kept of it cannot be opened: it was changed, or its key is not here. Nothing is lost yet, and the list goes on "
    "naming it. Tell the gateway's operator; `gateway doctor` says which record it is and what to do."
)


async def door(desk: Desk, page: Page | None, nav: tuple[Page, ...], request: Request) -> Response:
    """Answer a request for ``page`` (None: an unknown path). Never raises: the edge of this process."""
    try:
        return await _through(desk, page, nav, request)
    except FormRefused as refused:
        return await _message(desk, request, refused.title, refused.says, refused.status)
    except GatewayError as trouble:
        log.error("page:failed", path=request.url.path, error=type(trouble).__name__, hint=trouble.hint)
        says = _SEALED if isinstance(trouble, Sealed) else "The store does not answer. Try again in a minute."
        form = await _typed(desk, page, request)
        return await _message(desk, request, "Not now", says, 503, form)
    except Exception as error:  # noqa: BLE001 - our own fault, told once, at the edge
        trace = new_id()
        log.error(
            "page:fault", path=request.url.path, trace=trace, error=type(error).__name__, at=origin(error)
        )
        says = f"The gateway made a mistake. Tell its operator the number {trace}."
        form = forms.already_read(request) if _keeps_text(page, request) else None
        return await _message(desk, request, "That went wrong", says, 500, form)


async def _through(desk: Desk, page: Page | None, nav: tuple[Page, ...], request: Request) -> Response:
    if "\0" in request.scope["path"]:
        page = None  # the store could not even be asked for what it names
    if forms.has_nul(request.query_params.multi_items()):
        raise FormRefused(400, "Not readable", "The address could not be read. Go back and try again.")
    registry = await desk.registry.get()
    signed = await sessions.current(desk, request, registry, touch=not _is_unasked(page, request))
    if page is not None and page.permission is None and signed is None:
        return await _public(desk, page, request, registry)
    if signed is None:
        return await _signed_out(desk, page, request)
    visit = Visit(
        desk=desk,
        request=request,
        nav=tuple(
            one
            for one in nav
            if one.permission and not objection(signed.person, one.permission, None, registry)
        ),
        registry=registry,
        signed=signed,
        form_secret=signed.secret,
    )
    opens = signed.row.stage is Stage.SIGNED_IN if page is None else signed.row.stage in page.stages
    if not opens and (page is None or page.permission is not None):
        return visit.redirect(sessions.NEXT_STEP[signed.row.stage])
    try:
        return await _answer(visit, page)
    except Absent:  # it may have been there when they began to type, and be somebody else's to know of since
        form = forms.already_read(request) if _keeps_text(page, request) else None
        return replace(visit, form=form or Form()).page("absent.html", status=404)


def _is_unasked(page: Page | None, request: Request) -> bool:
    """Return whether an open page asks by itself: nobody need sit before it, so it keeps no session alive.

    The request says so itself (live.js, queue.html). Whoever says so falsely only shortens a session.
    """
    renews = "x-renewal" in request.headers or RENEWAL in request.query_params
    return renews or (page is not None and page.stream)


async def _answer(visit: Visit, page: Page | None) -> Response:
    """Call the handler, once it is known that the person may and that the form is theirs."""
    if page is None:
        raise Absent
    if page.permission is not None and objection(visit.person, page.permission, None, visit.registry):
        raise Absent
    handler = page.post if visit.request.method == "POST" else page.get
    if handler is None:
        raise Absent
    if visit.request.method == "POST":
        try:
            most = page.form_bytes(visit.desk.settings.console) if page.form_bytes is not None else 0
            form = await forms.read(visit.desk, visit.request, visit.form_secret, most)
        except StaleForm as stale:
            if page.stale is None:
                raise
            try:
                return await page.stale(replace(visit, form=stale.form))
            except Absent:
                if stale.form.text("reason") or stale.form.text("words"):
                    raise  # the page that says so gives the words back
                raise stale from None
        visit = replace(visit, form=form)
    return await handler(visit)


async def _public(desk: Desk, page: Page, request: Request, registry: Registry | None) -> Response:
    """Answer somebody who is not signed in. Their forms are tied to a cookie of their own."""
    secret, is_new = forms.visitor_secret(request)
    visit = Visit(desk=desk, request=request, nav=(), registry=registry, signed=None, form_secret=secret)
    try:
        answer = await _answer(visit, page)
    except Absent:
        return _to_sign_in(request)
    if is_new:
        forms.keep_visitor_secret(answer, secret)
    return answer


async def _signed_out(desk: Desk, page: Page | None, request: Request) -> Response:
    """Answer somebody whose session is over. What they typed is shown to them again, if the form was made for it."""
    form = await _typed(desk, page, request)
    if form is None:
        return _to_sign_in(request)
    visit = Visit(desk=desk, request=request, nav=(), registry=None, signed=None, form_secret="", form=form)
    return visit.page("signed_out.html", status=403)


def _keeps_text(page: Page | None, request: Request) -> bool:
    """Return whether a request carries words that are shown again where nothing comes of them."""
    return request.method == "POST" and page is not None and page.stale is not None


async def _typed(desk: Desk, page: Page | None, request: Request) -> Form | None:
    """Return what was typed into a form of the visitor's own, though their session cannot be looked up; else None."""
    kept = request.cookies.get(sessions.COOKIE, "")
    if not _keeps_text(page, request) or not kept:
        return None
    try:
        return forms.already_read(request) or await forms.read(desk, request, kept)
    except FormRefused:
        return None


def _to_sign_in(request: Request) -> Response:
    """Lead to the sign-in and back, whatever was asked for."""
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.method not in {"GET", "HEAD"} or wanted == "/" or not forms.is_own_path(wanted):
        return RedirectResponse("/sign-in", status_code=303)
    return RedirectResponse(f"/sign-in?next={quote(wanted, safe='/')}", status_code=303)


async def _message(
    desk: Desk, request: Request, title: str, says: str, status: int, form: Form | None = None
) -> Response:
    """Return a page that says one thing, and needs neither store nor session; what was typed is on it, to be sent again."""
    form = form or Form()
    visit = Visit(desk=desk, request=request, nav=(), registry=None, signed=None, form_secret="", form=form)
    return visit.page("message.html", status=status, title=title, says=says)
