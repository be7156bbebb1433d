"""docs/console-access.md: every page of the console and who may use it, from the declarations the door obeys."""

from gateway.console.app import PAGES
from gateway.console.pages import Page
from gateway.model import Role
from gateway.review.access import Person, objection

ROLES = tuple(Role)
_HEAD = """\
# Who may use which page of the console

Printed by `make docs` from the pages' declarations; do not edit. A test asks every page as every role and holds the
answers to this table. Whoever may not gets the same 404 as for a page that does not exist; whoever is not signed in is
led to the sign-in from every address alike. A page about one item asks besides whether the person may know of that item
(`gateway/review/access.py`): not when they wrote, got or are named in the message, not when they report to its sender,
not when they were kept from an earlier item that it tells of, and not when it is with professional standards and they are
not of them.
"""


def may(role: Role, page: Page) -> bool:
    """Return whether somebody with this one role may use a page."""
    if page.permission is None:
        return True
    person = Person(email="somebody@force.example", roles=frozenset({role}), staff_id=None)
    return not objection(person, page.permission, None, None)


def access_page() -> str:
    """Return the page."""
    lines = [
        _HEAD,
        f"| page | permission | {' | '.join(ROLES)} |",
        f"|---|---|{'---|' * len(ROLES)}",
    ]
    for page in sorted(PAGES, key=lambda one: one.path):
        says = f"`{page.permission}`" if page.permission else "everybody, before signing in too"
        answers = " | ".join("yes" if may(role, page) else "no" for role in ROLES)
        lines += [f"| `{method} {page.path}` | {says} | {answers} |" for method in page.methods]
    return "\n".join(lines) + "\n"
