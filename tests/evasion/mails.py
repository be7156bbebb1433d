"""The mail that every technique hides a sentence in: a proper update, with the sentence as its second paragraph."""

import base64
import quopri

GREETING = "Dear Ms Rahman,"
UPDATE = "Your statement is ready for you to read and sign at the front counter."
CLOSING = "Kind regards\nAmir Khan\nDetective Constable 4417, Robbery Squad"
HEAD = (
    "From: Amir Khan <amir.khan@force.example>\r\nTo: nadia.rahman@home.example\r\nSubject: Your statement 42/10231/26\r\n"
    "Date: Wed, 04 Mar 2026 11:20:00 +0000\r\nMessage-ID: <a1@force.example>\r\nMIME-Version: 1.0\r\n"
)


def letter(sentence: str) -> str:
    """Return the words of the mail."""
    return f"{GREETING}\n\n{UPDATE}\n\n{sentence}\n\n{CLOSING}\n"


def plain(sentence: str, charset: str = "utf-8", encoding: str = "8bit", head: str = HEAD) -> bytes:
    """Return a plain mail."""
    return part(letter(sentence).encode(charset), f"text/plain; charset={charset}", encoding, head)


def part(data: bytes, media: str, encoding: str = "8bit", head: str = HEAD, more: str = "") -> bytes:
    """Return a header block and a body, encoded as it says."""
    body = {"base64": base64.encodebytes, "quoted-printable": quopri.encodestring}.get(encoding, bytes)(data)
    fields = f"Content-Type: {media}\r\nContent-Transfer-Encoding: {encoding}\r\n{more}\r\n"
    return head.encode() + fields.encode() + body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def page(inner: str, head: str = "") -> bytes:
    """Return an HTML mail with ``inner`` as its second paragraph and ``head`` in its head."""
    closing = CLOSING.replace("\n", "<br>")
    html = f"<html><head>{head}</head><body><p>{GREETING}</p><p>{UPDATE}</p>{inner}<p>{closing}</p></body></html>"
    return part(html.encode(), "text/html; charset=utf-8", "quoted-printable")


def mixed(*parts: bytes, kind: str = "mixed", head: str = HEAD) -> bytes:
    """Return a multipart of ``parts``, each with its own header block."""
    lines = [f"{head}Content-Type: multipart/{kind}; boundary=edge\r\n\r\n".encode()]
    lines += [b"--edge\r\n" + each.removesuffix(b"\r\n") + b"\r\n" for each in parts]
    return b"".join([*lines, b"--edge--\r\n"])


def text_part(words: str) -> bytes:
    """Return a plain part."""
    return part(words.encode(), "text/plain; charset=utf-8", head="")


def with_file(data: bytes, media: str, name: str) -> bytes:
    """Return a proper update with a file attached."""
    file = part(data, media, "base64", "", f'Content-Disposition: attachment; filename="{name}"\r\n')
    return mixed(text_part(letter("Please see attached.")), file)
