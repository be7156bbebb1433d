"""Style sheets, moved words and links: what each kind of mail program shows, and nothing lost between them."""

import pytest

from gateway.extract import css, extract
from gateway.extract.links import target_words
from gateway.extract.markup import rendered
from gateway.extract.styles import is_mirrored
from gateway.model import Limits, PassageKind


def lines(html):
    """Return the visible lines, and all that stands after them."""
    view = rendered(html)
    end = view.lines[-1].end if view.lines else 0
    return view.text[:end].strip("\n"), view.text[end:].strip("\n")


@pytest.mark.parametrize(
    "sheet",
    [
        ".q{display:none}", "b{display:none}", "#k{display:none}", "p .q{display:none}", "p>b{display:none}", "i+b{display:none}",
        "i~b{display:none}", "[lang]{display:none}", "[lang=en]{display:none}", "[lang^=e]{display:none}", "b:not(.z){display:none}",
        ":is(u,b){display:none}", "b:nth-child(2){display:none}", "b:nth-child(even){display:none}", "*.q{display:none}",
        "p b, u{font-size:0}", "B{DISPLAY:NONE}", ".q{/**/display/**/:none}", ".\\71{d\\69splay:none}", ".q{opacity:0}",
        ".q{display:block}.q{display:none}", "b.q{display:none}.q{display:inline}", ".q{display:none!important}#k{display:inline}",
        "@media screen{.q{display:none}}", "@media (min-width:600px){.q{display:none}}", "@supports (display:grid){.q{display:none}}",
        "<!-- .q{display:none} -->", ".q{clip-path:inset(50%);position:absolute}", ".q{transform:scale(0)}", ".q{color:transparent}",
        ".q{color:hsl(0,0%,99%)}", ".q{position:absolute;left:-9999px}", ".q{max-width:0;overflow:hidden}", ".q{zoom:0}",
    ],
)  # fmt: skip
def test_sheet_hides(sheet):
    """What a sheet hides on a screen is hidden text, and the words around it are whole."""
    shown, rest = lines(f"<style>{sheet}</style><p>dri<i></i><b class=q id=k lang=en>zq</b>nk</p>")
    assert shown == "drink"
    assert "zq" in rest
    assert "drizqnk" in rest.splitlines()


@pytest.mark.parametrize(
    "sheet",
    [
        ".z{display:none}", "p>i>b{display:none}", "b:hover{display:none}", "u b{display:none}", "b.q.z{display:none}",
        "@media print{.q{display:none}}", "@media (max-width:600px){.q{display:none}}", "b+i{display:none}",
        ".q{display:none}#k{display:inline}", ".q{color:#333;font-size:11pt}", "[lang=cy]{display:none}", "b:nth-child(3){display:none}",
        "not css at all {{{", "@import url(x.css);", "@font-face{font-family:x;src:url(x)}",
    ],
)  # fmt: skip
def test_sheet_does_not_hide(sheet):
    """What a sheet leaves alone on a screen stays in its place; a printer's or a telephone's view is read beside it."""
    shown, rest = lines(f"<style>{sheet}</style><p>dri<i></i><b class=q id=k lang=en>zq</b>nk</p>")
    assert shown == "drizqnk"
    assert rest in {"", "drink"}
    assert ("@media" in sheet) is (rest == "drink")


def test_what_cannot_be_decided_on_the_way_is_a_reading_of_its_own():
    """A rule that hangs on what follows is read both ways."""
    shown, rest = lines("<style>b:last-child{display:none}</style><p>dri<b>zq</b>nk</p>")
    assert {shown, rest.splitlines()[0]} == {"drizqnk", "drink"}


def test_words_that_a_sheet_writes():
    """``content`` is text that the eye sees, in its place: strings, escapes and attributes."""
    sheet = ".a::before{content:'dr'}.a::after{content:\"n\\6b \" attr(data-t)}"
    shown, _ = lines(f"<style>{sheet}</style><p>a <span class=a data-t='!'>i</span> later</p>")
    assert shown == "a drink! later"


def test_a_sheet_shows_what_a_style_hides():
    """An important declaration of a sheet stands above a style; without it the style stands above the sheet."""
    for mark, expected in (("!important", "seen"), ("", "")):
        shown, _ = lines(
            f"<style>p{{display:block{mark}}}p{{margin:0;opacity:1}}.z{{display:none}}</style><p style='display:none'>seen</p>"
        )
        assert shown == expected


def test_ordinary_sheets_are_not_followed():
    """A sheet that hides, writes and moves nothing costs one pass: it gives no reading."""
    assert (
        css.sheets("p.MsoNormal{margin:0cm;font-size:11.0pt;font-family:Calibri}a:link{color:#0563C1}") == ()
    )


@pytest.mark.parametrize(
    ("html", "seen"),
    [
        (
            "<div><b style=float:right>c </b><b style=float:right>b </b><b style=float:right>a </b></div>",
            "abc",
        ),
        ("<div style=display:flex><b style=order:2>nk</b><b style=order:1>dri</b></div>", "drink"),
        ("<div style='display:flex;flex-direction:row-reverse'><b>nk</b><b>dri</b></div>", "drink"),
        ("<div style=display:flex><div>d</div><div>r</div><div>i</div></div>", "dri"),
        ("<table dir=rtl><tr><td>c<td>b<td>a</table>", "abc"),
        ("<b style='position:absolute;left:20px'>nk</b><b style='position:absolute;left:0'>dri</b>", "drink"),
        ("<svg><text x=60 y=1>work</text><text x=0 y=1>after</text></svg>", "after work"),
    ],
)
def test_words_that_are_seen_in_another_order(html, seen):
    """Words that stand elsewhere than they were written are read in the order in which they are seen, too."""
    assert seen in lines(html)[1].splitlines()


