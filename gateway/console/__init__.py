"""Stage 8, the supervisors' console: pages over the store, for people who are signed in. It cannot send mail.

Public face: `application`, an ASGI application over a `Desk`. Stands beside `receive`: an edge that translates
requests into questions to `review` and `store`, and judges nothing itself.

    app         the list of all pages; what every answer carries    desk      what all pages share
    pages       what a page is; the one door into every page        forms     what a form said, and its token
    sign_in     passwords, codes, the force's directory             sessions  who is signed in, until when
    queue       what waits; filters, search, counts                 guard     hosts, headers, sizes
    rendering   how things are written on a page                    static/   one style sheet, small modules

How a page is added. Write a module with ``PAGES: tuple[Page, ...]`` and name it in `app.PAGES`. A `Page` gives its
path, its `review.access.Permission` and its handlers: ``get`` shows and changes nothing, ``post`` changes and answers
with a redirect. A handler is ``async def handler(visit: Visit) -> Response``; it is called only for a person who has
the permission, and a post only with the token of their session. `Visit` holds who asks (``visit.person``,
``visit.sight``, ``visit.registry``), the path and query (``visit.path``, ``visit.query``), the form (``visit.form``) and the
desk (``visit.desk.store``, ``.settings``, ``.now()``). It answers with ``visit.page("name.html", ...)``,
``visit.redirect("/path")`` or ``raise Absent``. The permission says whether somebody may use the page at all; whether they
may see *this* item is ``await visit.item_in_sight(item_id)``, which raises `Absent` alike for an item that is not there
and for one that they may not know of. Templates extend ``layout.html`` and escape everything; a form has
``{{ csrf }}`` as its first field. Scripts are modules in static/, named in ``{% block modules %}``: no inline script,
style or event attribute, the policy of the page refuses them. docs/console-access.md lists the pages: `make docs`.
"""

from gateway.console.app import application
from gateway.console.desk import Desk

__all__ = ["Desk", "application"]
