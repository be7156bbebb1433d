"""Passwords of local accounts: which are taken, how they are kept, and whether one fits.

Argon2id with the parameters of RFC 9106's second choice. The hash is sealed in the store besides, so a stolen
database alone is nothing to guess against. Knows no accounts and no waiting times.
"""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_MAX_CHARS = 256
"""Longer ones are refused, lest the hashing of a megabyte becomes a way to keep the console busy."""
_hasher = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=1)
_NOBODY = _hasher.hash("nobody has this password")
"""What is checked for an account that is not there, so that it takes as long as one that is."""


def objection_to(password: str, email: str, *, min_chars: int) -> str:
    """Return why a password is not taken, as a sentence, or an empty string.

    Length is what counts (NCSC, NIST SP 800-63B): no rules about kinds of characters.
    """
    if len(password) < min_chars:
        return f"Use at least {min_chars} characters; three random words are good."
    if len(password) > _MAX_CHARS:
        return f"Use at most {_MAX_CHARS} characters."
    low, name = password.casefold(), email.partition("@")[0].casefold()
    if len(set(low)) < 5 or low in "abcdefghijklmnopqrstuvwxyz0123456789" * 2:
        return "That is too easy to guess: use more different characters."
    if len(name) > 3 and name in low:
        return "Leave your name out of it."
    return ""


def hashed(password: str) -> str:
    """Return what is kept of a password. Takes a tenth of a second on purpose."""
    return _hasher.hash(password)


def fits(kept: str, password: str) -> bool:
    """Return whether ``password`` is the one that ``kept`` was made of. An empty ``kept`` takes as long, and is false."""
    try:
        _hasher.verify(kept or _NOBODY, password[:_MAX_CHARS])
    except (VerificationError, InvalidHashError):
        return False
    return bool(kept)


def is_outdated(kept: str) -> bool:
    """Return whether a hash was made with other parameters than today's and should be made anew."""
    return _hasher.check_needs_rehash(kept)
