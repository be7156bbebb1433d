"""How real mail is read, that nobody here wrote: ``python -m bench.realmail FOLDER... [--log docs/real-mail.md]``.

A folder holds mail as files (``.eml``, ``.txt``) or as lines of JSON with ``subject`` and ``body`` (``.jsonl``), as public
sets of mail often come. A body is given the header that a mail program would have written, and is sent in five
dresses: as it stands, quoted-printable, base64, HTML, and both texts. The words are the same, so the first three must
be read alike. Python's own odd messages (``test.test_email``) are read too, where they are installed.

Prints counts and times, never a word of the mail. Exit status 1 when anything raised or the dresses differ.
"""

import argparse
import base64
import html
import importlib.util
import json
import quopri
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gateway.extract import extract, warm_up
from gateway.model import Authored, CutReason, Limits

LIMITS = Limits()
DRESSES = ("as it stands", "quoted-printable", "base64", "HTML", "text and HTML")


@dataclass(slots=True)
class Row:
    """What became of one set of mail in one dress."""

    mails: int = 0
    raised: int = 0
    nothing: int = 0
    """Mails with words in the body of which nothing was taken as the sender's own."""
    characters: int = 0
    own: int = 0
    uncertain: int = 0
    cut: Counter[CutReason] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    ms: list[float] = field(default_factory=list)
    differ: int = 0
    """Mails read otherwise than as they stand."""

    def add(self, authored: Authored, ms: float) -> None:
        self.mails += 1
        self.ms.append(ms)
        body = [passage for passage in authored.passages if passage.part != "subject"]
        self.own += sum(len(passage.text) for passage in body)
        self.uncertain += sum(len(passage.text) for passage in body if passage.uncertain)
        self.nothing += not body
        self.languages.update({passage.language for passage in body if passage.language})
        for one in authored.cuts:
            self.cut[one.reason] += len(one.text)
        self.unreadable.update(
            {f"{entry.reason.value}: {_without_figures(entry.detail)}" for entry in authored.unreadable}
        )
        self.characters = self.own + sum(self.cut.values())


def _without_figures(detail: str) -> str:
    """Return the detail without names and numbers of the message, so that equal reasons are counted together."""
    words = detail.split(", ", maxsplit=1)[0].partition('"')[0]
    return re.sub(r"\b\d+\b", "n", words).strip()


def dressed(subject: str, body: str) -> dict[str, bytes]:
    """Return the mail in each dress."""
    reply = "In-Reply-To: <before@mail.example>\n" if subject.lower().startswith("re:") else ""
    head = f"From: A Writer <writer@mail.example>\nTo: reader@mail.example\nSubject: {' '.join(subject.split())}\nDate: Wed, 21 Aug 2002 10:54:46 +0000\nMessage-ID: <now@mail.example>\n{reply}MIME-Version: 1.0\n"
    octets = body.encode("utf-8", "surrogateescape")
    markup = (
        "<html><body>"
        + "<br>\n".join(html.escape(line, quote=False).replace("  ", "&nbsp; ") for line in body.split("\n"))
        + "</body></html>"
    )

    def part(media: str, code: str, content: bytes) -> bytes:
        return (
            f"Content-Type: {media}; charset=utf-8\nContent-Transfer-Encoding: {code}\n\n".encode() + content
        )

    both = (
        b"--=_b\n"
        + part("text/plain", "8bit", octets)
        + b"\n--=_b\n"
        + part("text/html", "8bit", markup.encode())
        + b"\n--=_b--\n"
    )
    bodies = (
        part("text/plain", "8bit", octets),
        part("text/plain", "quoted-printable", quopri.encodestring(octets)),
        part("text/plain", "base64", base64.encodebytes(octets)),
        part("text/html", "8bit", markup.encode()),
        b'Content-Type: multipart/alternative; boundary="=_b"\n\n' + both,
    )
    return {name: (head.encode() + content).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for name, content in zip(DRESSES, bodies, strict=True)}  # fmt: skip


