"""What each layer of the judging is worth: the dev split judged with one of them taken away at a time.

    python -m bench.ablation [--split dev] [--only WORD]

A row is the whole gateway without one layer. Behind the shares stand the mails on which it differs from the gateway:
crossings lost and won, proper mails touched no more and touched anew. The mails are read once, and the encoder's answers are
kept, so that nothing differs but the layer. Test and sealed mail are not looked at here: what is decided by this table is
decided on dev.
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from gateway import inspection
from gateway.inspection import cues, encoder, hearing, judgement
from gateway.inspection.engine import Engine
from gateway.inspection.wording import SILENT, Wording
from gateway.model import Action, Attribution
from gateway.rehearsal.judging import Judge
from gateway.training import figures
from gateway.training.corpus import Label, Split, load
from gateway.training.figures import FIGURES, Outcome
from gateway.training.labelled import sample_of

ROOT = Path(__file__).resolve().parents[1]
REMEMBERED = 50_000
"""Windows of the encoder that are kept: more than a split has."""


def listens(rule):
    """Return whether a rule asks for a cue."""
    return any(condition.cue for condition in rule.conditions.values())


@contextmanager
def whole(judge):
    """Take nothing away."""
    yield judge


def rules_left(keep):
    """Take away the rules of which ``keep`` is not true."""

    @contextmanager
    def without(judge):
        rules = inspection.rules_of(judge.bundle)
        kept = replace(rules, rules=tuple(rule for rule in rules.rules if keep(rule)))
        engine = judge.engine
        judge.engine = Engine(kept, judge.bundle.hash, language=True)
        yield judge
        judge.engine = engine

    return without


def policy(change):
    """Judge and decide by a policy that ``change`` makes of the shipped one."""

    @contextmanager
    def without(judge):
        shipped = judge.policy
        judge.policy = judge.engine._policy = change(shipped)
        yield judge
        judge.policy = judge.engine._policy = shipped

    return without


def patched(*targets):
    """Put something else in the place of each ``module, name, value``."""

    @contextmanager
    def without(judge):
        patches = [patch.object(*target) for target in targets]
        for each in patches:
            each.start()
        yield judge
        for each in patches:
            each.stop()

    return without


@contextmanager
def no_encoder(judge):
    """Hear relations alone; without an encoder nothing is doubted either."""
    engine = judge.engine
    judge.engine = inspection.load(judge.bundle, language=True, with_encoder=False)
    yield judge
    judge.engine = engine


@contextmanager
def no_wordings(judge):
    """Hear the encoder without what single words add to it; its temperature and offset stay those of both."""
    made = judge.engine._layers.encoder
    table = made._wording
    silent = Wording(SILENT)
    silent._offset = table._offset
    made._wording = silent
    yield judge
    made._wording = table


def _alone(shipped):
    return replace(
        shipped,
        cues={name: replace(each, company=each.flag, weak=each.flag) for name, each in shipped.cues.items()},
    )


def _none(_):
    return ()


def _own(*_):
    return Attribution.OWN


LAYERS = (
    ("the gateway", whole),
    ("without rules over words", rules_left(lambda rule: listens(rule) or rule.safety)),
    ("without cues", rules_left(lambda rule: not listens(rule))),
    ("without relations", patched((cues.frames, "candidates", _none))),
    ("without the encoder, and so without doubt", no_encoder),
    ("without doubt", policy(lambda shipped: replace(shipped, doubt=0.0))),
    ("without company", policy(_alone)),
    ("without wordings", no_wordings),
    ("without refusals", patched((cues, "_REFUSED", 1.0))),
    ("without attribution", patched((judgement, "attribution", _own), (hearing, "attribution", _own))),
    (
        "without two categories in company",
        policy(
            lambda shipped: replace(
                shipped, combinations=replace(shipped.combinations, two_categories=Action.FLAG)
            )
        ),
    ),
)


def judged(judge, mails):
    """Return the outcome of each mail."""
    return [Outcome(judge.judge_read(sample, authored).verdict.action) for sample, authored in mails]


def differences(mails, before, after) -> Iterator[int]:
    """Yield crossings lost, crossings won, proper mails touched no more, and touched anew."""
    for label in (Label.CROSSING, Label.PROPER):
        for was in (True, False):
            yield sum(
                mail.label is label and one.acted is was and other.acted is not was
                for mail, one, other in zip(mails, before, after, strict=True)
            )


def main():
    """Judge and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.ablation", description=__doc__.partition("\n")[0])
    parser.add_argument("--split", choices=["dev", "train"], default="dev", help="which mail (default dev)")
    parser.add_argument("--only", default="", help="rows whose name has this word, beside the gateway")
    options = parser.parse_args()
    corpus = load(ROOT / "corpus")
    mails = [mail for mail in corpus.mails_of(Split(options.split)) if not corpus.batches[mail.batch].sealed]
    if (made := encoder.encoder()) is not None:
        made.remember(REMEMBERED)
    judge = Judge(inspection.read((ROOT / "rules",)), language=True)
    read = [(sample, judge.judge(sample).authored) for sample in map(sample_of, mails)]
    names = " | ".join(figure.name for figure in FIGURES)
    print(f"{len(mails)} mails of {options.split}; per cent with 95 % intervals\n")
    print(f"| | {names} | crossings lost | won | proper spared | touched anew |")
    print("|---" * (len(FIGURES) + 5) + "|")
    before = []
    for name, without in LAYERS:
        if before and options.only not in name:
            continue
        with without(judge) as changed:
            outcomes = judged(changed, read)
        before = before or outcomes
        pairs = list(zip(mails, outcomes, strict=True))
        shares = [str(figures.share(figure, pairs)).partition(" of ")[0] for figure in FIGURES]
        print(
            f"| {name} | " + " | ".join([*shares, *map(str, differences(mails, before, outcomes))]) + " |",
            flush=True,
        )


if __name__ == "__main__":
    main()
