"""Force signatures in all their shapes: what is block, what stays, and what hides in neither."""

import pytest

from gateway.extract import extract
from gateway.model import CutReason, Limits

SAID = "The van is ready."
NAME = "Priya"


def parts(body):
    authored = extract(f"Subject: a\n\n{body}".encode(), Limits())
    assert {cut.reason for cut in authored.cuts} <= {CutReason.SIGNATURE}
    own = " ".join(" ".join(p.text for p in authored.passages if p.part == "body").split())
    return own, "\n".join(cut.text for cut in authored.cuts)


BLOCKS = {
    "rank and number": "DC 4471 Priya Nair\nRobbery Squad, Northmere Police\nTel: 101 ext. 5512",
    "bars": "PC Ridley | 8836 | East NPT | Radio 8836 | 101",
    "civilian": "Priya Nair 7002 (she/her)\nWitness Care Officer\nNorthmere Police\n101 ext. 6120 | care@northmere.police.example",
    "Welsh": "DC 5120 Priya Nair\nDitectif Gwnstabl / Detective Constable\nUned Diogelu / Safeguarding Unit\nFf\u00f4n / Tel: 101 est. / ext. 20417",
    "address": "Detective Constable 4471\nNorthmere Police Station\n12 Mill Road\nNorthmere NM1 2AB\nDD: 01632 960001",
    "campaign": "PC 8836 Nair\nNorthmere Police\nwww.northmere.police.example | X @NorthmerePolice\nSee it. Report it. Ring us free on 0808 157 0111",
    "duties": "DC 4471 Nair\nNorthmere Police\nTel: 101\nMy duties this week: early Mon-Thu, rest days Fri-Sun\nIn an emergency always call 999",
}  # fmt: skip


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_block_is_cut(block):
    """A block at the end is cut whole; the name typed above it stays."""
    assert parts(f"{SAID}\n\n{NAME}\n\n{block}\n") == (f"{SAID} {NAME}", block)


@pytest.mark.parametrize(
    "sign_off", ["Kind regards,", "Diolch / Thank you", "Yours sincerely", "Cofion gorau | Best wishes"]
)
def test_block_under_a_sign_off_is_cut(sign_off):
    """Sign-off and name are the officer's, in one language or in two side by side."""
    block = BLOCKS["rank and number"]
    assert parts(f"{SAID}\n\n{sign_off}\n{NAME}\n{block}\n") == (f"{SAID} {sign_off} {NAME}", block)


@pytest.mark.parametrize(
    "below", ["xx", "PS bring the charger.", "Notes\n1. The fence is repaired.", "You looked lovely."]
)
def test_words_below_a_block_stay(below):
    """A postscript, kisses and notes under the block are the officer's, and the block is cut all the same."""
    block = BLOCKS["rank and number"]
    own, cut = parts(f"{SAID}\n\n{NAME}\n\n{block}\n\n{below}\n")
    assert own == " ".join(f"{SAID} {NAME} {below}".split())
    assert cut == block


@pytest.mark.parametrize(
    "line",
    [
        "My duties this week: round at yours late Friday",
        "If urgent call me on 07700 900123",
        "Ring me free tonight on 101",
        "Northmere Police - here for you, gorgeous. www.northmere.police.example",
        "Sent from my iPhone, thinking of you",
        "Sent from my bed, on my phone",
        "Sent from my iPhone x",
    ],
)
def test_words_inside_a_block_stay(line):
    """What only looks like a standing line, and says more, is the officer's."""
    own, _ = parts(f"{SAID}\n\n{NAME}\n\n{BLOCKS['rank and number']}\n{line}\n")
    assert line in own


@pytest.mark.parametrize(
    "line",
    [
        "Sent from my iPhone",
        "Sent from my Samsung Galaxy smartphone.",
        "Sent from Outlook for Android",
        "Get Outlook for iOS<https://mobile.example/x>",
        "Sent from Mail<https://mobile.example/y> for Windows",
        "Sent from Yahoo Mail on Android",
        "Sent with Proton Mail secure email.",
        "Sent from my BlackBerry 10 device on the EE network.",
        "Anfonwyd o fy iPhone",
    ],
)
def test_lines_of_telephones_are_cut(line):
    """The line that a telephone adds is set aside."""
    assert parts(f"{SAID}\n\n{line}\n") == (SAID, line)


def test_address_alone_is_no_signature():
    """An address that the officer gives, with a name under it, has nothing of a force in it."""
    words = f"{SAID}\nIt is at:\nNorthmere Recovery Ltd\nUnit 4, Old Dock\nNorthmere NM3 9XY\n\n{NAME}"
    assert parts(words) == (" ".join(words.split()), "")
