"""What is done to the tally service while it works. Each is drawn from the seed, counted, and timed until work flows."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from chassis.runtime import crash_points
from tests.faults import tally
from tests.faults.path import Process, Trial
from tests.faults.victims import pause
from tests.support.needs import require_infra

BACK_SECONDS_MAX = 12.0  # after a process's death
DATABASE_BACK_SECONDS_MAX = 5.0  # after the database's return
GIVE_UP_SECONDS = 60.0
PASSES = (2, 6)  # how often a point is passed before the last time: the first pass shows that work flows
SETTLE_SECONDS = 0.3  # a commit that was sent is stored by then, though nobody reads the answer
LOOK_SECONDS = 0.05
DIED_AGAIN = "died again before anything new"  # what it heard first was done before
JUMPS, AHEAD = ("-3600", "+0"), "+3600"  # seconds off, as libfaketime reads them


@dataclass
class Course:
    """What one fault did and how long it took until work flowed again."""

    name: str
    times: int = 0
    back: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)

    def flowed(self, seconds: float, limit: float) -> None:
        """Note one more time, and whether it was within its limit."""
        self.times += 1
        self.back.append(round(seconds, 2))
        if seconds > limit:
            self.late.append(f"{self.name}: work flowed again after {seconds:.1f} s, and must within {limit:.0f} s")


Fault = Callable[[Trial, random.Random, int], Course]


def left_out(course: Course, why: str) -> Course:
    """Say that a fault cannot strike on this machine; where nothing may be left out that is a fault."""
    course.notes[f"left out, {why}"] = 1
    if require_infra():
        course.faults.append(f"{course.name}: {why}, and REQUIRE_INFRA=1 allows nothing to be left out")
    return course


def kills_at(point: str) -> Fault:
    """Return the fault that ends a process at a point of its path, again and again."""
    role = "relay" if point == crash_points.AFTER_PRODUCE else "consumer"

    def strike(trial: Trial, chance: random.Random, times: int) -> Course:
        course = Course(f"kill -9 {point}")
        victim = trial.process(role)
        if victim.alive():
            victim.stop()
        victim.start(_at(point, chance))
        for left in range(times - 1, -1, -1):
            if not victim.dies_within(GIVE_UP_SECONDS):
                raise RuntimeError(f"{role} does not come to {point}")
            died = time.monotonic()
            pause(SETTLE_SECONDS)
            before = trial.flows_from(role)
            victim.start(_at(point, chance) if left else "")
            while not _lives_until_more(trial, victim, role, before):
                course.notes[DIED_AGAIN] = course.notes.get(DIED_AGAIN, 0) + 1
                died = time.monotonic()
                victim.start(_at(point, chance))
            course.flowed(_until_more(trial, role, before, died), BACK_SECONDS_MAX)
        return course

    return strike


def _at(point: str, chance: random.Random) -> str:
    return f"{point}:{chance.randint(*PASSES)}"


def _lives_until_more(trial: Trial, victim: Process, role: str, before: int) -> bool:
    begun = time.monotonic()
    while (alive := victim.alive()) and trial.flows_from(role) <= before and time.monotonic() - begun < GIVE_UP_SECONDS:
        pause(LOOK_SECONDS)
    return alive or trial.flows_from(role) > before


def _until_more(trial: Trial, role: str, before: int, since: float, *, revive: Course | None = None) -> float:
    while trial.flows_from(role) <= before:
        if revive is not None:
            _start_again(trial, revive)
        if time.monotonic() - since > GIVE_UP_SECONDS:
            raise RuntimeError(f"nothing flows from {role} for {GIVE_UP_SECONDS:.0f} s")
        pause(LOOK_SECONDS)
    return time.monotonic() - since


def pauses(longest: float) -> Fault:
    """Return the fault that freezes a process, for longer than its group waits for it too, and lets it go on."""

    def strike(trial: Trial, chance: random.Random, times: int) -> Course:
        course = Course("pause and resume")
        _two_consumers(trial)
        for _ in range(times):
            victim = trial.process(*chance.choice([("consumer", 0), ("consumer", 1), ("relay", 0)]))
            victim.kill(signal.SIGSTOP)
            pause(chance.uniform(0.3, longest))
            before = trial.published()
            victim.kill(signal.SIGCONT)
            course.flowed(_until_more(trial, "relay", before, time.monotonic(), revive=course), BACK_SECONDS_MAX)
        course.flowed(_until_each_hears(trial, course), BACK_SECONDS_MAX)
        return course

    return strike


def _start_again(trial: Trial, course: Course) -> None:
    """Count what had to be started again."""
    if started := trial.revive():
        course.notes["ended and started again"] = course.notes.get("ended and started again", 0) + started


def _until_each_hears(trial: Trial, course: Course) -> float:
    """Wait until all facts that are there now were heard: a consumer that stands still in silence shows here."""
    begun, wanted = time.monotonic(), trial.kafka.ends([f"{trial.name}.{tally.HEARS}"])
    while any(trial.ends_of_input(wanted)[place] < end for place, end in wanted.items()):
        _start_again(trial, course)
        if time.monotonic() - begun > GIVE_UP_SECONDS:
            raise RuntimeError(f"facts are not heard for {GIVE_UP_SECONDS:.0f} s")
        pause(LOOK_SECONDS)
    return time.monotonic() - begun


def rebalances(trial: Trial, chance: random.Random, times: int) -> Course:
    """Let members come and go by SIGTERM and by `kill -9`, until the partitions have changed hands so often."""
    course = Course("rebalance")
    _two_consumers(trial)
    with _changes_of_hands(trial) as changed:
        extra: Process | None = None
        instance = 2
        while changed() < times:
            begun, seen = time.monotonic(), changed()
            if extra is None:
                extra = trial.start("consumer", instance)
                instance += 1
            else:
                extra.kill() if chance.random() < 0.5 else extra.stop()
                extra = None
            while changed() == seen and time.monotonic() - begun < GIVE_UP_SECONDS:
                pause(LOOK_SECONDS)
            before = trial.done()
            course.flowed(_until_more(trial, "consumer", before, time.monotonic()), BACK_SECONDS_MAX)
        course.notes["changes of hands"] = changed()
        if extra is not None:
            extra.stop()
    return course


@contextmanager
def _changes_of_hands(trial: Trial) -> Iterator[Callable[[], int]]:
    """Count how often the group's partitions were dealt otherwise than before."""
    admin = AdminClient({"bootstrap.servers": trial.bootstrap, "log_level": 3})
    group = f"{trial.name}.{tally.NAME}.consumer"
    seen: list[dict[int, str]] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(LOOK_SECONDS):
            try:
                found = admin.describe_consumer_groups([group], request_timeout=10)[group].result()
            except KafkaException:
                continue  # its coordinator did not answer in time: asked again, or no change would be seen any more
            dealt = {
                tp.partition: member.client_id for member in found.members for tp in member.assignment.topic_partitions
            }
            if dealt and (not seen or dealt != seen[-1]):
                seen.append(dealt)

    thread = threading.Thread(target=watch, name="watch-group")
    thread.start()
    try:
        yield lambda: max(0, len(seen) - 1)
    finally:
        ended.set()
        thread.join()


