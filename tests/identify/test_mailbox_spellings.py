"""One mailbox, many spellings: what matches, what must not, and that matching never fails."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from people import FOLDING

from gateway.identify import domain_key, is_overrouted, keys_of, literal_key, match_key

SAME = [
    # registered, spelling at RCPT
    ("jo.bloggs@home.example", "jo.bloggs@home.example"),
    ("jo.bloggs@home.example", "JO.BLOGGS@HOME.EXAMPLE"),
    ("Jo.Bloggs@Home.Example", "jo.bloggs@home.example"),
    ("jo.bloggs@home.example", '"jo.bloggs"@home.example'),
    ("jo.bloggs@home.example", '"jo\\.blo\\ggs"@home.example'),
    ("jo.bloggs@home.example", '"Jo.Bloggs"@HOME.example'),
    ('"jo bloggs"@home.example', '"Jo Bloggs"@home.example'),
    ('"jo@work"@home.example', '"jo\\@work"@home.example'),
    ("jo.bloggs@home.example", "jo.bloggs@home.example."),
    ("jo.bloggs@home.example", "jo.bloggs@home.example.."),
    ("jo.bloggs@home.example", " jo.bloggs@home.example "),
    ("jo.bloggs@home.example", "<jo.bloggs@home.example>"),
    ("jo.bloggs@home.example", "jo . bloggs @ home . example"),
    ("jo.bloggs@home.example", "jo.bloggs+case42@home.example"),
    ("jo.bloggs+old@home.example", "jo.bloggs@home.example"),
    ("jo.bloggs+old@home.example", "jo.bloggs+new+er@home.example"),
    ("jo.bloggs@gmail.com", "jobloggs@gmail.com"),
    ("jo.bloggs@gmail.com", "j.o.b.l.o.g.g.s@gmail.com"),
    ("jobloggs@gmail.com", "Jo.Bloggs+x@GoogleMail.com"),
    ("jobloggs@googlemail.com", "jo.bloggs@gmail.com"),
    ("jo@bücher.example", "jo@xn--bcher-kva.example"),
    ("jo@xn--bcher-kva.example", "jo@BÜCHER.example"),
    ("jo@bücher.example", "jo@XN--BCHER-KVA.EXAMPLE."),
    ("jo@bücher.example", "jo@bu\u0308cher.example"),
    ("jo@straße.example", "jo@xn--strae-oqa.example"),
    ("jo@straße.example", "jo@strasse.example"),
    ("jo@home.example", "jo@home\u3002example"),
    ("jo@home.example", "jo@ｈｏｍｅ．ｅｘａｍｐｌｅ"),
    ("jo@home.example", "ｊｏ@home.example"),
    ("jo@home.example", "jo＠home.example"),
    ("jo@home.example", "jo\u200b@home.example"),
    ("jo@home.example", "jo@ho\u00adme.example"),
    ("jo@home.example", "\ufeffjo@home.example"),
    ("jo@home.example", "jo\ufe0f@home.example"),
    ("jo@home.example", "jo\x00@home.example"),
    ("émile@home.example", "E\u0301MILE@home.example"),
    ("strauß@home.example", "STRAUSS@home.example"),
    ("ﬁona@home.example", "fiona@home.example"),
]


@pytest.mark.parametrize(("registered", "spelling"), SAME)
def test_spellings_of_one_mailbox_share_a_key(registered, spelling):
    """Case, quoting, escapes, tags, dots, IDN, compatibility and invisible characters make no other mailbox."""
    assert match_key(spelling, FOLDING) == match_key(registered, FOLDING)


ROUTED = [
    "victim%home.example@relay.example",
    "VICTIM%Home.Example@relay.example",
    "victim+tag%home.example@relay.example",
    "victim%home.example%other.example@relay.example",
    "home.example!victim@relay.example",
    "other.example!home.example!victim@relay.example",
    "home.example!victim",
    '"victim@home.example"@relay.example',
    "victim@home.example@relay.example",
    "@relay.example:victim@home.example",
    "@one.example,@two.example:victim@home.example",
    "victim(a comment)@home.example",
    "victim(a (nested) comment)@home.example",
    "(x)victim@(y)home.example",
    "IMCEASMTP-victim+40home+2Eexample@force.example",
    "imceasmtp-VICTIM+40HOME+2eEXAMPLE@force.example",
    "SRS0=HHHH=TT=home.example=victim@force.example",
    "SRS1=HHHH=relay.example==HHHH=TT=home.example=victim@force.example",
    "prvs=0123456789=victim@home.example",
    "IMCEASMTP-+22vic+5C+20tim+22+40home+2Eexample@force.example",
    "IMCEAATYPEOFMANYLETTERS-victim+40home+2Eexample@force.example",
    "relay.example!victim%home.example@other.example",
]


@pytest.mark.parametrize("spelling", ROUTED)
def test_routed_spellings_reach_the_mailbox_behind_them(spelling):
    """Percent-hack, bang path, source route, comments and encapsulation are read as their last mailbox too."""
    assert match_key("victim@home.example", FOLDING) in keys_of(spelling, FOLDING)


@pytest.mark.parametrize("escaped", ["jos+E9", "jos+C3+A9", "jos+c3+a9", "Jose+CC+81"])
def test_an_escaped_letter_beyond_ascii_is_read_in_both_codes(escaped):
    """Whichever the host that unpacks it goes by, the contact behind it is found."""
    spelling = f"IMCEASMTP-{escaped}+40home+2Eexample@force.example"
    assert match_key("josé@home.example", FOLDING) in keys_of(spelling, FOLDING)
    assert not is_overrouted(spelling)


@pytest.mark.parametrize("spelling", ROUTED)
def test_the_plain_reading_comes_first(spelling):
    """The spelling as it stands keeps its own key, before every other reading."""
    assert keys_of(spelling, FOLDING)[0] == match_key(spelling, FOLDING)


@pytest.mark.parametrize(
    "spelling",
    [
        "victim@[192.0.2.25]",
        "VICTIM@[IPv6:2001:db8::25]",
        "victim+tag@[192.0.2.25]",
        '"victim"@[192.0.2.25]',
        "victim@192.0.2.25",
        "victim@3221226009",
        "victim@192.0.537",
        "victim@0xC0.0x0.2.031",
        "victim%0xC0000219@relay.example",
        "vic.tim@[192.0.2.25]",
    ],
)
def test_an_address_literal_matches_by_local_part(spelling):
    """A mail host named by its number may be any domain's, so the local part alone decides."""
    assert literal_key(match_key("victim@home.example", FOLDING)) in keys_of(spelling, FOLDING)


