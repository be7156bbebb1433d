"""The playground: what it says of words and mails, that nothing of them is kept, and that hostile ones stall nobody."""

import asyncio
import base64
import re

import pytest
import pytest_asyncio
from console_rule_sets import DRINK, LUNCH, a_bundle, a_rule, put_in_force
from console_visits import BY_ROLE, PSD, REVIEWER, Console, words_of
from gateway_process import CONTACT, OFFICER
from structlog.testing import capture_logs

from gateway import audit
from gateway.console.playground import Typed
from gateway.model import Event, Role
from gateway.settings import InspectionSettings
from gateway.store import Store

MAIL = (
    "From: Amir Khan <{sender}>\nTo: {to}\nSubject: Your case\nDate: Wed, 4 Mar 2026 11:20:00 +0000\n"
    "Message-ID: <1@force.example>\n\n{body}\n"
)
ASKS = "The hearing is on Tuesday. Do you fancy a drink tonight? Amir"


def a_mail(body=ASKS, to=CONTACT, sender=OFFICER):
    return MAIL.format(body=body, to=to, sender=sender)


pytestmark = pytest.mark.asyncio(loop_scope="module")
"""One loop for all: the processes that read and judge are started once."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(peopled, registry_settings, tmp_path_factory):
    """A console whose playground judges by words alone: what it shows does not depend on the language model."""
    folder = tmp_path_factory.mktemp("playground")
    with Store.open(peopled.copy(folder / "store")) as store:
        made = small(store, registry_settings)
        made.folder = folder
        yield made
        await made.desk.rehearser.close()
        await made.desk.reader.close()


@pytest_asyncio.fixture(loop_scope="module")
async def console(shared):
    """The shared one, with the small set in force, a second later than whatever a test before put there."""
    shared.clock.forward(seconds=1)
    put_in_force(shared)
    shared.begin = shared.store.read_now(audit.head).seq
    return shared


def small(store, registry_settings, inspection=None, **console):
    return Console(
        store, registry_settings, **{"playground_timeout_s": 600} | console,
        inspection=InspectionSettings(extract_workers=1, language=False, **inspection or {}),
    )  # fmt: skip


async def tried(visitor, **fields):
    return await visitor.post("/playground", fields, form_on="/playground")


def section(page, name):
    """Return the words of the answer under one heading."""
    found = page.text.split(f'<h2 id="{name}">')
    assert len(found) > 1, f"there is no section {name}"
    shown = re.split(r"<h2 |</main>", found[1])[0]
    return " ".join(re.sub(r"<[^>]*>", " ", re.sub(r"</?bdi>", "", shown)).split())


# --- words and mails ----------------------------------------------------------------------------------------


async def test_words_are_judged_and_taken_apart(author):
    """Verdict, findings whose points sum to the score, marked words, and what it would be without the sentence."""
    page = await tried(author, text=ASKS, subject="Your case")
    assert page.status_code == 200
    assert section(page, "verdict").startswith("Verdict hold 4 points; policy flags from 2 and holds from 10")
    assert "4 points, advance.drink" in section(page, "findings")
    assert "4 points in all." in section(page, "findings")
    assert "“Do you fancy a drink tonight?” pass 0 advance.drink" in section(page, "without")
    assert re.search(r'<mark class="high"[^>]*>.*?fancy a drink</bdi></mark>', page.text)
    assert "fancy a drink tonight?" in page.text.split("<textarea")[1].split("</textarea>")[0]


async def test_a_mail_is_read_as_on_the_road(author):
    """The header block is a header block; what is quoted is set aside, with its speaker, and does not count."""
    quoted = f"Thank you.\n\nOn Mon, 2 Mar 2026 at 10:00, Nadia Rahman <{CONTACT}> wrote:\n> Do you fancy a drink?\n"
    reply = a_mail(quoted).replace("Message-ID", "In-Reply-To: <9@home.example>\nMessage-ID")
    page = await tried(author, kind="mail", text=reply)
    assert section(page, "verdict").startswith("Verdict pass 0 points")
    assert "No rule came true" in section(page, "findings")
    assert f"Set aside: quoted, said to be by {CONTACT}" in section(page, "read")
    assert CONTACT in section(page, "verdict")
    as_words = await tried(author, kind="words", text=a_mail())
    assert "From: Amir Khan" in section(as_words, "read")


async def test_a_file_is_taken_octet_for_octet(author):
    """A dropped mail in another character set is what it was, and the page keeps it for the next try."""
    raw = a_mail("Do you fancy a drink? \N{POUND SIGN}5").replace("\n", "\r\n").encode("latin-1")
    raw = raw.replace(b"\r\n\r\n", b'\r\nContent-Type: text/plain; charset="iso-8859-1"\r\n\r\n', 1)
    file = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    page = await tried(author, kind="mail", file=file, file_name="one.eml", text="not this")
    assert "advance.drink" in section(page, "findings")
    assert "\N{POUND SIGN}5" in section(page, "read")
    assert "The file one.eml is tried" in words_of(page)
    assert f'name="file" value="{file}"' in page.text


async def test_what_cannot_be_read_is_said(author):
    """A part that is encrypted is named with what policy makes of it."""
    text = a_mail("-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----").replace(
        "Message-ID", 'Content-Type: multipart/encrypted; boundary="x"\nMessage-ID'
    )
    page = await tried(author, kind="mail", text=text)
    assert "Policy makes that a hold" in section(page, "read")
    assert section(page, "verdict").startswith("Verdict hold")


@pytest.mark.parametrize(
    ("fields", "because"),
    [
        ({"closed": "1"}, "closed case"),
        ({"unassigned": "1"}, "sender not assigned"),
        ({"vulnerable": "1"}, "vulnerable contact"),
    ],
)
async def test_facts_beside_the_words_may_be_chosen(console, author, fields, because):
    """A warm word only flags; the case, the assignment or the contact makes it a hold."""
    console.clock.forward(seconds=1)
    put_in_force(console, a_bundle(a_rule(LUNCH, status="enforce")))
    plain = await tried(author, text="Shall we have lunch?")
    assert section(plain, "verdict").startswith("Verdict flag")
    page = await tried(author, text="Shall we have lunch?", **fields)
    assert section(page, "verdict").startswith("Verdict hold")
    assert because in section(page, "verdict")


async def test_a_new_set_is_tried_at_once(console, author):
    """The process that judges takes the set in force, not the one it began with."""
    before = await tried(author, text="Do you fancy a pint?")
    console.clock.forward(seconds=1)
    put_in_force(console, a_bundle(a_rule(phrase="fancy a pint", hit="Fancy a pint?")))
    after = await tried(author, text="Do you fancy a pint?")
    assert [section(page, "verdict").split()[1] for page in (before, after)] == ["pass", "hold"]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "Type or paste something first"),
        ({"text": " \n "}, "Type or paste something first"),
        ({"file": "%%%"}, "did not arrive whole"),
        ({"file": "A"}, "did not arrive whole"),
        ({"file": "\N{SNOWMAN}"}, "did not arrive whole"),
        ({"text": "hello", "as": "registry"}, "only professional standards"),
    ],
)
async def test_what_cannot_be_tried_is_said_beside_the_form(author, fields, says):
    """A sentence, and what was typed is still there."""
    page = await tried(author, rule="", **fields)
    assert page.status_code == 422
    assert says in words_of(page)


async def test_choices_that_are_none_are_the_first():
    """A form that somebody wrote by hand is read like any other."""
    typed = Typed.of({"kind": "x", "as": "x", "role": "x", "subject": "a\r\nb: c", "vulnerable": ""})
    assert (typed.kind, typed.as_, typed.role, typed.subject) == ("words", "contact", "victim", "a b: c")
    assert not typed.vulnerable


async def test_without_a_set_there_is_nothing_to_try_on(console_store, registry_settings):
    """A store in which no set was ever in force says so."""
    console = small(console_store, registry_settings)
    page = await tried(console.visitor(PSD), text=ASKS)
    assert page.status_code == 422
    assert "no set in force" in words_of(page)


# --- who is a contact ---------------------------------------------------------------------------------------


async def test_the_registry_answers_professional_standards_alone_and_on_record(console, author):
    """Whether an address is a victim's is nothing that a rule author learns by trying; whoever does learn it is recorded."""
    for to in (CONTACT, "nobody@council.example"):
        page = await tried(author, **{"as": "registry", "kind": "mail", "text": a_mail(to=to)})
        assert page.status_code == 422
    assert console.audited(Event.CONTACT_SHOWN) == []
    psd = console.visitor(PSD)
    assert "only professional standards" not in words_of(await psd.get("/playground"))
    page = await tried(psd, **{"as": "registry", "kind": "mail", "text": a_mail()})
    assert section(page, "verdict").startswith("Verdict hold")
    assert console.audited(Event.CONTACT_SHOWN) == [(PSD, "P-1")]
    page = await tried(psd, **{"as": "registry", "kind": "mail", "text": a_mail(to="nobody@council.example")})
    assert "To no registered contact" in section(page, "verdict")
    assert len(console.audited(Event.CONTACT_SHOWN)) == 1


