"""The stream processor killed inside its fold, between the new state and the measure: every fact has its measure."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid5

from chassis.runtime import crash_points
from cli.stack import spawn
from schemas.envelope import Envelope
from services.scorecard import domain
from tests.faults.fault_injection import BACK_SECONDS_MAX, GIVE_UP_SECONDS, LOOK_SECONDS, Course
from tests.faults.victims import Log, pause
from tests.scorecard.logs import random_log
from tests.scorecard.workers import CHECKOUT, Streams, Worker, expected, woven
from tests.support.stack import Infrastructure

PASSES = (100, 1500)  # some die before they have committed anything, some long after
FACTS_A_SECOND = 400


class Doomed(Worker):
    """A stream worker that may be told to end itself inside its fold."""

    crash_at = ""

    def start(self) -> None:
        environment = os.environ | {
            "WORLD": self.world.name,
            "KAFKA_BOOTSTRAP": self.world.bootstrap,
            "OPS_PORT": str(self.port),
            "INSTANCE": str(self.instance),
            "AUTH_ISSUER": "-",
            "AUTH_AUDIENCE": "-",
            "AUTH_JWKS": "-",
            "CURSOR_SECRET": "-",
            "CRASH_AT": self.crash_at,
        }
        command = (sys.executable, "-m", "services.scorecard", "stream")
        self.process = spawn.spawn(command, log=self.log, env=environment, cwd=CHECKOUT)


def check(facts: Sequence[Envelope], measures: Sequence[Envelope]) -> list[str]:
    """Say what is wrong: a fact without its measure, a measure without its fact, one that knows less when told again, order."""
    place = {str(uuid5(f.data.case_id, str(f.id))): (str(f.data.case_id), n) for n, f in enumerate(facts)}
    causes = {str(f.id) for f in facts}
    said: dict[str, tuple[int, datetime]] = {}
    latest: dict[str, int] = {}
    faults = []
    for measure in measures:
        name = str(measure.id)
        if name in said:
            if (measure.data.facts, measure.data.as_of) < said[
                name
            ]:  # heard again, a fact finds later ones in the state
                faults.append(f"overwritten: measure {name} knows less than when it was told first")
            continue
        said[name] = measure.data.facts, measure.data.as_of
        if str(measure.causationid) not in causes or name not in place:
            faults.append(f"without cause: measure {name} names {measure.causationid}")
            continue
        case, at = place[name]
        if at < latest.get(case, -1):
            faults.append(f"out of order: measure {name} of case {case}")
        latest[case] = max(at, latest.get(case, -1))
    return faults + [f"lost: fact {n} of case {case}" for name, (case, n) in place.items() if name not in said]


def without_unknown(reading: domain.Reading | None) -> domain.Reading | None:
    """Return a reading without which fact it was told for: heard again, an earlier one may tell all that is known."""
    return reading and replace(reading, fact_id=UUID(int=0), occurred_at=reading.recorded_at)


def run(infra: Infrastructure, folder: Path, *, seed: int, times: int) -> tuple[Course, int]:
    """Kill one worker inside its fold so often while facts come; returns the course and how many facts there were."""
    chance, course = random.Random(seed), Course(f"kill -9 {crash_points.IN_FOLD}")
    streams = Streams(infra, folder)
    logs, facts = [], list[Envelope]()
    log, topic = Log(streams.bootstrap), f"{streams.name}.scorecard.measure"
    ended = threading.Event()

    def feed() -> None:
        number = 0
        while not ended.is_set():
            some = [random_log(f"case {seed}-{number}-{n}", chance_of_feed) for n in range(20)]
            number += 1
            logs.extend(some)
            for fact in woven(some, number):
                streams.say([fact])
                facts.append(fact)
                if ended.wait(1 / FACTS_A_SECOND):
                    pass  # the cases that were begun are told to their end

    chance_of_feed = random.Random(seed + 1)
    thread = threading.Thread(target=feed, name="feed-cases")
    worker = _worker(streams, _at(chance))
    thread.start()
    try:
        for left in range(times - 1, -1, -1):
            code = worker.process.wait(GIVE_UP_SECONDS)
            if code != -signal.SIGKILL:
                raise RuntimeError(f"the stream worker ended with {code}: {worker.log.read_text()[-2000:]}")
            died, before = time.monotonic(), sum(log.ends([topic]).values())
            worker.crash_at = _at(chance) if left else ""
            worker.start()
            while sum(log.ends([topic]).values()) <= before:
                if time.monotonic() - died > GIVE_UP_SECONDS:
                    raise RuntimeError("the stream does not flow again")
                pause(LOOK_SECONDS)
            course.flowed(time.monotonic() - died, BACK_SECONDS_MAX)
        ended.set()
        thread.join()
        wanted = {uuid5(f.data.case_id, str(f.id)) for f in facts}
        begun = time.monotonic()
        while not wanted <= {m.id for m in streams.read()} and time.monotonic() - begun < GIVE_UP_SECONDS:
            pause(LOOK_SECONDS)
        course.faults += check(facts, streams.measures)
        readings = streams.readings()
        course.faults += [
            f"reading of case {log.name} is not what its facts fold to"
            for log in logs
            if without_unknown(readings.get(log.case_id)) != without_unknown(expected(log))
        ][:5]
    finally:
        ended.set()
        thread.join()
        streams.close()
    return course, len(facts)


def _worker(streams: Streams, crash_at: str) -> Doomed:
    Doomed.crash_at = crash_at
    worker = Doomed(streams, 0)
    streams.workers.append(worker)
    return worker


def _at(chance: random.Random) -> str:
    return f"{crash_points.IN_FOLD}:{chance.randint(*PASSES)}"


__all__ = ["check", "expected", "run"]
