"""Messages that are small and would cost much: each a name, its bytes, and what extract must say about it."""

import base64


def nested(levels):
    heads = (
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level)
        for level in range(levels)
    )
    return b"".join(heads) + b"\r\nhello"


HTML = b"Content-Type: text/html\n\n"
BOMBS = {
    "encoded_words": (b"Subject:" + b" =?utf-8?q?lovely?=\n" * 15_000 + b"\nhi", set()),
    "encoded_words_of_two_charsets": (b"Subject:" + b" =?utf-8?q?a?= =?iso-8859-1?b?YQ=?=\n" * 15_000 + b"\nhi", set()),
    "nested_multiparts": (nested(1_200), {"depth"}),
    "nested_messages": (b"Content-Type: message/rfc822\n\n" * 1_200 + b"hi", {"depth"}),
    "parts": (b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nhello\n" * 10_000, {"too-many-parts"}),
    "header_without_end": (b"Subject: x\n" + b"X: y\n" * 400_000, {"size"}),
    "one_long_header": (b"Subject: " + b"lovely " * 300_000, {"size"}),
    "open_quotes_in_addresses": (b"To: " + b'"\\"' * 100_000 + b"\n\nhi", set()),
    "open_comments_in_addresses": (b"To: " + b"(" * 300_000 + b"\n\nhi", set()),
    "many_addresses": (b"To: " + b"a@b.example," * 80_000 + b"\n\nhi", set()),
    "parameter_continuations": (b"Content-Type: text/plain" + b"".join(b"; name*%d*=a" % n for n in range(50_000)) + b"\n\nhi", {"malformed"}),
    "quote_marks": (b"\n" + b">" * 1_000_000, set()),
    "quote_lines": (b"\n" + b"> a\n" * 250_000, set()),
    "quote_and_answer_in_turn": (b"\n" + b">a\nb\n" * 200_000, set()),
    "empty_lines": (b"\n" * 1_000_000, set()),
    "attributions": (b"In-Reply-To: <a@b.example>\n\n" + b"On 3 Mar 2026 at 10:14 a\n" * 40_000, set()),
    "header_blocks": (b"\n" + b"From: a\nTo: b\n" * 70_000, set()),
    "dividers": (b"\n" + b"-----\n\n" * 140_000, set()),
    "one_line_of_dashes": (b"\n" + b"-" * 1_000_000 + b"x", set()),
    "disclaimers": (b"\n" + b"This email is confidential.\n" * 36_000, set()),
    "openings_of_disclaimers": (b"\n" + b"this email lovely\n" * 55_000, set()),
    "signature_marks": (b"\n" + b"-- \nTom\n" * 120_000, set()),
    "lines_like_boundaries": (b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--\n" * 330_000, {"malformed"}),
    "padding_in_base64": (b"Content-Transfer-Encoding: base64\n\n" + b"YQ=\n" * 250_000, {"encoding"}),
    "empty_lines_in_an_encoding_nobody_knows": (b"Content-Transfer-Encoding: base-64\n\n" + b"\n" * 250_000 + b"!", {"encoding"}),
    "name_without_end_under_a_divider": (b"\n-----Original Message-----\nFrom: " + b"a" * 250_000 + b"\nSent: Monday\n\nhi\n", set()),
    "nested_divs": (HTML + b"<div>" * 100_000 + b"lovely", set()),
    "attributes": (HTML + b"<p " + b" ".join(b"a%d=1" % n for n in range(120_000)) + b">lovely", set()),
    "open_formatting": (HTML + b"".join(b"<b a=%d>" % n for n in range(40_000)) + b"<p>lovely" * 40_000, set()),
    "comments": (HTML + b"<!--" * 250_000, set()),
    "open_quotes_in_tags": (HTML + b'<a "' * 250_000, set()),
    "hidden_spans": (HTML + b"a<span hidden>x</span>" * 45_000, set()),
    "long_character_reference": (HTML + b"&#" + b"9" * 1_000_000, set()),
    "open_style_elements": (HTML + b"<style>" * 140_000, set()),
    "tables": (HTML + b"<table><td>" * 90_000 + b"lovely", set()),
    "sheet_of_rules": (HTML + b"<style>" + b".a{display:none}" * 60_000 + b"</style>" + b"<b class=a>x" * 3_000, {"size"}),
    "sheet_for_every_element": (HTML + b"<style>" + b"*{opacity:0}" * 900 + b"</style>" + b"<b>x" * 39_000, {"size"}),
    "sheet_of_chains": (
        HTML + b"<style>" + b"".join(b"b b b b .a%d{opacity:0}" % n for n in range(900)) + b"</style>" + b"<b class=a1>x" * 39_000,
        {"size"},
    ),
    "sheet_that_writes": (HTML + b"<style>b::after{content:'" + b"x" * 9_000 + b"'}</style>" + b"<b>" * 39_000, {"size"}),
    "sheet_of_brackets": (HTML + b"<style>" + b"a{width:" + b"(" * 150_000 + b"</style>lovely", {"size"}),
    "views_that_differ": (
        HTML + b"<style>@media print{.a{display:none}}@media(max-width:9px){.b{display:none}}b:last-child{opacity:0}</style>"
        + b"".join(b"<p>%d<b class=a>x</b><i class=b>y</i>" % n for n in range(8_000)),
        set(),
    ),
    "floats": (HTML + b"<b style=float:right>x" * 40_000, set()),
    "rows_in_rows": (HTML + b"<div style=display:flex><i>a</i>" * 30_000, set()),
    "links": (HTML + b"".join(b"<a href='https://x.example/?q=a+b+cc+dd%d'>" % n for n in range(25_000)), set()),
    "styles_of_their_own": (HTML + b"".join(b"<b style='a%d\\:b/**/;color:#%06x'>x" % (n, n) for n in range(25_000)), set()),
    "calendar_parameters": (b"Content-Type: text/calendar\n\nSUMMARY;" + b'a"' * 400_000, set()),
    "alternatives_that_differ": (
        b"Content-Type: multipart/alternative; boundary=b\n\n--b\n\n" + b"a b c d.\n" * 50_000
        + b"\n--b\nContent-Type: text/html\n\n" + b"a b c e.<br>" * 40_000 + b"\n--b--",
        set(),
    ),
    "every_dispute_at_once": (
        b"Content-Type: multipart/mixed; boundary=b; boundary=c\nContent-Type: multipart/alternative; boundary=d\n"
        b"Content-Transfer-Encoding : 7bit\nContent-Transfer-Encoding: base64\n \nno field\0\n\n"
        + b"--b\nContent-Type: text/plain\nno field\n\nhello Jo\n--bx\n\nsee you\r--c\n" * 4_000,
        {"ambiguous"},
    ),
    "multiparts_without_boundary": (
        b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\nContent-Type: multipart/mixed\n\n-\n" * 900 + b"\n-x" * 200_000,
        {"malformed"},
    ),
    "charset_read_in_two_ways": (b"Content-Type: text/plain; charset=utf-7\n\n" + b"+AGwAbw- lovely\n" * 60_000, {"charset", "size"}),
    "base64_that_is_words": (b"Content-Transfer-Encoding: base64\n\n" + b"you looked lovely.\n" * 55_000, {"encoding"}),
    "comments_in_parameters": (b"Content-Type: text/plain" + b";(" * 300_000 + b"\n\nhi", set()),
    "parameters_of_spaces": (b"Content-Type: text/plain; " + b"a  " * 300_000 + b"\n\nhi", set()),
    "words_in_words": (b"Subject: " + b"=?utf-8?q?=3D=3Futf-8=3Fq=3Fa=3F=3D?=" * 25_000 + b"\n\nhi", set()),
    "files_in_the_text": (b"\n" + b"begin 644 a\n#86)C\n`\nend\n" * 40_000, set()),
    "sentences_of_another_language": (b"Content-Type: text/plain; charset=utf-8\n\n" + "Może kolacja we dwoje w sobotę u mnie?\nAnd you?\n".encode() * 19_000, set()),
    "soft_line_breaks": (b"Content-Type: text/plain; format=flowed; delsp=yes\n\n" + b"a \n" * 330_000, set()),
    "display_names": (b"To: " + b"Tom Hale <t@x.example>, " * 40_000 + b"\n\nhi", set()),
    "more_tags_than_anybody_writes": (HTML + b"<b>" * 1_300_000 + b"lovely", {"size"}),
    "text_over_the_limit": (HTML + b"<b>" * 1_800_000, {"size"}),
}  # fmt: skip


def _in_base64(levels):
    raw = b"hi"
    for _ in range(levels):
        raw = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(raw)
    return raw


# Each layer of base64 makes the mail a third longer, so few layers fit.
BOMBS["nested_messages_in_base64"] = (_in_base64(40), set())
