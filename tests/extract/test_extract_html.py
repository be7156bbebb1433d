"""HTML: the words the eye sees, held against a browser's parser, and the ways to hide them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from gateway.extract import decoded, extract
from gateway.model import Limits

HEAD = b"Content-Type: text/html; charset=utf-8\n\n"


def visible(html):
    authored = extract(HEAD + html.encode(), Limits())
    return "\n".join(
        passage.text for passage in authored.passages if passage.kind == "body" and not passage.hidden
    )


def hidden(html):
    authored = extract(HEAD + html.encode(), Limits())
    return "\n".join(passage.text for passage in authored.passages if passage.hidden)


@pytest.mark.parametrize(
    "style",
    [
        "display:none", "DISPLAY : NONE !important", "visibility:hidden", "visibility:collapse", "font-size:0", "font-size:0px", "font-size:1px",
        "font-size:0.01em", "font: 0px/0 Arial", "opacity:0", "opacity: 0.0", "mso-hide:all", "color:#fff", "color:white;background:#ffffff",
        "color:rgb(254, 254, 254)", "color:#003366;background-color:#003366", "max-height:0;overflow:hidden", "height:0px;overflow:hidden",
        "position:absolute;left:-9999px", "text-indent:-5000px",
    ],
)  # fmt: skip
def test_hiding_styles(style):
    """Text that an inline style hides is read and marked hidden."""
    html = f'<p>See you Monday</p><div style="{style}">You looked lovely</div>'
    assert (visible(html), hidden(html)) == ("See you Monday", "You looked lovely")


@pytest.mark.parametrize(
    "style",
    [
        "display:block", "font-size:11pt", "font-size:medium", "font:bold 11pt Arial", "opacity:1", "opacity:0.8", "color:#333", "color:inherit",
        "color:#fff;background:#003366", "color:#fff;background:url(x.png)", "color:#fff;background-image:url(x.png)", "height:0",
        "position:relative;left:10px", "overflow:hidden;height:20px", "text-indent:36pt", "visibility:visible", "margin-left:-5px", "color:nonsense",
    ],
)  # fmt: skip
def test_harmless_styles(style):
    """Ordinary styles hide nothing."""
    assert (
        visible(f'<div style="{style}">See you</div>'),
        hidden(f'<div style="{style}">See you</div>'),
    ) == ("See you", "")


def test_what_is_hidden_may_be_shown_again_inside():
    """Size and visibility may be set again by an inner element; display may not."""
    html = (
        '<td></td><table style="font-size:0"><tr><td>gap<span style="font-size:14px">See you</span></td></tr></table>'
        '<div style="visibility:hidden">no<b style="visibility:visible">Monday</b></div><div hidden><p style="display:block">no</p></div>'
    )
    assert visible(html) == "See you\nMonday"
    assert hidden(html) == "gap\nno\nno"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("a<b", "a"),
        ("1 < 2 and <3", "1 < 2 and <3"),
        ("a<!-->b<!--->c", "abc"),
        ("<a title='>'>x</a>y", "xy"),
        ('<p title="a>b" class=c/d>x', "x"),
        ("<p/>x<br/>y", "x\ny"),
        ("x</>y</ z>w", "xyw"),
        ("<textarea>a<b>c</textarea>", "a<b>c"),
        ("<xmp>a<b>c</xmp>", "a<b>c"),
        ("<pre>a\n b</pre>", "a\n b"),
        ("<div style='white-space:pre-wrap'>a\n b</div>", "a\n b"),
        ("<noscript>x</noscript>", "x"),
        ("<script>no</script>x<style>no</style>", "x"),
        ("a&nbsp;b&amp;c&#65;&#x42;&notit;", "a\xa0b&cAB\xacit;"),
        ("&#0000000000065;&#99999999999;", "A\ufffd"),
        ("<ul><li>a<li>b</ul><dl><dt>c<dd>d</dl>", "a\nb\nc\nd"),
        ("<select><option>a<option>b</select>", "a\nb"),
        ("<table><tr><td>a<td>b<tr><td>c</table>d", "a\tb\nc\nd"),
        ("<table><caption>t</caption><thead><tr><th>a</th></tr></thead></table>", "t\na"),
        ("<td>a</td><tr>b</tr>", "ab"),
        ("<div>a<span>b</div>c</span>", "ab\nc"),
        ("</div></table></td>a</p>b", "a\nb"),
        ("<table><tr><td><div>a</table></div>b", "a\nb"),
        ("<?php x ?>a<![CDATA[b]]>c", "ac"),
        ("<svg><path d='m'/></svg>a", "a"),
        ("<plaintext", ""),
        ("a  \n\t b <b> c</b>", "a b c"),
    ],
)
def test_reading(html, text):
    """Odd markup yields the words a browser shows, in their order, one line a block."""
    assert visible(html) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("a<!-- you looked lovely -->", "you looked lovely"),
        ("a<!-- never closed", "never closed"),
        ("a<!declared you looked lovely>", "declared you looked lovely"),
        ("<title>lovely</title>a", "lovely"),
        ("<iframe>lovely</iframe>a", "lovely"),
        ("<template>lovely</template>a", "lovely"),
        ("a<p never='closed lovely", "p never='closed lovely"),
        ("<div hidden><textarea>lovely</textarea></div>a", "lovely"),
        ("<div hidden>one<br>two<p>three</div>a", "one\ntwo\nthree"),
        ("<pre hidden>one\ntwo</pre>a", "one\ntwo"),
    ],
)
def test_unshown(html, text):
    """What no mail program shows is read too, and marked hidden."""
    assert hidden(html) == text


def test_alternative_texts():
    """Alternative texts, titles and values are read; the picture of an emoji is the emoji in its place."""
    html = "<p>Night <img alt='\U0001f618'> x</p><img alt='a rose' title='for you'><input value='press me'><span hidden><img alt='\U0001f618'></span>"
    passages = extract(HEAD + html.encode(), Limits()).passages
    assert [(passage.kind, passage.text) for passage in passages] == [
        ("body", "Night \U0001f618 x"),
        ("alt-text", "a rose\nfor you\npress me\n\U0001f618"),
    ]


def test_more_markup_than_anybody_writes_is_read_flat_and_named():
    """Past the bound on tags the words are still read, and the reviewer is told."""
    raw = HEAD + b"<i>" * 250_001 + b"You <b>looked</b> lovely"
    assert decoded(raw, Limits())["body"] == "You looked lovely"
    assert [entry.reason for entry in extract(raw, Limits()).unreadable] == ["size"]


INLINE = st.recursive(
    st.text(alphabet="abc xyz&<.\u00e9\U0001f618", min_size=1, max_size=12).map(
        lambda text: text.replace("&", "&amp;").replace("<", "&lt;")
    ),
    lambda inner: st.tuples(
        st.sampled_from(["b", "i", "span", "font", "u", "a"]), st.lists(inner, max_size=3)
    ).map(lambda made: f"<{made[0]} class=x>{''.join(made[1])}</{made[0]}>"),
    max_leaves=6,
)
BLOCKS = st.recursive(
    st.lists(INLINE, min_size=1, max_size=3).map(lambda parts: f"<p>{''.join(parts)}</p>"),
    lambda inner: st.tuples(st.sampled_from(["div", "blockquote", "ul><li", "table><tr><td", "section"]), st.lists(inner, max_size=3)).map(
        lambda made: f"<{made[0]}>{''.join(made[1])}{''.join(f'</{name}>' for name in reversed(made[0].split('><')))}"
    ),
    max_leaves=8,
)  # fmt: skip


@given(st.lists(BLOCKS, max_size=4).map("".join))
def test_words_are_those_of_a_browsers_parser(html):
    """On well-formed HTML the visible characters are those that lexbor finds, in the same order."""
    shown = decoded(HEAD + html.encode(), Limits())["body"]
    tree = LexborHTMLParser(f"<body>{html}")
    assert re.sub(r"\s", "", shown) == re.sub(r"\s", "", tree.body.text() if tree.body else "")


@pytest.mark.parametrize(
    "markup",
    ["<![CDATA[You looked lovely]]>", "<?You looked lovely>", "</ You looked lovely>", "<!You looked lovely>", "<?You looked lovely"],
)  # fmt: skip
def test_what_browsers_take_for_a_comment_is_read(markup):
    """Markup of no kind is a comment, and inside a drawing its characters may be shown: its words are read, as hidden."""
    html = f"<p>See you Monday</p>{markup}"
    assert visible(html) == "See you Monday"
    assert "You looked lovely" in hidden(html)


@pytest.mark.parametrize(
    "markup",
    ['<?xml:namespace prefix="o" ns="urn:schemas-microsoft-com:office:office" />', "<!DOCTYPE html>", "<![if !mso]>", "<![endif]>", "</ >"],
)  # fmt: skip
def test_what_programs_write_for_programs_says_nothing(markup):
    """Declarations and Outlook's conditions are in every other mail; they are no hidden words."""
    assert hidden(f"<p>See you Monday</p>{markup}") == ""


