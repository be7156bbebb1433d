"""What a verdict tells of earlier mail: whoever is kept from an earlier item is kept from the one that tells of it (P7)."""

from dataclasses import replace

import pytest
from road import ReadyWorkers, Road, letter

from gateway.model import Finding, ItemState, Role, RuleStatus, Severity, StaffId
from gateway.review.access import Person
from gateway.review.sight import sight_of
from gateway.store import items, queue
from gateway.store.rows import ExcludedWhy

KHAN, BROOKS, PRYCE, MARSH = map(StaffId, ("4417", "3308", "2201", "1502"))
NAMING_BROOKS = "Cc: helen.brooks@force.example\r\n"
NADIA, JOSEPH = "nadia@home.example", "joseph@home.example"


class Telling(ReadyWorkers):
    """Finds besides what the words say: AGAIN is a pattern, BURST and SILENCE count earlier mail, CLOSED does not."""

    async def judge(self, authored, parties, history, *, at, rules_hash):
        found = await super().judge(authored, parties, history, at=at, rules_hash=rules_hash)
        text = " ".join(passage.text for passage in authored.passages)
        rules = (
            ("AGAIN", _of_the_whole("patterns.repeats-in-a-year")),
            ("BURST", _of_the_whole("conduct.burst", of_earlier_mail=True)),
            ("SILENCE", _of_the_whole("persistence.a-rule-of-the-force", of_earlier_mail=True)),
            ("CLOSED", _of_the_whole("conduct.closed-case")),
        )
        return replace(found, findings=(*found.findings, *(one for word, one in rules if word in text)))


def _of_the_whole(rule: str, *, of_earlier_mail: bool = False) -> Finding:
    return Finding(
        rule=rule, version=1, status=RuleStatus.FLAG, category=rule.partition(".")[0], severity=Severity.LOW, points=1,
        part=None, start=None, end=None, text=None, why="it was so before",
        of_earlier_mail=of_earlier_mail,
    )  # fmt: skip


@pytest.fixture
def telling(road: Road):
    road.conductor.workers = Telling()
    return road


async def item_of(road: Road, text: str, *, to: str = NADIA, extra: str = "", **given) -> str:
    """Send a letter that becomes an item, and return the item's id."""
    before = {one.id for one in (*road.holds(), *road.flags())}
    await road.send(letter(text, to=to, extra=extra), to, **given)
    (new,) = {one.id for one in (*road.holds(), *road.flags())} - before
    return new


def sees(road: Road, staff_id: StaffId | None, item: str, role: Role = Role.REVIEWER) -> bool:
    person = Person(email="x@force.example", roles=frozenset({role}), staff_id=staff_id)
    sight = sight_of(person, road.conductor.in_force.registry)
    return road.store.read_now(lambda tx: queue.in_sight(tx, sight, item))


def why(road: Road, item: str) -> dict[str, ExcludedWhy]:
    return {one.staff_id: one.why for one in road.store.read_now(lambda tx: items.excluded_of(tx, item))}


@pytest.mark.parametrize(
    ("text", "to", "tells"),
    [
        ("HOLD this, AGAIN.", JOSEPH, True),
        ("HOLD this one too.", NADIA, True),
        ("A BURST of mail.", NADIA, True),
        ("HOLD this one too.", JOSEPH, False),
        ("A BURST of mail.", JOSEPH, False),
        ("Into the SILENCE.", NADIA, True),
        ("Into the SILENCE.", JOSEPH, False),
        ("A CLOSED case.", NADIA, False),
    ],
    ids=[
        "a pattern",
        "the same to her",
        "how often to her",
        "the same to another",
        "how often to another",
        "her silence",
        "another's silence",
        "the case",
    ],
)
async def test_nobody_reads_of_an_earlier_item_that_is_hidden_from_them(telling: Road, text, to, tells):
    """She is named in the first: the second, which tells of it, is not for her either, and why is on record."""
    first = await item_of(telling, "HOLD this one.", extra=NAMING_BROOKS)
    second = await item_of(telling, text, to=to)
    assert not sees(telling, BROOKS, first)
    assert sees(telling, BROOKS, second) is not tells
    assert (why(telling, second).get(BROOKS) is ExcludedWhy.EARLIER) is tells
    assert sees(telling, PRYCE, first)
    assert sees(telling, PRYCE, second)


