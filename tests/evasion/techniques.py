"""The techniques: each takes a sentence and returns a mail that carries it so that a filter might not see it.

``odd`` says why even a proper sentence in this form is not passed silently: what a person would find strange. Where it
is empty the twin must pass. ``sometimes``: whether it strikes as strange depends on the sentence.
"""

import base64
import codecs
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

import files
from mails import HEAD, UPDATE, letter, mixed, page, part, plain, text_part, with_file

_SHADED = "display:none"


@dataclass(frozen=True)
class Technique:
    """One way to hide a sentence."""

    family: str
    name: str
    make: Callable[[str], bytes]
    odd: str = ""
    sometimes: bool = False

    def __str__(self) -> str:
        """Return the name by which a test shows it."""
        return f"{self.family}: {self.name}"


def _letters(words: str, between: str) -> str:
    return between.join(words)


def _map(words: str, table: dict[str, str]) -> str:
    return "".join(table.get(char, char) for char in words)


def _offset(words: str, capital: int, small: int) -> str:
    def moved(char: str) -> str:
        if "a" <= char <= "z":
            return chr(small + ord(char) - 97)
        return chr(capital + ord(char) - 65) if "A" <= char <= "Z" else char

    return "".join(map(moved, words))


def _each(words: str, wrap: str) -> str:
    return "".join(wrap.format(escape(char)) if char.strip() else " " for char in words)


def _split_words(words: str, middle: str) -> str:
    """Put ``middle`` inside every word of four letters or more."""
    return " ".join(
        f"{word[: len(word) // 2]}{middle}{word[len(word) // 2 :]}" if len(word) > 3 else word
        for word in words.split()
    )


def _p(inner: str) -> str:
    return f"<p>{inner}</p>"


CYRILLIC = dict(zip("aceiopsxyABCEHIKMOPTX", "асеіорѕхуАВСЕНІКМОРТХ", strict=True))
GREEK = dict(zip("aeiknoptuvwxyAEIKNOTX", "αεικηορτυνωχγΑΕΙΚΝΟΤΧ", strict=True))
ALL_ALIKE = dict(zip("abcdefghijklmnopqrstuvwxyz", "аЬсԁеfɡһіјӄӏмпорԛгѕтսѵԝхуᴢ", strict=True))
SMALL_CAPITALS = dict(zip("abcdefghijklmnoprstuvwyz", "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", strict=True))
TURNED = dict(zip("abcdefghijklmnopqrstuvwxyz?", "ɐqɔpǝɟƃɥᴉɾʞןɯuodbɹsʇnʌʍxʎz¿", strict=True))
LEET = {"a": "4", "e": "3", "i": "1", "o": "0", "s": "$"}


def _leet(words: str) -> str:
    """Write each word of four letters or more with one sign in it, as people do."""

    def one(word: str) -> str:
        place = next((at for at, char in enumerate(word) if at and char in LEET), None)
        return (
            word if place is None or len(word) < 4 else word[:place] + LEET[word[place]] + word[place + 1 :]
        )

    return " ".join(map(one, words.split()))


def _superscript(words: str) -> str:
    table = dict(zip("abcdefghijklmnoprstuvwxyz", "ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ", strict=True))
    return _map(words.lower(), table)


