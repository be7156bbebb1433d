"""`gateway corpus`: the labelled mail that the language cues learn from and are judged by.

`check` finds everything that is wrong with it, `add` takes a writer's draft over, `report` measures how much it repeats
itself and whether its surface gives the labels away. All of it is invented; no victim's mail goes in.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
import yaml

from gateway.cli.invocation import JsonOption, emit, fail
from gateway.errors import Mistakes
from gateway.training.corpus import Batch, Label, Mail, Passage, Split, load, problems
from gateway.training.diversity import Diversity, diversity, own_words
from gateway.training.drafts import read_draft
from gateway.training.surface import Surface

app = typer.Typer(no_args_is_help=True, help="Check, extend and measure the labelled corpus.")

FolderOption = Annotated[Path, typer.Option("--corpus", help="Folder of the corpus.", metavar="FOLDER")]
DraftArgument = Annotated[
    Path,
    typer.Argument(
        help="The draft, as gateway/training/drafts.py describes it.", exists=True, dir_okay=False
    ),
]
_HERE = Path("corpus")


@app.command()
def check(folder: FolderOption = _HERE, *, as_json: JsonOption = False) -> None:
    """Print everything that is wrong with the corpus, each with file and line; exit 1 if there is something."""
    corpus = load(folder)
    for split in Split:
        mails, passages = corpus.mails_of(split), corpus.passages_of(split)
        crossing = sum(mail.label is Label.CROSSING for mail in mails)
        line = {
            "split": split,
            "crossing": crossing,
            "proper": len(mails) - crossing,
            "passages": len(passages),
        }
        if as_json:
            emit(line)
        else:
            typer.echo("  ".join(f"{name} {value}" for name, value in line.items()))


@app.command("try")
def try_(draft: DraftArgument) -> None:
    """Check a draft and measure it, writing nothing: what repeats, and how the labels differ in shape."""
    from gateway.training.surface import LEAST, means, surface

    mails, passages = read_draft(draft.read_text("utf-8"), "draft", str(draft))
    if mistakes := problems(mails, passages, str(draft)):
        raise Mistakes(mistakes)
    _print_counts(mails, passages)
    _print_shares(mails)
    for name, entries in (("mails", mails), ("passages", passages)):
        if entries:
            _print_diversity(name, diversity(entries))
    if min(sum(mail.label is label for mail in mails) for label in Label) >= LEAST:
        typer.echo("\nshape, mean of crossings and of proper mail:")
        for name, crossing, proper in means(mails):
            typer.echo(f"  {name:<20} {crossing:9.3f} {proper:9.3f}")
        _print_surface(surface(mails))


@app.command()
def add(
    draft: DraftArgument,
    batch: Annotated[str, typer.Option("--batch", help="Name of the batch; a new one, or one to replace.")],
    split: Annotated[Split, typer.Option("--split", help="What the batch may be used for.")],
    brief: Annotated[str, typer.Option("--brief", help="What the writer was asked for, in a sentence.")],
    labelled_by: Annotated[str, typer.Option("--labelled-by", help="Who gave the labels.")] = "writer",
    folder: FolderOption = _HERE,
    *,
    seal: Annotated[
        bool, typer.Option("--seal", help="Keep the hash of the file: it must not change any more.")
    ] = False,
) -> None:
    """Take a writer's draft over as a batch; nothing is written when anything in it is wrong."""
    mails, passages = read_draft(draft.read_text("utf-8"), batch, str(draft))
    if mistakes := problems(mails, passages, str(draft)):
        raise Mistakes(mistakes)
    path = folder / "batches.yaml"
    batches = yaml.safe_load(path.read_text("utf-8")) if path.exists() else {}
    if (batches or {}).get(batch, {}).get("sealed"):
        fail(f"batch {batch} is sealed; write a new one")
    digest = ""
    for below, entries in (("mails", mails), ("passages", passages)):
        if entries:
            written = _write(folder / below / f"{batch}.jsonl", entries)
            digest = hashlib.sha256(digest.encode() + written).hexdigest()
    entry = Batch(
        split=split,
        brief=brief,
        written=datetime.now(UTC).date().isoformat(),
        labelled_by=labelled_by,
        sealed=digest if seal else "",
    )
    batches = (batches or {}) | {batch: msgspec.to_builtins(entry)}
    path.write_text(yaml.safe_dump(batches, sort_keys=True, allow_unicode=True, width=110), "utf-8")
    typer.echo(f"{batch}: {len(mails)} mails, {len(passages)} passages, {split}")


