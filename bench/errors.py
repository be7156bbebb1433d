"""What the engine gets wrong on labelled train mail, and why: what to read before a rule or a frame is changed.

    python -m bench.errors [--batches w01 w03] [--rules rules] [--no-language] [--figures]

Every proper mail that is flagged or held, by trap, with each acting finding: rule, whose words, strength, the words. Then every
crossing that passes, by category and subtlety, with its marked words and what came near. Last the figures, for each batch and
for all of them. Mend over some batches, measure on the others: what was mended over measures nothing. Only batches of the
train split are taken: dev and test mail is not to be read.
"""

import argparse
from collections import defaultdict
from pathlib import Path

from gateway import inspection
from gateway.rehearsal.judging import Judge
from gateway.training import figures
from gateway.training.corpus import Label, Split, load
from gateway.training.figures import FIGURES, Outcome
from gateway.training.labelled import sample_of
from gateway.training.systems import ACTING

CORPUS = Path(__file__).resolve().parents[1] / "corpus"
RULES = Path(__file__).resolve().parents[1] / "rules"


def judged_of(judge, mails):
    """Return each mail with its findings and its outcome."""
    rows = []
    for mail in mails:
        found = judge.judge(sample_of(mail)).verdict
        rows.append((mail, found.findings, Outcome(found.action)))
    return rows


def _finding(finding):
    soft = " softened" if finding.softened else ""
    sure = "" if finding.probability is None else f" {finding.probability:.2f}"
    words = " ".join((finding.text or "").split())
    return f"      {finding.rule} ({finding.severity}, {finding.attribution}{soft}{sure}): {words!r}"


def print_false_alarms(rows):
    """Print proper mail that was acted on, by trap, most first."""
    by_trap = defaultdict(list)
    for mail, findings, outcome in rows:
        if mail.label is Label.PROPER and outcome.acted:
            by_trap[mail.trap].append((mail, findings, outcome))
    for trap, mails in sorted(by_trap.items(), key=lambda each: -len(each[1])):
        print(f"\nproper, {trap}: {len(mails)}")
        for mail, findings, outcome in mails:
            print(f"  {mail.id} {outcome.action}")
            for finding in findings:
                if finding.status in ACTING:
                    print(_finding(finding))
                    if finding.start is not None:
                        print(f"        {_around(mail.part(finding.part), finding.start, finding.end)}")


def _around(text, start, end, reach=110):
    """Return the words of ``text`` with what stands before and after them, on one line."""
    before, after = text[max(0, start - reach) : start], text[end : end + reach]
    return " ".join(f"{before}[[{text[start:end]}]]{after}".split())


def print_missed(rows):
    """Print crossings that pass, by category and subtlety, and what came near: findings that do not act."""
    by_kind = defaultdict(list)
    for mail, findings, outcome in rows:
        if mail.label is Label.CROSSING and not outcome.acted:
            for category in sorted({span.category for span in mail.spans}):
                by_kind[category, mail.subtlety].append((mail, findings))
    for (category, subtlety), mails in sorted(by_kind.items()):
        print(f"\nmissed, {category}, {subtlety}: {len(mails)}")
        for mail, findings in mails:
            for span in mail.spans:
                if span.category == category:
                    print(f"  {mail.id} {_around(mail.part(span.part), span.start, span.end, 60)}")
            for finding in findings:
                print(_finding(finding))


def print_figures(rows):
    """Print the figures for each batch, and for all."""
    batches = sorted({mail.batch for mail, _, _ in rows})
    for name, wanted in (*((batch, {batch}) for batch in batches), ("all", set(batches))):
        pairs = [(mail, outcome) for mail, _, outcome in rows if mail.batch in wanted]
        print(f"\n{name}")
        for figure in FIGURES:
            print(f"  {figure.name:<30} {figures.share(figure, pairs)}")
        print(f"  {'twins, both right':<30} {figures.twins_share(pairs)}")
    pairs = [(mail, outcome) for mail, _, outcome in rows]
    for name, names_of in (("caught", figures.subtlety_of), ("touched", figures.trap_of)):
        print(f"\n{name}")
        for each, share in figures.by(pairs, names_of):
            print(f"  {each:<30} {share}")


def main():
    """Judge and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.errors", description=__doc__.partition("\n")[0])
    corpus = load(CORPUS)
    train = [name for name, batch in corpus.batches.items() if batch.split is Split.TRAIN]
    parser.add_argument(
        "--batches",
        nargs="+",
        choices=train,
        default=train,
        help="which batches of the train split (default all)",
    )
    parser.add_argument("--rules", type=Path, default=RULES)
    parser.add_argument("--no-language", action="store_true", help="rules alone")
    parser.add_argument("--figures", action="store_true", help="figures only, no mail")
    options = parser.parse_args()
    mails = [mail for mail in corpus.mails_of(Split.TRAIN) if mail.batch in options.batches]
    judge = Judge(inspection.read((options.rules,)), language=not options.no_language)
    rows = judged_of(judge, mails)
    if not options.figures:
        print_false_alarms(rows)
        print_missed(rows)
    print_figures(rows)


if __name__ == "__main__":
    main()
