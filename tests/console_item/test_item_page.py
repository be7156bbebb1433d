"""The page of one item: what it shows, to whom, and what becomes of what is typed into it."""

import re
from datetime import timedelta

import pytest
from console_visits import BROOKS, KHAN, PSD, REVIEWER, words_of
from gateway_process import CONTACT, OFFICER
from item_mail import ADVANCE, QUOTED, judged, mail, raw_item
from stores import a_ledger_entry, a_verdict

from gateway.console import item as item_pages
from gateway.errors import NotStored
from gateway.model import Action, Event, ItemKind, ItemState, Label, Traits
from gateway.store import claims, items, ledger, outbox
from gateway.store.rows import DecisionAction, DeliveryState, Outcome

WORDS = "The words are about the hearing, not about her."
COLLEAGUE = "owen.pryce@force.example"


def state(console, item):
    return console.store.read_now(lambda tx: items.item(tx, item)).state


@pytest.fixture
def advance(console):
    return judged(console, mail(QUOTED, extra="In-Reply-To: <news@home.example>\n"))


async def test_the_officers_words_are_marked_with_the_reason(reviewer, advance):
    """The very words of a finding are marked; the finding says its rule, points, reason and question."""
    page = await reviewer.get(f"/items/{advance}")
    assert page.status_code == 200
    marked = re.findall(r"<mark[^>]*>(.*?)</mark>", page.text, re.DOTALL)
    assert any("amazingly hot" in re.sub("<[^>]+>", "", one) for one in marked)
    shown = words_of(page)
    assert "Ask yourself" in shown
    assert "points" in shown
    assert "Without any one of these findings it would be a hold as well" in shown
    assert "DC Amir Khan" in shown
    assert "42/10231/26" in shown


async def test_quoted_words_are_folded_and_name_their_speaker(reviewer, advance):
    """The contact's own words are set aside, with who is said to have written them."""
    page = await reviewer.get(f"/items/{advance}")
    (fold,) = re.findall(r"<details class=\"quoted\".*?</details>", page.text, re.DOTALL)
    assert "open" not in fold.partition(">")[0]
    assert "said to be by <bdi>nadia@home.example</bdi>" in fold
    assert "any news about the hearing" in fold
    before = page.text.partition('<details class="quoted"')[0]
    assert "any news about the hearing" not in before


async def test_each_look_is_in_the_audit_log_before_it_is_answered(console, reviewer, advance):
    """Page, frame, source and comparison: whoever saw the message is on record for each."""
    for path in ("", "/html", "/source", "/versions"):
        assert (await reviewer.get(f"/items/{advance}{path}")).status_code == 200
    assert console.audited(Event.ITEM_VIEWED) == [(REVIEWER, advance)] * 4


@pytest.mark.parametrize("path", ["", "/html", "/source", "/versions"])
async def test_out_of_sight_is_absent(console, path):
    """Somebody named in the message, and nobody else, gets the answer for an item that is not there."""
    item = raw_item(console, mail(ADVANCE), excluded=(BROOKS,))
    named = console.visitor("helen.brooks@force.example")
    missing = await named.get(f"/items/nothing{path}")
    found = await named.get(f"/items/{item}{path}")
    assert (found.status_code, words_of(found)) == (404, words_of(missing))
    assert console.audited(Event.ITEM_VIEWED) == []
    assert (await console.visitor().get(f"/items/{item}{path}")).status_code == 200


async def test_hidden_words_are_shown_as_hidden(console, reviewer):
    """What a mail program does not show is shown here, and said to be hidden."""
    html = "<p>Your file is ready.</p><p style='display:none'>You looked amazingly hot on Monday.</p>"
    raw = mail(html).replace(b"text/plain", b"text/html")
    page = await reviewer.get(f"/items/{judged(console, raw)}")
    assert "hidden: mail programs do not show it" in words_of(page)
    assert "amazingly hot" in page.text


async def test_a_release_opens_the_next_item_and_can_be_undone(console, reviewer, advance):
    """It is decided at once, sent later, and taken back from the page that opens next."""
    other = judged(console, mail(ADVANCE + " Again."))
    answer = await reviewer.post(f"/items/{advance}", {"action": "release", "reason": WORDS})
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/items/{other}?done={advance}"
    assert state(console, advance) is ItemState.RELEASING
    page = await reviewer.get(answer.headers["location"])
    assert "Undo the release" in page.text
    undone = await reviewer.post(f"/items/{advance}", {"action": "undo"})
    assert undone.status_code == 303
    assert state(console, advance) is ItemState.HELD