def database_kills(trial: Trial, chance: random.Random, times: int) -> Course:
    """Kill PostgreSQL with all its processes and start it again."""
    course = Course("PostgreSQL killed")
    for _ in range(times):
        trial.infra.kill_postgres()
        pause(chance.uniform(0.1, 2.0))
        trial.infra.start_postgres()
        returned, before = time.monotonic(), trial.done()
        course.flowed(_until_more(trial, "consumer", before, returned), DATABASE_BACK_SECONDS_MAX)
    return course


def cuts(trial: Trial, chance: random.Random, times: int) -> Course:
    """Cut every connection to the database at once."""
    course = Course("connections cut")
    for _ in range(times):
        with psycopg.connect(trial.infra.postgres_admin_url, autocommit=True) as admin:
            cut = admin.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s",
                [urlsplit(trial.database_url).path.lstrip("/")],
            ).fetchone()
        course.notes["connections"] = course.notes.get("connections", 0) + (cut[0] if cut else 0)
        begun, before = time.monotonic(), trial.done()
        course.flowed(_until_more(trial, "consumer", before, begun), DATABASE_BACK_SECONDS_MAX)
        pause(chance.uniform(0.1, 1.0))
    return course


def take_overs(trial: Trial, chance: random.Random, times: int) -> Course:
    """Kill the active relay while another one stands by."""
    course = Course("relay taken over")
    for _ in range(times):
        active, standby = trial.process("relay", 0), trial.start("relay", 1)
        pause(chance.uniform(0.2, 1.0))
        died, before = time.monotonic(), trial.published()
        active.kill()
        course.flowed(_until_more(trial, "relay", before, died), BACK_SECONDS_MAX)
        trial.processes["relay", 0], trial.processes["relay", 1] = standby, active
    return course