async def test_reviewers_and_others_have_no_playground(console):
    """Neither the page nor the form: what they may not, they cannot tell from what is not there."""
    for email in (REVIEWER, BY_ROLE[Role.OVERSIGHT], BY_ROLE[Role.ADMINISTRATOR]):
        visitor = console.visitor(email)
        answer = await visitor.post("/playground", {"text": ASKS})
        absent = await visitor.post("/there-is-no-such-page", {"text": ASKS})
        assert (answer.status_code, words_of(answer)) == (404, words_of(absent))


# --- nothing is kept ----------------------------------------------------------------------------------------


async def test_nothing_of_the_words_is_stored_or_logged(console, author):
    """That somebody tried is in the audit log; of what they tried no word is anywhere: not a line, not a hash."""
    secret = "zephyrine marmalade"
    rule = a_rule(DRINK, id="advance.marmalade", phrase=secret, hit=secret)
    with capture_logs() as logs:
        await tried(author, text=f"Do you fancy a drink? {secret}", subject=secret, rule=rule)
        await tried(author, kind="mail", text=a_mail(secret), rule="id: [")
    assert secret not in str(logs)
    assert "marmalade" not in str(logs)
    every = console.store.read_now(lambda tx: audit.entries(tx, after=console.begin))
    entries = [one for one in every if one.event == Event.RULES_TRIED]
    assert [one.actor for one in entries] == [BY_ROLE[Role.RULE_AUTHOR]] * 2
    assert entries[0].payload == '{"message":true,"registry":false,"rule":true}'
    for file in (console.folder / "store").iterdir():
        assert b"marmalade" not in file.read_bytes(), file.name
    assert secret not in (await author.get("/playground")).text


