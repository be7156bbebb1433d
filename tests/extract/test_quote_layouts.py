"""The introductions and marks of mail programs: what is cut, what stays, and who is said to have spoken.

One table a shape. ``ANSWER`` is the officer's, ``QUOTED`` the contact's; every case asks that exactly the first is own
and exactly the second is cut.
"""

import pytest

from gateway.extract import extract
from gateway.model import CutReason, Doubt, Limits

ANSWER = "The hearing is on Thursday."
QUOTED = "Will he be there? I am scared of him."
HEAD = (
    "From: Tom Archer <tom.archer@force.example>\nTo: Jo Bloggs <jo@home.example>\nSubject: Re: Your case\n"
    "Date: Tue, 4 Aug 2026 09:00:00 +0100\nIn-Reply-To: <old@home.example>\n"
)
TEXT = "Content-Type: text/plain; charset=utf-8\n\n"
HTML = "Content-Type: text/html; charset=utf-8\n\n"


def read(body, head=HEAD, kind=TEXT):
    return extract((head + kind + body).encode(), Limits())


def own(authored):
    """Return the words of the body that count, white space folded, and whether some are uncertain."""
    body = [passage for passage in authored.passages if passage.part == "body"]
    return " ".join(" ".join(p.text for p in body).split()), any(p.uncertain for p in body)


def is_cut(authored, words=QUOTED):
    return any(words in " ".join(cut.text.replace(">", " ").split()) for cut in authored.cuts)


OVER_MARKS = {
    "gmail": ("On Mon, 3 Aug 2026 at 10:12, Jo Bloggs <jo@home.example> wrote:", "jo@home.example"),
    "gmail wrapped": ("On Mon, 3 Aug 2026 at 10:12, Jo Bloggs <jo@home.example>\nwrote:", "jo@home.example"),
    "gmail of another language": (
        "2026-08-03 10:12 GMT+01:00 Jo Bloggs <jo@home.example>:",
        "jo@home.example",
    ),
    "apple": ("On 3 Aug 2026, at 10:12, Jo Bloggs <jo@home.example> wrote:", "jo@home.example"),
    "thunderbird": ("On 03/08/2026 10:12, Jo Bloggs wrote:", "Jo Bloggs"),
    "thunderbird, author first": ("Jo Bloggs wrote on 03/08/2026 10:12:", "Jo Bloggs"),
    "thunderbird, author alone": ("Jo Bloggs wrote:", "Jo Bloggs"),
    "thunderbird, Welsh": ("Ar 03/08/2026 10:12, ysgrifennodd Jo Bloggs:", "Jo Bloggs"),
    "gmail, Welsh": (
        "Ar Llun, 3 Awst 2026 am 10:12, ysgrifennodd Jo Bloggs <jo@home.example>:",
        "jo@home.example",
    ),
    "yahoo": (
        "On Monday, 3 August 2026 at 10:12:33 BST, Jo Bloggs <jo@home.example> wrote:",
        "jo@home.example",
    ),
    "yahoo, old": ("--- On Mon, 3/8/26, Jo Bloggs <jo@home.example> wrote:", "jo@home.example"),
    "proton": ("On Monday, August 3rd, 2026 at 10:12, Jo Bloggs <jo@home.example> wrote:", "jo@home.example"),
    "proton, with a divider": (
        "------- Original Message -------\nOn Monday, August 3rd, 2026 at 10:12, Jo Bloggs <jo@home.example> wrote:",
        "jo@home.example",
    ),
    "k-9": ("On 3 August 2026 10:12:33 BST, Jo Bloggs <jo@home.example> wrote:", "jo@home.example"),
    "zimbra": ("----- On 3 Aug, 2026, at 10:12, Jo Bloggs jo@home.example wrote:", "jo@home.example"),
    "mutt": ("On Mon, Aug 03, 2026 at 10:12:33AM +0100, Jo Bloggs wrote:", "Jo Bloggs"),
    "pine": ("On Mon, 3 Aug 2026, Jo Bloggs wrote:", "Jo Bloggs"),
    "mutt, with a star": ("* Jo Bloggs <jo@home.example> [2026-08-03 10:12]:", "jo@home.example"),
    "gnus": ("Jo Bloggs <jo@home.example> writes:", "jo@home.example"),
    "eudora": ("At 10:12 03/08/2026 +0100, Jo Bloggs wrote:", "Jo Bloggs"),
    "aol": (
        "In a message dated 03/08/2026 10:12:33 GMT Daylight Time, jo@home.example writes:",
        "jo@home.example",
    ),
    "imp": ("Quoting Jo Bloggs <jo@home.example>:", "jo@home.example"),
    "squirrelmail": ("Jo Bloggs said:", "Jo Bloggs"),
    "German": ("Am Mo., 3. Aug. 2026 um 10:12 Uhr schrieb Jo Bloggs <jo@home.example>:", "jo@home.example"),
    "French": (
        "Le lun. 3 ao\u00fbt 2026 \u00e0 10:12, Jo Bloggs <jo@home.example> a \u00e9crit :",
        "jo@home.example",
    ),
    "Spanish": (
        "El lun, 3 ago 2026 a las 10:12, Jo Bloggs (<jo@home.example>) escribi\u00f3:",
        "jo@home.example",
    ),
    "Polish": ("pon., 3 sie 2026 o 10:12 Jo Bloggs <jo@home.example> napisa\u0142(a):", "jo@home.example"),
}


