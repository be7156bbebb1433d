"""What reading one mail costs, beside Python's own ``email``: ``python -m bench.extract``.

In one process, without SMTP, workers or rules: `gateway.extract.extract` against ``email.message_from_bytes``, which
only takes the message apart, and against what a filter commonly does with the standard library: parse with
``policy.default`` and take ``get_body().get_content()``, which decodes one text and reads neither HTML nor files.

Every mail is different from the one before. All subjects have their turn at each mail, in an order that moves on,
and a ratio is the median of the ratios mail by mail: what the machine does at that moment cancels out.
"""

import argparse
import base64
import email
import email.policy
import gc
import io
import json
import random
import statistics
import time
import zipfile
import zlib
from collections.abc import Callable
from functools import cache

from bench import mails
from gateway.extract import extract
from gateway.model import Limits

LIMITS = Limits()
SUBJECTS = ("email", "email+text", "extract")
_CONTACT = "contact00000000@home.example"
_MEGABYTE = 1_035_000
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


# --- the mails ----------------------------------------------------------------------------------------------


def html_only(number: int) -> bytes:
    """Return a mail of 20 KB that is HTML alone, as Outlook writes it."""
    raw = mails.pieces("w2")[number % len(mails.pieces("w2"))].numbered(number, _CONTACT)
    head, _, markup = raw.partition(b"<html>")
    markup = b"<html>" + markup.rpartition(b"\r\n--")[0].replace(b"</body></html>", b"")
    rows = markup * (19_000 // len(markup) + 1)
    fields = head.partition(b"Content-Type: multipart")[0]
    return fields + b"Content-Type: text/html; charset=utf-8\r\n\r\n" + rows[:19_200] + b"</body></html>\r\n"


def with_file(name: str, media: str, octets: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """Return a maker of mails of 1 MB: a letter and one attached file."""

    def made(number: int) -> bytes:
        letter = mails.pieces("w1")[number % len(mails.pieces("w1"))].numbered(number, _CONTACT)
        head, _, text = letter.partition(b"Content-Type: text/plain; charset=utf-8\r\n\r\n")
        part = f'Content-Type: {media}; name="{name}"\r\nContent-Disposition: attachment; filename="{name}"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        file = base64.encodebytes(octets(number)).replace(b"\n", b"\r\n")
        return (
            head
            + b'Content-Type: multipart/mixed; boundary="=_b"\r\n\r\n--=_b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n'
            + text + b"\r\n--=_b\r\n" + part.encode() + file + b"--=_b--\r\n"
        )  # fmt: skip

    return made


def _sentences(number: int, characters: int) -> list[str]:
    tail = mails.pieces("w2")[number % len(mails.pieces("w2"))].tail.decode()
    words = tail.partition("text/plain; charset=utf-8\r\n\r\n")[2].partition("--=_")[0].split()
    said = " ".join(words * (characters // max(1, len(" ".join(words))) + 1))[:characters]
    return [said[start : start + 400] for start in range(0, len(said), 400)]


@cache
def _picture() -> bytes:
    return random.Random("picture").randbytes(740_000)


def document(number: int) -> bytes:
    """Return a Word file: twelve pages of text and a photograph."""
    rows = "".join(f'<w:p><w:r><w:rPr><w:sz w:val="22"/></w:rPr><w:t>{line}</w:t></w:r></w:p>' for line in _sentences(number, 24_000))  # fmt: skip
    members = {
        "[Content_Types].xml": '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="jpeg" ContentType="image/jpeg"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
        "_rels/.rels": '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/document.xml": f'<?xml version="1.0"?><w:document xmlns:w="{_W}"><w:body>{rows}</w:body></w:document>',
    }  # fmt: skip
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.writestr(zipfile.ZipInfo("word/media/image1.jpeg"), _picture())
    return file.getvalue()


def page_file(number: int) -> bytes:
    """Return a PDF file: twelve pages of text and a photograph."""
    lines = _sentences(number, 24_000)
    pages = [lines[start : start + 5] for start in range(0, len(lines), 5)]
    kids = " ".join(f"{5 + 2 * place} 0 R" for place in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Type /XObject /Subtype /Image /Width 860 /Height 860 /ColorSpace /DeviceGray /BitsPerComponent 8 /Length 739600 >>\nstream\n" + _picture()[:739_600] + b"\nendstream",
    ]  # fmt: skip
    for place, page in enumerate(pages):
        shown = [line.replace("(", "").replace(")", "").replace("\\", "") for line in page]
        stream = zlib.compress(("BT /F1 9 Tf 12 TL 40 780 Td " + " ".join(f"({line[cut : cut + 100]}) Tj T*" for line in shown for cut in range(0, len(line), 100)) + " ET").encode("latin-1", "replace"))  # fmt: skip
        objects += [
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {6 + 2 * place} 0 R /Resources << /Font << /F1 3 0 R >> /XObject << /I 4 0 R >> >> >>".encode(),
            b"<< /Filter /FlateDecode /Length %d >>\nstream\n" % len(stream) + stream + b"\nendstream",
        ]  # fmt: skip
    out, places = bytearray(b"%PDF-1.7\n"), []
    for place, one in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % place + one + b"\nendobj\n"
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(out)


def noise(number: int) -> bytes:
    """Return octets that are no format anybody knows."""
    return number.to_bytes(8, "big") + _picture()


def _of_size(size: str) -> Callable[[int], bytes]:
    return lambda number: mails.pieces(size)[number % len(mails.pieces(size))].numbered(number, _CONTACT)


CASES: dict[str, Callable[[int], bytes]] = {
    "2 KB text": _of_size("w1"),
    "20 KB text and HTML": _of_size("w2"),
    "20 KB HTML": html_only,
    "1 MB, a Word file": with_file("letter.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", document),
    "1 MB, a PDF file": with_file("letter.pdf", "application/pdf", page_file),
    "1 MB, unknown octets": with_file("data.bin", "application/octet-stream", noise),
}  # fmt: skip


# --- the measuring ------------------------------------------------------------------------------------------


def _with_text(raw: bytes) -> None:
    body = email.message_from_bytes(raw, policy=email.policy.default).get_body(("plain", "html"))
    if body is not None:
        body.get_content()


_WORK: dict[str, Callable[[bytes], object]] = {
    "email": email.message_from_bytes,
    "email+text": _with_text,
    "extract": lambda raw: extract(raw, LIMITS),
}


def measured(made: Callable[[int], bytes], *, count: int) -> dict[str, list[float]]:
    """Return for each subject the milliseconds of processor time of ``count`` different mails, in their order."""
    took: dict[str, list[float]] = {name: [0.0] * count for name in SUBJECTS}
    for number in range(-2, count):
        raw = made(number % count)
        for place in range(len(SUBJECTS)):
            name = SUBJECTS[(number + place) % len(SUBJECTS)]
            gc.collect(0)
            started = time.process_time_ns()
            _WORK[name](raw)
            ended = time.process_time_ns()
            if number >= 0:  # the first ones load what is loaded once
                took[name][number] = (ended - started) / 1e6
    return took


def rows(count: int) -> list[dict[str, object]]:
    """Return one row a case: octets, milliseconds of each subject, and the ratios of extract to the others."""
    out: list[dict[str, object]] = []
    for name, made in CASES.items():
        took = measured(made, count=count if "MB" not in name else max(2, count // 4))
        row: dict[str, object] = {"mail": name, "octets": len(made(0))}
        row |= {subject: round(statistics.median(times), 3) for subject, times in took.items()}
        row["p95"] = round(sorted(took["extract"])[int(0.95 * len(took["extract"]))], 3)
        for subject in SUBJECTS[:-1]:
            ratios = [ours / theirs for ours, theirs in zip(took["extract"], took[subject], strict=True)]
            row[f"to {subject}"] = round(statistics.median(ratios), 2)
        out.append(row)
    return out


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.extract", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--mails",
        type=int,
        default=200,
        help="mails of each small size (default 200; a quarter of that for 1 MB)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a row")
    options = parser.parse_args()
    found = rows(options.mails)
    if options.json:
        print("\n".join(map(json.dumps, found)))
        return
    print(
        "| mail | octets | email ms | email+text ms | extract ms | p95 ms | extract : email | extract : email+text |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for row in found:
        print(
            "| "
            + " | ".join(f"{value:,}" if isinstance(value, int) else str(value) for value in row.values())
            + " |"
        )


if __name__ == "__main__":
    main()