def mails_of(folder: Path) -> Iterator[dict[str, bytes]]:
    """Yield each mail of a folder in each dress it has."""
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".jsonl":
            for line in path.read_text(encoding="utf-8").splitlines():
                given = json.loads(line)
                yield dressed(given["subject"], given["body"])
        elif path.suffix in {".eml", ".txt"} and path.name.lower() != "readme.txt":
            yield {"as it stands": path.read_bytes()}


def measured(mails: Iterator[dict[str, bytes]]) -> dict[str, Row]:
    """Return a row for each dress."""
    rows: dict[str, Row] = {}
    for mail in mails:
        plain: tuple[tuple[str, str], ...] | None = None
        for dress, raw in mail.items():
            row = rows.setdefault(dress, Row())
            started = time.process_time_ns()
            try:
                authored = extract(raw, LIMITS)
            except Exception:
                row.mails += 1
                row.raised += 1
                continue
            row.add(authored, (time.process_time_ns() - started) / 1e6)
            said = tuple((one.part, one.text.rstrip()) for one in (*authored.passages, *authored.cuts))
            plain = said if plain is None else plain
            row.differ += dress in DRESSES[1:3] and said != plain
    return rows


def page(found: dict[str, dict[str, Row]]) -> str:
    """Return the tables."""
    out = [
        "| set | dress | mails | raised | differ | no word of the sender's own | own | of it uncertain | quoted | forwarded | signature | disclaimer | repeated | median ms | slowest ms |",
        "|---|---|" + "---:|" * 13,
    ]
    for name, rows in found.items():
        for dress, row in rows.items():
            whole = max(1, row.characters)
            shares = [
                row.own,
                row.uncertain,
                *(
                    row.cut[reason]
                    for reason in (
                        CutReason.QUOTED,
                        CutReason.FORWARDED,
                        CutReason.SIGNATURE,
                        CutReason.DISCLAIMER,
                        CutReason.REPEATED,
                    )
                ),
            ]
            cells = [
                name,
                dress,
                row.mails,
                row.raised,
                row.differ if dress in DRESSES[1:3] else "",
                row.nothing,
                *(f"{100 * share / whole:.1f} %" for share in shares),
                f"{statistics.median(row.ms):.2f}",
                f"{max(row.ms):.1f}",
            ]
            out.append("| " + " | ".join(map(str, cells)) + " |")
    out += [
        "",
        "Shares are of all characters in passages and cuts, the subject aside.",
        "",
        "| set | dress | could not be read, or is named | mails |",
        "|---|---|---|---:|",
    ]
    for name, rows in found.items():
        for dress, row in rows.items():
            out += [
                f"| {name} | {dress} | {reason} | {count} |" for reason, count in row.unreadable.most_common()
            ]
            out += [
                f"| {name} | {dress} | language: {tag} | {count} |"
                for tag, count in row.languages.most_common()
                if tag != "en"
            ]
    return "\n".join(out) + "\n"


def _odd_messages() -> Path | None:
    """Return Python's own odd messages, which most installations of Python carry along with its tests."""
    spec = importlib.util.find_spec("test.test_email")
    folder = Path(spec.origin).parent / "data" if spec is not None and spec.origin else None
    return folder if folder is not None and folder.is_dir() else None


def main() -> int:
    """Print the tables; with ``--log`` put them between the marks in that page."""
    parser = argparse.ArgumentParser(prog="python -m bench.realmail", description=__doc__.partition("\n")[0])
    parser.add_argument("folders", type=Path, nargs="*", help="folders of mail")
    parser.add_argument("--log", type=Path, help="page whose tables are printed again")
    options = parser.parse_args()
    warm_up()
    found = {folder.name: measured(mails_of(folder)) for folder in options.folders}
    odd = _odd_messages()
    if odd is not None:
        found["python's odd messages"] = measured(mails_of(odd))
    printed = page(found)
    print(printed)
    if options.log:
        before, mark, _ = options.log.read_text(encoding="utf-8").partition("<!-- printed -->\n")
        options.log.write_text(before + mark + "\n" + printed, encoding="utf-8")
    return int(any(row.raised or row.differ for rows in found.values() for row in rows.values()))


if __name__ == "__main__":
    sys.exit(main())