def _write(path: Path, entries: Sequence[Mail | Passage]) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)
    path.write_bytes(lines)
    return lines


@app.command()
def report(folder: FolderOption = _HERE, *, as_json: JsonOption = False) -> None:
    """Measure the corpus: sizes, how much it repeats itself, and whether its surface gives the labels away."""
    from gateway.training.surface import surface

    corpus = load(folder)
    shape = surface(corpus.open_mails)
    measures = {"mails": diversity(corpus.mails), "passages": diversity(corpus.passages)}
    by_batch = {
        name: diversity([mail for mail in corpus.mails if mail.batch == name]) for name in corpus.batches
    }
    if as_json:
        emit(
            {
                "surface_auc": shape.auc,
                **{f"{name}_repeated": measure.repeated for name, measure in measures.items()},
            }
        )
        return
    _print_counts(corpus.mails, corpus.passages)
    _print_shares(corpus.mails)
    for name, measure in measures.items():
        _print_diversity(name, measure)
    typer.echo("\nby batch: entries, repeated 5-word runs, median likeness to the nearest mail")
    for name, measure in by_batch.items():
        if measure.entries:
            typer.echo(
                f"  {name:<24} {measure.entries:>4}  {measure.repeated:6.1%}  {measure.nearest_median:.3f}"
            )
    _print_surface(shape)


def _print_surface(shape: Surface) -> None:
    verdict = "ok" if shape.ok else "too telling"
    typer.echo(f"\nsurface alone: AUC {shape.auc:.3f} over {shape.mails} mails ({verdict})")
    for name, fall in shape.telling:
        typer.echo(f"  {name:<20} {fall:+.3f}")


def _print_counts(mails: Sequence[Mail], passages: Sequence[Passage]) -> None:
    for title, counted in (
        ("label", Counter(mail.label for mail in mails)),
        ("due", Counter(mail.due for mail in mails)),
        ("subtlety", Counter(mail.subtlety for mail in mails if mail.subtlety)),
        ("trap", Counter(mail.trap for mail in mails if mail.trap)),
        (
            "mails with category",
            Counter(name for mail in mails for name in {span.category for span in mail.spans}),
        ),
        (
            "passages with category",
            Counter(name for one in passages for name in {span.category for span in one.spans}),
        ),
        ("kind of passage", Counter(one.kind for one in passages)),
    ):
        typer.echo(f"{title}: " + ", ".join(f"{name} {count}" for name, count in counted.most_common()))


def _print_shares(mails: Sequence[Mail]) -> None:
    """Print what should not differ between the labels, in per cent of the mails of each."""
    bands = ((0, 25), (25, 80), (80, 180), (180, 100_000))
    typer.echo(
        "\nper cent of the mails of a label: under 25 / 25-80 / 80-180 / over 180 words; replies; with a quote; twins"
    )
    for label in Label:
        of_label = [mail for mail in mails if mail.label is label]
        words = [len(own_words(mail).split()) for mail in of_label]
        shares = [sum(low <= count < high for count in words) for low, high in bands]
        shares.append(sum(mail.reply for mail in of_label))
        shares.append(sum(own_words(mail).strip() != mail.body.strip() for mail in of_label))
        shares.append(sum(bool(mail.twin) for mail in of_label))
        typer.echo(
            f"  {label:<9} " + " ".join(f"{100 * share / max(len(of_label), 1):4.0f}" for share in shares)
        )


def _print_diversity(name: str, measure: Diversity) -> None:
    typer.echo(
        f"\n{name}: {measure.entries} with {measure.words} words; {measure.repeated:.1%} of 5-word runs stand in another,"
        f" median likeness to the nearest {measure.nearest_median:.3f}"
    )
    for title, rows in (
        ("openings", measure.openings),
        ("closings", measure.closings),
        ("runs", measure.runs),
    ):
        typer.echo(f"  {title}: " + "; ".join(f"{count} x {text}" for count, text in rows))
    for likeness, one, other in measure.nearest[:5]:
        typer.echo(f"  {likeness:.2f} {one} and {other}")