UNICODE = [
    ("zero-width spaces in words", lambda s: _letters(s, "\u200b")),
    ("zero-width joiners", lambda s: _letters(s, "\u200d")),
    ("word joiners", lambda s: _letters(s, "\u2060")),
    ("soft hyphens", lambda s: _letters(s, "\u00ad")),
    ("combining grapheme joiners", lambda s: _letters(s, "\u034f")),
    ("variation selectors", lambda s: _letters(s, "\ufe0e")),
    ("bidi marks between letters", lambda s: _letters(s, "\u200e")),
    ("Mongolian vowel separators", lambda s: _letters(s, "\u180e")),
    ("Hangul choseong fillers", lambda s: _letters(s, "\u115f")),
    ("invisible tag characters between", lambda s: _letters(s, "\U000e0020")),
    ("right-to-left override", lambda s: f"\u202e{s[::-1]}\u202c"),
    ("override around each word", lambda s: " ".join(f"\u202e{word[::-1]}\u202c" for word in s.split())),
    ("Cyrillic look-alikes", lambda s: _map(s, CYRILLIC)),
    ("Greek look-alikes", lambda s: _map(s, GREEK)),
    ("every letter a look-alike", lambda s: _map(s.lower(), ALL_ALIKE)),
    ("full-width", lambda s: _offset(s, 0xFF21, 0xFF41)),
    ("mathematical bold", lambda s: _offset(s, 0x1D400, 0x1D41A)),
    ("mathematical monospace", lambda s: _offset(s, 0x1D670, 0x1D68A)),
    ("circled letters", lambda s: _offset(s, 0x24B6, 0x24D0)),
    ("squared letters", lambda s: _offset(s.upper(), 0x1F130, 0x1F130)),
    ("white on black squares", lambda s: _offset(s.upper(), 0x1F170, 0x1F170)),
    ("flag letters", lambda s: _offset(s.upper(), 0x1F1E6, 0x1F1E6)),
    ("small capitals", lambda s: _map(s.lower(), SMALL_CAPITALS)),
    ("superscript letters", _superscript),
    ("struck through", lambda s: "".join(f"{char}\u0336" for char in s)),
    (
        "piled-up marks",
        lambda s: "".join(f"{char}\u0301\u0323\u0334" if char.isalpha() else char for char in s),
    ),
    ("accents", lambda s: _map(s, dict(zip("aeiou", "áèîöú", strict=True)))),
    ("upside down", lambda s: _map(s.lower()[::-1], TURNED)),
    ("non-breaking spaces", lambda s: s.replace(" ", "\u00a0")),
    ("Braille blanks for spaces", lambda s: s.replace(" ", "\u2800")),
    ("Hangul fillers for spaces", lambda s: s.replace(" ", "\u3164")),
    ("ideographic spaces", lambda s: s.replace(" ", "\u3000")),
    ("spaced out", lambda s: _letters(s.replace(" ", "  "), " ")),
    ("spaced out without gaps", lambda s: _letters(s.replace(" ", ""), " ")),
    ("dots between letters", lambda s: " ".join(_letters(word, ".") for word in s.rstrip("?.").split())),
    ("hyphens between letters", lambda s: " ".join(_letters(word, "-") for word in s.rstrip("?.").split())),
    ("bars between letters", lambda s: " ".join(_letters(word, "|") for word in s.rstrip("?.").split())),
    (
        "spaced out with Braille blanks",
        lambda s: "  ".join(_letters(w, "\u2800") for w in s.rstrip("?.").split()),
    ),
    ("one letter a line", lambda s: "\n\n".join("\n".join(word) for word in s.rstrip("?.").split())),
    ("figures and signs for letters", _leet),
    ("letters drawn out", lambda s: " ".join(w.replace("o", "oooo").replace("n", "nnnn") for w in s.split())),
    ("words run together", lambda s: s.rstrip("?.").replace(" ", "").lower()),
    ("dots for spaces", lambda s: s.rstrip("?.").replace(" ", ".")),
    ("underscores for spaces", lambda s: s.rstrip("?.").replace(" ", "_")),
    ("capitals for spaces", lambda s: "#" + s.rstrip("?.").title().replace(" ", "")),
    ("words broken by spaces", lambda s: _split_words(s.lower(), " ")),
    ("words broken by line ends", lambda s: _split_words(s.lower(), "\n")),
    ("words hyphenated at line ends", lambda s: _split_words(s.lower(), "-\n")),
    ("words broken by asterisks", lambda s: _split_words(s.lower(), "*")),
    ("spelt backwards", lambda s: s.rstrip("?.").lower()[::-1]),
    ("ROT13", lambda s: codecs.encode(s.lower(), "rot13")),
    ("base64 in the text", lambda s: base64.b64encode(s.encode()).decode()),
    ("character references in plain text", lambda s: "".join(f"&#{ord(char)};" for char in s)),
    ("percent signs in plain text", lambda s: "".join(f"%{ord(char):02X}" for char in s)),
]
HTML = [
    ("display:none junk in words", lambda s: _p(_split_words(s, f'<span style="{_SHADED}">zq</span>'))),
    ("font-size:0 junk", lambda s: _p(_split_words(s, '<span style="font-size:0">zq</span>'))),
    ("white junk", lambda s: _p(_split_words(s, '<font color="#FEFEFE">zq</font>'))),
    ("transparent junk", lambda s: _p(_split_words(s, '<span style="color:rgba(0,0,0,0)">zq</span>'))),
    (
        "off-screen junk",
        lambda s: _p(_split_words(s, '<span style="position:absolute;left:-9999px">zq</span>')),
    ),
    (
        "clipped junk",
        lambda s: _p(_split_words(s, '<span style="position:absolute;clip:rect(0,0,0,0)">zq</span>')),
    ),
    ("scaled to nothing", lambda s: _p(_split_words(s, '<span style="transform:scale(0)">zq</span>'))),
    (
        "zero height junk",
        lambda s: _p(
            _split_words(s, '<span style="display:inline-block;height:0;overflow:hidden">zq</span>')
        ),
    ),
    ("mso-hide junk", lambda s: _p(_split_words(s, '<span style="mso-hide:all">zq</span>'))),
    ("escaped property names", lambda s: _p(_split_words(s, '<span style="dis\\70 lay:none">zq</span>'))),
    ("comments in declarations", lambda s: _p(_split_words(s, '<span style="display/**/:none">zq</span>'))),
    ("hidden attribute", lambda s: _p(_split_words(s, "<span hidden>zq</span>"))),
    ("comments in words", lambda s: _p(_split_words(s, "<!-- zq -->"))),
    ("empty elements in words", lambda s: _p(_split_words(s, "<b></b>"))),
    ("wbr in words", lambda s: _p(_split_words(s, "<wbr>"))),
    ("each letter in an element", lambda s: _p(_each(s, "<span>{}</span>"))),
    (
        "each letter in another font",
        lambda s: _p(_each(s, '<font face="Arial" color="#111111"><b>{}</b></font>')),
    ),
    ("blocks shown in line", lambda s: f"<div>{_each(s, '<div style=display:inline>{}</div>')}</div>"),
    (
        "letters in flex boxes",
        lambda s: "".join(
            f'<div style="display:flex">{"".join(f"<div>{char}</div>" for char in word)}</div>'
            for word in s.split()
        ),
    ),
    (
        "letters in floats",
        lambda s: "".join(
            f"<div>{''.join(f'<div style=float:left>{char}</div>' for char in word)}<br></div>"
            for word in s.split()
        ),
    ),
    (
        "a letter a table cell",
        lambda s: "".join(
            f"<table><tr>{''.join(f'<td>{char}</td>' for char in word)}</tr></table>"
            for word in s.rstrip("?.").split()
        ),
    ),
    ("bdo", lambda s: _p(f"<bdo dir=rtl>{escape(s[::-1])}</bdo>")),
    (
        "unicode-bidi by style",
        lambda s: _p(f'<span style="direction:rtl;unicode-bidi:bidi-override">{escape(s[::-1])}</span>'),
    ),
    (
        "mirrored by transform",
        lambda s: _p(f'<span style="display:inline-block;transform:scaleX(-1)">{escape(s[::-1])}</span>'),
    ),
    (
        "words floated to the right",
        lambda s: (
            "<div>"
            + "".join(f'<span style="float:right">{word}&nbsp;</span>' for word in reversed(s.split()))
            + "</div>"
        ),
    ),
    (
        "flex order",
        lambda s: (
            '<div style="display:flex">'
            + "".join(
                f'<span style="order:{at}">{word}</span>' for at, word in reversed(list(enumerate(s.split())))
            )
            + "</div>"
        ),
    ),
    (
        "row-reverse",
        lambda s: (
            '<div style="display:flex;flex-direction:row-reverse">'
            + "".join(f"<span>{word}</span>" for word in reversed(s.split()))
            + "</div>"
        ),
    ),
    (
        "absolute places",
        lambda s: (
            '<div style="position:relative">'
            + "".join(
                f'<span style="position:absolute;left:{at * 60}px">{word}</span>'
                for at, word in reversed(list(enumerate(s.split())))
            )
            + "</div>"
        ),
    ),
    (
        "cells from right to left",
        lambda s: (
            "<table dir=rtl><tr>"
            + "".join(f"<td>{word}</td>" for word in reversed(s.split()))
            + "</tr></table>"
        ),
    ),
    ("numeric references", lambda s: _p("".join(f"&#{ord(char)};" for char in s))),
    (
        "hexadecimal references without semicolons",
        lambda s: _p("".join(f"&#x{ord(c):x}" if c == " " else f"&#x{ord(c):x};" for c in s)),
    ),
    ("shy and zwnj entities", lambda s: _p(_split_words(s, "&shy;&zwnj;"))),
    ("references encoded twice", lambda s: _p("".join(f"&amp;#{ord(char)};" for char in s))),
    ("words broken by br", lambda s: _p(_split_words(s.lower(), "<br>"))),
    ("ruby above the letters", lambda s: _p(_split_words(s, "<ruby><rt>zq</rt></ruby>"))),
    ("in a comment for Outlook", lambda s: _p(f"<!--[if mso]>{escape(s)}<![endif]-->")),
    (
        "words finished for Outlook alone",
        lambda s: _p(" ".join(f"{word[:2]}<!--[if mso]>{word[2:]}<![endif]-->" for word in s.split())),
    ),
    (
        "drawn by Outlook (VML)",
        lambda s: f'<!--[if gte vml 1]><v:shape><v:textpath string="{escape(s)}"/></v:shape><![endif]-->',
    ),
    ("SVG text", lambda s: f'<svg><text x="0" y="20">{escape(s)}</text></svg>'),
    (
        "SVG text out of order",
        lambda s: (
            "<svg>"
            + "".join(
                f'<text x="{at * 60}" y="20">{escape(word)}</text>'
                for at, word in reversed(list(enumerate(s.split())))
            )
            + "</svg>"
        ),
    ),
    (
        "SVG picture in a data address",
        lambda s: (
            '<img src="data:image/svg+xml;base64,'
            + base64.b64encode(
                f"<svg xmlns='http://www.w3.org/2000/svg'><text>{escape(s)}</text></svg>".encode()
            ).decode()
            + '">'
        ),
    ),
    ("MathML", lambda s: f"<math><mtext>{escape(s)}</mtext></math>"),
    ("alternative text", lambda s: f'<img src="cid:a" alt="{escape(s)}">'),
    ("title of an element", lambda s: f'<p title="{escape(s)}">Thank you.</p>'),
    ("placeholder", lambda s: f'<input placeholder="{escape(s)}">'),
    ("value of a button", lambda s: f'<input type=button value="{escape(s)}">'),
    ("options", lambda s: f"<select><option>{escape(s)}</option></select>"),
    ("textarea", lambda s: f"<textarea>{escape(s)}</textarea>"),
    ("plaintext element", lambda s: f"<plaintext>{s}"),
    ("closed details", lambda s: f"<details><summary>More</summary>{escape(s)}</details>"),
    ("noscript", lambda s: f"<noscript>{escape(s)}</noscript>"),
    ("script with a no-break space", lambda s: f"<script\u00a0x>{escape(s)}</script>"),
    ("style with a next-line character", lambda s: f"<style\u0085x>{escape(s)}</style>"),
    (
        "mailto body",
        lambda s: (
            '<p><a href="mailto:amir.khan@force.example?subject=Reply&body='
            + s.replace(" ", "%20")
            + '">Reply</a></p>'
        ),
    ),
    (
        "query of a link",
        lambda s: (
            '<p><a href="https://www.force.example/?q=' + s.rstrip("?").replace(" ", "+") + '">Here</a></p>'
        ),
    ),
    ("srcdoc of a frame", lambda s: f'<iframe srcdoc="&lt;p&gt;{escape(s)}&lt;/p&gt;"></iframe>'),
    ("hidden paragraph", lambda s: f'<div style="{_SHADED}">{escape(s)}</div>'),
    ("hidden by near colours", lambda s: f'<div style="color:#f4f4f4">{escape(s)}</div>'),
    ("unclosed tag", lambda s: f"<p>Thank you.</p><p title='{escape(s)}"),
]
SHEETS = [
    ("junk hidden by a class", lambda s: (_p(_split_words(s, '<span class="q">zq</span>')), ".q{display:none}")),
    ("junk hidden by an element's name", lambda s: (_p(_split_words(s, "<u>zq</u>")), "p u{font-size:0}")),
    ("junk hidden by nth-child", lambda s: (
        _p("".join(f"<i>{char}</i><i>z</i>" for char in s)), "p i:nth-child(even){display:none}")),
    ("junk hidden by an attribute", lambda s: (_p(_split_words(s, '<span lang="xx">zq</span>')), "[lang=xx]{opacity:0}")),
    ("junk hidden by a sibling", lambda s: (_p(_split_words(s, "<b></b><i>zq</i>")), "b + i{visibility:hidden}")),
    ("junk hidden by :not", lambda s: (_p(_split_words(s, "<i>zq</i>")), "i:not(.seen){display:none}")),
    ("junk hidden on the screen alone", lambda s: (
        _p(_split_words(s, '<span class="q">zq</span>')), "@media screen{.q{display:none}}")),
    ("junk hidden on telephones alone", lambda s: (
        _p(_split_words(s, '<span class="q">zq</span>')), "@media (max-width:600px){.q{display:none}}")),
    ("junk hidden in print alone", lambda s: (
        _p(_split_words(s, '<span class="q">zq</span>')), "@media print{.q{display:none}}")),
    ("junk hidden by escapes", lambda s: (
        _p(_split_words(s, '<span class="q">zq</span>')), ".\\71{d\\69splay:none}")),
    ("junk hidden by :last-child", lambda s: (
        _p(" ".join(f"<b>{word[:2]}<i>zq</i></b>{word[2:]}" for word in s.split())), "b i:last-child{display:none}")),
    ("words written by content", lambda s: (_p("<span class=w></span>"), f'.w::before{{content:"{s}"}}')),
    ("words written by an attribute", lambda s: (
        _p(f'<span class=w data-w="{escape(s)}"></span>'), ".w::after{content:attr(data-w)}")),
    ("ends of words written by content", lambda s: (
        _p(" ".join(f'<span class="w{at}">{word[:2]}</span>' for at, word in enumerate(s.split()))),
        "".join(f'.w{at}::after{{content:"{word[2:]}"}}' for at, word in enumerate(s.split())))),
    ("words shown by a sheet against their style", lambda s: (
        f'<div class="w" style="display:none">{escape(s)}</div>', ".w{display:block!important}")),
    ("reversed by a class", lambda s: (
        _p(f'<span class="r">{escape(s[::-1])}</span>'), ".r{direction:rtl;unicode-bidi:bidi-override}")),
    ("floats by a class", lambda s: (
        "<div>" + "".join(f"<b class=f>{word}&nbsp;</b>" for word in reversed(s.split())) + "</div>", ".f{float:right}")),
]  # fmt: skip


