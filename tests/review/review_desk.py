"""A store with reviewers at it, for every test of decisions."""

from dataclasses import replace
from datetime import timedelta

from gateway_process import CONTACT, OFFICER, SUPERVISOR
from stores import NOW, a_verdict, an_envelope, an_item

from gateway import audit
from gateway.model import ItemState, OutboxKind, Role, Severity, StaffId
from gateway.review import claims
from gateway.review.access import Person
from gateway.review.decisions import Actor, Wish, decide, person_called
from gateway.settings import NoticeSettings, ReviewSettings
from gateway.store import items, outbox, records
from gateway.store.rows import Account, DecisionAction, DeliveryState, RecipientState

KHAN, RAHMAN, BROOKS, PRYCE = map(StaffId, ("4417", "5001", "3308", "2201"))
INSPECTOR = "owen.pryce@force.example"
PSD, OTHER_PSD = "judith.marsh@force.example", "ruth.adeyemi@force.example"
WORDS = "The words are about the hearing, not about her."
REVIEW = ReviewSettings()
CANNED = REVIEW.reasons[0]
DO = DecisionAction


class Desk:
    """A store with reviewers at it."""

    def __init__(self, store, registry):
        self.store, self.registry = store, registry

    def hold(self, **changes):
        given = {
            "officer": KHAN,
            "senders": (KHAN,),
            "excluded": (KHAN,),
            "contacts": ("P-1",),
            "envelope": an_envelope(CONTACT, sender=OFFICER),
            "recipients": (CONTACT,),
        } | changes
        item = an_item(**given)
        return self.store.write_now(lambda tx: items.add_item(tx, item))

    def actor(self, who):
        """Return who acts: somebody called by an address, or a person whom the directory let in."""
        person = who
        if not isinstance(who, Person):
            person = self.store.read_now(lambda tx: person_called(tx, self.registry, who))
        return Actor(person=person, registry=self.registry, system="system:test")

    def account(self, email, staff_id=None):
        """Give somebody an account in which they may oversee and no more."""
        account = Account(
            email=email, roles=frozenset({Role.OVERSIGHT}), staff_id=staff_id, local=False, at=NOW
        )
        self.store.write_now(lambda tx: records.add_account(tx, account))

    def __call__(self, item, action, by=SUPERVISOR, at=NOW, review=REVIEW, reason=WORDS, **more):
        wish = Wish(item_id=item, action=action, reason=reason, **more)
        actor = self.actor(by)
        return self.store.write_now(
            lambda tx: decide(tx, wish, actor, at, review=review, notice=NoticeSettings())
        )

    def claim(self, item, by=SUPERVISOR, at=NOW):
        actor = self.actor(by)
        return self.store.write_now(lambda tx: claims.claim(tx, item, actor, at, REVIEW))

    def item(self, item):
        return self.store.read_now(lambda tx: items.item(tx, item))

    def state(self, item):
        return self.item(item).state

    def serve(self, at):
        """Claim what is due, as serve does; return the items released by it."""
        claimed = self.store.write_now(lambda tx: outbox.claim_deliveries(tx, "serve", at, 900, 99))
        return [one.item_id for one in claimed if one.kind is OutboxKind.RELEASE]

    def answer(self, item, at, *states):
        """Have the smarthost answer the release of ``item`` that serve has in hand: a state for each recipient."""

        def job(tx):
            (one,) = [d for d in outbox.deliveries_of(tx, item) if d.state is DeliveryState.LEASED]
            outbox.record_results(tx, one.id, [(n, state, state) for n, state in enumerate(states)], at)
            if RecipientState.PENDING in states:
                outbox.retry_later(tx, one.id, "serve", at + timedelta(minutes=5), "451 later")
                return
            outbox.fail(tx, one.id, "serve", "550 no")
            items.set_state(tx, item, ItemState.RELEASING, ItemState.RELEASE_FAILED)

        self.store.write_now(job)

    def fail(self, item, at):
        """Have the smarthost refuse the release of ``item``."""
        self.answer(item, at, RecipientState.FAILED)

    def deliveries(self, item):
        return self.store.read_now(lambda tx: outbox.deliveries_of(tx, item))

    def events(self):
        return [row.event for row in self.store.read_now(audit.entries)]

    def actions(self, item):
        return [one.action for one in self.store.read_now(lambda tx: items.decisions_of(tx, item))]


def severe(severity=Severity.CRITICAL, **changes):
    verdict = a_verdict()
    return replace(verdict, findings=(replace(verdict.findings[0], severity=severity, **changes),))
