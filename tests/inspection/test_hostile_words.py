"""Mail made of what rules look for costs time in proportion to its length, and bounded memory."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

CHARACTERS = 400_000
"""Of one text: a tenth of what a message may hold."""
CPU_S = 40
"""Beyond loading: many times what it takes, and far less than anything that grows with the square of the text."""
MEMORY_BYTES = 1024 * 1024 * 1024
CHILD = """
import random, resource, sys
from datetime import UTC, datetime
from pathlib import Path
from gateway import inspection
from gateway.inspection.examples import authored_of, parties_to
from gateway.model import History

bundle = inspection.read((Path(sys.argv[1]),))
engine = inspection.load(bundle, language=False)
used = resource.getrusage(resource.RUSAGE_SELF)
limit = int(used.ru_utime + used.ru_stime) + int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
if sys.argv[4] == "examples":
    hits = [hit for rule in inspection.rules_of(bundle).rules for hit in rule.entry.examples.hit]
    words = [hit if isinstance(hit, str) else hit.body for hit in hits]
    random.Random(1).shuffle(words)
    piece = "\\n".join(words) + "\\n"
else:
    piece = sys.argv[4]
text = piece * (int(sys.argv[2]) // len(piece) + 1)
found = engine.judge(authored_of(text), parties_to(), History(), datetime(2026, 3, 4, tzinfo=UTC)).findings
print(len({finding.rule for finding in found}), max(map(len, map(str, found)), default=0))
"""


def _limited():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


@pytest.mark.parametrize(
    ("piece", "least"),
    [
        ("examples", 60),
        ("Fancy a drink with me tonight? ", 1),
        ("x\n\n", 1),
        ("\u00e9 'he said \"you ", 0),
    ],
)
def test_a_text_full_of_what_is_looked_for(piece, least):
    """However often a text holds what rules look for, it is judged within its time, and the rules come true."""
    rules = Path(__file__).parents[2] / "rules"
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(rules), str(CHARACTERS), str(CPU_S), piece],
        capture_output=True,
        text=True,
        preexec_fn=_limited,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, (done.returncode, done.stderr[-500:])
    fired, longest = map(int, done.stdout.split())
    assert fired >= least
    assert longest < CHARACTERS
