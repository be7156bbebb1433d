"""Messages that reach new code are kept and changed further: ``make fuzz-guided``, for as long as one likes.

    python tests/fuzz/coverage_guided.py [FOLDER] [-max_total_time=600] [libFuzzer's other options]

Atheris (libFuzzer for Python) watches which branches of `gateway.extract` a message takes. It begins with the mails of
the tests and keeps what is new in FOLDER (default ``.fuzz/``). What must hold is what `invariants` says, without rules
and verdicts; what is broken ends the run, and the message is left as ``crash-*`` in the folder at hand: make it small
and keep it with ``fuzzer.py --keep FILE``. Needs ``pip install atheris``, which is no dependency of ours: it has no
release for every Python, and `fuzzer` needs none.
"""

import sys
from pathlib import Path
from random import Random

import atheris

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

with atheris.instrument_imports(include=["gateway.extract"]):
    import gateway.extract  # noqa: F401

import fuzzer  # noqa: E402
import mutators  # noqa: E402
from invariants import check_reading  # noqa: E402
from mail_grammar import Grammar  # noqa: E402


def mutated(raw: bytes, most: int, seed: int) -> bytes:
    """Return ``raw`` changed: by libFuzzer, by our mutators, or a new message of the grammar."""
    dice = Random(seed)
    roll = dice.randrange(8)
    if roll == 0:
        return Grammar(dice).message()[:most]
    if roll < 4:
        return mutators.mutated(dice, raw, dice.choice(fuzzer.corpus()))[:most]
    return atheris.Mutate(raw, most)


def main() -> None:
    """Fill the folder with the mails of the tests, and go on until the options say enough."""
    options = [given for given in sys.argv[1:] if given.startswith("-")]
    folders = [Path(given) for given in sys.argv[1:] if not given.startswith("-")] or [Path(".fuzz")]
    folders[0].mkdir(exist_ok=True)
    for number, raw in enumerate(fuzzer.corpus()):
        (folders[0] / f"mail-{number}").write_bytes(raw)
    arguments = [sys.argv[0], *map(str, folders), f"-timeout={fuzzer.CPU_S:.0f}", "-max_len=20000", *options]
    atheris.Setup(arguments, check_reading, custom_mutator=mutated)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
