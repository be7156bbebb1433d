"""`gateway model`: make the language model from the corpus, judge the gateway by labelled mail, write the card.

`train` needs the extra ``train`` in an environment of its own (`make model`); `evaluate` and `card` run beside the
gateway. Nothing here runs while mail flows, and none of it moves mail.
"""

import getpass
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway import inspection
from gateway.cli.invocation import ConfigOption, JsonOption, code_version, fail, settings_from
from gateway.cli.rules import rule_folders
from gateway.inspection.encoder import WEIGHTS, Encoder, absence, encoder
from gateway.rehearsal.judging import Judge
from gateway.training.corpus import Corpus, load
from gateway.training.evaluate import Mails, Report, mails_of, open_closed, openings, told
from gateway.training.evaluate import evaluate as evaluated
from gateway.training.outside import to_judge_by, to_learn_from
from gateway.training.systems import NotInstalled, System, alone, baselines, engine

app = typer.Typer(no_args_is_help=True, help="Make and judge the language model.")

CorpusOption = Annotated[Path, typer.Option("--corpus", help="Folder of the corpus.", metavar="FOLDER")]
_HERE = Path("corpus")


class Beside(StrEnum):
    """Who is judged beside the gateway."""

    NONE = "none"
    BASELINES = "baselines"
    FROZEN = "frozen"
    """The baselines, and the encoder's base as published with a regression on top."""


_CARD = Path("docs/model-card.md")
_CHARTS = Path("docs/model")


