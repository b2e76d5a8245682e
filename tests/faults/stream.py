"""The stream processor killed, rebalanced and frozen at random moments; then its state is rebuilt and SQL is asked.

The last fact of each case is held back until every worker was killed and has rebuilt its state: a state that an old
worker overwrote, or that lacks a fact, shows in what the last fact leads to.
"""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid5

from schemas.envelope import Envelope
from services.scorecard.__main__ import parts
from tests.faults.fault_injection import GIVE_UP_SECONDS, LOOK_SECONDS, Course
from tests.faults.fold import without_unknown
from tests.faults.victims import pause
from tests.scorecard.logs import Log, random_log
from tests.scorecard.workers import Streams, Worker, expected, woven
from tests.support.service import open_service
from tests.support.stack import Infrastructure

FACTS_A_SECOND = 400
REPLACED_SECONDS_MAX = 45.0
BETWEEN_SECONDS = (1.0, 6.0)
MIDDLE_SECONDS = 0.3  # a worker folds thousands of facts a second
CASES_AT_ONCE, CASES_FROZEN, HEARD_AT_ONCE = 20, 200, 500
NAMED_MAX = 5  # faults of a kind


@dataclass(frozen=True)
class Form:
    """How often each strikes."""

    kills: int
    rebalances: int
    freezes: int


SHORT, FULL = Form(kills=2, rebalances=1, freezes=1), Form(kills=20, rebalances=10, freezes=3)


class Trial:
    """Two workers, a third that comes and goes, and cases told to them."""

    def __init__(self, infra: Infrastructure, folder: Path, seed: int) -> None:
        self.streams, self.chance = Streams(infra, folder), random.Random(seed)
        self.logs: list[Log] = []
        self.facts: list[Envelope] = []
        self._ids: set[UUID] = set()
        self._seed = seed
        self.workers = [self.streams.worker(number) for number in range(2)]
        self._guest: Worker | None = None

    def some(self, many: int) -> list[Envelope]:
        """Return facts of new cases, woven; the last one of each is kept for the end."""
        chance = random.Random(f"{self._seed}/{len(self.logs)}")
        new = [random_log(f"case {self._seed}-{len(self.logs) + n}", chance) for n in range(many)]
        self.logs += new
        last = {log.envelopes[-1].id for log in new}
        return [fact for fact in woven(new, len(self.logs)) if fact.id not in last]

    def tell(self, facts: list[Envelope]) -> None:
        self.facts += facts
        self.streams.say(facts)

    @contextmanager
    def feeding(self) -> Iterator[None]:
        ended = threading.Event()

        def feed() -> None:
            while not ended.is_set():
                for fact in self.some(CASES_AT_ONCE):  # a case that was begun is told to its end
                    self.tell([fact])
                    ended.wait(1 / FACTS_A_SECOND)

        thread = threading.Thread(target=feed, name="feed-cases")
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def kill(self) -> None:
        """Kill a worker, wherever it is, and start it again as its supervisor would."""
        victim = self.chance.choice(self.workers)
        if victim.process.poll() is None:
            victim.kill()
        victim.start()

    def rebalance(self) -> None:
        """Let a third worker come, or go in peace."""
        if self._guest is None:
            self._guest = self.streams.worker(2)
        elif self._guest.process.poll() is None:
            self._guest.end()
            self._guest = None
        else:
            self._guest.start()

    def freeze(self, course: Course) -> None:
        """Stop a worker in the middle of its work; the other one must answer all that was told. Then thaw it."""
        self.wait_until_ready()
        victim = self.chance.choice(self.workers)
        self.tell(self.some(CASES_FROZEN))
        pause(self.chance.random() * MIDDLE_SECONDS)
        victim.process.send_signal(signal.SIGSTOP)
        begun = time.monotonic()
        try:
            self.tell(self.some(CASES_FROZEN))  # however far it was: of these it answers none
            self.wait_until_measured()
            course.flowed(time.monotonic() - begun, REPLACED_SECONDS_MAX)
        finally:
            victim.process.send_signal(signal.SIGCONT)
        self.tell(self.some(CASES_FROZEN))
        self.wait_until_measured()

    def rebuild(self) -> None:
        """Kill every worker, start two, and tell the last fact of each case."""
        for worker in self.streams.workers:
            if worker.process.poll() is None:
                worker.kill()
        for worker in self.workers:
            worker.start()
        self.wait_until_ready()
        self.tell([log.envelopes[-1] for log in self.logs])
        self.wait_until_measured()

    def wait_until_ready(self) -> None:
        begun = time.monotonic()
        while not all(worker.ready() for worker in self.workers):
            self._revive()
            _give_up(begun, "a worker is not ready")

    def _revive(self) -> None:
        for worker in self.workers:
            if worker.process.poll() is not None:
                worker.start()

    def wait_until_measured(self) -> None:
        wanted, begun = {uuid5(f.data.case_id, str(f.id)) for f in self.facts}, time.monotonic()
        while not wanted <= self._measured():
            self._revive()
            _give_up(begun, "facts are without their measures")

    def _measured(self) -> set[UUID]:
        seen = len(self.streams.measures)
        self._ids |= {measure.id for measure in self.streams.read()[seen:]}
        return self._ids

    def differences(self, database_url: str) -> list[str]:
        """Return what is wrong: readings that are not what the fold says of the whole log, and what SQL says otherwise."""
        readings = self.streams.readings()
        faults = [
            f"reading of {log.name} knows {reading and reading.facts} facts, its log {wanted.facts}"
            for log in self.logs
            if without_unknown(reading := readings.get(log.case_id)) != without_unknown(wanted := expected(log))
        ]
        with open_service(parts(), database_url) as scorecard:
            said = self.facts + self.streams.measures
            for start in range(0, len(said), HEARD_AT_ONCE):
                scorecard.consume(*said[start : start + HEARD_AT_ONCE])
            check = scorecard.get("/velocity/check", params={"quiet": True}).json()
        if (check["compared"], check["differences"]) != (len(self.logs), 0):
            faults.insert(0, f"SQL: {check['compared']} of {len(self.logs)} compared, {check['differences']} differ")
        return faults[:NAMED_MAX]


def _give_up(started: float, why: str) -> None:
    if time.monotonic() - started > 2 * GIVE_UP_SECONDS:
        raise RuntimeError(f"{why} after {2 * GIVE_UP_SECONDS:.0f} s")
    pause(LOOK_SECONDS)


def run(infra: Infrastructure, folder: Path, *, seed: int, form: Form) -> tuple[list[Course], int]:
    """Strike at random moments while facts come; returns the courses and how many facts there were."""
    trial = Trial(infra, folder, seed)
    killed, moved, frozen, rebuilt = (
        Course(name) for name in ("stream killed", "stream rebalanced", "stream frozen", "stream rebuilt")
    )
    strikes = ["kill"] * form.kills + ["rebalance"] * form.rebalances
    trial.chance.shuffle(strikes)
    try:
        trial.wait_until_ready()
        with trial.feeding():
            for strike in strikes:
                pause(trial.chance.uniform(*BETWEEN_SECONDS))
                getattr(trial, strike)()
                (killed if strike == "kill" else moved).times += 1
        trial.wait_until_measured()
        for _ in range(form.freezes):
            trial.freeze(frozen)
        trial.rebuild()
        rebuilt.times, rebuilt.faults = 1, trial.differences(infra.database("scorecard"))
    finally:
        trial.streams.close()
    return [killed, moved, frozen, rebuilt], len(trial.facts)