@pytest.mark.parametrize("reason", ["", "x", "Ordinary police business."])
async def test_a_refused_reason_keeps_what_was_typed(console, reviewer, advance, reason):
    """No release without own words; nothing typed is lost."""
    answer = await reviewer.post(f"/items/{advance}", {"action": "release", "reason": reason})
    assert answer.status_code == 422
    assert reason in answer.text
    assert state(console, advance) is ItemState.HELD


async def test_a_second_reviewer_is_told_who_and_keeps_the_text(console, reviewer, advance):
    """409 with name and time, and the typed words still in the form."""
    await console.visitor(COLLEAGUE).post(f"/items/{advance}", {"action": "claim"})
    answer = await reviewer.post(
        f"/items/{advance}",
        {"action": "return", "reason": "Not like this.", "words": "See me <today> & soon."},
    )
    assert answer.status_code == 409
    assert COLLEAGUE in words_of(answer)
    assert "Not like this." in answer.text
    assert "See me &lt;today&gt; &amp; soon." in answer.text
    assert state(console, advance) is ItemState.HELD


@pytest.mark.parametrize("kind", ItemKind)
async def test_a_claim_from_within_a_decision_keeps_what_was_typed(console, reviewer, kind):
    """Without scripts each decision has a button that claims the item first: the words are still there, and nothing is decided."""
    item = raw_item(console, mail(ADVANCE), kind=kind)
    page = (await reviewer.get(f"/items/{item}")).text
    assert page.count('<noscript><button class="quiet" name="action" value="claim"') == page.count(
        'class="decision"'
    )
    action = "return" if kind is ItemKind.HOLD else "confirm"
    typed = {"typed-for": action, "reason": "Not like this.", "words": "See me <today>."}
    answer = await reviewer.post(f"/items/{item}", {"action": "claim", **typed})
    assert answer.status_code == 200
    assert "You have claimed it" in words_of(answer)
    assert f'id="do-{action}" open' in answer.text
    assert answer.text.count("Not like this.") == 1
    assert ("See me &lt;today&gt;." in answer.text) == (kind is ItemKind.HOLD)
    assert console.store.read_now(lambda tx: items.decisions_of(tx, item)) == ()


async def test_one_s_own_claim_can_be_prolonged(console, reviewer, advance):
    """A telephone call may take longer than review.claim_s: the page offers to prolong, beside giving it back."""
    await reviewer.post(f"/items/{advance}", {"action": "claim"})
    first = console.store.read_now(lambda tx: claims.claim_of(tx, advance, console.clock()))
    console.clock.forward(minutes=10)
    page = await reviewer.get(f"/items/{advance}")
    assert "Prolong it" in words_of(page)
    assert "Give it back" in words_of(page)
    await reviewer.post(f"/items/{advance}", {"action": "claim"})
    second = console.store.read_now(lambda tx: claims.claim_of(tx, advance, console.clock()))
    assert second.until > first.until
    assert second.since == first.since


async def test_trouble_with_the_store_keeps_what_was_typed(console, reviewer, advance):
    """The page that says so has the words, and sends them again: every page is no-store, so *Back* would not."""
    typed = {"action": "return", "typed-for": "return", "reason": "Not <now>.", "words": "See me."}
    token = await reviewer.token("/account")
    for broken in (
        "write",
        "read",
    ):  # with the first a session is found, with the second nobody knows whose it is
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(type(console.store), broken, refuses)
            answer = await reviewer.http.post(f"/items/{advance}", data={"csrf": token, **typed})
        assert answer.status_code == 503
        assert "Not &lt;now&gt;." in answer.text
        assert "See me." in answer.text
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', answer.text))
    assert fields == {"csrf": token, "action": "return", "typed-for": "return"}
    again = await reviewer.http.post(f"/items/{advance}", data={**typed, **fields})
    assert again.status_code == 303
    assert state(console, advance) is ItemState.RETURNED


async def refuses(*_):
    raise NotStored("locked")


async def test_our_own_fault_keeps_what_was_typed(console, reviewer, advance, monkeypatch):
    """What was typed is not lost to a mistake of the gateway's either."""
    token = await reviewer.token("/account")
    monkeypatch.setattr(item_pages.decisions, "decide", None)
    data = {"csrf": token, "action": "release", "reason": WORDS}
    answer = await reviewer.http.post(f"/items/{advance}", data=data)
    assert answer.status_code == 500
    assert WORDS in answer.text


