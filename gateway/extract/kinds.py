"""What a part is: text to be read, an envelope nobody can open, a signature, or a file that is not read.

Owns the media types the gateway knows. Refuses to read them. Used by `reading`.
"""

from gateway.extract.mime import Section

HTML = frozenset({"text/html", "application/xhtml+xml", "text/x-amp-html"})
CALENDAR = "text/calendar"
_TEXT = frozenset({CALENDAR, "application/json", "application/xml"}) | HTML
ENRICHED = frozenset({"text/enriched", "text/richtext"})
_NO_TEXT = frozenset({"text/rtf"})
_BY_NAME = {
    ".txt": "text/plain", ".csv": "text/csv", ".htm": "text/html", ".html": "text/html", ".ics": CALENDAR,
}  # fmt: skip
_UNTYPED = frozenset({"application/octet-stream", "application/x-octet-stream", "application/unknown"})
_CALENDARS = frozenset({"application/ics", "text/x-vcalendar"})
_ENVELOPES = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime", "application/pgp-encrypted"})
_SIGNATURES = frozenset(
    {"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature"}
)
_MAGIC = (
    (b"PK\x03\x04", "a zip or Office file"),
    (b"%PDF-", "a PDF file"),
    (b"\xd0\xcf\x11\xe0", "an old Office file"),
    (b"{\\rtf", "an RTF file"),
    (b"\x89PNG", "a picture"),
    (b"GIF8", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"Rar!", "an archive"),
    (b"7z\xbc\xaf", "an archive"),
    (b"\x1f\x8b", "an archive"),
    (b"\x78\x9f\x3e\x22", "winmail.dat"),
)


def media_of(section: Section) -> str:
    """Return the media type to read ``section`` as: the one given, or the one its file name says where none is."""
    media = section.media
    if media in _CALENDARS:
        return CALENDAR
    if media in _UNTYPED:
        names = [name.lower() for name in names_of(section)]
        return next(
            (kind for ending, kind in _BY_NAME.items() for name in names if name.endswith(ending)), media
        )
    return media


def names_of(section: Section) -> tuple[str, ...]:
    """Return what the file of ``section`` is called by its two fields, encoded words not yet decoded."""
    return section.disposition.both("filename") + section.content.both("name")


def is_attachment(section: Section) -> bool:
    """Return whether a mail program lists ``section`` as a file and does not show it in the text."""
    named = "filename" in section.disposition.parameters or "name" in section.content.parameters
    return section.disposition.word == "attachment" or (named and section.parent is not None)


def is_text(section: Section) -> bool:
    """Return whether ``section`` is read as text. A multipart without parts is."""
    media = media_of(section)
    return media in _TEXT or (media.startswith(("text/", "multipart/", "message/")) and media not in _NO_TEXT)


def is_envelope(section: Section) -> bool:
    """Return whether ``section`` is encrypted, or an opaque signature with the text inside it."""
    return section.media in _ENVELOPES


def is_signature(section: Section) -> bool:
    """Return whether ``section`` is the detached signature of a multipart/signed, which says nothing to people."""
    return (
        section.media in _SIGNATURES
        and section.parent is not None
        and section.parent.media == "multipart/signed"
    )


def disguised_as_text(data: bytes) -> str:
    """Return what ``data`` is when its first octets say that it is no text, else nothing."""
    return next((kind for start, kind in _MAGIC if data.startswith(start)), "")


def ancestor(section: Section, media: str) -> Section | None:
    """Return the nearest multipart of type ``media`` around ``section``, within one message."""
    above = section.parent
    while above is not None and not above.is_attached_message:
        if above.media == media:
            return above
        above = above.parent
    return None


def branch(section: Section, above: Section) -> Section:
    """Return the child of ``above`` that ``section`` is in."""
    while section.parent is not None and section.parent is not above:
        section = section.parent
    return section
