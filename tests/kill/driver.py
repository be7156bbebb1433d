"""Kill the gateway under load, again and again, and account for every message (DECISIONS 35).

    python tests/kill/driver.py [--messages N] [--kills N] [--seed N] [--log docs/kill-test.md]

Starts a smarthost that makes each mail durable before its 250, a gateway as `gateway serve` runs it, and senders
that try each message again until it is answered 250, as mail servers do. The gateway is killed with SIGKILL at the
places of `places`, and started again. At the end every message is looked for by the SHA-256 of its bytes, holds are
released under further kills, and the audit log is verified. Exit status 1 if anything is lost, doubled without
cause, or not as it should be.
"""

import argparse
import asyncio
import contextlib
import os
import random
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psutil
from accounts import Copy, Reckoning, copies, reckon
from gateway_process import CONTACTS, SUPERVISOR, GatewayProcess
from load import HELD_CONTACT, Kind, Load, Mint, Step
from places import OUTBOX, UNDER_LOAD, Place, Scene
from smarthost import Smarthost

SENDERS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """One SIGKILL: in which stage, at which place of it, and how many tries were at which step."""

    stage: str
    place: str
    under_way: Counter[Step]
    down_s: float


@dataclass(slots=True, kw_only=True)
class Run:
    """What happened."""

    seed: int
    kills: list[Kill] = field(default_factory=list)
    reckoning: Reckoning | None = None
    tries: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    released: int = 0
    released_twice: int = 0
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def failures(self) -> list[str]:
        found = self.reckoning
        return self.wrong + ([] if found is None else [*found.lost, *found.wrong])


def goals(messages: int) -> dict[Kind, int]:
    """Return how many of each kind: a tenth and a bit held alone, four in a hundred and a bit mixed."""
    wanted = {
        Kind.UPDATE: messages // 10,
        Kind.FLAG: messages // 25,
        Kind.HOLD: messages * 51 // 500 + 2,
        Kind.MIXED: messages * 21 // 500 + 2,
    }
    return {Kind.PLAIN: messages - sum(wanted.values()) + 10, **wanted}


async def run(*, messages: int, kills_a_stage: int, seed: int, say=lambda _: None) -> Run:
    """Do all of it and return what was found."""
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="kill-"))
    story = Run(seed=seed)
    mint = Mint(goals(messages), seed)
    maildir = folder / "smarthost"
    maildir.mkdir()
    async with Smarthost(maildir=maildir) as smarthost:
        gateway = _gateway(folder / "gateway", smarthost, messages)
        load = Load(mint, gateway.port, SENDERS, seed)
        scene = Scene(smarthost=smarthost, gateway=gateway, load=load)
        gateway.init()
        try:
            await gateway.start()
            await _kill_under_load(scene, story, messages, kills_a_stage, say)
            say("senders are done; accounting")
            epochs = [kill.stage for kill in story.kills] + ["(alive)"]
            story.reckoning = reckon(mint.made, maildir, gateway, epochs)
            await _kill_in_the_outbox(scene, story, kills_a_stage, maildir, say)
            verified = gateway.run("audit", "verify", check=False)
            if verified.returncode:
                story.wrong.append(f"audit verify: {verified.stdout}{verified.stderr}")
            if status := gateway.stop():
                story.wrong.append(f"serve ended with status {status}")
        finally:
            gateway.kill()
    story.tries = sum(message.tries for message in mint.made)
    story.answers = Counter(
        "lost " + answer[6:] if answer.startswith("lost") else answer
        for message in mint.made
        for answer in message.answers
    )
    story.seconds = time.monotonic() - began
    if story.failures:
        say(f"kept for a look: {folder}")
    else:
        shutil.rmtree(folder)
    return story


