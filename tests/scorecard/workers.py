"""Workers of the velocity stream as processes on a real Kafka, and the logs that they are fed."""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

import httpx

from chassis.messaging import kafka, topics
from cli.stack import spawn
from schemas.envelope import Envelope, decode, encode
from schemas.scorecard import MeasureRecorded
from schemas.topics import INTERNAL, TOPICS
from services.scorecard import domain
from services.scorecard.stream.worker import CHANGELOG, SOURCE, TARGET
from tests.scorecard.logs import Log, hear, measure_envelope
from tests.support.service import wait_until
from tests.support.stack import Infrastructure
from tools import broker

CHECKOUT = Path(__file__).resolve().parents[2]
CASES = 1_000
PATIENCE_SECONDS = 120.0
UNREAD_SECONDS_MAX = 20.0


class Worker:
    """One stream worker as a process."""

    def __init__(self, world: Streams, instance: int, *command: str) -> None:
        self.world, self.instance, self.port = world, instance, spawn.free_port()
        self.command = command or ("-m", "services.scorecard", "stream")
        self.log = world.folder / f"stream-{instance}.log"
        self.start()

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
            "TMPDIR": str(self.world.temporary),
        }
        with self.log.open("a") as out:
            self.process = subprocess.Popen(
                [sys.executable, *self.command],
                env=environment,
                cwd=CHECKOUT,
                stdout=out,
                stderr=out,
            )

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self) -> int:
        self.process.terminate()
        return self.process.wait(PATIENCE_SECONDS)

    def ready(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"http://127.0.0.1:{self.port}/ready").status_code == 200
        return False

    def metric(self, line: str) -> float:
        """Return the sum of the samples whose name and labels match."""
        text = httpx.get(f"http://127.0.0.1:{self.port}/metrics", timeout=PATIENCE_SECONDS).text
        return sum(float(found.rsplit(" ", 1)[1]) for found in text.splitlines() if re.match(line, found))


class Streams:
    """A world with its topics and the workers that a test starts in it."""

    def __init__(self, infra: Infrastructure, folder: Path, partitions: int | None = None) -> None:
        self.name, self.bootstrap, self.folder = infra.world(), infra.kafka_bootstrap, folder
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.workers: list[Worker] = []
        if partitions != 0:
            wanted = topics.wanted(self.name, (*TOPICS, *INTERNAL), partitions=partitions, replication=1)
            topics.apply(self.bootstrap, wanted)
        self._producer = kafka.producer(self.bootstrap, self.name)
        self._reader = kafka.lone_consumer(self.bootstrap, self.name)
        self.partitions = 4 if partitions is None else partitions
        self._reader.assign(self._measured(range(self.partitions)))
        self.measures: list[Envelope] = []

    def _measured(self, partitions: Iterable[int]) -> list[kafka.TopicPartition]:
        return [kafka.TopicPartition(f"{self.name}.scorecard.measure", number, 0) for number in partitions]

    def grow(self, partitions: int) -> None:
        """Add partitions to the topic of cases and to the two that are divided alike, the topic of cases last."""
        names = [f"{self.name}.{name}" for name in (CHANGELOG, TARGET, SOURCE)]
        for name in names:
            broker.grow(kafka.admin(self.bootstrap), name, partitions)
        wait_until(lambda: set(topics.standing(self.bootstrap, names).values()) == {partitions})
        self._reader.incremental_assign(self._measured(range(self.partitions, partitions)))
        self._producer, self.partitions = kafka.producer(self.bootstrap, self.name), partitions

    def worker(self, instance: int = 0, *command: str) -> Worker:
        self.workers.append(Worker(self, instance, *command))
        return self.workers[-1]

    def say(self, facts: list[Envelope]) -> None:
        for fact in facts:
            self.say_bytes(fact.subject, encode(fact))
        self._producer.flush()

    def say_bytes(self, key: str, value: bytes | None) -> None:
        self._producer.produce(f"{self.name}.exceptions.case", key=key, value=value)
        self._producer.poll(0)

    def read(self) -> list[Envelope]:
        """Return every measure published so far."""
        while (message := self._reader.poll(0.3)) is not None:
            assert message.error() is None
            envelope = decode(message.value() or b"")
            assert (message.key() or b"").decode() == envelope.subject
            assert kafka.header(message, kafka.TYPE_HEADER) == MeasureRecorded.event_name
            self.measures.append(envelope)
        return self.measures

    def readings(self) -> dict[UUID, domain.Reading]:
        found: dict[UUID, domain.Reading] = {}
        for envelope in self.read():
            found[envelope.data.case_id] = domain.store_reading(found.get(envelope.data.case_id), envelope.data)
        return found

    def expect(self, logs: list[Log], *, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until the readings are what the fold of the whole logs says."""
        wanted = {log.case_id: expected(log) for log in logs}
        wait_until(lambda: self.readings() == wanted, seconds=seconds, every=0.2)

    def close(self) -> None:
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.kill()
        self._reader.close()
        topics.drop(self.bootstrap, self.name)


def expected(log: Log) -> domain.Reading:
    case = None
    for fact in log.envelopes:
        case = hear(case, fact)
    assert case is not None
    last = max(log.envelopes, key=lambda e: (e.recordedtime, e.id))
    told = measure_envelope(case, last)
    assert told is not None
    return domain.store_reading(None, told.data)


def woven(logs: list[Log], seed: int = 1) -> list[Envelope]:
    """Return the facts of many cases in one stream, each case in its order."""
    chance, waiting, facts = random.Random(seed), [iter(log.envelopes) for log in logs], []
    while waiting:
        one = chance.choice(waiting)
        fact = next(one, None)
        if fact is None:
            waiting.remove(one)
        else:
            facts.append(fact)
    return facts