@pytest.mark.parametrize(("line", "speaker"), OVER_MARKS.values(), ids=OVER_MARKS)
def test_introduction_over_marks(line, speaker):
    """A program's line over marked lines is cut with them and names the speaker; answers above and below stay."""
    authored = read(f"{ANSWER}\n\n{line}\n> {QUOTED}\n\nRing me on 101.\n")
    assert own(authored) == (f"{ANSWER} Ring me on 101.", False)
    (cut,) = authored.cuts
    assert (cut.attributed, cut.speaker, cut.doubts) == (True, speaker, ())
    assert cut.text.startswith(line.split("\n", maxsplit=1)[0])


UNMARKED = {
    "outlook": f"From: Jo Bloggs <jo@home.example>\nSent: 03 August 2026 10:12\nTo: Archer, Tom\nSubject: Your case\n\n{QUOTED}",
    "outlook, Welsh": f"Oddi wrth: Jo Bloggs <jo@home.example>\nAnfonwyd: 03 Awst 2026 10:12\nAt: Archer, Tom\nPwnc: Your case\n\n{QUOTED}",
    "outlook, Welsh, with a divider": f"-----Neges wreiddiol-----\nOddi wrth: Jo Bloggs [mailto:jo@home.example]\nAnfonwyd: 03 Awst 2026 10:12\nAt: Archer, Tom\nPwnc: Your case\n\n{QUOTED}",
    "outlook, old": f"-----Original Message-----\nFrom: Jo Bloggs [mailto:jo@home.example]\nSent: 03 August 2026 10:12\nTo: Archer, Tom\nSubject: Your case\n\n{QUOTED}",
    "outlook, in a rule": f"________________________________\nFrom: Jo Bloggs <jo@home.example>\nSent: Monday, August 3, 2026 10:12:33 AM\nTo: Archer, Tom <tom.archer@force.example>\nSubject: Your case\n\n{QUOTED}",
    "outlook for mac": f"From: Jo Bloggs <jo@home.example>\nDate: Monday, 3 August 2026 at 10:12\nTo: Archer, Tom <tom.archer@force.example>\nSubject: Your case\n{QUOTED}",
    "outlook, in bold": f"*From:* Jo Bloggs <jo@home.example>\n*Sent:* 03 August 2026 10:12\n*To:* Archer, Tom\n*Subject:* Your case\n\n{QUOTED}",
    "outlook for mac, line": f'On 3/8/26, 10:12 AM, "Jo Bloggs" <jo@home.example> wrote:\n\n    {QUOTED}',
    "yahoo, plain": f"On Monday, 3 August 2026 at 10:12:33 BST, Jo Bloggs <jo@home.example> wrote:\n\n {QUOTED}",
    "yahoo, block": f"________________________________\n From: Jo Bloggs <jo@home.example>\nTo: Tom Archer\nSent: Monday, 3 August 2026, 10:12\nSubject: Your case\n\n{QUOTED}",
    "aol": f"-----Original Message-----\nFrom: Jo Bloggs <jo@home.example>\nTo: tom.archer <tom.archer@force.example>\nSent: Mon, 3 Aug 2026 10:12\nSubject: Your case\n\n{QUOTED}",
    "samsung": f"-------- Original message --------\nFrom: Jo Bloggs <jo@home.example>\nDate: 03/08/2026 10:12 (GMT+00:00)\nTo: Tom Archer\nSubject: Your case\n\n{QUOTED}",
    "blackberry": f"----- Original Message -----\nFrom: Jo Bloggs <jo@home.example>\nTo: Tom Archer\nSent: Mon Aug 03 10:12:33 2026\nSubject: Your case\n\n{QUOTED}",
    "thunderbird block": f"-------- Original Message --------\nSubject: Your case\nDate: Mon, 3 Aug 2026 10:12:33 +0100\nFrom: Jo Bloggs <jo@home.example>\nTo: Tom Archer\n\n{QUOTED}",
    "notes": f"Jo Bloggs ---03/08/2026 10:12:33---Will he be there?\n\nFrom:\tJo Bloggs <jo@home.example>\nTo:\tTom Archer\nDate:\t03/08/2026 10:12\nSubject:\tYour case\n\n\n{QUOTED}",
    "notes, wrote": f"-----Jo Bloggs <jo@home.example> wrote: -----\nTo: Tom Archer\nFrom: Jo Bloggs <jo@home.example>\nDate: 03/08/2026 10:12AM\nSubject: Your case\n\n{QUOTED}",
    "notes, table": f"Jo Bloggs <jo@home.example>\n03/08/2026 10:12\n\n\tTo\n\tTom Archer/Force@Force\n\tcc\n\n\tSubject\n\tYour case\n\n{QUOTED}",
    "groupwise": f">>> Jo Bloggs <jo@home.example> 03/08/2026 10:12 >>>\n{QUOTED}",
    "zimbra block": f"----- Original Message -----\nFrom: Jo Bloggs <jo@home.example>\nTo: Tom Archer\nSent: Monday, 3 August, 2026 10:12:33\nSubject: Your case\n\n{QUOTED}",
    "invitation": f"-----Original Appointment-----\nFrom: Jo Bloggs <jo@home.example>\nSent: 03 August 2026 10:12\nTo: Archer, Tom\nSubject: Your case\nWhen: 05 August 2026 14:00-15:00 (UTC+00:00).\nWhere: Court 3\n\n{QUOTED}",
    "Spanish outlook": f"De: Jo Bloggs <jo@home.example>\nEnviado: lunes, 3 de agosto de 2026 10:12\nPara: Tom Archer\nAsunto: Your case\n\n{QUOTED}",
}  # fmt: skip