# --- hostile ------------------------------------------------------------------------------------------------


async def test_hostile_words_are_shown_not_obeyed(author):
    """Markup, controls and marks of direction stand as they are, in the answer and in the form."""
    wicked = "</textarea><script>alert(1)</script>\x1b[2J\N{RIGHT-TO-LEFT OVERRIDE} Do you fancy a drink <b onclick=x>?"
    page = await tried(author, text=wicked, subject='"><script>alert(2)</script>', rule="</textarea><script>")
    assert "<script>alert" not in page.text
    assert "<b onclick" not in page.text
    answer = page.text.split('id="answer"')[1]
    assert "\x1b" not in answer
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in answer
    assert "&lt;script&gt;alert(1)" in page.text


async def test_a_message_that_is_too_large_is_refused(console_store, registry_settings):
    """More than console.playground_bytes is a sentence; a form far beyond it is not even read."""
    console = small(console_store, registry_settings, playground_bytes=4096, max_form_bytes=4096)
    put_in_force(console)
    author = console.visitor(PSD)
    page = await tried(author, kind="mail", text=a_mail("x " * 3000))
    assert page.status_code == 422
    assert "4,096 octets (console.playground_bytes)" in words_of(page)
    assert (await tried(author, text="x" * 600_000)).status_code == 413


async def test_a_message_that_costs_too_much_ends_its_process_and_nobody_waits(
    console_store, registry_settings
):
    """Past its processor time the worker is gone; meanwhile other pages answer, and the next try gets a new one."""
    console = small(console_store, registry_settings, {"message_timeout_s": 1})
    put_in_force(console)
    author, reviewer = console.visitor(PSD), console.visitor()
    heavy = a_mail("\n".join(f"Do you fancy a drink {number}?" for number in range(30_000)))
    task = asyncio.create_task(tried(author, kind="mail", text=heavy))
    answered = 0
    while not task.done():
        assert (await reviewer.get("/holds")).status_code == 200
        answered += 1
    page = task.result()
    assert page.status_code == 422
    assert re.search(r"processor time|ended by SIG|machine is busy", words_of(page)), words_of(page)
    assert answered > 1
    await console.desk.rehearser.close()
    await console.desk.reader.close()


