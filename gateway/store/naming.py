"""Ids: random, so that an id tells nothing of what it names, nor how many there are."""

import base64
import secrets


def new_id() -> str:
    """Return 20 characters of lower-case base32: 100 random bits, safe in a reply, a file name and a URL."""
    return base64.b32encode(secrets.token_bytes(13)).decode("ascii").lower()[:20]