@pytest.mark.parametrize("quote", UNMARKED.values(), ids=UNMARKED)
def test_quote_without_marks(quote):
    """A whole header block, or a line no person types, ends the sender's words; everything under it is cut."""
    authored = read(f"{ANSWER}\n\n{quote}\n")
    assert own(authored) == (ANSWER, False)
    assert is_cut(authored)
    assert {(cut.attributed, cut.speaker) for cut in authored.cuts} == {(True, "jo@home.example")}


@pytest.mark.parametrize("quote", UNMARKED.values(), ids=UNMARKED)
def test_quote_without_marks_needs_reply_headers(quote):
    """The same block in a mail that answers none may have been typed: its words stay, marked uncertain."""
    head = HEAD.replace("In-Reply-To: <old@home.example>\n", "")
    words, uncertain = own(read(f"{ANSWER}\n\n{quote}\n", head))
    assert QUOTED in words
    assert uncertain


FORWARDS = {
    "gmail": f"---------- Forwarded message ---------\nFrom: Jo Bloggs <jo@home.example>\nDate: Mon, 3 Aug 2026 at 10:12\nSubject: Your case\nTo: Tom <tom@force.example>\n\n\n{QUOTED}",
    "apple": f"Begin forwarded message:\n\n> From: Jo Bloggs <jo@home.example>\n> Subject: Your case\n> Date: 3 August 2026 at 10:12:33 BST\n> To: Tom <tom@force.example>\n> \n> {QUOTED}",
    "thunderbird": f"-------- Forwarded Message --------\nSubject: Your case\nDate: Mon, 3 Aug 2026 10:12:33 +0100\nFrom: Jo Bloggs <jo@home.example>\nTo: Tom <tom@force.example>\n\n{QUOTED}",
    "outlook": f"From: Jo Bloggs <jo@home.example>\nSent: 03 August 2026 10:12\nTo: Archer, Tom\nSubject: Your case\n\n{QUOTED}",
    "notes": f"----- Forwarded by Tom Archer/Force on 03/08/2026 11:00 AM -----\n\n{QUOTED}",
    "proton": f"------- Forwarded Message -------\nFrom: Jo Bloggs <jo@home.example>\nDate: On Monday, August 3rd, 2026 at 10:12\nSubject: Your case\nTo: Tom <tom@force.example>\n\n> {QUOTED}",
    "Welsh": f"---------- Neges wedi'i hanfon ymlaen ----------\nOddi wrth: Jo Bloggs <jo@home.example>\nDyddiad: 3 Awst 2026 10:12\nPwnc: Your case\nAt: Tom <tom@force.example>\n\n{QUOTED}",
    "of a forward": f"From: Ann Hale <ann@force.example>\nSent: 03 August 2026 11:12\nTo: Archer, Tom\nSubject: FW: Your case\n\nSee below.\n\nFrom: Jo Bloggs <jo@home.example>\nSent: 03 August 2026 10:12\nTo: Ann Hale\nSubject: Your case\n\n{QUOTED}",
}  # fmt: skip