async def test_what_was_typed_outlives_the_item(console, reviewer, advance):
    """A colleague referred it meanwhile: the words are shown once more, by the same page as for an item that never was (P7)."""
    colleague = console.visitor("owen.pryce@force.example")
    await colleague.post(f"/items/{advance}", {"action": "refer", "reason": WORDS})
    typed = {"action": "return", "typed-for": "return", "reason": "Not <now>.", "words": "See me."}
    answers = [await reviewer.post(f"/items/{item}", typed) for item in (advance, "a" * 20)]
    assert [answer.status_code for answer in answers] == [404, 404]
    for text in ("Not &lt;now&gt;.", "See me.", "Nothing was decided"):
        assert all(text in answer.text for answer in answers)
    assert words_of(answers[0]) == words_of(answers[1])
    assert "Nothing was decided" not in (await reviewer.get(f"/items/{advance}")).text


async def test_trouble_shows_nobody_what_another_site_sent(console, reviewer, advance):
    """A form that is not of this site is not read, whatever the store does."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(console.store), "read", refuses)
        answer = await reviewer.http.post(
            f"/items/{advance}", data={"reason": "planted"}, headers={"Origin": "https://evil.example"}
        )
    assert answer.status_code == 503
    assert "planted" not in answer.text


async def test_the_page_says_that_a_claim_is_about_to_end(console, reviewer, advance):
    """Its end is there in words from the beginning, and that it is near from review.claim_warning_s before; for a script to tell of too."""
    await reviewer.post(f"/items/{advance}", {"action": "claim"})
    review = console.desk.settings.review
    early = await reviewer.get(f"/items/{advance}")
    assert "Prolong it before then" in words_of(early)
    assert (
        f'data-lapses-in="{review.claim_s:.0f}" data-warned-before="{review.claim_warning_s:.0f}"'
        in early.text
    )
    assert '<p id="lapse" role="status"></p>' in early.text
    console.clock.forward(seconds=review.claim_s - 90)
    assert "It ends in less than 2 min" in words_of(await reviewer.get(f"/items/{advance}"))
    await reviewer.post(f"/items/{advance}", {"action": "claim"})
    assert "Prolong it before then" in words_of(await reviewer.get(f"/items/{advance}"))


async def test_a_clean_version_sent_later_stands_beside_the_hold(console, reviewer):
    """What passed from the same officer to the same contact since, and whether it is in the same thread; nothing else."""
    item = raw_item(console, mail(ADVANCE))
    held_at = console.clock() - timedelta(hours=1)

    def row(minutes, thread, **changes):
        given = {
            "officer": KHAN, "persons": ("P-1",), "at": held_at + timedelta(minutes=minutes), "rules": (),
            "traits": Traits(thread=thread),
        }  # fmt: skip
        entry = a_ledger_entry(**given | changes)
        console.store.write_now(lambda tx: ledger.add(tx, entry))

    row(0, "t1", id=item, action=Action.HOLD, outcome=Outcome.HELD)
    assert "and passed" not in words_of(await reviewer.get(f"/items/{item}"))
    row(-10, "t1")
    row(20, "t1", officer=BROOKS)
    row(25, "t1", persons=("P-2",))
    row(60 * 24 * 31, "t1")
    row(30, "t1")
    row(40, "t2")
    page = (await reviewer.get(f"/items/{item}")).text
    listed = page.partition("Sent to the same contact since, and passed")[2].partition("</ul>")[0]
    assert listed.count("<li>") == 2
    assert listed.count("same thread") == 1


async def test_nobody_is_warned_of_a_claim_that_is_not_theirs(console, reviewer, advance):
    """Whose it is says until when; there is nothing for anybody else to prolong."""
    await console.visitor(COLLEAGUE).post(f"/items/{advance}", {"action": "claim"})
    page = await reviewer.get(f"/items/{advance}")
    assert "data-lapses-in" not in page.text
    assert "Prolong" not in words_of(page)


async def test_claim_and_give_back(console, reviewer, advance):
    """Claimed, the page says so to both; given back, the next one may."""
    await reviewer.post(f"/items/{advance}", {"action": "claim"})
    assert "You have claimed it" in words_of(await reviewer.get(f"/items/{advance}"))
    assert REVIEWER in words_of(await console.visitor(COLLEAGUE).get(f"/items/{advance}"))
    await reviewer.post(f"/items/{advance}", {"action": "give-up"})
    assert console.store.read_now(lambda tx: claims.claim_of(tx, advance, console.clock())) is None


@pytest.mark.parametrize(
    ("action", "then"),
    [("return", ItemState.RETURNED), ("refer", ItemState.REFERRED), ("note", ItemState.HELD), ("confirm", ItemState.HELD)],
)  # fmt: skip
async def test_each_decision_is_made_from_the_page(console, reviewer, advance, action, then):
    """What the form says is what `review` does, as on the command line."""
    answer = await reviewer.post(
        f"/items/{advance}", {"action": action, "reason": "Seen, and thought about."}
    )
    assert answer.status_code == 303
    assert state(console, advance) is then


@pytest.mark.parametrize("action", ["", "approve", "delete", "released", "RELEASE", "../../etc"])
async def test_an_unknown_action_changes_nothing(console, reviewer, advance, action):
    """Only the decisions there are, and never a first approval without its check."""
    answer = await reviewer.post(f"/items/{advance}", {"action": action, "reason": WORDS})
    assert answer.status_code == 422
    assert state(console, advance) is ItemState.HELD
    assert console.store.read_now(lambda tx: items.decisions_of(tx, advance)) == ()


async def test_a_flag_is_closed_with_its_label(console, reviewer):
    """A flag has no release; its label closes it."""
    item = raw_item(console, mail(ADVANCE), kind=ItemKind.FLAG)
    page = await reviewer.get(f"/items/{item}")
    assert 'id="do-release"' not in page.text
    await reviewer.post(f"/items/{item}", {"action": "false-alarm", "reason": "She asked about the drink."})
    found = console.store.read_now(lambda tx: items.item(tx, item))
    assert (found.state, found.label) == (ItemState.CLOSED, Label.FALSE_ALARM)


async def test_the_smarthosts_answer_is_shown(console, reviewer, advance):
    """Released is said when the smarthost took it, with its words."""
    await reviewer.post(f"/items/{advance}", {"action": "release", "reason": WORDS})
    console.clock.forward(minutes=1)

    def deliver(tx):
        from gateway.store.rows import RecipientState

        (one,) = outbox.claim_deliveries(tx, "serve", console.clock(), 60, 9)
        answers = [(0, RecipientState.SENT, "250 2.0.0 queued as 4F2")]
        outbox.record_results(tx, one.id, answers, console.clock())
        outbox.finish(tx, one.id, "serve", console.clock())
        items.set_state(tx, advance, ItemState.RELEASING, ItemState.RELEASED)

    console.store.write_now(deliver)
    shown = words_of(await reviewer.get(f"/items/{advance}"))
    assert "taken by the smarthost" in shown
    assert "queued as 4F2" in shown
    assert "Undo the release" not in shown


async def test_what_reached_somebody_offers_no_undo_and_says_so(console, reviewer):
    """One contact has it: an operator's retry brings no undo back, and closing it is not called a return."""
    from gateway.cli.outbox import _retry
    from gateway.store.rows import RecipientState

    two = (CONTACT, "omar@home.example")
    item = raw_item(console, mail(ADVANCE), recipients=two)
    await reviewer.post(f"/items/{item}", {"action": "release", "reason": WORDS})
    console.clock.forward(minutes=1)

    def deliver(tx, *, last):
        for one in outbox.claim_deliveries(tx, "serve", console.clock(), 60, 9):
            answers = [(0, RecipientState.SENT, "250 taken"), (1, RecipientState.FAILED, "550 nobody")]
            outbox.record_results(tx, one.id, answers, console.clock())
            outbox.fail(tx, one.id, "serve", "550 nobody")
            items.set_state(tx, item, ItemState.RELEASING, ItemState.RELEASE_FAILED)
        if not last:
            _retry(tx, item, console.clock())

    console.store.write_now(lambda tx: deliver(tx, last=False))
    shown = words_of(await reviewer.get(f"/items/{item}"))
    assert "being released" in shown
    assert "Undo the release" not in shown
    console.store.write_now(lambda tx: deliver(tx, last=True))
    shown = words_of(await reviewer.get(f"/items/{item}"))
    assert "reached somebody it is for" in shown
    assert "not everybody has it" in shown
    await reviewer.post(f"/items/{item}", {"action": "return", "reason": WORDS})
    assert "partly released" in words_of(await reviewer.get(f"/items/{item}"))
    assert item in (await reviewer.get("/decided")).text


