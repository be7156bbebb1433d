"""The frame in which the safe view of a mail's HTML is shown: without any right, under a policy of its own.

What is safe is `gateway.extract.safe_html`'s affair. Knows no message.
"""

import base64
import hashlib

from starlette.responses import HTMLResponse

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


def framed(html: str) -> HTMLResponse:
    """Return safe HTML as an answer for the frame; its headers stand above those of other pages."""
    page = (
        '<!doctype html><html lang="en-GB"><head><meta charset="utf-8"><title>Safe view</title>'
        f"<style>{_STYLE}</style></head><body>{html}</body></html>"
    )
    return HTMLResponse(page, headers={"Content-Security-Policy": POLICY, "X-Frame-Options": "SAMEORIGIN"})
