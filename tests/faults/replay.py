"""A replay of the delivery records during which everything is killed once: the same figures, the same fingerprint.

Each victim waits for its moment (a share of the records, drawn from the seed), is frozen until it has work to do,
and is killed with `kill -9` in the middle of it. The supervisor starts processes again; the replay command is
started again with the same command. What comes out is checked against the file itself and against what the topics
and the databases hold.
"""

from __future__ import annotations

import itertools
import json
import random
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import date
from pathlib import Path
from typing import IO, Any

import httpx
import psycopg

from cli.stack import Stack
from cli.stack.recipe import SERVICES, STREAM
from cli.stack.worlds import World
from tests.faults.replay_checks import FIRST, LAST, Kill, Outcome, check, environment, expected, recorded
from tests.faults.victims import Log, Victim, pause, topics_of
from tests.records import oracle
from tests.support.command import COMMAND
from tests.support.needs import CHECKOUT

RELAYS = ("exceptions", "sales", "procurement")  # logistics hears too little to be behind, so its outbox stays with it
REPLAY = "replay"
SHARE_LOOK_SECONDS = 0.03
REPLAY_SECONDS_MAX = 900.0

CALENDAR = {"zone": "UTC", "weekdays": [0, 1, 2], "opens": "09:00:00", "closes": "17:00:00"}

Say = Callable[[str], None]


# ── the command that is killed too ──────────────────────────────────────────────────────────────


class Replaying:
    """The replay command as a process, started again with the same words after its death."""

    def __init__(self, stack: Stack, world: str, file: Path, until: date | None) -> None:
        self._command = [*COMMAND, "replay", "scms", str(file), "--into", world, "--json"]
        self._command += ["--until", until.isoformat()] if until else []
        self._env = environment(stack)
        self._logs = stack.home.logs(world)
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> int:
        """Start it; returns its process id."""
        with (self._logs / "replay.json").open("wb") as out, (self._logs / "replay.log").open("ab") as err:
            self._child = subprocess.Popen(self._command, cwd=CHECKOUT, env=self._env, stdout=out, stderr=err)
        return self._child.pid

    def kill(self) -> int:
        """Kill it and bury it; returns the id it had."""
        assert self._child is not None
        self._child.kill()
        self._child.wait()
        return self._child.pid

    def ended(self) -> bool:
        """Say whether it has ended by itself."""
        return self._child is not None and self._child.poll() is not None

    def result(self) -> dict[str, Any]:
        """Wait for its end and return what it printed; raises RuntimeError with its last words."""
        assert self._child is not None
        code = self._child.wait(REPLAY_SECONDS_MAX)
        if code:
            raise RuntimeError(f"the replay ended with {code}: {(self._logs / 'replay.log').read_text()[-2000:]}")
        told: dict[str, Any] = json.loads((self._logs / "replay.json").read_text())
        return told

    def end(self) -> None:
        """Leave no process behind."""
        if self._child is not None and self._child.poll() is None:
            self.kill()


# ── work for those whom the records do not reach ────────────────────────────────────────────────


def feeding(world: World, service: str) -> Callable[[], Any]:
    """Return acts, one after the other in a thread, that give a service facts to publish; nothing follows from them."""
    acts: dict[str, tuple[str, str, Callable[[int], dict[str, Any]]]] = {
        "collaboration": ("/calendars", "planning-lead", lambda n: {**CALENDAR, "code": f"nobodys-{n}"}),
        "forecast": (
            "/forecasts:batch",
            "planning-lead",
            lambda n: {
                "source": "faults",
                "items": [
                    {
                        "key": f"{n}-{i}",
                        "item": f"nobody's {n}-{i}",
                        "site": "Nowhere",
                        "publish": True,
                        "weeks": [{"week_on": "2100-01-04", "quantity": "1"}],
                    }
                    for i in range(20)
                ],
            },
        ),
    }
    path, role, body = acts[service]
    numbers = itertools.count(1)

    @contextmanager
    def fed() -> Iterator[None]:
        stopped, refused = threading.Event(), list[str]()
        head = {"Authorization": f"Bearer {world.token(role)}"}

        def feed() -> None:
            with httpx.Client(base_url=world.urls[service], timeout=5) as client:
                while not stopped.is_set():
                    n = next(numbers)
                    try:
                        answer = client.post(path, json=body(n), headers=head | {"Idempotency-Key": f"faults-{n}"})
                    except httpx.TransportError:
                        continue  # it is frozen, or dead
                    if not answer.is_success or '"refused"' in answer.text:
                        refused.append(f"{service}{path}: {answer.status_code} {answer.text[:300]}")
                        return

        thread = threading.Thread(target=feed, name=f"feed-{service}")
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()
            if refused:
                raise RuntimeError(refused[0])

    return fed


# ── the plan and the run ────────────────────────────────────────────────────────────────────────


def plan(seed: int, only: Sequence[str] | None = None, *, last: float = LAST) -> tuple[str, list[tuple[float, str]]]:
    """Draw which relay runs apart, and at which share of the records each victim dies."""
    chance = random.Random(seed)
    apart = chance.choice(RELAYS)
    victims = [name for name in (*SERVICES, f"{apart}-relay", STREAM, REPLAY) if only is None or name in only]
    chance.shuffle(victims)
    width = (last - FIRST) / max(1, len(victims))
    # One in each part of the way, and none in the last fifth of its part: the one before it must be back.
    return apart, [(FIRST + width * (n + 0.8 * chance.random()), name) for n, name in enumerate(victims)]