def _gateway(folder: Path, smarthost: Smarthost, messages: int) -> GatewayProcess:
    more = {
        "inspection": {"language": False},
        "next_hop": {"data_timeout_s": 5.0},
        # Killed as often as here, a release would wait for a person: what is counted is what goes out by itself.
        "outbox": {"poll_s": 0.1, "first_retry_s": 0.2, "lease_s": 6.0, "max_interrupted": 1000},
    }
    gateway = GatewayProcess(folder, next_hop=smarthost.port, more=more)
    rows = "".join(
        f"flagged{number}@home.example,Contact {number},witness,42/10231/26,open,2026-02-11,,amir.khan@force.example,no,,F-{number}\n"
        for number in range(1, messages // 25 + 2)
    )
    (folder / "contacts.csv").write_text(CONTACTS + rows, encoding="utf-8")
    return gateway


async def _kill_under_load(scene: Scene, story: Run, messages: int, kills_a_stage: int, say) -> None:
    plan = [
        (stage, places[number % len(places)])
        for stage, places in UNDER_LOAD.items()
        for number in range(kills_a_stage)
    ]
    random.Random(story.seed).shuffle(plan)
    load = scene.load
    load.up.set()
    senders = asyncio.create_task(load.run())
    try:
        for number, (stage, place) in enumerate(plan):
            # The kills are spread over nine tenths of the load, so that there is always some under way.
            goal = messages * 9 // 10 * number // len(plan)
            await load.until(lambda: load.total >= goal, timeout_s=300)  # noqa: B023
            story.kills.append(await _kill(scene, stage, place, story))
            say(f"{load.total:5} answered, kill {len(story.kills)}: {stage} ({place.__name__})")
        async with asyncio.timeout(300):
            await senders
    finally:
        senders.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await senders


async def _kill(scene: Scene, stage: str, place: Place, story: Run) -> Kill:
    """Bring the gateway to ``place``, kill it there, and start it again."""
    load, gateway = scene.load, scene.gateway
    workers = scene.workers()
    async with place(scene):
        under_way = load.under_way()
        load.up.clear()
        load.epoch += 1
        gateway.kill()
        went_down = time.monotonic()
    _, left = await asyncio.to_thread(psutil.wait_procs, workers, 20)
    if left:
        story.wrong.append(f"{len(left)} workers outlived the gateway by 20 s (killed in {stage})")
    await gateway.start()
    load.up.set()
    return Kill(stage=stage, place=place.__name__, under_way=under_way, down_s=time.monotonic() - went_down)


async def _kill_in_the_outbox(scene: Scene, story: Run, kills: int, maildir: Path, say) -> None:
    """Release some holds with kills under way; each must arrive, and be shown as released only then."""
    held = scene.gateway.lines("holds", "list", "--limit", "1000000")
    interrupted = 0
    for number in range(kills):
        place = OUTBOX[number % len(OUTBOX)]
        batch = held[2 * number : 2 * number + 2]
        bringing = asyncio.create_task(_kill(scene, "outbox", place, story))
        await asyncio.gather(*(asyncio.to_thread(_release, scene.gateway, hold["id"]) for hold in batch))
        story.kills.append(await bringing)
        say(f"kill {len(story.kills)}: outbox ({place.__name__})")
        ids = {hold["id"] for hold in batch}
        async with asyncio.timeout(90):
            while ids - {
                one["id"]
                for one in scene.gateway.lines("holds", "list", "--state", "released", "--limit", "1000000")
            }:
                await asyncio.sleep(0.2)
        sent = copies(maildir)
        for hold in batch:
            number_of = sent[Copy(sha256=hold["sha256"], recipient=HELD_CONTACT)]
            story.released += number_of > 0
            story.released_twice += number_of - 1 if number_of else 0
            if not number_of:
                story.wrong.append(f"released, and not at the smarthost: {hold['id']}")
        interrupted += place in OUTBOX[3:]
    if story.released_twice > 4 * interrupted:
        story.wrong.append(f"{story.released_twice} releases came twice in {interrupted} kills after the dot")


def _release(gateway: GatewayProcess, item_id: str) -> None:
    gateway.run("holds", "release", item_id, "--as", SUPERVISOR, "--reason", "The kill test lets it go.")


# --- what is printed ----------------------------------------------------------------------------------------


def table(story: Run) -> str:
    """Return the story as the Markdown of docs/kill-test.md."""
    found = story.reckoning
    assert found is not None
    stages: dict[str, list[Kill]] = {}
    for kill in story.kills:
        stages.setdefault(kill.stage, []).append(kill)
    lines = [
        "| stage | kills | where in it | tries under way when killed | duplicates at the smarthost |",
        "|---|---|---|---|---|",
    ]
    for stage in [*UNDER_LOAD, "outbox"]:
        kills = stages.get(stage, [])
        where = ", ".join(
            f"{name} {number}" for name, number in sorted(Counter(kill.place for kill in kills).items())
        )
        steps: Counter[Step] = sum((kill.under_way for kill in kills), Counter())
        shown = ", ".join(f"{step} {number}" for step, number in steps.items() if step is not Step.CONNECT)
        twice = story.released_twice if stage == "outbox" else found.twice[stage]
        lines.append(f"| {stage} | {len(kills)} | {where} | {shown or '–'} | {twice} |")
    lines += ["", "| answered 250 | messages |", "|---|---|"]
    lines += [f"| {kind} | {found.answered[kind]} |" for kind in Kind]
    lines += [f"| **all** | **{found.answered.total()}** |", ""]
    lines += ["| reckoning | |", "|---|---|"]
    lines += [
        f"| lost | {len(found.lost)} |",
        f"| holds in `gateway holds list --json --state all` | {found.holds} |",
        f"| flags in `gateway flags list --json --state all` | {found.flags} |",
        f"| not as it should be | {len(found.wrong) + len(story.wrong)} |",
        f"| tries the senders made | {story.tries} |",
        f"| duplicates at the smarthost | {found.twice.total()} |",
        f"| released under kills, and arrived | {story.released} |",
        f"| of these, arrived twice | {story.released_twice} |",
        "| `gateway audit verify` | whole |",
    ]
    lines += ["", "| answer other than 250 | times |", "|---|---|"]
    lines += [f"| {answer} | {number} |" for answer, number in story.answers.most_common()]
    return "\n".join(lines)


PAGE = """\
# The kill test

`make kill` kills the gateway with SIGKILL under load and accounts for every message that it answered with `250`: by the
SHA-256 of its bytes it must be at the smarthost or in `gateway holds list --json --state all`. A sender whose answer was lost
tries again with the same bytes, as mail servers do. Where the kill fell after the smarthost took the message and before the
sender heard of it, SMTP cannot exclude a duplicate (RFC 5321 section 6.1); these are listed with the stage of the kill.
Nothing in the gateway helps the test: `tests/kill/places.py` says how each place is reached from outside.

Printed by `make kill ARGS="--log docs/kill-test.md"` on {date}: seed {seed}, {seconds:.0f} s on {cores} cores
(load average {load:.0f} at the end), {senders} senders at once, language engine off.

{table}
"""


def main() -> int:
    """Run, print, and write the log where asked."""
    parser = argparse.ArgumentParser(description="Kill the gateway under load and account for every message.")
    parser.add_argument("--messages", type=int, default=5000, help="answered 250 in all, at least")
    parser.add_argument("--kills", type=int, default=5, help="in each stage")
    parser.add_argument("--seed", type=int, default=int(datetime.now(UTC).timestamp()))
    parser.add_argument("--log", type=Path, help="write the page of the docs here")
    arguments = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    story = asyncio.run(
        run(
            messages=arguments.messages,
            kills_a_stage=arguments.kills,
            seed=arguments.seed,
            say=lambda text: print(text, flush=True),
        )
    )
    page = PAGE.format(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        seed=story.seed,
        seconds=story.seconds,
        cores=len(os.sched_getaffinity(0)),
        load=os.getloadavg()[2],
        senders=SENDERS,
        table=table(story),
    )
    print(page)
    for failure in story.failures[:50]:
        print(f"WRONG: {failure}")
    if arguments.log and not story.failures:
        arguments.log.write_text(page, encoding="utf-8")
    return 1 if story.failures else 0


if __name__ == "__main__":
    sys.exit(main())