DIFFERENT = [
    ("jo@home.example", "joe@home.example"),
    ("jo@home.example", "jo@home.example.org"),
    ("jo@home.example", "jo@mail.home.example"),
    ("jo.bloggs@home.example", "jobloggs@home.example"),
    ("jo@home.example", "jo@work.example"),
    ("victim@home.example", "vicтim@home.example"),  # a Cyrillic letter is another mailbox
    ("jo-bloggs@home.example", "jo@home.example"),
    ("jo@home.example", "jo"),
    ("jo@home.example", "+jo@home.example"),
    ("jo@home.example", "home.example"),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_mailboxes_do_not_meet(one, other):
    """Matching on the safe side does not mean matching everything."""
    assert match_key(one, FOLDING) not in keys_of(other, FOLDING)


class WithoutFolding:
    """Settings that fold nothing."""

    dotless_domains = ()
    plus_tag_domains = ("other.example",)
    same_domains = {}  # noqa: RUF012


@pytest.mark.parametrize(
    "spelling", ["jo.bloggs@gmail.com", "jobloggs+x@gmail.com", "jobloggs@googlemail.com"]
)
def test_tags_dots_and_twin_domains_are_settings(spelling):
    """Where the settings do not name a domain, its local parts are taken as they stand."""
    assert match_key(spelling, WithoutFolding()) != match_key("jobloggs@gmail.com", WithoutFolding())
    assert match_key("jo+x@other.example", WithoutFolding()) == "jo@other.example"


def test_a_tag_alone_is_a_local_part():
    """Nothing is cut down to an empty local part, which would be one mailbox for all."""
    assert match_key("+tag@home.example", FOLDING) == "+tag@home.example"
    assert match_key("...@gmail.com", FOLDING) == "...@gmail.com"


ANY_TEXT = st.text(max_size=80)
ADDRESS_LIKE = st.from_regex(
    re.compile(r"[a-zA-Z0-9.+%!\"\\@:=()\[\]<> é߀ｊ＠。-]{0,30}@[a-zA-Z0-9.\-\[\]éß。xn]{0,30}"),
    fullmatch=True,
)


@given(st.one_of(ANY_TEXT, ADDRESS_LIKE))
@example("\udce9@home.example")
@example("x@" + "a." * 200)
@example("x@xn--\u0378.example")
@example("x@-.example")
@example("@")
@example("")
def test_match_key_is_total_idempotent_and_blind_to_case(address):
    """No address raises; a key is its own key; upper and lower case share one."""
    key = match_key(address, FOLDING)
    assert match_key(key, FOLDING) == key
    if address.isascii():
        assert match_key(address.upper(), FOLDING) == match_key(address.lower(), FOLDING) == key
    assert keys_of(address, FOLDING)[0] == key
    assert len(keys_of(address, FOLDING)) <= 16


VIA = st.sampled_from(["relay.example", "mx.force.example", "localhost", "a", ""])


def behind(address: str, step: tuple[str, str, int]) -> str:
    """Return ``address`` as a route writes it that goes through one more host, in the way that ``step`` says."""
    how, host, times = step
    local, _, domain = address.rpartition("@")
    match how:
        case "percent":
            return f"{local}%{domain}@{host}"
        case "percents":
            return f"{local}%{domain}{'%' * times}@{host}"
        case "bang":
            return f"{domain}!{local}@{host}"
        case "quoted":
            return f'"{address}"@{host}'
        case "escaped":
            code = "".join(char if char.isalnum() else f"+{ord(char):02X}" for char in address)
            return f"IMCEASMTP-{code}@{host}"
        case _:
            return f"prvs=0123456789={address}"


ROUTES = st.lists(
    st.tuples(
        st.sampled_from(["percent", "percents", "bang", "quoted", "escaped", "batv"]),
        VIA,
        st.integers(2, 40),
    ),
    max_size=12,
)


@given(ROUTES)
@example([("percents", "relay.example", 20)])
@example([("percent", "a", 0)] * 20)
@example([("percent", "a", 0), ("bang", "b", 0)] * 6)
def test_a_route_is_read_to_its_end_or_known_to_be_too_long(route):
    """However an address is routed, the mailbox at its end is among the readings, or the walk is known to be cut short (P3)."""
    address = "victim@home.example"
    for step in route:
        address = behind(address, step)
    assert is_overrouted(address) or match_key("victim@home.example", FOLDING) in keys_of(address, FOLDING)


@pytest.mark.parametrize(
    "spelling",
    [
        "jo%gmail.com" + "%" * 20 + "@mx.uk",
        "localhost!mx.uk!jo%gmail.com%localhost%mx.uk%localhost@mx.uk",
        "a%" * 500 + "@x.example",
        '"' + "(" * 20 + "x" + ")" * 20 + 'jo@gmail.com"@mx.uk',
        "IMCEASMTP-jo+25gmail+2Ecom" + "+25" * 16 + "+40mx+2Euk@mx.uk",
        "jo%gmail.com@" + "a." * 600 + "example",
    ],
)
def test_what_is_read_in_more_ways_than_are_looked_at_is_known(spelling):
    """A walk through the readings that stops early says so: nobody can say whom such an address reaches."""
    assert is_overrouted(spelling)


@pytest.mark.parametrize("spelling", [*ROUTED, *(one for pair in SAME for one in pair), "x" * 2000, ""])
def test_no_honest_spelling_has_too_many_readings(spelling):
    """Routes that programs write by themselves, and addresses without any, are read to their end."""
    assert not is_overrouted(spelling)


@given(st.text(max_size=60))
def test_domain_key_is_idempotent(domain):
    """The one form of a domain is its own form, so that settings may be given in any spelling."""
    assert domain_key(domain_key(domain)) == domain_key(domain)


@pytest.mark.parametrize(
    "address",
    ["%" * 5000 + "@x.example", "!" * 5000, "(" * 5000 + "@x.example", "@" * 5000, "a%" * 500 + "@x.example"],
)
def test_readings_of_a_hostile_address_are_few(address):
    """An address made to be re-read without end costs 16 readings at most."""
    assert 1 <= len(keys_of(address, FOLDING)) <= 16
