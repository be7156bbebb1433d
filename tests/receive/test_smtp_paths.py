"""The grammar of addresses: what it lets through and what it does not, as tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.receive import paths
from gateway.receive.replies import Rejected

LOCAL_64 = "a" * 64
LABEL_63 = "b" * 63
DOMAIN_189 = ".".join([LABEL_63] * 2 + ["c" * 61])

GOOD = [
    "a@b",
    "officer@force.example",
    "Officer.Name@Force.Example",
    "o'neill@force.example",
    "pc-1234@force.example",
    "user+tag@mail.example",
    "user=list@mail.example",
    "_@mail.example",
    "!#$%&'*+-/=?^_`{|}~@mail.example",
    "1234@mail.example",
    "a.b.c.d.e@mail.example",
    "-dash@mail.example",
    "dash-@mail.example",
    "percent%hack.example@mail.example",
    "bang!path@mail.example",
    "host!user%other.example@mail.example",
    "a/b=c@x400.example",
    f"{LOCAL_64}@mail.example",
    f"a@{LABEL_63}.example",
    f"{'a' * 64}@{DOMAIN_189}",
    "a@xn--bcher-kva.example",
    "a@1.example",
    "a@123",
    "a@192.0.2.1",
    "a@a-b.example",
    "a@a--b.example",
    "a@3com.example",
    '""@mail.example',
    '" "@mail.example',
    '"quoted"@mail.example',
    '"two words"@mail.example',
    '"at@sign"@mail.example',
    '"an > inside"@mail.example',
    '"an < inside"@mail.example',
    '"a\\"b"@mail.example',
    '"a\\\\b"@mail.example',
    '"a\\ b"@mail.example',
    '".dots..anywhere."@mail.example',
    '"comma,semi;colon:"@mail.example',
    '"(no comment)"@mail.example',
    '"RCPT TO:<x@elsewhere.example>"@mail.example',
    "a@[192.0.2.1]",
    "a@[0.0.0.0]",
    "a@[255.255.255.255]",
    '"q"@[192.0.2.1]',
    "a@[IPv6:2001:db8::1]",
    "a@[IPV6:2001:db8::1]",
    "a@[ipv6:::1]",
    "a@[IPv6:::]",
    "a@[IPv6:2001:db8:0:0:0:0:0:1]",
    "a@[IPv6:::ffff:192.0.2.1]",
    "a@[IPv6:2001:db8::192.0.2.1]",
    "a@[X25:311012345678]",
    "a@[tag-2:any!content^here~]",
    "j\u00fcrgen@mail.example",
    "\u7528\u6237@mail.example",
    "a@b\u00fccher.example",
    "a@\u4f8b\u3048.example",
    "a@sub.b\u00fccher.example",
    "\u03b1\u03b2.\u03b3@\u03b4\u03bf\u03ba\u03b9\u03bc\u03ae.example",
    '"\u00e9t\u00e9 2"@mail.example',
    "\U0001f4e7@mail.example",
    "a\u0301@mail.example",
    "\u00fc" * 32 + "@mail.example",
]

BAD = [
    "@",
    "a",
    "a@",
    "@b",
    "a@@b",
    "a@b@c",
    "a b@mail.example",
    " a@mail.example",
    "a@mail.example ",
    "a @mail.example",
    "a@ mail.example",
    ".a@mail.example",
    "a.@mail.example",
    "a..b@mail.example",
    "a@.example",
    "a@mail..example",
    "a@mail.example.",
    "a@-mail.example",
    "a@mail-.example",
    "a@mail.-example",
    "a@under_score.example",
    "a@mail!.example",
    "a@mail.example/x",
    "a@mail.exa mple",
    f"a@{'b' * 64}.example",
    f"{'a' * 65}@mail.example",
    f"{'a' * 64}@{DOMAIN_189}c",
    "a@" + ".".join(["d" * 63] * 4),
    f'"{"q" * 63}"@mail.example',
    "\u00fc" * 33 + "@mail.example",
    "a(b)@mail.example",
    "(b)a@mail.example",
    "a@(b)mail.example",
    "a,b@mail.example",
    "a;b@mail.example",
    "a:b@mail.example",
    "a\\b@mail.example",
    "a\\@b@mail.example",
    "a[b]@mail.example",
    "a<b@mail.example",
    "a>b@mail.example",
    '"open@mail.example',
    'open"@mail.example',
    'a"b"@mail.example',
    '"a"b@mail.example',
    '"a"."b"@mail.example',
    '"a\\"@mail.example',
    '"a"b"@mail.example',
    '"tab\there"@mail.example',
    '"tab\\\there"@mail.example',
    '"x\rRCPT TO:<injected@elsewhere.example>\r"@force.example',
    '"x\nRCPT TO:<injected@elsewhere.example>"@force.example',
    '"nul\0"@mail.example',
    '"nul\\\0"@mail.example',
    '"del\x7f"@mail.example',
    '"escaped beyond \\\u00e9"@mail.example',
    "tab\t@mail.example",
    "a@mail\t.example",
    "bell\x07@mail.example",
    "del\x7f@mail.example",
    "next-line\u0085@mail.example",
    "line\u2028separator@mail.example",
    '"paragraph\u2029separator"@mail.example',
    "surrogate\ud800@mail.example",
    "@relay.example:a@mail.example",
    "@a.example,@b.example:c@mail.example",
    "@relay.example:postmaster",
    "a@[192.0.2]",
    "a@[192.0.2.256]",
    "a@[192.0.2.1.5]",
    "a@[192.0.2.1.]",
    "a@[192.0.2.01]",
    "a@[192.0.2.1",
    "a@192.0.2.1]",
    "a@[]",
    "a@[IPv6:]",
    "a@[IPv6:2001:db8::1::2]",
    "a@[IPv6:fe80::1%eth0]",
    "a@[IPv6:192.0.2.1]",
    "a@[2001:db8::1]",
    "a@[X25:]",
    "a@[X25:has space]",
    "a@[X25:nested[bracket]",
    "a@[tag-:content]",
    "a@[X25:\u00e9]",
    "a@[192.0.2.1].example",
    "a@b\u3002example",
    "a@b\u00fc\uff0eexample",
    "a@\u00fc..example",
    "a@\u00fc_x.example",
    "a@-\u00fc.example",
    "a@\U0001f4e7\u200d.example",
    "a@b\u00fccher.example.",
]


@pytest.mark.parametrize("path", GOOD)
def test_a_mailbox_of_the_grammar_is_taken_in_both_places(path):
    """RFC 5321 section 4.1.2 and RFC 6531 section 3.3: these are mailboxes."""
    paths.reverse_path(path)
    paths.forward_path(path)
    assert paths.split_path(f"<{path}>") == (path, "")


@pytest.mark.parametrize("path", BAD)
def test_anything_else_is_refused_as_sender(path):
    """What is no mailbox is refused with 5.1.7, never mended."""
    with pytest.raises(Rejected) as refused:
        paths.reverse_path(path)
    assert refused.value.reply.code == (553 if path.startswith("@") else 501)
    assert refused.value.reply.lines[0].startswith("5.1.7 ")


@pytest.mark.parametrize("path", [*BAD, "", "postmaster ", "postmaster@", "webmaster"])
def test_anything_else_is_refused_as_recipient(path):
    """What is no mailbox is refused with 5.1.3, never mended; a recipient may not be null."""
    with pytest.raises(Rejected) as refused:
        paths.forward_path(path)
    assert refused.value.reply.code == (553 if path.startswith("@") else 501)
    assert refused.value.reply.lines[0].startswith("5.1.3 ")


@pytest.mark.parametrize("path", ["postmaster", "Postmaster", "POSTMASTER"])
def test_postmaster_needs_no_domain(path):
    """RFC 5321 section 4.5.1, for a recipient; a sender needs its domain."""
    paths.forward_path(path)
    with pytest.raises(Rejected):
        paths.reverse_path(path)


def test_the_null_sender_is_a_sender():
    """RFC 5321 section 4.5.5: bounces and notices come from nobody."""
    paths.reverse_path("")


SPLIT = [
    ("<a@b>", "a@b", ""),
    (" <a@b>", "a@b", ""),
    ("   <a@b>", "a@b", ""),
    ("<>", "", ""),
    ("<a@b> SIZE=1", "a@b", "SIZE=1"),
    ("<a@b>  SIZE=1 BODY=7BIT", "a@b", "SIZE=1 BODY=7BIT"),
    ('<"> SIZE=9"@b> SIZE=1', '"> SIZE=9"@b', "SIZE=1"),
    ('<"a\\">"@b>', '"a\\">"@b', ""),
]


@pytest.mark.parametrize(("argument", "path", "parameters"), SPLIT)
def test_the_bracket_that_closes_is_the_first_outside_quotes(argument, path, parameters):
    """What is between the brackets comes back as it is; the rest is the parameters."""
    assert paths.split_path(argument) == (path, parameters)


@pytest.mark.parametrize(
    "argument",
    [
        *[
            "",
            " ",
            "a@b",
            "a@b>",
            "<a@b",
            "<",
            ">",
            "<a@b>x",
            "<a@b>x SIZE=1",
            "<a@b>>",
            "<<a@b>>",
            "<a@b><c@d>",
        ],
        *[
            "<a@b>\tSIZE=1",
            "\t<a@b>",
            "\u00a0<a@b>",
            "<a@b>,<c@d>",
            "<a@b> ",
            "Name <a@b>",
            '<"a@b>',
            "<a<b@c>",
        ],
    ],
)
def test_brackets_that_do_not_fit_are_refused(argument):
    """No brackets, half of them, or something behind them: 501 5.5.4."""
    with pytest.raises(Rejected) as refused:
        paths.split_path(argument)
    assert refused.value.reply.code == 501
    assert refused.value.reply.lines[0].startswith("5.5.4 ")


@given(st.text(max_size=80))
def test_no_text_breaks_the_grammar(text):
    """Any characters at all are taken or refused; a path that is taken holds no control character and no CR or LF."""
    try:
        paths.forward_path(text)
    except Rejected:
        return
    assert text.isprintable() or not any(
        ord(character) < 32 or 127 <= ord(character) < 160 for character in text
    )


@given(st.text(st.characters(codec="ascii"), max_size=60))
def test_what_is_taken_can_be_written_between_brackets_and_read_again(text):
    """A path that is taken survives MAIL FROM:<...>: nothing in it can close the bracket early."""
    try:
        paths.reverse_path(text)
    except Rejected:
        return
    assert paths.split_path(f"<{text}> SIZE=1") == (text, "SIZE=1")


@pytest.mark.parametrize(
    "hostile", ["a." * 5000, '"' * 5000, "a-" * 5000 + "_", "<" * 5000, "\\" * 5000, "a@" + "b-" * 5000]
)
def test_hostile_paths_cost_no_time(hostile):
    """The patterns are linear: a long address cannot stall the other clients."""
    for text in (hostile, f"<{hostile}", f"<{hostile}>"):
        with pytest.raises(Rejected):
            paths.forward_path(
                paths.split_path(text)[0] if text.startswith("<") and text.endswith(">") else text
            )