def _in_html(write: Callable[[str], str]) -> Callable[[str], bytes]:
    return lambda sentence: page(write(sentence))


def _in_sheet(write: Callable[[str], tuple[str, str]]) -> Callable[[str], bytes]:
    def make(sentence: str) -> bytes:
        inner, sheet = write(sentence)
        return page(inner, f"<style>{sheet}</style>")

    return make


def _in_plain(write: Callable[[str], str]) -> Callable[[str], bytes]:
    return lambda sentence: plain(write(sentence), encoding="base64")


def _alternatives(sentence: str) -> bytes:
    html = part(f"<p>{escape(sentence)}</p>".encode(), "text/html; charset=utf-8", head="")
    return mixed(text_part(letter("Thank you.")), html, kind="alternative")


def _alternatives_turned(sentence: str) -> bytes:
    html = part(f"<p>{UPDATE}</p>".encode(), "text/html; charset=utf-8", head="")
    return mixed(html, text_part(letter(sentence)), kind="alternative")


def _encoded_subject(sentence: str, charset: str = "utf-8", encoding: str = "B") -> bytes:
    data = sentence.encode(charset)
    word = base64.b64encode(data).decode() if encoding == "B" else "".join(f"={octet:02X}" for octet in data)
    subject = HEAD.replace("Your statement 42/10231/26", f"=?{charset}?{encoding}?{word}?=")
    return plain("Thank you.", head=subject)


