"""What the language cues cost: processor time a mail by layer, cascade on and off, memory warm and cold, int8 and fp32.

    python -m bench.cues [--mails 1000] [--words 200]

Mails are those of the corpus's train split nearest to so many words, all different. The first tenth warms caches of words and
is not counted. *Ratio* is to the rules alone in the same run, and is what to compare between machines. The language goals
(60 ms with a cold memory, 5 ms with a warm one where nothing is suspicious) are of a mail of 200 words on one core.

For int8 beside fp32 both graphs are made of random weights of the shipped shape: what they cost does not hang on their values.
"""

import argparse
import json
import resource
import statistics
import sys
import time
from pathlib import Path

import numpy as np

from gateway import inspection
from gateway.inspection import encoder, wording
from gateway.inspection.encoder import Encoder, session, windows
from gateway.inspection.memory import Remembered
from gateway.inspection.relations import frames, parse
from gateway.inspection.shadow import shadow_of
from gateway.model import Action
from gateway.rehearsal.judging import Judge
from gateway.training.corpus import Split, load
from gateway.training.diversity import own_words
from gateway.training.graph import onnx_graph
from gateway.training.labelled import sample_of
from gateway.training.pretrained import WIDTH

ROOT = Path(__file__).resolve().parents[1]


def resident_mib() -> float:
    """Return the resident memory of this process now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def timed(name: str, work, entries, base: float = 0.0) -> float:
    """Print median and 99th percentile of the milliseconds of processor time that ``work`` takes for an entry."""
    took = []
    for entry in entries:
        begin = time.process_time()
        work(entry)
        took.append((time.process_time() - begin) * 1000)
    counted = sorted(took[len(took) // 10 :])
    median = statistics.median(counted)
    ratio = f"{median / base:.2f}" if base else "1.00"
    print(f"| {name} | {median:.2f} | {counted[int(len(counted) * 0.99)]:.2f} | {ratio} |", flush=True)
    return median


def anew(judge: Judge, entry) -> None:
    """Judge a mail of which no sentence is known; the encoder's memory is the caller's."""
    for memory in memories():
        memory.forget()
    judge.judge_read(*entry)


def memories() -> list[Remembered]:
    """Return what remembers sentences: parses and what was heard in them, the gate, pieces and wordings."""
    made = encoder.encoder()
    of_encoder = [made.vocabulary._pieces, made._wording._scored] if made is not None else []
    return [parse.remembered, frames._gate, *of_encoder]


def random_graph(*, layers: int, pieces: int, int8: bool) -> bytes:
    """Return a graph of the shipped shape with weights drawn at random."""
    sys.path.insert(0, str(ROOT / "tests"))
    from model import small_model

    weights = small_model.weights(layers)
    table = np.random.default_rng(7).normal(0, 0.5, (pieces, WIDTH)).astype(np.float32)
    return onnx_graph(weights | {"embeddings.word_embeddings.weight": table}, int8=int8)


def layers_of(made: Encoder) -> int:
    """Return how many layers the shipped model was made with."""
    return int(json.loads(str(made.manifest.made["recipe"]))["layers"])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mails", type=int, default=1000)
    parser.add_argument("--words", type=int, default=200)
    options = parser.parse_args()
    before = resident_mib()
    mails = load(ROOT / "corpus").mails_of(Split.TRAIN)
    mails = sorted(mails, key=lambda mail: abs(len(own_words(mail).split()) - options.words))[: options.mails]
    words = [len(own_words(mail).split()) for mail in mails]
    bundle = inspection.read((ROOT / "rules",))
    off = Judge(bundle, language=False)
    read = [(sample, off.judge(sample).authored) for sample in map(sample_of, mails)]
    print(
        f"{len(mails)} mails of {min(words)} to {max(words)} words, median {statistics.median(words):.0f}\n"
    )
    print("| | median ms | p99 ms | ratio |\n|---|--:|--:|--:|")
    base = timed("rules, language engine off", lambda entry: off.judge_read(*entry), read)
    rules_mib = resident_mib()
    related = Judge(bundle, language=True, with_encoder=False)
    timed("rules and relations, nothing remembered", lambda entry: anew(related, entry), read, base)
    related_mib = resident_mib()
    whole = Judge(bundle, language=True)
    made = encoder.encoder()
    if made is None:
        raise SystemExit(encoder.absence())
    made.remember(0)
    timed("everything, nothing remembered", lambda entry: anew(whole, entry), read, base)
    whole_mib = resident_mib()
    made.remember(100_000)
    for memory in memories():
        memory.keep(None)
    verdicts = [whole.judge_read(*entry).verdict for entry in read]
    timed("everything, all remembered", lambda entry: whole.judge_read(*entry), read, base)
    quiet = [
        entry
        for entry, verdict in zip(read, verdicts, strict=True)
        if verdict.action is Action.PASS and not verdict.findings
    ]
    timed(
        f"the same, nothing found ({len(quiet)} mails)", lambda entry: whole.judge_read(*entry), quiet, base
    )

    shadows = [shadow_of(own_words(mail)) for mail in mails]
    kept = [[shadow.sentence(number) for number in range(len(shadow.starts))] for shadow in shadows]
    made.remember(0)
    for memory in memories():
        memory.forget()
    cold = timed("encoder and wordings, nothing remembered", made.read, kept, base)
    made.remember(100_000)
    for sentences in kept:
        made.read(sentences)
    timed("encoder and wordings, every window remembered", made.read, kept, base)
    table = wording.Wording((encoder.WEIGHTS / encoder.WORDINGS).read_bytes())
    timed("wordings", lambda each: [table.score(sentence) for sentence in each], kept, base)
    cut = [[np.array([window.numbers]) for window in windows(each, made.vocabulary)] for each in kept]
    shape = {
        "layers": layers_of(made),
        "pieces": len((encoder.WEIGHTS / encoder.VOCABULARY).read_text("utf-8").split("\n")),
    }
    of_graph = {}
    for name, int8 in (("int8", True), ("fp32", False)):
        graph = session(random_graph(**shape, int8=int8))
        of_graph[name] = timed(
            f"graph alone, {name}",
            lambda each, graph=graph: [graph.run(None, {"pieces": one}) for one in each],
            cut,
            base,
        )
    timed(
        "gate of the relations",
        lambda each: list(map(frames._let_through, each)),
        kept,
        base,
    )
    gated = [[one for one in each if frames.candidates(one)] for each in kept]
    few = slice(0, max(options.mails // 5, 20))
    on = timed(
        "cascade on: what the gate lets through is parsed",
        lambda each: list(map(parse._parsed, each)),
        gated[few],
        base,
    )
    every = timed(
        "cascade off: every sentence is parsed", lambda each: list(map(parse._parsed, each)), kept[few], base
    )
    sentences = sum(map(len, kept))
    print(
        f"\n{sentences} sentences, {sum(map(len, gated))} of them behind the gate; cascade off by on {every / max(on, 0.01):.1f}; "
        f"int8 by fp32 {of_graph['int8'] / of_graph['fp32']:.2f}; the encoder is {cold / base:.1f} times the rules."
    )
    begin = time.process_time()
    Encoder()
    print(
        f"The model loads in {time.process_time() - begin:.2f} s of processor time. Resident MiB: {before:.0f} at the start, "
        f"{rules_mib:.0f} with rules and all mails, {related_mib:.0f} with relations, {whole_mib:.0f} with the encoder."
    )


if __name__ == "__main__":
    main()
