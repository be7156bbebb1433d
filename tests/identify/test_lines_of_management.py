"""Lines of management, upwards and downwards, on staff lists with every mistake that a staff list has."""

import random
from dataclasses import replace

from people import BROOKS, FOX, KHAN, WHITLOCK, member, registry_of

from gateway.identify import is_conflicted, reports, superiors


def listed(managers):
    """Return a registry in which ``managers`` says who reports to whom, by numbers; None is nobody."""
    emails = [f"m{number}@force.example" for number in range(len(managers))]
    staff = [
        replace(
            member(str(number), emails[number], f"Member {number}"), manager="" if to is None else emails[to]
        )
        for number, to in enumerate(managers)
    ]
    return registry_of(staff=tuple(staff))


def test_who_reports_to_somebody_is_who_has_them_above():
    """One is the other turned round, for anybody on any list: circles, and people who are their own manager, too."""
    dice = random.Random(7)
    for size in (1, 2, 3, 8, 8, 8, 20):
        for _ in range(40):
            registry = listed([dice.choice((None, *range(size))) for _ in range(size)])
            for head in registry.staff_by_id:
                below = {one.staff_id for one in reports(registry, head)}
                assert below == {one for one in registry.staff_by_id if head in superiors(registry, one)}


def test_nobody_reports_to_who_is_not_on_the_list():
    """A manager who is not listed heads no line that anybody could be kept from."""
    staff = (replace(KHAN, manager="gone@force.example"), WHITLOCK)
    assert reports(registry_of(staff=staff), BROOKS.staff_id) == ()


def test_conflicted_is_who_is_involved_or_reports_to_a_sender():
    """Named, or below somebody who sent it, at any distance; not who is above them, nor beside."""
    staff = (KHAN, replace(WHITLOCK, manager=KHAN.email), replace(FOX, manager=WHITLOCK.email), BROOKS)
    registry = registry_of(staff=staff)

    def conflicted(who, senders, involved=()):
        return is_conflicted(
            registry, who.staff_id, [one.staff_id for one in senders], [one.staff_id for one in involved]
        )

    assert conflicted(FOX, (KHAN,))
    assert conflicted(BROOKS, (), (BROOKS,))
    assert not conflicted(KHAN, (FOX,))
    assert not conflicted(BROOKS, (KHAN,), (FOX,))
