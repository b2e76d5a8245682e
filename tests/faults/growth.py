"""Topics gain partitions while members run, or restart within their session time-out or after it; all must be read.

Nothing may stay unread for longer than UNREAD_SECONDS_MAX once the topic has grown and the restarted members are ready.
Facts are drained before each growth, as `tools.grow_topic` does, so that the checker may demand the order of each subject.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid5

from chassis.messaging import kafka, topics
from schemas.envelope import Envelope
from tests.faults import tally
from tests.faults.checker import Trail, ordered_as_fed
from tests.faults.fault_injection import GIVE_UP_SECONDS, LOOK_SECONDS, Course
from tests.faults.fold import without_unknown
from tests.faults.path import Place, Trial
from tests.faults.victims import pause
from tests.scorecard.logs import Log, random_log
from tests.scorecard.workers import Streams, Worker, expected, woven
from tests.support.service import wait_until
from tests.support.stack import Infrastructure
from tools import broker

UNREAD_SECONDS_MAX = 20.0
SESSION_SECONDS = kafka.SESSION_MS / 1000
ADDED = 4
RATE = 400.0
CASES = 40
NAMED_MAX = 5
WITHIN, AFTER, RUNNING = "within the session", "after the session", "never away"
TOO_LATE = "late, because the machine is slow"


@dataclass(frozen=True)
class Strike:
    """One growth: which of the members restart meanwhile, by `kill -9` or in peace, and when they are back."""

    back: str
    victims: tuple[int, ...] = (0,)
    killed: bool = False


@dataclass(frozen=True)
class Form:
    """How many members there are and what happens to them, of the tally service and of the stream."""

    members: int
    strikes: Sequence[Strike]


SHORT = Form(members=1, strikes=[Strike(WITHIN)])
FULL = Form(
    members=2,
    strikes=[
        Strike(back, victims, killed)
        for back in (WITHIN, AFTER)
        for victims in ((0,), (1,), (0, 1))
        for killed in (False, True)
    ]
    + [Strike(RUNNING, ())],
)


def members_of(bootstrap: str, group: str) -> set[str]:
    """Return the members of a group, by the names that they gave themselves."""
    client = kafka.admin(bootstrap)
    found = client.describe_consumer_groups([group], request_timeout=kafka.ASK_SECONDS_MAX)[group].result()
    return {member.client_id for member in found.members}


def struck(
    course: Course,
    strike: Strike,
    *,
    stop: Callable[[int], None],
    start: Callable[[int], None],
    ready: Callable[[int], bool],
    forgotten: Callable[[int], bool],
    grow: Callable[[], None],
) -> float:
    """Restart the members of one strike around a growth; returns the moment from which nothing may stay unread."""
    stopped = time.monotonic()
    for number in strike.victims:
        stop(number)
    if strike.back == AFTER:
        wait_until(lambda: all(map(forgotten, strike.victims)), seconds=2 * SESSION_SECONDS)
    grow()
    for number in strike.victims:
        start(number)
    wait_until(lambda: all(map(ready, strike.victims)), seconds=2 * GIVE_UP_SECONDS)
    back = time.monotonic()
    late = strike.back == WITHIN and back - stopped > SESSION_SECONDS
    note = f"× {len(strike.victims)} back {TOO_LATE if late else strike.back}" if strike.victims else "× no restart"
    course.notes[note] = course.notes.get(note, 0) + 1
    return back


def flowed(course: Course, since: float, read: Callable[[], bool], revive: Callable[[], object]) -> None:
    """Note how long it took until all partitions were read."""
    while not read():
        revive()
        if time.monotonic() - since > GIVE_UP_SECONDS:
            course.faults.append(f"{course.name}: partitions stay unread for {GIVE_UP_SECONDS:.0f} s")
            return
        pause(LOOK_SECONDS)
    course.flowed(time.monotonic() - since, UNREAD_SECONDS_MAX)


# ── the tally service, whose outcome the checker of `path` reads ─────────────────────────────────


class GrownTrial(Trial):
    """The tally service on a topic that grows."""

    def trail(self) -> Trail:
        """Read what the checker needs; subjects move between partitions."""
        return ordered_as_fed(super().trail())


def grown_while_restarted(form: Form) -> Callable[[Trial, random.Random, int], Course]:
    """Return the fault that adds partitions to the input topic of the tally service while its consumers restart."""

    def strike_all(trial: Trial, _chance: random.Random, _times: int) -> Course:
        course, topic = Course("topic grown, consumer"), f"{trial.name}.{tally.HEARS}"
        group = f"{topic.partition('.')[0]}.{tally.NAME}.consumer"
        members = [trial.start("consumer", number) for number in range(form.members)]
        wait_until(lambda: all(member.is_ready() for member in members), seconds=GIVE_UP_SECONDS)
        with trial.feeding(RATE):
            wait_until(_all_read(trial, topic), seconds=GIVE_UP_SECONDS)
        for strike in form.strikes:
            trial.wait_until_rest()
            sent = signal.SIGKILL if strike.killed else signal.SIGTERM
            since = struck(
                course,
                strike,
                stop=lambda number, sent=sent: _stop(trial, number, sent),
                start=lambda number: trial.process("consumer", number).start(),
                ready=lambda number: trial.process("consumer", number).is_ready(),
                forgotten=lambda number: f"{group}.{number}" not in members_of(trial.bootstrap, group),
                grow=lambda: _grow(trial.bootstrap, topic),
            )
            with trial.feeding(RATE):
                flowed(course, since, _all_read(trial, topic), trial.revive)
        return course

    return strike_all


def _stop(trial: Trial, number: int, sent: int) -> None:
    process = trial.process("consumer", number)
    process.kill(sent) if sent == signal.SIGKILL else process.stop()


def _grow(bootstrap: str, topic: str) -> None:
    partitions = topics.standing(bootstrap, [topic])[topic] + ADDED
    broker.grow(kafka.admin(bootstrap), topic, partitions)
    wait_until(lambda: topics.standing(bootstrap, [topic])[topic] == partitions)


def _all_read(trial: Trial, topic: str) -> Callable[[], bool]:
    """Wait until each partition has facts; return whether all of these were heard."""
    ends: dict[Place, int] = wait_until(lambda: _ends_of_all(trial, topic), seconds=GIVE_UP_SECONDS)

    def read() -> bool:
        heard = trial.ends_of_input(ends)
        return all(heard[place] >= end for place, end in ends.items())

    return read


def _ends_of_all(trial: Trial, topic: str) -> dict[Place, int] | None:
    """Return the end of each partition once all have facts; a partition that was just made has no leader for a moment."""
    try:
        ends = trial.kafka.ends([topic])
    except kafka.KafkaException as error:
        if error.args[0].code() != kafka.KafkaError.NOT_LEADER_FOR_PARTITION:
            raise
        return None
    return ends if all(ends.values()) else None


# ── the stream ───────────────────────────────────────────────────────────────────────────────────


class StreamTrial:
    """Workers of decision velocity, and whole cases told to them after each growth."""

    def __init__(self, infra: Infrastructure, folder: Path, *, seed: int, members: int) -> None:
        self.streams, self._chance = Streams(infra, folder), random.Random(seed)
        self.workers = [self.streams.worker(number) for number in range(members)]
        self.logs: list[Log] = []
        self.facts: list[Envelope] = []
        self._measured: set[UUID] = set()

    def run(self, form: Form) -> Course:
        """Strike; returns what was wrong in the end, too."""
        course = Course("topic grown, stream")
        wait_until(lambda: all(worker.ready() for worker in self.workers), seconds=2 * GIVE_UP_SECONDS)
        wait_until(self._tell(), seconds=GIVE_UP_SECONDS)
        for strike in form.strikes:
            since = struck(
                course,
                strike,
                stop=lambda number, killed=strike.killed: self._stop(number, killed),
                start=lambda number: self.workers[number].start(),
                ready=lambda number: self.workers[number].ready(),
                forgotten=lambda number: (
                    f"{self._group}.{number}" not in members_of(self.streams.bootstrap, self._group)
                ),
                grow=lambda: self.streams.grow(self.streams.partitions + ADDED),
            )
            flowed(course, since, self._tell(), self._revive)
        course.faults += self._differences()
        return course

    @property
    def _group(self) -> str:
        return f"{self.streams.name}.scorecard.stream"

    def _stop(self, number: int, killed: bool) -> None:
        worker: Worker = self.workers[number]
        worker.kill() if killed else worker.end()

    def _revive(self) -> None:
        for worker in self.workers:
            if worker.process.poll() is not None:
                worker.start()

    def _tell(self) -> Callable[[], bool]:
        """Tell new cases to their end, because a state stays in its partition; return whether all facts were measured."""
        new = [random_log(f"case {len(self.logs) + number}", self._chance) for number in range(CASES)]
        facts = woven(new, seed=len(self.logs))
        self.logs += new
        self.facts += facts
        self.streams.say(facts)
        wanted = {uuid5(fact.data.case_id, str(fact.id)) for fact in facts}

        def measured() -> bool:
            seen = len(self.streams.measures)
            self._measured |= {measure.id for measure in self.streams.read()[seen:]}
            return wanted <= self._measured

        return measured

    def _differences(self) -> list[str]:
        readings = self.streams.readings()
        faults = [
            f"reading of {log.name} is not what the fold says of its log"
            for log in self.logs
            if without_unknown(readings.get(log.case_id)) != without_unknown(expected(log))
        ]
        return faults[:NAMED_MAX]


def run_stream(infra: Infrastructure, folder: Path, *, seed: int, form: Form) -> tuple[Course, int]:
    """Add partitions to the topic of cases while the stream's workers restart; returns also how many facts there were."""
    trial = StreamTrial(infra, folder, seed=seed, members=form.members)
    try:
        return trial.run(form), len(trial.facts)
    finally:
        trial.streams.close()