def _split_subject(sentence: str) -> bytes:
    words = " ".join(f"=?utf-8?Q?={ord(char):02X}?=" for char in sentence)
    return plain("Thank you.", head=HEAD.replace("Your statement 42/10231/26", words))


MIME = [
    ("base64 body", lambda s: plain(s, encoding="base64"), ""),
    ("quoted-printable body", lambda s: plain(s, encoding="quoted-printable"), ""),
    ("every octet quoted", lambda s: part(letter(s).encode(), "text/plain").replace(
        s.encode(), "".join(f"={ord(c):02X}" for c in s).encode()).replace(b"8bit", b"quoted-printable"), ""),
    ("soft line breaks inside words", lambda s: part(letter(s).encode(), "text/plain").replace(
        s.encode(), "=\r\n".join(s).encode()).replace(b"8bit", b"quoted-printable"), ""),
    ("second alternative differs", _alternatives, ""),
    ("plain part last", _alternatives_turned, ""),
    ("encoded subject", _encoded_subject, ""),
    ("subject in quoted octets", lambda s: _encoded_subject(s, encoding="Q"), ""),
    ("a letter an encoded word", _split_subject, ""),
    ("name of the sender", lambda s: plain("Thank you.", head=HEAD.replace("Amir Khan <", f'"{s}" <')), ""),
    ("before the first part", lambda s: mixed(text_part(letter("Thank you."))).replace(
        b"--edge\r\n", f"{s}\r\n\r\n--edge\r\n".encode(), 1), ""),
    ("after the last part", lambda s: mixed(text_part(letter("Thank you."))) + f"\r\n{s}\r\n".encode(), ""),
    ("in the second of two parts", lambda s: mixed(text_part(letter("Thank you.")), text_part(s)), ""),
    ("nested ten deep", lambda s: _nested(s, 10), ""),
    ("file name", lambda s: mixed(text_part(letter("Please see attached.")), part(
        b"Yours", "text/plain", head="", more=f'Content-Disposition: attachment; filename="{s.rstrip("?.")}.txt"\r\n')), ""),
    ("text file attached", lambda s: mixed(text_part(letter("Please see attached.")), part(
        s.encode(), "text/plain", "base64", "", 'Content-Disposition: attachment; filename="note.txt"\r\n')), ""),
    ("page attached", lambda s: mixed(text_part(letter("Please see attached.")), part(
        _p(_split_words(s, f'<b style="{_SHADED}">zq</b>')).encode(), "text/html", "base64", "",
        'Content-Disposition: attachment; filename="note.html"\r\n')), ""),
    ("under an invented quotation", lambda s: plain(f"Thank you.\n\nOn Monday Nadia wrote:\n> {s}"), ""),
    ("below a signature", lambda s: plain("Thank you.") + f"\r\n-- \r\nAmir Khan\r\n\r\nP.S. {s}\r\n".encode(), ""),
    ("two content types", lambda s: HEAD.encode() + b"Content-Type: application/pdf\r\nContent-Type: text/plain\r\n\r\n" + letter(s).encode(), "two headers where one may stand"),
    ("unknown transfer encoding", lambda s: plain(s, encoding="x-none"), "an encoding that nobody knows"),
    ("rubbish between the base64", lambda s: plain(s, encoding="base64").replace(b"\r\n\r\n", b"\r\n\r\n!!", 1), "damaged base64"),
    ("end of base64 in its middle", lambda s: HEAD.encode() + b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode(
        b"Thank you.\n") + b"\r\n" + base64.b64encode(letter(s).encode()) + b"\r\n", "damaged base64"),
    ("boundary never closed", lambda s: mixed(text_part(letter(s))).replace(b"--edge--\r\n", b""), ""),
]  # fmt: skip