def clock_jumps(trial: Trial, _chance: random.Random, times: int) -> Course:
    """Let one of two consumers see a machine whose clock jumps back and ahead by an hour; the last jump stays.

    The process is real and so is its clock, but for libfaketime between them: what the Kafka client and the database's
    driver ask for jumps too, which no setting of ours could do. What was armed ahead of time is due by that clock only.
    """
    course = Course("clock jumps an hour")
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        return left_out(course, "no libfaketime here (Debian's package of that name has it)")
    told, victim = trial.folder / "clock", trial.process("consumer", 1)
    told.write_text(JUMPS[1])
    if victim.alive():
        victim.stop()
    victim.env |= {
        "LD_PRELOAD": str(found[0]),
        "FAKETIME_TIMESTAMP_FILE": str(told),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    _two_consumers(trial)
    _until_ready(victim)
    for number in range(times):
        jump = JUMPS[number % 2] if number < times - 1 else AHEAD
        told.write_text(jump)
        course.flowed(_until_written_by(trial, course, off=jump != JUMPS[1]), BACK_SECONDS_MAX)
    course.notes["facts written an hour off"] = trial.written_elsewhen()
    return course


def _until_ready(process: Process) -> None:
    """Wait until a consumer has its partitions."""
    begun = time.monotonic()
    while not process.is_ready():
        if time.monotonic() - begun > GIVE_UP_SECONDS:
            raise RuntimeError(f"{process.role} {process.instance} is not ready after {GIVE_UP_SECONDS:.0f} s")
        pause(LOOK_SECONDS)


def _until_written_by(trial: Trial, course: Course, *, off: bool) -> float:
    """Wait until all partitions are heard while some facts are written by a clock that is off, or none; returns how long."""
    begun = time.monotonic()
    while True:
        written = trial.written_elsewhen()
        _until_each_moves(trial, course)
        if (trial.written_elsewhen() > written) == off:
            return time.monotonic() - begun
        if time.monotonic() - begun > GIVE_UP_SECONDS:
            raise RuntimeError(f"no process has seen its clock jump for {GIVE_UP_SECONDS:.0f} s")


def _until_each_moves(trial: Trial, course: Course) -> None:
    """Wait until something more was heard of every partition: one of two consumers may have stopped in silence."""
    begun, places = time.monotonic(), trial.kafka.ends([f"{trial.name}.{tally.HEARS}"])
    before = trial.ends_of_input(places)
    while any(trial.ends_of_input(places)[place] <= heard for place, heard in before.items()):
        _start_again(trial, course)
        if time.monotonic() - begun > GIVE_UP_SECONDS:
            raise RuntimeError(f"a partition is not heard for {GIVE_UP_SECONDS:.0f} s")
        pause(LOOK_SECONDS)


def _two_consumers(trial: Trial) -> None:
    """Run two consumers, so that causes are raced for, and wait until both have joined."""
    for instance in (0, 1):
        trial.start("consumer", instance)
    before = trial.done()
    _until_more(trial, "consumer", before, time.monotonic())


ALONE: dict[str, Fault] = {
    **{point: kills_at(point) for point in crash_points.ALL if point != crash_points.IN_FOLD},
    "pauses": pauses(15.0),
    "rebalances": rebalances,
    "database": database_kills,
    "cuts": cuts,
    "relays": take_overs,
    "clock": clock_jumps,
}
# Those with a second consumer come last: while it works, the death of the first holds only a part of the facts up.
SHORT: dict[str, tuple[Fault, int]] = {
    **{point: (kills_at(point), 2) for point in crash_points.ALL if point != crash_points.IN_FOLD},
    "database": (database_kills, 1),
    "cuts": (cuts, 2),
    "relays": (take_overs, 1),
    "pauses": (pauses(2.0), 2),
    "rebalances": (rebalances, 2),
}
