"""Mail out of a grammar: what a client could have written, and what an attacker would.

Every choice comes from the `random.Random` that is given, so a message is a function of its seed. A message is a
header and an entity; an entity is a text, a multipart, an attached message or a file; each has a small chance of
every oddity that RFC 2045 to 2047, 2231 and 5322 leave room for. Words named ``marker`` are planted in text that an
ordinary reader would see: `invariants` looks for them again.
"""

import base64
import quopri
from random import Random

import odd_files

MARKERS = ("Vexquilt", "Zamborin", "Quorlatch")
"""Words of no language, in plain ASCII: nothing but the place where they stand says whether they are read."""
_WORDS = [
    "the",
    "statement",
    "hearing",
    "court",
    "officer",
    "please",
    "telephone",
    "Friday",
    "lovely",
    "drink",
    "after",
    "work",
    "you",
    "looked",
    "amazing",
    "kind",
    "regards",
    "case",
    "reference",
    "exhibit",
    "witness",
    "victim",
    "evidence",
    "tonight",
    "just",
    "us",
    "secret",
    "delete",
    "photo",
    "number",
    "personal",
    "home",
    "single",
    "husband",
    "dinner",
    "tea",
    "thank",
    "sorry",
    "property",
    "returned",
    "police",
    "station",
    "solicitor",
    "review",
    "appeal",
    "miss",
    "dream",
    "x",
    "xx",
    "42/10231/26",
    "07700",
    "900123",
    "amir.khan@force.example",
    "https://town.example/a?b=c",
    "A",
    "1",
    "2",
    "3",
]
_NAMES = (
    "Amir Khan",
    "Nadia",
    "DC 4417 Khan",
    "Khan, Amir (Robbery)",
    "=?utf-8?q?Am=C3=ADr?=",
    '"O\'Neil"',
    "",
)
_ADDRESSES = ("amir.khan@force.example", "nadia@home.example", "joseph@home.example", "a@b.example", "x@bücher.example", "undisclosed", "")  # fmt: skip
_CHARSETS = (
    "utf-8", "utf-8", "us-ascii", "iso-8859-1", "windows-1252", "utf-7", "utf-16", "utf-16le", "utf-32", "iso-2022-jp",
    "gb18030", "hz", "cp037", "macintosh", "koi8-r", "x-unknown", "utf8", "unicode", "idna", '"', "utf-8*", "rot13",
)  # fmt: skip
_TEXT_TYPES = ("text/plain", "text/html", "text/calendar", "text/enriched", "text/csv", "text/rtf", "text/x-amp-html", "text/", "TEXT/Plain", "text/rfc822-headers", "application/xhtml+xml", "message/delivery-status")  # fmt: skip
_MULTIPARTS = ("mixed", "mixed", "alternative", "alternative", "related", "signed", "encrypted", "digest", "report", "parallel", "x-unknown", "form-data", "appledouble")  # fmt: skip
_CODES = ("8bit", "binary", "quoted-printable", "base64", "base64", "quoted-printable", "7bit", "", "x-uuencode", "x-unknown", "BASE64 ", "base64 (x)")  # fmt: skip
_SOUP = (
    "\u200b", "\u200d", "\u00ad", "\u202e", "\u202c", "\u2066", "\ufeff", "\u0301" * 8, "\u0489", "\ufe0f", "\U000e0061", "ｄｒｉｎｋ",
    "𝖉𝖗𝖎𝖓𝖐", "ⓓⓡⓘⓝⓚ", "dгіnk", "d r i n k", "d.r.i.n.k", "dr1nk", "😘", "👩‍❤️‍💋‍👨", "🇩🇷🇮🇳🇰", "\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c",
    "ﬁ", "İ", "ß", "ǅ", "\u3164", "\u2800", "ꓓrink", "ʞuᴉɹp", "안녕", "مرحبا", "שלום", "\U0010ffff", "\ufffe", "\u0000",
)  # fmt: skip
_LAYOUTS = (
    "On 3 Mar 2026, at 10:14, Nadia <nadia@home.example> wrote:\n> {a}\n> {b}\n",
    "On Tue, 3 Mar 2026 at 10:14 Nadia wrote:\n\n{a}\n{b}\n",
    "-----Original Message-----\nFrom: Nadia\nSent: 03 March 2026 10:14\nTo: Amir Khan\nSubject: Re: case\n\n{a}\n{b}\n",
    "________________________________\nFrom: Nadia <nadia@home.example>\nSent: Tuesday\nTo: Amir\n\n{a}\n",
    "---------- Forwarded message ---------\nFrom: Nadia\nDate: Tue\nSubject: x\nTo: Amir\n\n{a}\n{b}\n",
    "Begin forwarded message:\n\n> From: Nadia\n> {a}\n",
    "> {a}\n{b}\n>> {a}\n> > {b}\n",
    "Ar 3 Mawrth 2026, ysgrifennodd Nadia:\n> {a}\n",
    "Oddi wrth: Nadia\nAnfonwyd: dydd Mawrth\nAt: Amir\nPwnc: achos\n\n{a}\n",
    "NB> {a}\nNB> {b}\n", "| {a}\n", ">From {a}\n", "Nadia wrote:\n", "{a}\n\nSent from my iPhone\n",
    "Kind regards\n\nDC 4417 Amir Khan\nRobbery Squad\nTel: 101\n{a}\n", "-- \nAmir\n{a}\n",
    "This email is confidential and intended for the addressee only. {a}\n{b}\n",
    "begin 644 x.txt\n#0V%T\n`\nend\n", "=ybegin line=128 size=3 name=x\nabc\n=yend size=3\n", "-----BEGIN PGP MESSAGE-----\n\nabc\n-----END PGP MESSAGE-----\n",
)  # fmt: skip
_LABELS = (
    "From", "To", "Cc", "Bcc", "Date", "Sent", "Subject", "Organization", "Organisation", "Reply-To", "Importance", "Attachments", "Message-ID", "Newsgroups",
    "Oddi wrth", "Anfonwyd", "At", "Pwnc", "Von", "Gesendet", "An", "Betreff", "De", "Envoyé", "À", "Objet", "Od", "Temat", "X", "*From", "When", "Where", "Sender", "Resent-From",
)  # fmt: skip
_TAGS = (
    "div", "p", "span", "b", "i", "table", "tr", "td", "ul", "li", "blockquote", "pre", "br", "hr", "a", "img", "style", "script", "title",
    "textarea", "option", "select", "button", "input", "details", "summary", "noscript", "template", "svg", "text", "math", "mi", "o:p",
    "v:textpath", "font", "center", "bdo", "ruby", "rt", "iframe", "object", "plaintext", "xmp", "listing", "noembed", "h1", "body", "html",
    "head", "meta", "base", "wbr", "label", "a b", "dıv", "form", "marquee", "frameset", "image",
)  # fmt: skip
_ATTRIBUTES = (
    "hidden", 'style="display:none"', "style='font-size:0'", 'style="color:#fff;background:#fff"', "style=opacity:0", 'style="position:absolute;left:-9999px"',
    'style="mso-hide:all"', 'class="gmail_quote"', 'class="gmail_signature"', 'type="cite"', 'id="divRplyFwdMsg"', 'id="Signature"', 'dir="rtl"', 'title="{a}"', 'alt="{a}"',
    'href="mailto:nadia@home.example?subject={a}&amp;body=%64rink"', 'href="https://town.example/?q={a}"', 'src="data:image/svg+xml,<svg><text>{a}</text></svg>"',
    'srcdoc="<p>{a}</p>"', 'value="{a}"', 'placeholder="{a}"', 'aria-label="{a}"', 'string="{a}"', "open", 'class="a b c"', 'id="x"', '="', "'", "style=\"content:'{a}'\"", 'width="0"',
    'style="max-height:0;overflow:hidden"', 'style="transform:scale(0)"', 'style="text-transform:uppercase"', 'style="order:2"', "style='font:0/0 a'", "style='a:b;;c'",
)  # fmt: skip
_SHEETS = (
    ".a{display:none}", "#x{font-size:0}", "p::before{content:'{a}'}", "@media print{.b{display:none}}", "div>p+span~b{color:white}", "*{visibility:hidden}",
    "@import url(x);", ".a{.b{display:none}}", "p[title='x']{opacity:0}", "/*", "}", "{", "<!--", "@font-face{", "p:not(.a):nth-child(2n+1){display:none}", '.a{content:"\\64 rink"}',
)  # fmt: skip
_REFERENCES = ("&nbsp;", "&amp;", "&lt;", "&#100;", "&#x64;", "&#100rink", "&zwnj;", "&shy;", "&ampdrink", "&#0;", "&#xD800;", "&#99999999999;", "&amp;#100;", "&", "&;", "&#;", "&CounterClockwiseContourIntegral;")  # fmt: skip
_COMMENTS = ("<!-- {a} -->", "<!--[if mso]>{a}<![endif]-->", "<![if !mso]>{a}<![endif]>", "<!--[if gte mso 9]><xml>{a}</xml><![endif]-->", "<!-->", "<!--->", "<!-- -- {a} --!>", "<![CDATA[{a}]]>", "<?php {a} ?>", "<!doctype html>", "</>", "<>", "< p>", "<!")  # fmt: skip