@pytest.mark.parametrize("headers", ["", "References: <old@home.example>\n"])
@pytest.mark.parametrize("quote", FORWARDS.values(), ids=FORWARDS)
def test_forwards(quote, headers):
    """The words above a forwarded mail count, the forwarded ones do not, with reply headers and without."""
    head = HEAD.replace("In-Reply-To: <old@home.example>\n", headers).replace("Re:", "FW:")
    authored = read(f"{ANSWER}\n\n{quote}\n", head)
    assert own(authored) == (ANSWER, False)
    assert is_cut(authored)
    assert {cut.reason for cut in authored.cuts} == {CutReason.FORWARDED}


@pytest.mark.parametrize(
    "prefix",
    ["Re", "RE", "AW", "SV", "Antw", "YMATEB", "Atb", "Re[2]", "Re (3)", "Fwd", "WG", "TR", "VB", "Ymlaen"],
)
def test_subject_prefixes(prefix):
    """A localised prefix is no word of the sender's, and what it answers is inherited: uncertain."""
    authored = read("Yes.", HEAD.replace("Re:", f"{prefix}:"))
    subject = authored.passages[0]
    assert (subject.text, subject.uncertain) == ("Your case", True)


IN_PROSE = [
    "In your statement of 3 March 2026 you said:\nhe was at the door.",
    "On 3 March 2026 you said:\nhe was at the door.",
    "On 3 March at 10:12 he wrote:\nhe was at the door.",
    "He wrote:\nhe was at the door.",
    "Page 3 of the statement:\nhe was at the door.",
    "From: the station\nTo: your house\nTime: 10:12",
    "Date: 4 August\nTime: 10:00\nTo: Court 3\nSubject: your evidence",
    "To: see you soon would be lovely.",
    "I: am here for you.\nA: good day.\nDe: nothing.",
]


@pytest.mark.parametrize("words", IN_PROSE)
def test_quoted_words_in_prose_stay(words):
    """An extract in running prose is left in, whole and certain: nobody's program wrote its introduction."""
    assert own(read(f"{ANSWER}\n\n{words}\n")) == (" ".join(f"{ANSWER} {words}".split()), False)


def test_persons_sentence_over_marks_stays():
    """A sentence of the sender's over marked lines is the sender's; the lines are a claimed quote."""
    authored = read(f"{ANSWER}\n\nIn your mail you said:\n> {QUOTED}\n")
    assert own(authored) == (f"{ANSWER} In your mail you said:", False)
    assert [(cut.attributed, cut.speaker) for cut in authored.cuts] == [(False, "")]


def test_interleaved_answers_are_the_senders():
    """The sender's lines between quoted lines are the sender's, at every depth."""
    body = (
        "On Mon, 3 Aug 2026 at 10:12, Jo Bloggs <jo@home.example> wrote:\n> Is he out?\n\nNo.\n\n> > When did you say?\n"
        "> Tuesday.\n\nIt is Thursday.\n\n>> Thanks\n"
    )
    assert own(read(body)) == ("No. It is Thursday.", False)