async def test_a_message_that_cannot_be_read_has_a_page_all_the_same(console, reviewer):
    """The supervisor decides on what could not be read too, and sees what is known of it."""
    item = raw_item(console, b"\xff\xfe\x00" * 50)
    page = await reviewer.get(f"/items/{item}")
    assert page.status_code == 200
    assert 'id="do-return"' in page.text


async def test_history_leaves_out_what_the_visitor_may_not_know_of(console):
    """An earlier item that names the visitor is in no list, picture or table of a later one."""
    judged(console, mail(ADVANCE), at=console.clock().replace(day=1))
    secret = judged(
        console, mail(f"Helen Brooks says hello. {ADVANCE}", extra="Cc: helen.brooks@force.example\n"),
        at=console.clock().replace(hour=1),
    )  # fmt: skip
    item = judged(console, mail(ADVANCE + " Please."))
    brooks = await console.visitor("helen.brooks@force.example").get(f"/items/{item}")
    psd = await console.visitor(PSD).get(f"/items/{item}")
    assert brooks.status_code == psd.status_code == 200
    assert secret not in brooks.text
    assert secret in psd.text
    assert "2 messages over time" in words_of(brooks)
    assert "3 messages over time" in words_of(psd)


async def test_versions_stand_side_by_side(console, reviewer):
    """What was sent again is tied by its words, though its subject is another; another letter is not."""
    text = "The hearing is on Friday at ten and you need not come. You looked amazingly hot on Monday."
    first = judged(console, mail(text, subject="Hearing"), at=console.clock().replace(hour=1))
    console.store.write_now(lambda tx: items.set_state(tx, first, ItemState.HELD, ItemState.RETURNED))
    again = judged(
        console, mail(text + " Sorry, sent again.", subject="Friday"), at=console.clock().replace(hour=2)
    )
    other = judged(console, mail(ADVANCE.replace("Monday", "Tuesday")), at=console.clock().replace(hour=3))
    page = await reviewer.get(f"/items/{again}/versions")
    articles = {
        one: part for part in page.text.split("<article>")[1:] for one in (first, again, other) if one in part
    }
    assert "looks like another version: similar words" in articles[first]
    assert "looks like another version" not in articles[other]
    assert page.text.index(first, page.text.index("<article>")) < page.text.rindex(again)


