"""The console as an ASGI application: the list of all pages, and what stands round them.

Every page is in `PAGES`; `tests/console` asks each of them as each role and prints the table. Beside them stand the static
files, `/metrics`, which is for a program and has a token of its own, and the HTTP API. Knows nothing of what a page shows.
"""

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from gateway.console import (
    account,
    directory_pages,
    item,
    item_versions,
    metrics,
    numbers,
    oversight,
    playground,
    queue,
    rules_pages,
    sign_in,
)
from gateway.console.api import Api
from gateway.console.desk import Desk
from gateway.console.guard import Guard
from gateway.console.pages import Page, door

PAGES: tuple[Page, ...] = (
    *sign_in.PAGES,
    *directory_pages.PAGES,
    *account.PAGES,
    *queue.PAGES,
    *item.PAGES,
    *item_versions.PAGES,
    *numbers.PAGES,
    *oversight.PAGES,
    *rules_pages.PAGES,
    *playground.PAGES,
)
"""Every page of the console. A module's pages are named here, and nowhere else."""


def application(desk: Desk, pages: tuple[Page, ...] = PAGES) -> ASGIApp:
    """Return the console, ready to be served."""
    nav = tuple(page for page in pages if page.nav)

    def through(page: Page | None) -> Callable[[Request], Awaitable[Response]]:
        return partial(door, desk, page, nav)

    async def unknown(request: Request, _: Exception) -> Response:
        """An unknown path, or a method that a page does not have: the door says the same of both."""
        return await door(desk, None, nav, request)

    async def figures(request: Request) -> Response:
        """Without a token in the settings it is a path like any that is not there."""
        if not desk.settings.console.metrics_token:
            return await door(desk, None, nav, request)
        return await metrics.answer(desk, request)

    routes = [Route("/metrics", figures, methods=["GET"])]
    if desk.settings.api.enabled:
        routes.append(Route("/api/{rest:path}", Api(desk)))
    routes += [Route("/static/{name}", desk.statics.serve, methods=["GET"])]
    routes += [Route(page.path, through(page), methods=list(page.methods)) for page in pages]
    inner = Starlette(routes=routes, exception_handlers={404: unknown, 405: unknown})
    inner.router.redirect_slashes = False
    return Guard(inner, desk)
