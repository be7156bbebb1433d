"""The chain as values: every way of tampering is named, and what cannot be seen without a head is said."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import audit
from gateway.audit import GENESIS, Fault, Head, check, commitment, entry_hash
from gateway.store import ChainRow

LENGTH = 9


def rehashed(row):
    return replace(row, hash=entry_hash(row))


def chain(length=LENGTH, start=1, prev=GENESIS, actor="serve"):
    rows = []
    for seq in range(start, start + length):
        salt, payload = bytes([seq % 256]) * 32, json.dumps({"n": seq})
        row = ChainRow(
            seq=seq, at="2026-03-01T12:00:00.000000Z", event="message:held", actor=actor, subject=f"item{seq}",
            commitment=commitment(salt, payload), prev=prev, hash="", salt=salt, payload=payload,
        )  # fmt: skip
        rows.append(rehashed(row))
        prev = rows[-1].hash
    return rows


def tip_of(rows):
    return Head(seq=rows[-1].seq, hash=rows[-1].hash) if rows else Head(seq=0, hash=GENESIS)


def found(rows, tip=None, **named):
    report = check(rows, tip=tip or tip_of(chain()), **named)
    return [(problem.fault, problem.first, problem.last) for problem in report.problems]


def changed(rows, seq, **changes):
    return [replace(row, **changes) if row.seq == seq else row for row in rows]


def test_an_untouched_chain_is_whole():
    """Nothing is found where nothing was done, with and without a head."""
    rows = chain()
    for head in (None, Head(seq=0, hash=GENESIS), Head(seq=4, hash=rows[3].hash), tip_of(rows)):
        report = check(rows, tip=tip_of(rows), kept=head)
        assert report.problems == ()
        assert report.is_whole
        assert (report.entries, report.head) == (LENGTH, tip_of(rows))
        assert bool(report.undetected) is (head is None)


def test_an_empty_chain_is_whole():
    """Before the first entry there is nothing to find."""
    assert check([], tip=Head(seq=0, hash=GENESIS)).is_whole


@pytest.mark.parametrize("seq", [1, 5, LENGTH])
@pytest.mark.parametrize(
    "changes",
    [
        {"at": "2026-03-01T12:00:00.000001Z"},
        {"event": "message:flagged"},
        {"actor": "other"},
        {"subject": "item99"},
        {"hash": "0" * 64},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_changed_field_is_an_edited_entry(seq, changes):
    """Whatever field of whichever entry: the entry is named and no other."""
    assert found(changed(chain(), seq, **changes)) == [(Fault.EDITED, seq, seq)]


@pytest.mark.parametrize("seq", [1, 5, LENGTH])
def test_a_changed_commitment_is_an_edit_of_entry_and_payload(seq):
    """Entry and payload no longer fit, and the entry no longer fits its hash."""
    edited = changed(chain(), seq, commitment="0" * 64)
    assert found(edited) == [(Fault.EDITED, seq, seq), (Fault.PAYLOAD_EDITED, seq, seq)]


@pytest.mark.parametrize("seq", [1, 5, LENGTH])
def test_a_changed_link_is_an_edited_entry(seq):
    """The link to the entry before is part of what is hashed."""
    assert found(changed(chain(), seq, prev="f" * 64)) == [(Fault.EDITED, seq, seq)]


@pytest.mark.parametrize("seq", [1, 5, LENGTH])
def test_an_edit_that_was_hashed_again_is_found_by_the_entry_after(seq):
    """Who can compute hashes still contradicts the next entry, or the tip."""
    rows = chain()
    rows[seq - 1] = rehashed(replace(rows[seq - 1], actor="other"))
    assert found(rows) == [(Fault.EDITED, seq, seq)]


def test_a_first_entry_that_claims_one_before_it_is_edited():
    """The chain begins from nothing."""
    rows = chain(prev="a" * 64)
    assert found(rows, tip_of(rows)) == [(Fault.EDITED, 1, 1)]


@pytest.mark.parametrize("seq", [1, 4, 8])
def test_a_deleted_entry_is_named(seq):
    """A gap in the numbers."""
    assert found([row for row in chain() if row.seq != seq]) == [(Fault.DELETED, seq, seq)]


def test_a_run_of_deleted_entries_is_named_once():
    """From where to where."""
    assert found([row for row in chain() if not 3 <= row.seq <= 6]) == [(Fault.DELETED, 3, 6)]


def test_deleting_and_closing_the_gap_is_found():
    """Renumbered without hashing again: what stands after the gap is not what was written there."""
    rows = [replace(row, seq=row.seq - 1) if row.seq > 4 else row for row in chain() if row.seq != 4]
    problems = found(rows)
    assert (Fault.CUT_OFF, LENGTH, LENGTH) in problems
    assert {first for fault, first, _ in problems if fault in {Fault.REORDERED, Fault.EDITED}} >= {
        4,
        5,
        6,
        7,
        8,
    }


@pytest.mark.parametrize(("one", "two"), [(3, 4), (2, 7), (1, 2), (8, 9)])
def test_entries_that_changed_places_are_reordered(one, two):
    """Both are named, with where they were written."""
    rows = chain()
    rows[one - 1], rows[two - 1] = replace(rows[two - 1], seq=one), replace(rows[one - 1], seq=two)
    report = check(rows, tip=tip_of(chain()))
    places = [
        (problem.first, problem.detail) for problem in report.problems if problem.fault is Fault.REORDERED
    ]
    assert places == [(one, f"it was written as entry {two}"), (two, f"it was written as entry {one}")]
    assert {problem.first for problem in report.problems} == {one, two}


def test_contents_that_changed_places_under_their_hashes_are_reordered():
    """The hashes stay where they were, only what they are hashes of moved."""
    rows = chain()
    keep = ("at", "event", "actor", "subject", "commitment", "salt", "payload")
    three = {name: getattr(rows[2], name) for name in keep}
    six = {name: getattr(rows[5], name) for name in keep}
    rows[2], rows[5] = replace(rows[2], **six), replace(rows[5], **three)
    assert found(rows) == [(Fault.REORDERED, 3, 3), (Fault.REORDERED, 6, 6)]


def test_an_entry_moved_into_a_gap_is_reordered():
    """It is missing where it was written, and named where it stands."""
    rows = [row for row in chain() if row.seq not in {3, 7}]
    rows.insert(5, replace(chain()[2], seq=7))
    assert found(rows) == [(Fault.DELETED, 3, 3), (Fault.REORDERED, 7, 7)]


def test_an_end_that_was_cut_off_is_named():
    """The tip still says how far the chain went."""
    assert found(chain()[:6]) == [(Fault.CUT_OFF, 7, LENGTH)]


def test_a_chain_that_was_emptied_is_cut_off():
    """Nothing left but the tip."""
    assert found([]) == [(Fault.CUT_OFF, 1, LENGTH)]


def test_a_tip_set_back_or_changed_is_found():
    """The tip before the last entries, or with another hash."""
    rows = chain()
    assert found(rows, Head(seq=7, hash=rows[6].hash)) == [(Fault.ADDED, 8, LENGTH)]
    assert found(rows, Head(seq=LENGTH, hash="f" * 64)) == [(Fault.EDITED, LENGTH, LENGTH)]
    assert found([], Head(seq=0, hash="f" * 64)) == [(Fault.EDITED, 0, 0)]


def test_entries_forged_behind_the_end_are_found():
    """Added with right hashes but without the tip."""
    rows = chain()
    forged = rows + chain(2, start=LENGTH + 1, prev=rows[-1].hash, actor="forger")
    assert found(forged, tip_of(rows)) == [(Fault.ADDED, LENGTH + 1, LENGTH + 2)]


def test_without_a_head_a_cut_with_its_tip_is_not_seen_and_the_report_says_so():
    """The stated limit, and the remedy: a head kept elsewhere."""
    rows = chain()
    cut = rows[:6]
    report = check(cut, tip=tip_of(cut))
    assert report.is_whole
    assert report.undetected == audit.UNDETECTED
    assert found(cut, tip_of(cut), kept=tip_of(rows)) == [(Fault.CUT_OFF, 7, LENGTH)]


def test_a_chain_written_anew_is_found_by_a_head():
    """Everything from entry 4 on forged, hashed and tipped: only the head kept elsewhere tells."""
    rows = chain()
    anew = rows[:3] + chain(LENGTH - 3, start=4, prev=rows[2].hash, actor="forger")
    assert check(anew, tip=tip_of(anew)).is_whole
    assert found(anew, tip_of(anew), kept=Head(seq=3, hash=rows[2].hash)) == []
    for seq in (4, LENGTH):
        head = Head(seq=seq, hash=rows[seq - 1].hash)
        assert found(anew, tip_of(anew), kept=head) == [(Fault.REWRITTEN, 1, seq)]


def test_a_false_head_of_the_empty_chain_is_told():
    """Entry 0 has one hash."""
    assert found(chain(), kept=Head(seq=0, hash="1" * 64)) == [(Fault.REWRITTEN, 0, 0)]


def test_a_changed_payload_or_salt_is_named():
    """What lies beside the chain is committed to by it."""
    assert found(changed(chain(), 5, payload='{"n": 6}')) == [(Fault.PAYLOAD_EDITED, 5, 5)]
    assert found(changed(chain(), 5, salt=b"x" * 32)) == [(Fault.PAYLOAD_EDITED, 5, 5)]


def test_a_payload_that_went_without_a_record_is_missing():
    """Erasing is allowed, quietly erasing is not."""
    assert found(changed(chain(), 5, payload=None, salt=None)) == [(Fault.PAYLOAD_MISSING, 5, 5)]


def test_a_payload_of_no_entry_is_told():
    """What is left of a deleted entry."""
    assert found(chain(), strays=(12,)) == [(Fault.PAYLOAD_ADDED, 12, 12)]


def test_several_faults_are_all_named_in_order():
    """One finding does not hide another."""
    rows = changed([row for row in chain() if row.seq not in {2, 9}], 5, actor="x")
    assert found(rows) == [(Fault.DELETED, 2, 2), (Fault.EDITED, 5, 5), (Fault.CUT_OFF, 9, 9)]


def test_a_chain_broken_everywhere_is_told_in_bounded_time():
    """Past some hundred broken entries nobody looks for their places any more."""
    rows = [replace(row, actor="x") for row in chain(1000)]
    assert found(rows, tip_of(rows)) == [(Fault.EDITED, seq, seq) for seq in range(1, 1001)]


def _junk(draw, row):
    name = draw(st.sampled_from(["at", "event", "actor", "subject", "commitment", "prev", "hash"]))
    value = draw(st.text(max_size=64).filter(lambda text: text != getattr(row, name)))
    return replace(row, **{name: value})


@given(st.data())
def test_any_change_cut_or_reordering_is_detected(data):
    """With the tip in place no edit, deletion, insertion, doubling or permutation passes."""
    rows = chain()
    kind = data.draw(st.sampled_from(["edit", "delete", "permute", "double"]))
    if kind == "edit":
        position = data.draw(st.integers(0, LENGTH - 1))
        rows[position] = _junk(data.draw, rows[position])
    elif kind == "delete":
        gone = data.draw(st.sets(st.integers(1, LENGTH), min_size=1))
        rows = [row for row in rows if row.seq not in gone]
    elif kind == "permute":
        order = data.draw(st.permutations(range(LENGTH)).filter(lambda order: order != list(range(LENGTH))))
        rows = [replace(rows[old], seq=seq) for seq, old in enumerate(order, 1)]
    else:
        rows.insert(data.draw(st.integers(0, LENGTH)), data.draw(st.sampled_from(rows)))
    assert not check(rows, tip=tip_of(chain())).is_whole


FIELDS = st.one_of(st.none(), st.text(max_size=5), st.binary(max_size=5), st.integers())


@given(
    st.lists(
        st.builds(
            ChainRow, seq=st.integers(1, 9), at=st.text(max_size=3), event=st.sampled_from(["payload:erased", "checkpoint:written", "x"]),
            actor=st.text(max_size=3), subject=st.sampled_from(["audit:1", "audit:x", "audit:²", "y"]), commitment=st.text(max_size=3),
            prev=st.text(max_size=3), hash=st.text(max_size=3), salt=st.none() | st.binary(max_size=3), payload=st.none() | st.text(max_size=9),
        ),
        max_size=6,
    )
)  # fmt: skip
def test_whatever_the_rows_hold_the_check_ends_with_a_report(rows):
    """A verifier that can be crashed can be silenced."""
    check(rows, tip=Head(seq=3, hash="x"), kept=Head(seq=5, hash="y"), public_key="z")


def test_the_length_of_every_field_is_hashed():
    """Moving characters from one field to the next is another entry."""
    (row,) = chain(1)
    moved = replace(row, actor=row.actor + "it", subject=row.subject[2:])
    assert row.actor + row.subject == moved.actor + moved.subject
    assert entry_hash(moved) != entry_hash(row)


def test_the_hash_of_an_entry_is_what_the_documentation_says():
    """A verifier written from docs/audit.md, in another language, comes to the same hash."""
    import hashlib

    (row,) = chain(1)
    fields = [
        "gateway/audit/entry/1",
        "1",
        row.at,
        row.event,
        row.actor,
        row.subject,
        row.commitment,
        row.prev,
    ]
    raw = b"".join(len(text.encode()).to_bytes(8, "big") + text.encode() for text in fields)
    assert hashlib.sha256(raw).hexdigest() == row.hash
    parts = [b"gateway/audit/payload/1", row.salt, row.payload.encode()]
    raw = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    assert hashlib.sha256(raw).hexdigest() == row.commitment


@pytest.mark.parametrize(
    "text",
    ["", "5", "5:", ":" + "a" * 64, "5:" + "a" * 63, "5:" + "g" * 64, "-5:" + "a" * 64, "²:" + "a" * 64, "9" * 30 + ":" + "a" * 64],
)  # fmt: skip
def test_a_head_that_is_none_is_refused(text):
    """SEQ:HASH and nothing else."""
    with pytest.raises(ValueError, match="head"):
        Head.parse(text)


def test_a_head_is_read_as_it_is_written():
    """What checkpoint prints is what verify takes, blanks and capitals forgiven."""
    head = Head(seq=12, hash="ab" * 32)
    assert Head.parse(f" {str(head).upper()}\n") == head


@pytest.mark.parametrize(
    "payload", [{"x": 1.5j}, {"x": b"octets"}, {"x": datetime(2026, 1, 1, tzinfo=UTC)}, {"x": float("nan")}]
)
def test_a_payload_of_odd_values_is_our_mistake(payload):
    """Only what has one JSON form can be committed to."""
    with pytest.raises(ValueError, match=r"audit payload|JSON"):
        audit.canonical(payload)


def test_a_payload_has_one_form():
    """The order of keys and the kind of sequence do not matter."""
    one = audit.canonical({"b": ("x", "y"), "a": "é"})
    assert one == audit.canonical({"a": "é", "b": ["x", "y"]}) == '{"a":"\\u00e9","b":["x","y"]}'