async def test_it_goes_on_from_item_to_item(telling: Road):
    """The third tells of the second, and of the first through it."""
    for number in range(3):
        last = await item_of(telling, f"HOLD number {number}.", extra=NAMING_BROOKS if not number else "")
    assert not sees(telling, BROOKS, last)


async def test_the_line_of_an_earlier_sender_is_kept_away(telling: Road):
    """The first claimed to come from her superior too: whoever reports to him, now or later, knows of neither."""
    first = await item_of(telling, "HOLD this one.", sender="owen.pryce@force.example")
    second = await item_of(telling, "HOLD this one too.")
    assert why(telling, first)[BROOKS] is ExcludedWhy.REPORTS
    assert why(telling, second) == {
        KHAN: ExcludedWhy.SENDER, PRYCE: ExcludedWhy.EARLIER, BROOKS: ExcludedWhy.EARLIER,
    }  # fmt: skip
    assert set(telling.store.read_now(lambda tx: items.item(tx, second)).senders) == {KHAN, PRYCE}
    assert not sees(telling, BROOKS, second)
    assert sees(telling, MARSH, second, Role.PSD)


async def test_what_tells_of_an_item_that_is_theirs_alone_is_theirs_alone(telling: Road):
    """A reviewer who has nothing to do with either would learn that there is a first."""
    telling.conductor.options = replace(telling.conductor.options, max_excluded=1)
    first = await item_of(telling, "HOLD this one.", extra=NAMING_BROOKS)
    second = await item_of(telling, "HOLD this one too.")
    for item in (first, second):
        assert not sees(telling, None, item)
        assert sees(telling, MARSH, item, Role.PSD)
    told = telling.store.read_now(lambda tx: items.item(tx, second)).psd_only
    assert told == "an earlier item that it tells of is with them alone"


async def test_what_tells_of_nothing_is_for_everybody(telling: Road):
    """Who is named in one item may review the officer's next, where nothing on its page says that there was one."""
    await item_of(telling, "FLAG this one.", extra=NAMING_BROOKS, to=JOSEPH)
    assert sees(telling, BROOKS, await item_of(telling, "HOLD this one."))


@pytest.mark.parametrize(
    "given",
    [{"extra": "Cc: judith.marsh@force.example\r\n"}, {"sender": "judith.marsh@force.example"}],
    ids=str,
)
async def test_what_is_theirs_alone_leaves_one_of_them(telling: Road, given):
    """The first concerns all of professional standards, and was referred to them: somebody decides what repeats it (P6)."""
    first = await item_of(telling, "HOLD this one.", **given)
    telling.store.write_now(lambda tx: items.set_state(tx, first, ItemState.HELD, ItemState.REFERRED))
    second = await item_of(telling, "HOLD this one too.")
    assert not sees(telling, PRYCE, second)
    assert sees(telling, MARSH, second, Role.PSD)
    assert not sees(telling, MARSH, first, Role.PSD)


async def test_who_sent_an_earlier_item_alone_is_no_sender_of_this_one(telling: Road):
    """The first claimed to come from her superior, who is only addressed in the second: nobody is told that he sent it."""
    await item_of(telling, "HOLD this one.", sender="owen.pryce@force.example")
    second = await item_of(telling, "HOLD this one too.", extra="Cc: owen.pryce@force.example\r\n")
    assert why(telling, second)[PRYCE] is ExcludedWhy.EARLIER
    assert why(telling, second)[KHAN] is ExcludedWhy.SENDER
    assert not sees(telling, BROOKS, second)