def victims_of(world: World, apart: str, bootstrap: str) -> dict[str, Victim]:
    """Return every process that is killed, with what it hears and publishes."""
    log = Log(bootstrap)
    found = {}
    for service in SERVICES:
        outbox = "" if service == apart else world.database_urls[service]
        topics = topics_of(service, world)
        found[service] = Victim(
            service, world, log, group=f"{world.name}.{service}.consumer", topics=topics, outbox_url=outbox
        )
        if not topics:
            found[service].fed = feeding(world, service)
    relay = f"{apart}-relay"
    found[relay] = Victim(relay, world, log, outbox_url=world.database_urls[apart])
    found[STREAM] = Victim(
        STREAM, world, log, group=f"{world.name}.scorecard.stream", topics=(f"{world.name}.exceptions.case",)
    )
    return found


class Course:
    """How far a replay has come, asked of the database of logistics: shipments whose delivery is recorded."""

    def __init__(self, world: World, total: int) -> None:
        self._connection = psycopg.connect(world.database_urls["logistics"], autocommit=True)
        self.total = total

    def count(self) -> int:
        row = self._connection.execute("SELECT count(*) FROM shipments WHERE received_on IS NOT NULL").fetchone()
        return int(row[0]) if row else 0

    def share(self) -> float:
        return self.count() / self.total

    def wait_for(self, share: float, replaying: Replaying) -> None:
        """Wait until so much is recorded; raises RuntimeError when the replay ends before."""
        while self.share() < share:
            if replaying.ended():
                replaying.result()
                raise RuntimeError(f"the replay ended before {share:.0%} of the records")
            pause(SHARE_LOOK_SECONDS)

    def close(self) -> None:
        self._connection.close()


def run(
    stack: Stack,
    file: Path,
    *,
    seed: int,
    name: str,
    until: date | None = None,
    only: Sequence[str] | None = None,
    last: float = LAST,
    say: Say,
) -> Outcome:
    """Replay into a new world, kill, and check; `only` names the victims where not all shall die.

    A short file is told in few strokes: with an earlier `last` every kill still finds work.
    """
    begun = time.monotonic()
    rows = oracle.read_rows(file)
    apart, deaths = plan(seed, only, last=last)
    world = stack.create_world(name, clock="driven", split=[f"{apart}:relay"])
    outcome = Outcome(name, seed, latest=LAST if last == LAST else 1.0, expected=expected(rows, until))
    victims = victims_of(world, apart, stack.kafka_bootstrap)
    replaying, course = Replaying(stack, name, file, until), Course(world, recorded(rows, until))
    say(f"world {name}, seed {seed}: {len(deaths)} kills over {course.total} recorded deliveries\n{HEAD}")
    try:
        replaying.start()
        for meant, victim in deaths:
            course.wait_for(meant, replaying)
            dies = kill_replay if victim == REPLAY else kill_process
            done = dies(replaying if victim == REPLAY else victims[victim], course, meant)
            outcome.kills.append(done)
            say(row_of(done))
        outcome.actual = replaying.result()
        outcome.seconds = round(time.monotonic() - begun, 1)
        check(outcome, stack, world)
    finally:
        replaying.end()
        course.close()
    return outcome


def replay_once(stack: Stack, world: str, file: Path, until: date | None) -> dict[str, Any]:
    """Replay into a world undisturbed and return what the command printed."""
    replaying = Replaying(stack, world, file, until)
    try:
        replaying.start()
        return replaying.result()
    finally:
        replaying.end()


def kill_process(victim: Victim, course: Course, meant: float) -> Kill:
    """Freeze a process that has work to do, kill it, and wait until its work is done."""
    with victim.fed():
        work = victim.freeze_busy()
        share = course.share()
        before = victim.kill()
    back = victim.wait_until_back(before)
    why = str(work) if victim.fed is nullcontext else f"{work} (our own acts)"
    return Kill(meant, share, victim.name, why, before, victim.world.pid(victim.name) or 0, round(back, 1))


def kill_replay(replaying: Replaying, course: Course, meant: float) -> Kill:
    """Kill the command, start it again and wait until it has told more than was known."""
    known = course.count()
    before = replaying.kill()
    begun = time.monotonic()
    after = replaying.start()
    course.wait_for((known + 1) / course.total, replaying)
    why = f"{course.total - known} deliveries not told"
    return Kill(meant, known / course.total, REPLAY, why, before, after, round(time.monotonic() - begun, 1))


# ── what is printed ─────────────────────────────────────────────────────────────────────────────

HEAD = (
    f"{'meant':>6} {'at':>6}  {'victim':<18} {'had to do when it was killed':<32} {'pid':>8} {'then':>8}  back in flow"
)


def row_of(kill: Kill) -> str:
    """Return the line of one kill."""
    return (
        f"{kill.meant:6.1%} {kill.share:6.1%}  {kill.victim:<18} {kill.why:<32} {kill.pid_before:>8} "
        f"{kill.pid_after:>8}  {kill.back_seconds:.1f} s"
    )


def show(outcome: Outcome, out: IO[str]) -> None:
    """Print figures beside what they must be, and the verdict."""
    print(f"\n{'figure':<38} {'told':>34} {'must be':>34}", file=out)
    for name, value in outcome.expected.items():
        print(f"{name:<38} {_short(outcome.actual.get(name)):>34} {_short(value):>34}", file=out)
    print(f"\ntopics: {outcome.topics}\nwhy --all: {outcome.why}", file=out)
    print(
        f"{outcome.seconds} s with {len(outcome.kills)} kills; the replay repeated {outcome.actual.get('retried')} requests",
        file=out,
    )
    for fault in outcome.faults:
        print(f"WRONG: {fault}", file=out)
    print("the same figures, the same fingerprint" if not outcome.faults else f"{len(outcome.faults)} wrong", file=out)


def _short(value: Any) -> str:
    text = "/".join(map(str, value.values())) if isinstance(value, dict) else str(value)
    return text if len(text) <= 34 else f"{text[:31]}…"
