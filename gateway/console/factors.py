"""The second factor of local accounts: codes from a telephone (RFC 6238) and recovery codes on paper.

Pure but for randomness. Knows no accounts and no waiting times; that a code is taken once only is the store's affair.
"""

import hmac
import io
import re
import secrets
from datetime import datetime

import pyotp
import segno
from markupsafe import Markup

ISSUER = "Boundary gateway"
_STEP_S = 30
_RECOVERY_CODES = 10
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without letters that look like others: these are read from paper."""


def new_secret() -> str:
    """Return the secret of a new second factor, base32."""
    return pyotp.random_base32(32)


def address(secret: str, email: str) -> str:
    """Return what a telephone reads from the picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)


def picture(text: str) -> Markup:
    """Return ``text`` as a QR code, SVG without style or script."""
    drawn = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        drawn,
        kind="svg",
        xmldecl=False,
        svgns=False,
        omitsize=True,
        border=4,
        dark="#000000",
        light="#ffffff",
    )
    return Markup(drawn.getvalue().decode())  # noqa: S704 - drawn by segno: rectangles, no text of ours


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """Return the time step that ``code`` is of, or None when it is not right now; a step early or late is.

    Telephones are not on time, and a code is typed for a while (RFC 6238 section 5.2).
    """
    plain = re.sub(r"\s", "", code)
    if not re.fullmatch(r"[0-9]{6}", plain):
        return None
    current, factor = int(now.timestamp()) // _STEP_S, pyotp.TOTP(secret)
    fitting = None
    for step in (current - 1, current, current + 1):
        if hmac.compare_digest(factor.generate_otp(step), plain):
            fitting = step
    return fitting


def new_recovery_codes() -> tuple[str, ...]:
    """Return recovery codes as they are shown: fifty-nine random bits each, so that their hash is nothing to guess."""
    return tuple(
        "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))
        for _ in range(_RECOVERY_CODES)
    )


def recovery_code(typed: str) -> str:
    """Return a recovery code as it was shown, however it was typed; an empty string for what is none."""
    plain = re.sub(r"[\s-]", "", typed.lower())
    if len(plain) != 12 or not set(plain) <= set(_LETTERS):
        return ""
    return "-".join((plain[:4], plain[4:8], plain[8:]))