@pytest.mark.parametrize("mark", ["JB> ", "| ", "  | ", " > ", ">", "> > ", ">>", "    >> "])
def test_other_marks(mark):
    """Initials and bars mark a quote that is introduced, like ``>`` in all its spellings."""
    body = f"On Mon, 3 Aug 2026, Jo Bloggs wrote:\n{mark}{QUOTED}\n{mark}Tell me.\n\n{ANSWER}\n"
    authored = read(body)
    assert own(authored) == (ANSWER, False)
    assert is_cut(authored)


def test_table_is_no_quote():
    """Rows between bars are the sender's, even in a mail that answers another."""
    table = "| Date | Court |\n| Thursday | 3 |"
    assert own(read(f"{ANSWER}\n\n{table}\n")) == (" ".join(f"{ANSWER} {table}".split()), False)


def test_from_escaped_by_a_mailbox_is_own():
    """``>From`` alone between own lines is what a mailbox makes of a line that begins with From."""
    assert own(read("He is in custody.\n>From Thursday you may ring me.\nThank you.\n")) == (
        "He is in custody. >From Thursday you may ring me. Thank you.",
        False,
    )


BLOCK = (
    "From: Jo Bloggs <jo@home.example>\nSent: 03 August 2026 10:12\nTo: Archer, Tom\nSubject: Your case\n\n"
)


@pytest.mark.parametrize(
    "announced",
    [
        "See my comments in red below.",
        "Please see my answers in line.",
        "My replies are below.",
        "I have answered under each question.",
        "I've put my comments in CAPITALS below",
        "Gweler fy sylwadau mewn coch isod.",
    ],
)
def test_announced_answers_stay(announced):
    """Where the sender says that answers stand inside the quote, it stays, marked uncertain: they have no marks."""
    authored = read(f"{announced}\n\n{BLOCK}Will he be there?\nOnly on the screen.\n")
    words, uncertain = own(authored)
    assert "Only on the screen." in words
    assert uncertain


@pytest.mark.parametrize(
    "answer", ["[PS: only on the screen]", "[Archer, Tom] Only on the screen.", "[TA] Only on the screen."]
)
def test_signed_answers_inside_a_quote_stay(answer):
    """A line inside an unmarked quote that carries a name in brackets is an answer, as Outlook marks them: uncertain."""
    authored = read(f"Hello Jo.\n\n{BLOCK}Will he be there?\n{answer}\nPlease say.\n")
    words, _ = own(authored)
    assert words == f"Hello Jo. {answer}"
    assert is_cut(authored, "Will he be there?")
    assert is_cut(authored, "Please say.")


def test_apple_mail_marks_its_attribution():
    """Mail on a telephone puts the attribution behind the mark: it introduces the quote all the same."""
    (cut,) = read(
        f"{ANSWER}\n\n> On 3 Aug 2026, at 10:12, Jo Bloggs <jo@home.example> wrote:\n> \n> {QUOTED}\n"
    ).cuts
    assert (cut.attributed, cut.speaker) == (True, "jo@home.example")


def test_marks_in_html_are_marks():
    """Plain text that was made HTML keeps its marks, and they are read."""
    body = f"<p>{ANSWER}</p><p>On 03/08/2026 10:12, Jo Bloggs wrote:<br>&gt; {QUOTED}</p><p>Ring me.</p>"
    authored = read(body, kind=HTML)
    assert own(authored) == (f"{ANSWER} Ring me.", False)
    assert is_cut(authored)


def test_prose_in_an_attribution_is_no_attribution():
    """Words of the sender's dressed as the line of a program stay: programs write names, dates and addresses."""
    line = "On Mon, 3 Aug 2026 at 10:12, fancy a drink tonight with your favourite Jo Bloggs <jo@home.example> wrote:"
    assert "favourite" in own(read(f"{ANSWER}\n\n{line}\n> {QUOTED}\n"))[0]


@pytest.mark.parametrize("snip", ["[...]", "[snip]", "<snip>", "...", "\u2026", "[lost]"])
def test_omissions_do_not_part_introduction_and_quote(snip):
    """Where words were left out under the introduction, the quote below is introduced all the same."""
    (cut, _) = read(f"{ANSWER}\n\nOn 03/08/2026 10:12, Jo Bloggs wrote:\n{snip}\n\n> {QUOTED}\n").cuts
    assert (cut.attributed, cut.speaker) == (True, "Jo Bloggs")


