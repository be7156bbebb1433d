"""The HTML of a mail, made safe to look at: what it says and how it is ordered, and nothing that acts, loads or hides.

Kept are words, lists, tables and emphasis; no attribute survives but the spans of cells, so no style hides anything and no
address is ever asked for. Pictures give way to the words that stand for them. Pure, and not bounded in time: what parses
HTML as browsers do takes the square of the nesting, minutes for a megabyte. So it runs where mail is read (`workers`).
"""

import nh3

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


def safe_html(html: str) -> str:
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


def _attribute(tag: str, name: str, value: str) -> str | None:
    del tag, name
    return value if value.isascii() and value.isdigit() and 0 < int(value[:9]) <= _MAX_SPAN else None
