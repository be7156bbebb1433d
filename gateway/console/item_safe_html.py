"""The HTML of a mail, made safe to look at: what it says and how it is ordered, and nothing that acts, loads or hides.

Kept are words, lists, tables and emphasis; no attribute survives but the spans of cells, so no style hides anything and no
address is ever asked for. It is shown in a frame without any right, under a policy of its own that allows nothing.
Pictures give way to the words that stand for them. Pure.
"""

import base64
import hashlib

import nh3
from starlette.responses import HTMLResponse

_TAGS = frozenset({
    "abbr", "b", "blockquote", "br", "caption", "center", "cite", "code", "dd", "del", "div", "dl", "dt", "em", "h1", "h2",
    "h3", "h4", "h5", "h6", "hr", "i", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "samp", "small", "span",
    "strike", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul", "var",
})  # fmt: skip
_CELLS = {"td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}
_DROPPED = {
    "script",
    "style",
    "template",
    "noscript",
    "iframe",
    "object",
    "embed",
    "svg",
    "math",
    "title",
    "xmp",
}
_MAX_SPAN = 100
_STYLE = (
    "html{font:15px/1.45 system-ui,sans-serif;color-scheme:light dark;overflow-wrap:anywhere}"
    "body{margin:.75rem}table{border-collapse:collapse}td,th{border:1px solid;padding:.2rem .4rem;text-align:left}"
)
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; sandbox; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)
"""Our own few lines of style, by their hash; no script, no request, no form, no origin."""


def safe(html: str) -> str:
    """Return ``html`` with nothing left in it but words and their order. Never raises for odd HTML."""
    cleaned: str = nh3.clean(
        html,
        tags=set(_TAGS),
        clean_content_tags=_DROPPED,
        attributes={tag: set(names) for tag, names in _CELLS.items()},
        attribute_filter=_attribute,
        strip_comments=True,
        link_rel=None,
        url_schemes=set(),
    )
    return cleaned


def framed(html: str) -> HTMLResponse:
    """Return the safe view as an answer for the frame; its headers stand above those of other pages."""
    page = (
        '<!doctype html><html lang="en-GB"><head><meta charset="utf-8"><title>Safe view</title>'
        f"<style>{_STYLE}</style></head><body>{safe(html)}</body></html>"
    )
    return HTMLResponse(page, headers={"Content-Security-Policy": POLICY, "X-Frame-Options": "SAMEORIGIN"})


def _attribute(tag: str, name: str, value: str) -> str | None:
    del tag, name
    return value if value.isascii() and value.isdigit() and 0 < int(value[:9]) <= _MAX_SPAN else None
