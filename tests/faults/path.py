"""The tally service on real servers: its processes, the facts it hears, and the trail that the checker reads."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid5

import httpx
import psycopg
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from sqlalchemy import create_engine

from chassis.ids import time_ordered_id
from chassis.messaging import topics
from chassis.runtime.clock import machine_now
from cli.stack import spawn
from schemas.envelope import encode, wrap
from schemas.inventory import ItemChanged
from schemas.topics import TOPICS
from tests.faults import tally
from tests.faults.checker import Did, Input, Output, Trail
from tests.faults.victims import Log, pause
from tests.support.needs import CHECKOUT
from tests.support.stack import Infrastructure

PARTITIONS = 4
SUBJECTS = 400
TIMED_SHARE, AGAIN_SHARE = 0.05, 0.01
SHARED_BY = 8  # facts in a row name the same cause: processes race for its group
BEAT_SECONDS = 0.02
READY_SECONDS = 60.0
REST_SECONDS_MAX = 180.0
LOOK_SECONDS = 0.05
Place = tuple[str, int]


class NeverRests(RuntimeError):
    """Something was still to do when the time was over."""


class Process:
    """One role of the tally service; it may be told to end itself at a point of the path."""

    def __init__(self, trial: Trial, role: str, instance: int = 0, **env: str) -> None:
        self.trial, self.role, self.instance, self.env = trial, role, instance, env
        self.port = spawn.free_port()
        self.log = trial.folder / f"{role}-{instance}.log"
        self.child: spawn.Popen | None = None

    @property
    def pid(self) -> int:
        assert self.child is not None
        return self.child.pid

    def start(self, crash_at: str = "") -> None:
        """Start it; `crash_at` is a point and how often it is passed."""
        told = {"OPS_PORT": str(self.port), "INSTANCE": str(self.instance), "CRASH_AT": crash_at}
        command = (sys.executable, "-m", "tests.faults.tally", self.role)
        self.child = spawn.spawn(command, log=self.log, env=self.trial.env | told | self.env, cwd=CHECKOUT)

    def kill(self, sent: int = signal.SIGKILL) -> None:
        """Send a signal; after `kill -9` it is buried."""
        os.kill(self.pid, sent)
        if sent == signal.SIGKILL and self.child is not None:
            self.child.wait()

    def stop(self) -> None:
        """End it as an operator does."""
        if self.child is not None:
            spawn.stop(self.child)

    def dies_within(self, seconds: float) -> bool:
        """Wait for its death at the point it was told; False when it lives on."""
        assert self.child is not None
        try:
            code = self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        if code != -signal.SIGKILL:
            words = self.log.read_text(errors="replace")[-2000:]
            raise RuntimeError(f"{self.role} {self.instance} ended with {code}, and not at its point: {words}")
        return True

    def alive(self) -> bool:
        return self.child is not None and self.child.poll() is None

    def is_ready(self) -> bool:
        """Ask it whether its loops are at work."""
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/ready").status_code == 200
        except httpx.TransportError:
            return False


class Trial:
    """A world of its own with the tally service's database and topics; facts are fed while processes die."""

    def __init__(self, infra: Infrastructure, folder: Path, *, seed: int) -> None:
        self.infra, self.folder, self.seed = infra, folder, seed
        self.chance = random.Random(seed)
        self.name, self.bootstrap = infra.world(), infra.kafka_bootstrap
        self.database_url = infra.database(tally.NAME)
        engine = create_engine(self.database_url.replace("postgresql://", "postgresql+psycopg://", 1))
        tally.metadata.create_all(engine)
        engine.dispose()
        known = [topic for topic in TOPICS if topic.name in (tally.HEARS, tally.SAYS)]
        topics.apply(
            self.bootstrap, topics.wanted(self.name, known, partitions=PARTITIONS, replication=infra.replication)
        )
        self.kafka = Log(self.bootstrap)
        self.processes: dict[tuple[str, int], Process] = {}
        self.fed = 0
        self.groups: set[str] = set()
        self.env = os.environ | {
            "WORLD": self.name,
            "DATABASE_URL": self.database_url,
            "KAFKA_BOOTSTRAP": self.bootstrap,
            "AUTH_ISSUER": "-",
            "AUTH_AUDIENCE": "-",
            "AUTH_JWKS": "-",
            "CURSOR_SECRET": "-",
            "LOG_LEVEL": "warning",
            "PYTHONUNBUFFERED": "1",
        }

    def process(self, role: str, instance: int = 0) -> Process:
        """Return a process by name, made at the first time, not started."""
        return self.processes.setdefault((role, instance), Process(self, role, instance))

    def start(self, role: str, instance: int = 0) -> Process:
        """Start a process unless it runs."""
        found = self.process(role, instance)
        if not found.alive():
            found.start()
        return found

    def revive(self) -> int:
        """Do what a supervisor does: a process whose group has let it go ends by itself; returns how many were started."""
        dead = [process for process in self.processes.values() if process.child is not None and not process.alive()]
        for process in dead:
            process.start()
        return len(dead)

    def last_words(self) -> str:
        """Return the ends of the logs of all processes."""
        return "\n".join(
            f"--- {process.log.name}, {'alive' if process.alive() else 'dead'}\n{process.log.read_text(errors='replace')[-1500:]}"
            for process in self.processes.values()
            if process.log.exists()
        )

    def close(self) -> None:
        """End all processes and take topics and database back."""
        for process in self.processes.values():
            if process.alive():
                process.kill()
        topics.drop(self.bootstrap, self.name)
        self.infra.drop_database(self.database_url)

    # ── the input ────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def feeding(self, rate: float) -> Iterator[None]:
        """Feed facts at a rate for as long as the block lasts."""
        stopped, failed = threading.Event(), list[BaseException]()

        def feed() -> None:
            try:
                self._feed(rate, stopped)
            except BaseException as why:  # noqa: BLE001  raised where the block ends
                failed.append(why)

        thread = threading.Thread(target=feed, name="feed")
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()
            if failed:  # also where the block failed: mostly because of this
                raise failed[0]

    def _feed(self, rate: float, stopped: threading.Event) -> None:
        chance = random.Random(self.seed + self.fed)
        producer = Producer(
            {
                "bootstrap.servers": self.bootstrap,
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "log_level": 3,
                "message.timeout.ms": 600_000,
            }
        )
        begun, before = time.monotonic(), self.fed
        told: list[tuple[str, bytes]] = []
        while not stopped.wait(BEAT_SECONDS):
            while self.fed - before < (time.monotonic() - begun) * rate:
                told.append(self._fact(chance, self.fed))
                self._produce(producer, *told[-1])
                if chance.random() < AGAIN_SHARE:
                    self._produce(producer, *chance.choice(told[-200:]))  # as whoever relays it does after a crash
                self.fed += 1
            del told[:-200]
        if producer.flush(120):
            raise RuntimeError("the input could not be produced")

    def _fact(self, chance: random.Random, number: int) -> tuple[str, bytes]:
        subject = uuid5(UUID(int=0), f"subject {chance.randrange(SUBJECTS)}")
        unit = tally.TIMED if chance.random() < TIMED_SHARE else "each"
        return self._changed(subject, number, group=f"cause {number // SHARED_BY}", unit=unit)

    def _changed(self, subject: UUID, number: int, *, group: str, unit: str) -> tuple[str, bytes]:
        now, fact_id = machine_now(), time_ordered_id()
        self.groups.add(group)
        event = ItemChanged(occurred_at=now, item_id=subject, code=str(number), description=group, unit=unit)
        envelope = wrap(
            event,
            id=fact_id,
            source="/crossdock/faults/input",
            recorded_at=now,
            correlation_id=fact_id,
            causation_id=fact_id,
            cause_kind="signal",
        )
        return str(subject), encode(envelope)

    def _produce(self, producer: Producer, key: str, value: bytes) -> None:
        producer.produce(
            f"{self.name}.{tally.HEARS}", key=key, value=value, headers={topics.TYPE_HEADER: self._name_of(key)}
        )
        producer.poll(0)

    def _name_of(self, key: str) -> str:
        """Return what the header calls the facts of this key."""
        return ItemChanged.event_name

    # ── how far it has come ──────────────────────────────────────────────────────────────────────

    def done(self) -> int:
        """Count what the database holds of all that was done."""
        return self._ask("SELECT coalesce(max(number), 0) FROM done")

    def written_elsewhen(self) -> int:
        """Count the facts whose writer's clock was far from the database's."""
        return self._ask("SELECT count(*) FROM outbox WHERE abs(extract(epoch FROM stored_at - now())) > 1800")

    def published(self) -> int:
        """Count the records of the output topic."""
        return sum(self.kafka.ends([f"{self.name}.{tally.SAYS}"]).values())

    def ends_of_input(self, places: Iterable[Place]) -> dict[Place, int]:
        """Return how far the consumers have come."""
        return self.kafka.committed(f"{self.name}.{tally.NAME}.consumer", places)

    def flows_from(self, role: str) -> int:
        """Return what grows while a role does its work."""
        return self.published() if role == "relay" else self.done()

    def wait_until_rest(self) -> float:
        """Wait until nothing is left to do anywhere; returns how long. Raises NeverRests."""
        begun = time.monotonic()
        while left := self._left():
            if time.monotonic() - begun > REST_SECONDS_MAX:
                raise NeverRests(f"after {REST_SECONDS_MAX:.0f} s: {left}")
            pause(LOOK_SECONDS)
        return time.monotonic() - begun

    def _left(self) -> str:
        ends = self.kafka.ends([f"{self.name}.{tally.HEARS}"])
        committed = self.kafka.committed(f"{self.name}.{tally.NAME}.consumer", ends)
        lag = sum(max(0, end - committed[place]) for place, end in ends.items())
        if lag:
            return f"{lag} facts not heard"
        timers = self._ask("SELECT count(*) FROM timers WHERE fired_at IS NULL AND disarmed_at IS NULL")
        rows = self._ask("SELECT count(*) FROM outbox WHERE published_at IS NULL")
        return f"{timers} timers, {rows} outbox rows" if timers or rows else ""

    def _ask(self, question: str) -> int:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            row = connection.execute(question).fetchone()
        return int(row[0]) if row else 0

    def faults(self) -> list[str]:
        """Say what is wrong beside what the checker finds."""
        return []

    def figures(self) -> dict[str, int]:
        """Return what was counted beside what the checker counts."""
        return {}

    # ── the trail ────────────────────────────────────────────────────────────────────────────────

    def trail(self) -> Trail:
        """Read the input log, the output topic and the database."""
        names = {str(uuid5(UUID(int=0), group)): group for group in self.groups}
        with psycopg.connect(self.database_url) as connection:
            did = connection.execute(
                "SELECT number, what, done.subject::text, mark, cause::text, armed_by::text FROM done"
                " LEFT JOIN timers ON timer_id = cause ORDER BY number"
            ).fetchall()
            counters = connection.execute("SELECT item_id::text, inputs, chain FROM counters").fetchall()
            groups = connection.execute("SELECT group_id::text, members FROM groups").fetchall()
        return Trail(
            inputs=[_input(p, o, c) for p, o, c in self._records(tally.HEARS)],
            outputs=[_output(p, o, c) for p, o, c in self._records(tally.SAYS)],
            did=[Did(*row) for row in did],
            counters={key: (inputs, chain) for key, inputs, chain in counters},
            groups={names.get(key, key): members for key, members in groups},
        )

    def _records(self, topic: str) -> Iterator[tuple[int, int, dict[str, object]]]:
        for message in self._messages(topic):
            yield message.partition(), message.offset(), json.loads(message.value())

    def _messages(self, topic: str) -> Iterator[Message]:
        name = f"{self.name}.{topic}"
        client = Consumer({"bootstrap.servers": self.bootstrap, "group.id": f"{self.name}.checker", "log_level": 3})
        try:
            for (_, partition), end in self.kafka.ends([name]).items():
                client.assign([TopicPartition(name, partition, 0)])
                at = 0
                while at < end:  # it would wait for as many as are asked for
                    messages = client.consume(min(1000, end - at), timeout=30.0)
                    if not messages:
                        raise RuntimeError(f"{name}/{partition} gives nothing at {at}, though it ends at {end}")
                    for message in messages:
                        if message.error() is not None:
                            raise RuntimeError(str(message.error()))
                        at = message.offset() + 1
                        yield message
        finally:
            client.close()


def _input(partition: int, order: int, content: dict[str, object]) -> Input:
    data: dict[str, str] = content["data"]
    return Input(
        partition,
        order,
        str(content["id"]),
        data["item_id"],
        data["code"],
        data["description"],
        data["unit"] == tally.TIMED,
    )


def _output(partition: int, order: int, content: dict[str, object]) -> Output:
    data: dict[str, str] = content["data"]
    armed_by = content.get("armedby")
    return Output(
        partition,
        order,
        str(content["id"]),
        data["name"],
        data["site_id"],
        data["code"],
        str(content["causationid"]),
        str(armed_by) if armed_by else None,
    )