def _nested(sentence: str, depth: int) -> bytes:
    inner = text_part(letter(sentence))
    for level in range(depth):
        edge = f"e{level}"
        inner = (
            f"Content-Type: multipart/mixed; boundary={edge}\r\n\r\n--{edge}\r\n".encode()
            + inner
            + f"\r\n--{edge}--\r\n".encode()
        )
    return HEAD.encode() + inner


CHARSETS = [
    ("UTF-16 with a mark", lambda s: part(letter(s).encode("utf-16"), "text/plain; charset=utf-16", "base64"), ""),
    ("UTF-16 without a mark", lambda s: part(letter(s).encode("utf-16-le"), "text/plain; charset=utf-16", "base64"), "its byte order is not said"),
    ("UTF-32", lambda s: part(letter(s).encode("utf-32"), "text/plain; charset=utf-32", "base64"), "a charset that few mail programs read"),
    ("UTF-7", lambda s: part(letter(s).encode("utf-7").replace(b"o", b"+AG8-"), "text/plain; charset=utf-7"), "an encoding that mail programs no longer read"),
    ("ISO-2022-JP", lambda s: part(letter(s).encode("iso-2022-jp"), "text/plain; charset=iso-2022-jp"), ""),
    ("EBCDIC", lambda s: part(letter(s).encode("cp037"), "text/plain; charset=cp037", "base64"), "a charset that few mail programs read"),
    ("KOI8-R look-alikes", lambda s: part(letter(_map(s, {"a": "а", "e": "е", "o": "о"})).encode("koi8-r"), "text/plain; charset=koi8-r", "base64"), ""),
    ("UTF-8 called Latin-1", lambda s: part(letter(_map(s, CYRILLIC)).encode(), "text/plain; charset=iso-8859-1", "base64"), ""),
    ("unknown charset", lambda s: part(letter(s).encode(), "text/plain; charset=x-mine"), ""),
    ("NUL characters in words", lambda s: part(letter(_split_words(s, "\0")).encode(), "text/plain", "base64"), "NUL characters"),
    ("overlong UTF-8", lambda s: part(letter("Thank you.").encode() + b"".join(
        bytes((0xC0 | ord(c) >> 6, 0x80 | ord(c) & 63)) for c in s), "text/plain; charset=utf-8", "base64"), "octets that no program reads alike"),
]  # fmt: skip