async def test_an_answer_that_takes_too_long_is_given_up(console_store, registry_settings):
    """Past console.playground_timeout_s the visitor is told so, and no half-started process is left behind."""
    console = small(console_store, registry_settings, playground_timeout_s=0.01)
    put_in_force(console)
    page = await tried(console.visitor(PSD), text=ASKS)
    assert page.status_code == 422
    assert "It took more than 0.01 s (console.playground_timeout_s)" in words_of(page)
    await console.desk.rehearser.close()
    await console.desk.reader.close()


async def test_its_process_ends_when_nobody_tries_anything(console_store, registry_settings):
    """Half a gigabyte is not kept for a page that nobody has open; the next try starts anew."""
    console = small(console_store, registry_settings, playground_idle_min=0.0001)
    put_in_force(console)
    author = console.visitor(PSD)
    for _ in range(2):
        page = await tried(author, text=ASKS)
        assert section(page, "verdict").startswith("Verdict hold")
        async with asyncio.timeout(60):
            while not console.desk.rehearser.is_at_rest:
                await asyncio.sleep(0.01)
    await console.desk.reader.close()


# --- a rule of one's own ------------------------------------------------------------------------------------


async def test_a_rule_is_tried_beside_the_set_in_force(author):
    """Its verdict on the message stands beside the other, with what it finds; the set in force stays as it is."""
    rule = a_rule(DRINK, id="advance.hearing", phrase="the hearing is", hit="The hearing is soon.")
    page = await tried(author, text=ASKS, rule=rule)
    says = section(page, "draft")
    assert "sound It loads, and its examples come true" in says
    assert "in force hold 4 with your rule hold 8" in says
    assert "It finds “The hearing is”" in says
    assert section(page, "verdict").startswith("Verdict hold 4 points")
    again = await tried(author, text=ASKS)
    assert "advance.hearing" not in again.text


async def test_a_rule_takes_the_place_of_the_one_with_its_id(author):
    """A narrower version of a rule shows what would be found no more."""
    narrow = a_rule(version=2, phrase="fancy a sherry", hit="You fancy a sherry?")
    page = await tried(author, text=ASKS, rule=narrow)
    assert "in force hold 4 with your rule pass 0" in section(page, "draft")
    assert "Found no more: advance.drink" in section(page, "draft")


@pytest.mark.parametrize(
    ("rule", "line", "column", "what"),
    [
        (a_rule().replace("status:", "staus:"), 4, 1, "staus"),
        (a_rule().replace("words and not place", "words and not plaice"), 13, 21, "plaice"),
        (a_rule(hit="Good morning."), 18, 9, "should make the rule fire, and does not"),
        (a_rule().replace("{phrase: fancy a drink}", "{regex: '(a'}"), 11, 18, "RE2"),
        ("id: advance.drink\nwhy: [\n", 3, 1, ""),
    ],
)
async def test_what_is_wrong_with_a_rule_has_its_place(author, rule, line, column, what):
    """Lint's mistakes with line, column and remedy, without any message."""
    page = await tried(author, rule=rule)
    assert page.status_code == 200
    rows = re.findall(
        r'<tr><td class="number">(\d*)</td><td class="number">(\d*)</td><td>(.*?)</td><td>(.*?)</td></tr>',
        page.text.split('<h2 id="draft">')[1],
    )
    assert (str(line), str(column)) in [row[:2] for row in rows], rows
    assert all(row[2] and row[3] for row in rows)
    assert what in str(rows)


@pytest.mark.parametrize(
    "rule",
    [
        "just words",
        "- 1\n- 2\n",
        "id: 7\n",
        "id: ../../etc/passwd\n",
        "a: &a [*a]\n",
        "x" * 300_000,
        "\x01",
    ],
    ids=range(7),
)
async def test_odd_text_is_no_rule_and_no_fault(author, rule):
    """What is no rule at all is a mistake with a remedy."""
    page = await tried(author, rule=rule)
    assert page.status_code == 200
    assert "not loaded" in section(page, "draft")


async def test_a_nul_is_refused_at_the_door(author):
    """No form of the console holds a NUL: PostgreSQL cannot keep one, and no browser sends it."""
    page = await tried(author, rule="\x00\x01")
    assert page.status_code == 400