@pytest.mark.parametrize(
    "html",
    [
        "<div style=display:flex><div>Case</div><div>Date</div></div>",
        "<b style=float:left>Case</b> <b style=float:left>Date</b>",
        "<table><tr><td>Case<td>Date</table>",
        "<b style='position:relative;left:2px'>Case</b>",
    ],
)
def test_words_in_their_order_are_read_once(html):
    """What is seen as it was written is not read twice."""
    assert lines(html)[1] == ""


@pytest.mark.parametrize(
    "html",
    [
        "<bdo dir=rtl>knird</bdo>",
        "<span style='direction:rtl;unicode-bidi:bidi-override'>knird</span>",
        "<span style='transform:scaleX(-1)'>knird</span>",
    ],
)
def test_reversed_text_carries_the_marks_of_unicode(html):
    """Text that markup reverses is set between the marks that Unicode has for it, which `disguises` reads."""
    assert lines(f"a {html} later")[0] == "a \u202eknird\u202c later"
    assert not is_mirrored({"direction": "rtl"})


def test_what_outlook_shows_is_read_as_markup():
    """A conditional comment finishes a word for Outlook; ``![if !mso]`` is what the others see."""
    shown, rest = lines("<p>dri<!--[if mso]><b>nk</b><![endif]--><![if !mso]>ft<![endif]> later</p>")
    assert shown == "drift later"
    assert "drink later" in rest.splitlines()
    drawn = lines("<!--[if gte vml 1]><v:textpath string='drink'/><![endif]--><p>later</p>")
    assert "drink" in drawn[1].splitlines()


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (
            "mailto:a@b.example?subject=My%20reply&body=See%20you%20later",
            "a@b.example\n\nMy reply\n\nSee you later",
        ),
        ("tel:07700900123", "07700900123"),
        ("sms:07700900123?body=call%20me", "07700900123\n\ncall me"),
        ("https://x.example/?q=fancy+a+drink", "x.example / q / fancy a drink"),
        ("https://x.example/fancy-a-drink/now", "x.example / fancy a drink / now"),
        ("https://wa.example/447700900123", "wa.example / 447700900123"),
        ("https://x.example/", ""),
        ("https://x.example/?id=8F3A", ""),
        ("javascript:alert('you are lovely')", ""),
        ("#top", ""),
        ("cid:picture@x", ""),
        ("data:text/html,%3Cb%3Eyou are%3C/b%3E lovely", "you are lovely"),
        ("", ""),
    ],
)
def test_words_of_a_target(target, words):
    """A link's target is read where it carries words, and decoded as the reader's mail program would."""
    assert target_words(target) == words


def test_targets_are_passages_of_their_own_kind():
    """A target stands after the text as kind link; one that the text shows is not read twice."""
    raw = (
        b"Content-Type: text/html\n\n<p>Hello <a href='mailto:a@b.example'>a@b.example</a>"
        b" <a href='https://x.example/?q=see+you+later'>here</a></p>"
    )
    passages = extract(raw, Limits()).passages
    assert [(each.kind, each.text) for each in passages] == [
        (PassageKind.BODY, "Hello a@b.example here"),
        (PassageKind.LINK, "x.example / q / see you later"),
    ]


def test_pictures_in_and_outside_of_the_markup():
    """Words of a drawing are read; a picture is handed to the readers of files; one that is fetched is named."""
    raw = (
        b"Content-Type: text/html\n\n<p>Hello<img src='data:image/svg+xml,<svg><text>see you</text></svg>'>"
        b"<img src='data:image/png;base64,iVBORw0KGgo='><img src='https://x.example/a.png'>"
        b"<img width=20 height=20 src='https://x.example/b.png'></p>"
    )
    authored = extract(raw, Limits())
    assert "see you" in [each.text for each in authored.passages]
    named = [entry for entry in authored.unreadable if "fetched" in entry.detail]
    assert [entry.reason for entry in named] == ["picture", "small-picture"]
    assert any("inline1" in entry.part for entry in authored.unreadable)


@pytest.mark.parametrize(
    "sheet",
    ["{" * 50_000, "a{width:" + "(" * 9000, ":is(" * 9000 + "{}", "/*" * 9000, "a," * 9000 + "b{display:none}", "\\", "a{content:'", "@media"],
)  # fmt: skip
def test_damaged_sheets_are_read(sheet):
    """No sheet raises, and the text is read whatever it says."""
    assert "Hello" in rendered(f"<style>{sheet}</style><p>Hello").text


def test_more_sheet_than_is_followed_is_named():
    """Past the bounds on rules, tags and written words the reader is told; the words are read."""
    many = "<style>" + ".a{display:none}" * 1100 + "</style><p>Hello"
    tags = "<style>.a{display:none}</style>" + "<b>x</b>" * 41_000 + "<p>Hello"
    loud = f"<style>b::before{{content:'{'x' * 5000}'}}</style>" + "<b></b>" * 50 + "<p>Hello"
    for html in (many, tags, loud):
        view = rendered(html)
        assert view.flat
        assert "Hello" in view.text
    assert not rendered("<style>.a{display:none}</style><p class=a>x<p>Hello").flat