@app.command()
def train(
    into: Annotated[
        Path,
        typer.Option(
            "--into", help="Folder that gets the model.", metavar="FOLDER", show_default="the package's own"
        ),
    ] = WEIGHTS,
    corpus: CorpusOption = _HERE,
    *,
    outside: Annotated[
        Path | None,
        typer.Option(
            "--outside", help="Folder of outside mail, taken as proper; its licences must allow it."
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Another seed than the recipe's.")] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", help="Another number of epochs.", min=1)] = None,
    layers: Annotated[int | None, typer.Option("--layers", help="Another depth.", min=1, max=6)] = None,
    folds: Annotated[
        int | None,
        typer.Option("--folds", help="Parts left out to find hard sentences; 0: not sought.", min=0),
    ] = None,
    fraction: Annotated[
        float,
        typer.Option("--fraction", help="Share of the texts to learn from: 0.05 to try the way.", max=1),
    ] = 1.0,
) -> None:
    """Learn the encoder from the train split and the rules' examples, calibrate it on dev, and write graph, vocabulary and manifest."""
    from gateway.training.pretrained import pretrained
    from gateway.training.primer import primer
    from gateway.training.train import Recipe
    from gateway.training.train import train as trained

    chosen = {"seed": seed, "epochs": epochs, "layers": layers, "folds": folds}
    given: dict[str, Any] = {name: value for name, value in chosen.items() if value is not None}
    recipe = replace(Recipe(fraction=fraction), **given)
    started = time.monotonic()

    def log(line: str) -> None:
        typer.echo(f"{time.monotonic() - started:6.0f} s  {line}", err=True)

    negatives = to_learn_from(outside) if outside else ()
    lessons = primer(rule_folders(settings_from(None).rules))
    model = trained(load(corpus), pretrained(), recipe, into, log, outside=negatives, primer=lessons)
    octets = sum((into / name).stat().st_size for name in model.manifest.files)
    typer.echo(f"{into}: model {model.hash[:12]}, {octets / 1e6:.1f} MB, {time.monotonic() - started:.0f} s")


@app.command()
def evaluate(
    split: Annotated[
        Mails, typer.Option("--split", help="Which mail: train, dev, test or sealed.")
    ] = Mails.DEV,
    corpus: CorpusOption = _HERE,
    config: ConfigOption = None,
    *,
    why: Annotated[
        str, typer.Option("--why", help="Why closed mail (test, sealed) is opened; written to the log.")
    ] = "",
    beside: Annotated[
        Beside,
        typer.Option("--beside", help="Which baselines, too; frozen fetches weights and takes minutes."),
    ] = Beside.NONE,
    outside: Annotated[
        Path | None,
        typer.Option("--outside", help="Folder of outside mail, judged as proper: what is not learnt from."),
    ] = None,
    charts: Annotated[
        Path | None, typer.Option("--charts", help="Folder that gets the charts as SVG.", metavar="FOLDER")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Judge whole labelled mails by the whole engine and print the table against the goals."""
    labelled = load(corpus)
    mails = mails_of(labelled, split, corpus)
    if not mails:
        fail(f"no mail in {split}")
    settings = settings_from(config)
    bundle = inspection.read(rule_folders(settings.rules))
    whole = Judge(bundle, language=True, code_version=code_version())
    model = encoder()
    if split.is_closed:
        if not why.strip():
            fail(f"{split} is for the figures of a release; say why it is opened: --why TEXT")
        name = model.hash if model else whole.engine.model_hash
        open_closed(
            corpus, split, mails, at=datetime.now(UTC), by=getpass.getuser(), why=why, model=name, rules=bundle.hash
        )  # fmt: skip
    systems, absent = _systems(labelled, bundle, whole, model, beside=beside)
    report = evaluated(
        split, mails, systems, model, lambda line: typer.echo(line, err=True), absent=absent,
        outside=to_judge_by(outside) if outside else (),
    )  # fmt: skip
    if charts:
        _draw(report, charts)
    if as_json:
        typer.echo(report.to_json().decode())
        return
    for line in told(report):
        typer.echo(line)
    for opening in openings(corpus):
        typer.echo(f"opened {opening.at} by {opening.by}: {opening.mails}: {opening.why}")


def _systems(
    corpus: Corpus,
    bundle: inspection.Bundle,
    whole: Judge,
    model: Encoder | None,
    *,
    beside: Beside,
) -> tuple[list[System], list[str]]:
    """Return who judges, the gateway as it is last, and what is left out and why."""
    systems: list[System] = []
    absent = [absence()] if model is None else []
    for each in baselines(corpus, with_frozen=beside is Beside.FROZEN) if beside is not Beside.NONE else ():
        if isinstance(each, NotInstalled):
            absent.append(str(each))
        else:
            systems.append(each)
    systems.append(engine("rules alone", Judge(bundle, language=False)))
    if model is not None:
        systems.append(engine("rules and relations", Judge(bundle, language=True, with_encoder=False)))
        systems.append(alone(model))
    systems.append(engine("the gateway", whole))
    return systems, absent


def _draw(report: Report, folder: Path) -> None:
    from gateway.training.charts import bars, line

    folder.mkdir(parents=True, exist_ok=True)
    for name, title, rows in (
        ("categories", "Crossings caught, by category", report.categories),
        ("subtlety", "Crossings caught, by subtlety", report.subtleties),
        ("traps", "Proper mail flagged or held, by trap", report.traps),
    ):
        drawn = [
            (each, one.value, one.low, one.high, f"{one.value * one.of:.0f} of {one.of}")
            for each, one in rows
        ]
        (folder / f"{report.mails}-{name}.svg").write_text(bars(f"{title} ({report.mails})", drawn), "utf-8")
    if report.calibration:
        points = [(one.said, one.true) for one in report.calibration]
        drawing = line(
            "Encoder: said and true", "probability said", "share that crosses", points, diagonal=True
        )
        (folder / f"{report.mails}-calibration.svg").write_text(drawing, "utf-8")


@app.command()
def card(
    into: Annotated[Path, typer.Option("--into", help="The page.", metavar="FILE")] = _CARD,
) -> None:
    """Write the packaged model's part of the card: what it was made from, by which recipe, with which hashes."""
    begin, end = "<!-- made by gateway model card -->", "<!-- end -->"
    text = into.read_text("utf-8")
    if begin not in text or end not in text:
        fail(f"{into} has no lines {begin} and {end}")
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    into.write_text(f"{before}{begin}\n" + "\n".join(_card()) + f"\n{end}{after}", "utf-8")


def _card() -> Iterator[str]:
    """Yield the table of the manifest, or why there is none."""
    model = encoder()
    if model is None:
        yield f"There is no model in this checkout: {absence()}."
        return
    yield "| what | |"
    yield "|---|---|"
    yield f"| model | `{model.hash}` |"
    for name, digest in sorted(model.manifest.files.items()):
        yield f"| {name} | {(WEIGHTS / name).stat().st_size / 1e6:.1f} MB, SHA-256 `{digest}` |"
    yield f"| temperature | {model.manifest.temperature} |"
    yield from (
        f"| {name.replace('_', ' ')} | {value} |"
        for name, value in model.manifest.made.items()
        if value != ""
    )