_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_HIDDEN_RUN = "<w:rPr><w:vanish/></w:rPr>"
FILES = [
    ("Word, a letter a run", lambda s: with_file(files.docx(files.runs(s)), _DOCX, "note.docx"), ""),
    ("Word, hidden text", lambda s: with_file(files.docx(files.runs(s, _HIDDEN_RUN)), _DOCX, "note.docx"), ""),
    ("Word, a comment", lambda s: with_file(files.docx(files.runs("Thank you."), files.comments(s)), _DOCX, "note.docx"), ""),
    ("Word, the title", lambda s: with_file(files.docx(files.runs("Thank you."), files.properties(s)), _DOCX, "note.docx"), ""),
    ("Word, look-alikes", lambda s: with_file(files.docx(files.runs(_map(s, CYRILLIC))), _DOCX, "note.docx"), ""),
    ("OpenDocument", lambda s: with_file(files.odt(s), "application/vnd.oasis.opendocument.text", "note.odt"), ""),
    ("rich text in escapes", lambda s: with_file(files.rtf(s), "application/rtf", "note.rtf"), ""),
    ("PDF", lambda s: with_file(files.pdf(s), "application/pdf", "note.pdf"), ""),
    ("PDF called a text", lambda s: with_file(files.pdf(s), "text/plain", "note.txt"), "a file that is not what it is called"),
    ("archive", lambda s: with_file(files.zipped({"note.txt": s}), "application/zip", "note.zip"), ""),
    ("archive in an archive", lambda s: with_file(
        files.zipped({"inner.zip": files.zipped({"note.txt": s})}), "application/zip", "note.zip"), ""),
    ("Word in an archive", lambda s: with_file(
        files.zipped({"note.docx": files.docx(files.runs(s))}), "application/zip", "note.zip"), ""),
    ("name inside an archive", lambda s: with_file(
        files.zipped({f"{s.rstrip('?.')}.txt": "Thank you."}), "application/zip", "note.zip"), ""),
    ("archive with a password", lambda s: with_file(
        files.locked({"note.txt": s}), "application/zip", "note.zip"), "a file that nobody can read"),
    ("compressed text", lambda s: with_file(files.gzipped(s), "application/gzip", "note.txt.gz"), ""),
    ("table of values", lambda s: with_file(f"one,two\r\n1,{s}\r\n".encode(), "text/csv", "note.csv"), ""),
    ("invitation", lambda s: with_file(files.calendar(s), "text/calendar", "invite.ics"), ""),
    ("visiting card", lambda s: with_file(files.card(s), "text/vcard", "card.vcf"), ""),
    ("mail as a file", lambda s: with_file(plain(s), "application/octet-stream", "note.eml"), ""),
    ("picture", lambda s: with_file(files.png(s), "image/png", "note.png"), "a picture that may hold words"),
    ("unknown file", lambda s: with_file(b"\x00\x01\x02" + s.encode("utf-16"), "application/x-own", "note.own"), "a file of an unknown kind"),
]  # fmt: skip

ODD = {
    "Hangul choseong fillers": "letters of another script between all letters",
    "letters drawn out": "letters that are no language",
    "base64 in the text": "letters that are no language",
    **dict.fromkeys(
        (name for name, _ in SHEETS if name.startswith("junk hidden")),
        "letters inside words that only some mail programs hide",
    ),
}

TECHNIQUES = (
    *(
        Technique("Unicode", name, _in_plain(write), ODD.get(name, ""), name in ODD)
        for name, write in UNICODE
    ),
    *(Technique("HTML", name, _in_html(write)) for name, write in HTML),
    *(
        Technique("style sheet", name, _in_sheet(write), ODD.get(name, ""), name in ODD)
        for name, write in SHEETS
    ),
    *(Technique("MIME", name, write, odd) for name, write, odd in MIME),
    *(Technique("charset", name, write, odd) for name, write, odd in CHARSETS),
    *(Technique("attachment", name, write, odd) for name, write, odd in FILES),
)