async def test_two_people_release_what_is_severe(console, reviewer):
    """The page says that a second person is needed, and who the first is."""
    from dataclasses import replace

    from gateway.model import Severity

    verdict = a_verdict()
    verdict = replace(verdict, findings=(replace(verdict.findings[0], severity=Severity.CRITICAL),))
    item = raw_item(console, mail(ADVANCE), verdict=verdict)
    assert "two people must release it" in words_of(await reviewer.get(f"/items/{item}"))
    await reviewer.post(f"/items/{item}", {"action": "release", "reason": WORDS})
    assert state(console, item) is ItemState.HELD
    colleague = console.visitor(COLLEAGUE)
    assert f"{REVIEWER} is for its release" in words_of(await colleague.get(f"/items/{item}"))
    await colleague.post(
        f"/items/{item}", {"action": "release", "reason": "I agree: it is about the hearing."}
    )
    assert state(console, item) is ItemState.RELEASING
    deliveries = console.store.read_now(lambda tx: outbox.deliveries_of(tx, item))
    assert [one.state for one in deliveries] == [DeliveryState.QUEUED]
    made = console.store.read_now(lambda tx: items.decisions_of(tx, item))
    assert [one.action for one in made] == [DecisionAction.APPROVE, DecisionAction.RELEASE]


async def test_the_directorys_reviewer_is_one_of_two(console):
    """Whose role is the directory's alone, and whom the staff list calls an officer: the first yes stands all the same."""
    from dataclasses import replace

    from gateway.model import Role, Severity, StaffId

    verdict = a_verdict()
    verdict = replace(verdict, findings=(replace(verdict.findings[0], severity=Severity.CRITICAL),))
    shah = StaffId("3400")
    item = raw_item(console, mail(ADVANCE), verdict=verdict, officer=shah, senders=(shah,), excluded=(shah,))
    first = console.visitor(OFFICER, roles=frozenset({Role.REVIEWER}))
    await first.post(f"/items/{item}", {"action": "release", "reason": WORDS})
    second = console.visitor(PSD)
    assert f"{OFFICER} is for its release" in words_of(await second.get(f"/items/{item}"))
    await second.post(f"/items/{item}", {"action": "release", "reason": "I agree: it is about the hearing."})
    assert state(console, item) is ItemState.RELEASING