class Grammar:
    """One message after another from one source of chance; ``bodies`` are files to attach."""

    def __init__(self, dice: Random) -> None:
        self.dice = dice
        self.boundaries: list[str] = []
        self.calm = dice.randrange(2) == 0
        """Well made but for a rare slip: what is read whole is judged, and may pass."""

    def message(self, depth: int = 0) -> bytes:
        """Return header and entity."""
        fields, body = self.entity(depth)
        head = self._head()
        return self._joined(head, fields, body)

    # --- chance ---

    def _odds(self, one_in: int) -> bool:
        return self.dice.randrange(one_in) == 0

    def _odd(self, one_in: int) -> bool:
        return self.dice.randrange(one_in * 10 if self.calm else one_in) == 0

    def _words(self, most: int = 12) -> str:
        dice = self.dice
        words = dice.choices(_WORDS, k=dice.randrange(most) + 1)
        if self._odds(4):
            words[dice.randrange(len(words))] = dice.choice(MARKERS)
        if self._odds(5):
            words.insert(dice.randrange(len(words)), dice.choice(_SOUP))
        return dice.choice((" ", " ", " ", " ", "", "\t", "  ", "\u200b")).join(words)

    def _filled(self, template: str) -> str:
        return template.replace("{a}", self._words(4)).replace("{b}", self._words(6))

    # --- header ---

    def _head(self) -> list[bytes]:
        dice = self.dice
        fields = [
            b"From: " + self._mailbox(),
            b"To: " + b", ".join(self._mailbox() for _ in range(dice.randrange(3) + 1)),
            b"Subject: " + self._phrase(),
            b"Date: " + dice.choice((b"Tue, 3 Mar 2026 10:14:00 +0000", b"3 Mar 26", b"Tue, 99 Foo 99999 99:99:99 +9999", b"")),
            b"Message-ID: <a%d@force.example>" % dice.randrange(99),
            b"MIME-Version: 1.0",
        ]  # fmt: skip
        for chance, name in ((4, b"In-Reply-To"), (6, b"References"), (8, b"Cc"), (9, b"Reply-To"), (12, b"Subject"), (9, b"Sender"), (15, b"Comments"), (15, b"Received")):  # fmt: skip
            if self._odds(chance):
                value = dice.choice((b"<a@home.example>", self._mailbox(), self._phrase()))
                fields.insert(dice.randrange(len(fields)), name + b": " + value)
        if self._odd(12):
            dice.shuffle(fields)
        if self._odd(15):
            odd = (b"no colon here", b"Name : space", b": empty", b" folded", b"X\x00: nul", b"X: \rcr", b"\xff: eight", b"From", b">From x", b"X" * 998 + b": y")  # fmt: skip
            fields.insert(dice.randrange(len(fields)), dice.choice(odd))
        return fields

    def _mailbox(self) -> bytes:
        name, address = self.dice.choice(_NAMES), self.dice.choice(_ADDRESSES)
        form = self.dice.choice(("{0} <{1}>", "{1}", "<{1}>", "{1} ({0})", '"{0}" <{1}>', "{0}: {1};", "{0} <@a,@b:{1}>", "{0} <{1}", "{0} <<{1}>>", "{2} <{1}>"))  # fmt: skip
        return form.format(name, address, self._encoded_word("Fancy a drink")).encode()

    def _phrase(self) -> bytes:
        text = self._words(6)
        prefix = self.dice.choice(("", "", "Re: ", "FW: ", "Ymateb: ", "Re[2]: ", "AW: "))
        if self._odds(3):
            words = [self._encoded_word(word) for word in text.split()]
            text = self.dice.choice((" ", "\r\n ", "", "\t")).join(words)
        elif self._odds(4):
            text = text.replace(" ", "\r\n ", 2)
        return (prefix + text).encode("utf-8", "replace")

    def _encoded_word(self, text: str) -> str:
        charset = self.dice.choice(_CHARSETS[:5] if self.calm else _CHARSETS)
        octets = self._octets(text, charset)
        if self._odds(2):
            coded, letter = base64.b64encode(octets).decode(), "b"
        else:
            coded, letter = quopri.encodestring(octets, header=True).decode("latin-1").replace("=\n", ""), "q"
        if self._odd(8):
            coded = coded[: self.dice.randrange(len(coded) + 1)] + self.dice.choice(
                ("?", "=", "", " ", "==", "=E9", "=?")
            )
        if self._odd(10):
            charset += "*en"
        return f"=?{charset}?{self.dice.choice((letter, letter.upper(), letter if self.calm else 'x'))}?{coded}?="

    # --- entities ---

    def entity(self, depth: int) -> tuple[list[bytes], bytes]:
        """Return the MIME fields and the body of a part at ``depth``."""
        roll = self.dice.randrange(100)
        if depth > 6:
            return self._text()
        if roll < 62 - 6 * (depth == 0):
            return self._text()
        if roll < 82:
            return self._multipart(depth)
        if roll < 87:
            return self._attached_message(depth)
        return self._file()

    def _text(self) -> tuple[list[bytes], bytes]:
        dice = self.dice
        media = (
            dice.choice(_TEXT_TYPES)
            if self._odd(5)
            else dice.choice(("text/plain", "text/plain", "text/html"))
        )
        if media.lower() in {"text/html", "text/x-amp-html", "application/xhtml+xml"}:
            text = self.html()
        elif media == "text/calendar":
            text = odd_files.calendar(dice, self._words(5), self._words(5))
        else:
            text = self.plain()
        charset = dice.choice(_CHARSETS) if self._odd(4) else "utf-8"
        honest = charset if not self._odd(8) else dice.choice(_CHARSETS)
        octets = self._octets(text, honest)
        parameters = [("charset", charset)] if not self._odd(8) else []
        if self._odds(10):
            parameters += [("format", "flowed"), ("delsp", dice.choice(("yes", "no")))]
        if self._odds(14):
            parameters += [("name", self._words(3) + dice.choice((".txt", ".html", ".docx", "")))]
        return self._coded(media, parameters, octets)

    def plain(self) -> str:
        """Return lines as people and their programs write them."""
        dice = self.dice
        lines: list[str] = []
        for _ in range(dice.randrange(6) + 1):
            roll = dice.randrange(10)
            if roll < 6:
                lines.append(self._words(14) + dice.choice((".", "?", "", " ", "!")))
            elif roll == 6 and self._odds(2):
                mark = dice.choice(("", "", "> ", "*", "\t"))
                lines.extend(
                    f"{mark}{label}: {self._words(3)}"
                    for label in dice.choices(_LABELS, k=dice.randrange(6) + 1)
                )
            elif roll < 9:
                lines.extend(self._filled(dice.choice(_LAYOUTS)).split("\n"))
            else:
                lines.append(
                    dice.choice(
                        ("", "", ">", "--", "-- ", "----", "* * *", "\t", "x", "P.S. " + self._words(4))
                    )
                )
        return dice.choice(("\n", "\r\n", "\r\n", "\r\n", "\n\n")).join(lines)

    def html(self) -> str:
        """Return markup: mostly balanced, sometimes soup."""
        dice = self.dice
        out: list[str] = []
        stack: list[str] = []
        for _ in range(dice.randrange(24) + 1):
            roll = dice.randrange(20)
            if roll < 7:
                out.append(self._words(6))
            elif roll < 12:
                tag = dice.choice(_TAGS)
                given = "".join(
                    " " + self._filled(dice.choice(_ATTRIBUTES)) for _ in range(dice.choice((0, 0, 1, 1, 2)))
                )
                out.append(f"<{tag}{given}{dice.choice(('>', '>', '>', '/>', ' >', ''))}")
                stack.append(tag)
            elif roll < 16 and stack:
                tag = stack.pop() if not self._odds(6) else dice.choice(_TAGS)
                out.append(f"</{tag}>")
            elif roll < 17:
                out.append(self._filled(dice.choice(_COMMENTS)))
            elif roll < 18:
                out.append(dice.choice(_REFERENCES))
            elif roll < 19:
                rules = "".join(self._filled(dice.choice(_SHEETS)) for _ in range(dice.randrange(4)))
                out.append(f"<style>{rules}</style>")
            else:
                out.append(
                    dice.choice(
                        (
                            "\n",
                            "\r\n",
                            "<br>",
                            "<p>",
                            "<hr>",
                            '<div class="gmail_quote">On 3 Mar 2026, Nadia wrote:<blockquote>',
                        )
                    )
                )
        return "".join(out)

    def _attached_message(self, depth: int) -> tuple[list[bytes], bytes]:
        inner = self.message(depth + 1)
        media = self.dice.choice(("message/rfc822", "message/rfc822", "message/global", "message/partial; id=a; number=1; total=2", "message/external-body", "message/news", "message/rfc822-headers"))  # fmt: skip
        fields = [b"Content-Type: " + media.encode()]
        if self._odds(4):
            fields.append(b"Content-Transfer-Encoding: base64")
            inner = base64.encodebytes(inner)
        if self._odds(3):
            fields.append(b"Content-Disposition: attachment; filename=mail.eml")
        return fields, inner

    def _file(self) -> tuple[list[bytes], bytes]:
        name, media, octets = odd_files.made(self.dice, self._words(6))
        if self._odd(6):
            media = self.dice.choice(
                ("application/octet-stream", "text/plain", "image/png", "application/zip")
            )
        if self._odd(6):
            name = self.dice.choice(("invoice.pdf", "x", self._words(3), "a.txt\u202excod.exe"))
        fields, body = self._coded(media, [("name", name)], octets, code="base64")
        kind = self.dice.choice(("attachment", "attachment", "inline", "x-unknown"))
        fields.append(
            f"Content-Disposition: {kind}{self._parameter('filename', name)}".encode("utf-8", "replace")
        )
        if self._odds(4):
            fields.append(b"Content-ID: <a@b>")
        return fields, body

    def _multipart(self, depth: int) -> tuple[list[bytes], bytes]:
        dice = self.dice
        boundary = self._boundary()
        kind = dice.choice(_MULTIPARTS[:5] if self.calm else _MULTIPARTS)
        mark = b"--" + boundary.encode()
        pieces = [self._words(4).encode("utf-8", "replace") if self._odd(6) else b""]
        for _ in range(dice.choice((0, 1, 1, 2, 2, 2, 3, 3, 5))):
            fields, body = self.entity(depth + 1)
            line = mark + (dice.choice((b" ", b"\t", b"x", b"--x", b"-")) if self._odd(4) else b"")
            pieces.append(line + b"\r\n" + self._joined([], fields, body))
        if not self._odd(8):
            pieces.append(mark + b"--")
        pieces.append(self._words(4).encode("utf-8", "replace") if self._odd(8) else b"")
        self.boundaries.append(boundary)
        fields = [
            f"Content-Type: multipart/{kind}{self._parameter('boundary', boundary)}".encode(
                "utf-8", "replace"
            )
        ]
        if self._odd(12):
            fields.append(
                b"Content-Type: "
                + dice.choice((b"text/plain", b"text/html", b"multipart/mixed; boundary=other"))
            )
        if self._odd(20):
            fields.append(b"Content-Transfer-Encoding: base64")
        return fields, b"\r\n".join(pieces)

    def _boundary(self) -> str:
        if self.boundaries and self._odd(4):
            known = self.dice.choice(self.boundaries)
            return self.dice.choice((known, known + "x", known[:-1] or "b", known + "--", known.upper()))
        if self.calm:
            return f"=_{len(self.boundaries)}_{self.dice.randrange(1000)}"
        return self.dice.choice(
            ("b", "b1", "=_a", "--b", "a b", "x" * 70, "", f"b{self.dice.randrange(1000)}", "b:?", "x" * 1000)
        )

    # --- coding ---

    def _coded(
        self, media: str, parameters: list[tuple[str, str]], octets: bytes, code: str = ""
    ) -> tuple[list[bytes], bytes]:
        dice = self.dice
        given = "".join(self._parameter(name, value) for name, value in parameters)
        fields = [f"Content-Type: {media}{given}".encode("utf-8", "replace")]
        if self._odd(25):
            fields.append(
                dice.choice(
                    (
                        b"Content-Type: text/html",
                        b"content-type:text/plain;charset=utf-16",
                        b"Content-Type:",
                        b"Content-Type: ;;",
                    )
                )
            )
        if not code or self._odd(10):
            code = dice.choice(_CODES[:6] if self.calm else _CODES)
        body = octets
        if code.strip().lower().startswith("base64"):
            body = base64.encodebytes(octets) if not self._odd(8) else base64.b64encode(octets)
            if self._odd(8):
                at = dice.randrange(len(body) + 1)
                body = (
                    body[:at]
                    + dice.choice((b"=", b"==\n", b"!", b"-_", b"\x00", b"\r\n\r\n", b"YQ==YQ=="))
                    + body[at:]
                )
        elif code == "quoted-printable":
            body = quopri.encodestring(octets)
            if self._odd(8):
                at = dice.randrange(len(body) + 1)
                body = (
                    body[:at] + dice.choice((b"=", b"=\n", b"=zz", b"= \n", b"=e9", b"=\r\n\r\n")) + body[at:]
                )
        if code and not self._odd(20):
            fields.append(f"Content-Transfer-Encoding: {code}".encode())
            if self._odd(25):
                fields.append(
                    dice.choice((b"Content-Transfer-Encoding: base64", b"content-transfer-encoding: 7bit"))
                )
        return fields, body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") if self._odds(2) else body

    def _parameter(self, name: str, value: str) -> str:
        if self.calm and not self._odd(4):
            return f'; {name}="{value}"'
        form = self.dice.choice(("; {0}={1}", '; {0}="{1}"', '; {0}="{1}"', '; {0}="{1}"', '; {0}="{1}"', ";\r\n {0}={1}", "; {0}*=utf-8''{1}", '; {0}*0="{2}"; {0}*1="{3}"',
            "; {0}*1={3}; {0}*0={2}", "; {0}*0*=x-unknown'en'{2}; {0}*1*={3}", '; {0}="{1}"; {0}="other"', "; {0} = {1}", '; {0}="{1}', "; {0}=(c){1}(c)", "{0}={1}"))  # fmt: skip
        return form.format(name, value, value[: len(value) // 2], value[len(value) // 2 :])

    def _octets(self, text: str, charset: str) -> bytes:
        try:
            return text.encode(charset, "replace")
        except (LookupError, UnicodeError, ValueError, TypeError):
            return text.encode("utf-8", "replace")

    def _joined(self, head: list[bytes], fields: list[bytes], body: bytes) -> bytes:
        end = b"\r\n" if not self._odd(10) else self.dice.choice((b"\n", b"\r", b"\n\r", b"\r\n"))
        rows = head + fields
        if self._odd(12):
            self.dice.shuffle(rows)
        gap = end if not self._odd(20) else self.dice.choice((b"", b" " + end, end + end))
        return end.join(rows) + end + gap + body