@pytest.mark.parametrize("around", ["math", "svg"])
@pytest.mark.parametrize(
    "inside", ["<style/>You looked lovely", "<style>You looked lovely</style>", "<title/>You looked lovely"]
)
def test_raw_elements_of_foreign_content_swallow_nothing(around, inside):
    """In SVG and MathML <style/> is closed and <style> holds text: browsers show what follows, so it is read."""
    raw = f"Content-Type: text/html\n\n<{around}>Hello {inside}".encode()
    assert "You looked lovely" in " ".join(passage.text for passage in extract(raw, Limits()).passages)


@pytest.mark.parametrize("opened", ["<math/>", "<svg />", "<svg><math/></svg>"])
def test_foreign_content_that_closes_itself_is_over(opened):
    """What follows is HTML again: <iframe/> is open there, and its text, which browsers do not show, is hidden text."""
    assert hidden(f"<p>See you</p>{opened}<iframe/><you looked lovely>") == "<you looked lovely>"


@pytest.mark.parametrize("opened", ["<math a=/>", "<math a=x a=y/>", "<math a='x'/b>"])
def test_a_slash_of_a_value_closes_nothing(opened):
    """The element is open still, and <style> in it is shown (HTML Standard 13.2.5.37)."""
    assert "You looked lovely" in hidden(f"<p>Hello</p>{opened}<style>You looked lovely</style>")


@pytest.mark.parametrize("space", ["\x85", "\xa0", "\u2003", "\u200b", "\x0b", "\x1c"])
@pytest.mark.parametrize("name", ["script", "style", "title"])
def test_a_name_goes_on_over_what_is_no_white_space_to_a_browser(name, space):
    """No such element exists, so its words are shown; only five characters end a name (HTML Standard 13.2.5)."""
    shown = visible(f"<{name}{space}x>you looked hot</{name}>See you")
    assert "you looked hot" in shown
    assert visible(f"<{name}\nx>you looked hot</{name}>See you") != shown
