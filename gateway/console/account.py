"""The visitor's own account: who they are here, and what they prove it with."""

from starlette.responses import Response

from gateway.console.pages import Page, Visit
from gateway.review.access import Permission


async def show(visit: Visit) -> Response:
    """Show who is signed in and what they may do."""
    return visit.page("account.html")


PAGES = (Page(path="/account", permission=Permission.ACCOUNT_OWN, get=show),)
"""For everybody who is signed in."""
