"""Words in pictures, by a model that ships inside its package (the extra ``ocr``).

Owns the engine: one in a process, loaded at its first use. Refuses to know files and limits. Used by `pictures`.
"""


def text_of(data: bytes) -> str | None:
    """Return the words that a picture shows, or None when it cannot be decoded."""
    raise NotImplementedError


def text_of_pixels(grey: bytes, width: int, height: int) -> str:
    """Return the words that grey pixels show."""
    raise NotImplementedError
