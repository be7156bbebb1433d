"""What the language cues cost: processor time a mail without them, with the relations, and of their parts; memory.

    python -m bench.cues [FOLDER]

Mails are the corpus's train split, each judged once by the shipped rules: nothing is judged twice, so nothing comes from a
cache of whole mails. The first tenth warms the caches of words and is not counted. The column *ratio* is what to compare
between machines.
"""

import resource
import statistics
import sys
import time
from pathlib import Path

from gateway import inspection
from gateway.inspection.cues import cues_of
from gateway.inspection.relations import frames, parse
from gateway.inspection.relations.features import Features
from gateway.inspection.shadow import shadow_of
from gateway.rehearsal.judging import Judge
from gateway.training.corpus import Split, load
from gateway.training.labelled import sample_of


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
    ratio = f"{median / base:6.2f}" if base else "  1.00"
    print(f"{name:<40} {median:8.2f} {counted[int(len(counted) * 0.99)]:8.2f} {ratio}")
    return median


def main() -> None:
    """Measure and print."""
    mails = load(Path("corpus")).mails_of(Split.TRAIN)
    words = statistics.median(len(mail.body.split()) for mail in mails)
    bundle = inspection.read((Path(sys.argv[1] if len(sys.argv) > 1 else "rules"),))
    print(
        f"{len(mails)} mails, median {words:.0f} words; resident {resident_mib():.0f} MiB before anything is loaded"
    )
    off = Judge(bundle, language=False)
    read = [(sample, off.judge(sample).authored) for sample in map(sample_of, mails)]
    print(f"rules loaded: resident {resident_mib():.0f} MiB\n{'':<40} {'median':>8} {'p99':>8}  ratio")
    base = timed("rules, language off", lambda entry: off.judge_read(*entry), read)
    on = Judge(bundle, language=True)
    timed("rules and cues", lambda entry: on.judge_read(*entry), read, base)
    print(f"parser loaded: resident {resident_mib():.0f} MiB")
    shadows = [shadow_of(mail.body) for mail in mails]
    kept = [[shadow.sentence(number) for number in range(len(shadow.starts))] for shadow in shadows]
    timed("gate", lambda each: [frames.candidates(parse.keys_of(one)) for one in each], kept, base)
    timed("every sentence parsed", lambda each: [parse.parse(one) for one in each], kept[:200], base)
    gated = [one for each in kept for one in each if frames.candidates(parse.keys_of(one))]
    print(f"sentences: {sum(map(len, kept))}, behind the gate: {len(gated)}")
    features = [Features(parse.parse(one), one) for one in gated[:500]]
    found = [(frames.candidates(parse.keys_of(each.words)), each) for each in features]
    timed(
        "frames of one parsed sentence", lambda pair: [each.found(pair[1]) for each in pair[0]], found, base
    )
    timed(
        "cues of one mail",
        lambda shadow: cues_of(shadow, lambda number: parse.parse(shadow.sentence(number)), None),
        shadows[:200],
        base,
    )


if __name__ == "__main__":
    main()