@pytest.mark.parametrize(
    "end", ["--- end forwarded text", "----- End of forwarded message -----", "-- End forwarded message"]
)
def test_words_below_the_end_of_a_forward_count(end):
    """Some programs close what they forward: what stands below is the sender's."""
    quote = f"--- begin forwarded text\n\nFrom: Jo Bloggs <jo@home.example>\nDate: 3 Aug 2026\nTo: Tom\nSubject: x\n\n{QUOTED}\n\n{end}"
    authored = read(f"{ANSWER}\n\n{quote}\n\nRing me on 101.\n")
    assert "Ring me on 101." in own(authored)[0]
    assert QUOTED not in own(authored)[0]


@pytest.mark.parametrize("mark", [">From", ">>From"])
def test_from_escaped_twice_is_own(mark):
    """Each mailbox on the way may add a mark to a line that begins with From."""
    assert own(read(f"He is in custody.\n{mark} Thursday you may ring me.\nThank you.\n"))[1] is False


def test_each_block_of_a_thread_has_its_speaker():
    """The header blocks of a thread stand inside one another; whoever wrote each is told, the inner ones as inner."""
    inner = BLOCK.replace("Jo Bloggs <jo@home.example>", "Tom Archer <tom.archer@force.example>").replace(
        "03 August", "02 August"
    )
    cuts = read(f"{ANSWER}\n\n{BLOCK}{QUOTED}\n\n{inner}Shall I ring you?\n").cuts
    assert [(cut.speaker, cut.inner) for cut in cuts] == [
        ("jo@home.example", False),
        ("tom.archer@force.example", True),
    ]


def test_answer_under_an_unmarked_quote_stays():
    """With nothing above the quote, a second greeting is where the sender's answer may begin: uncertain."""
    words, uncertain = own(read(f"{BLOCK}Hello,\n{QUOTED}\nJo\n\nDear Jo,\nHe will not.\n"))
    assert (words, uncertain) == ("Dear Jo, He will not.", True)


def test_comment_under_a_marked_forward_stays():
    """Under a forward in marks, what has none may be a comment: uncertain."""
    head = HEAD.replace("Re:", "Fwd:")
    forward = f"---------- Forwarded message ---------\n{BLOCK}> {QUOTED}\n\nHe will not.\n"
    assert own(read(f"{ANSWER}\n\n{forward}", head)) == (f"{ANSWER} He will not.", True)


BLOCKS_OVER_MARKS = {
    "three fields": "From: Jo Bloggs <jo@home.example>\nDate: 3 August 2026\nSubject: Your case\n",
    "four": "From: Jo Bloggs <jo@home.example>\nSent: 3 August 2026 10:12\nTo: Tom Archer\nSubject: Your case\n",
    "under a divider": "-----Original Message-----\nFrom: Jo Bloggs <jo@home.example>\nSent: 3 August 2026 10:12\nSubject: Your case\n",
}


@pytest.mark.parametrize("block", BLOCKS_OVER_MARKS.values(), ids=BLOCKS_OVER_MARKS)
def test_answers_under_a_block_over_marks_stay(block):
    """A header block over marked lines ends nothing: what has no marks between and below them may be an answer, uncertain."""
    authored = read(f"{ANSWER}\n\n{block}\n> {QUOTED}\n\nNo.\n\n> Thanks, Jo\n\nRing me on 101.\n")
    assert own(authored) == (f"{ANSWER} No. Ring me on 101.", True)
    assert [(cut.attributed, cut.speaker) for cut in authored.cuts] == [(True, "jo@home.example")] * 2
    assert is_cut(authored)


def test_reply_with_nothing_but_a_quote_is_doubted():
    """A recipient's words alone stay cut, but are doubted, and read all the same; anybody else's are uncertain."""
    line = "On Mon, 3 Aug 2026 at 10:12, Jo Bloggs <jo@home.example> wrote:"
    (cut,) = read(f"{line}\n> {QUOTED}\n").cuts
    assert cut.doubts == (Doubt.ALONE,)
    for changed in (line.replace("jo@home", "eve@other"), line.replace(" <jo@home.example>", ""), "Hi"):
        authored = read(f"{changed}\n> {QUOTED}\n")
        assert QUOTED in own(authored)[0] or changed == "Hi"
