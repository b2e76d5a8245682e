"""Three brokers under the tally service. Its input comes through an outbox too, so that all of it is acknowledged twice
over and can be rebuilt: a relay of its own sends it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import MetaData, create_engine

from chassis.messaging import topics
from chassis.persistence.partitions import Days
from chassis.persistence.tables import chassis_tables
from chassis.runtime.clock import machine_now
from schemas.envelope import decode
from schemas.inventory import ItemChanged
from schemas.topics import TOPICS
from tests.faults import facts, tally
from tests.faults.cluster import Node, ThreeBrokers
from tests.faults.fault_injection import Course, Fault, left_out
from tests.faults.path import BEAT_SECONDS, PARTITIONS, Process, Trial
from tests.faults.victims import pause
from tests.support.needs import CHECKOUT

BACK_SECONDS_MAX = 20.0
GIVE_UP_SECONDS = 120.0
LOOK_SECONDS = 0.1
FREEZE_SECONDS = 45.0
UNDER_LOAD_SECONDS = 3.0
SOURCE = "source"  # the relay of the input's outbox
_TELL = "INSERT INTO outbox (event_id, topic, key, type, payload, stored_at) VALUES (%s, %s, %s, %s, %s, %s)"


class BrokerTrial(Trial):
    """A trial on three brokers; what is fed is committed to an outbox, and a relay tells it."""

    infra: ThreeBrokers

    def __init__(self, infra: ThreeBrokers, folder: Path, *, seed: int) -> None:
        super().__init__(infra, folder, seed=seed)
        self.source_url = infra.database(SOURCE)
        metadata = MetaData()
        chassis_tables(metadata)
        engine = create_engine(self.source_url.replace("postgresql://", "postgresql+psycopg://", 1))
        metadata.create_all(engine)
        engine.dispose()
        self.processes[SOURCE, 0] = Process(self, "relay", 9, DATABASE_URL=self.source_url)

    @contextmanager
    def feeding(self, rate: float) -> Iterator[None]:
        """Feed facts for as long as the block lasts; their relay stays."""
        self.start(SOURCE)
        with super().feeding(rate):
            yield

    def _feed(self, rate: float, stopped: threading.Event) -> None:
        chance, begun, before, days = random.Random(self.seed), time.monotonic(), self.fed, Days(self.source_url)
        with psycopg.connect(self.source_url, autocommit=True) as source:
            while not stopped.wait(BEAT_SECONDS):
                facts_told = []
                while self.fed + len(facts_told) - before < (time.monotonic() - begun) * rate:
                    facts_told.append(self._fact(chance, self.fed + len(facts_told)))
                rows = [
                    (decode(value).id, tally.HEARS, key, ItemChanged.event_name, value.decode(), machine_now())
                    for key, value in facts_told
                ]
                days.ensure("outbox", {row[-1].date() for row in rows})
                with source.cursor() as cursor:
                    cursor.executemany(_TELL, rows)
                self.fed += len(rows)

    def counted(self) -> int:
        """Count the facts that were answered."""
        return self._ask(f"SELECT count(*) FROM done WHERE what = '{tally.COUNTED}'")

    def wait_until_rest(self) -> float:
        """Wait until all that was fed is answered, and nothing is left to do. Raises NeverRests."""
        self.start(SOURCE)
        until_all_is_answered(self, time.monotonic())
        return super().wait_until_rest()

    def faults(self) -> list[str]:
        """Compare both outboxes with their topics: what was acknowledged is there, and nothing else."""
        found = []
        for url, topic in ((self.source_url, tally.HEARS), (self.database_url, tally.SAYS)):
            told = facts.published_facts(self.bootstrap, {topic: f"{self.name}.{topic}"})
            found += facts.compare(facts.stored_facts(url), told).faults()
        if self.counted() != self.fed:
            found.append(f"{self.fed} facts were committed and {self.counted()} answered")
        return found

    def close(self) -> None:
        """End all and take the source's database back too."""
        super().close()
        self.infra.drop_database(self.source_url)


def until_all_is_answered(trial: BrokerTrial, since: float) -> float:
    """Wait until everything that was fed by now is answered; returns how long since an instant."""
    wanted = trial.fed
    while trial.counted() < wanted:
        trial.revive()
        if time.monotonic() - since > GIVE_UP_SECONDS:
            raise RuntimeError(f"{wanted - trial.counted()} facts are not answered after {GIVE_UP_SECONDS:.0f} s")
        pause(LOOK_SECONDS)
    return time.monotonic() - since


def leader_killed(trial: Trial, chance: random.Random, times: int) -> Course:
    """Kill the leader of a partition under load, and start it again when work flows."""
    course = Course("leader kill -9")
    assert isinstance(trial, BrokerTrial)
    for _ in range(times):
        pause(UNDER_LOAD_SECONDS)
        leader = _leader(trial, chance.randrange(PARTITIONS))
        leader.signal(signal.SIGKILL)
        course.flowed(until_all_is_answered(trial, time.monotonic()), BACK_SECONDS_MAX)
        leader.start()
    return course


def two_frozen(trial: Trial, chance: random.Random, times: int) -> Course:
    """Freeze two of three, so that nothing can be acknowledged, and let them go on."""
    course = Course("two brokers frozen")
    assert isinstance(trial, BrokerTrial)
    for _ in range(times):
        pause(UNDER_LOAD_SECONDS)
        victims = chance.sample(trial.infra.cluster.nodes, 2)
        for victim in victims:
            victim.signal(signal.SIGSTOP)
        pause(FREEZE_SECONDS)
        for victim in victims:
            victim.signal(signal.SIGCONT)
        course.flowed(until_all_is_answered(trial, time.monotonic()), BACK_SECONDS_MAX)
    return course


def folder_deleted(trial: Trial, chance: random.Random, times: int) -> Course:
    """Delete a broker's folder, every other time while it runs, and start it again: it copies all from the others."""
    course = Course("log folder deleted")
    assert isinstance(trial, BrokerTrial)
    for number in range(times):
        pause(UNDER_LOAD_SECONDS)
        victim = chance.choice(trial.infra.cluster.nodes)
        if number % 2:
            victim.lose_folder()
            pause(UNDER_LOAD_SECONDS)
            course.notes["under a running broker"] = course.notes.get("under a running broker", 0) + 1
            if victim.alive():
                victim.signal(signal.SIGKILL)
        else:
            victim.signal(signal.SIGKILL)
            victim.lose_folder()
        died = time.monotonic()
        pause(chance.uniform(1.0, 5.0))
        victim.start()
        course.flowed(until_all_is_answered(trial, died), BACK_SECONDS_MAX)
        _until_in_sync(trial)
    return course


def disk_full(trial: Trial, chance: random.Random, times: int) -> Course:
    """Let a broker write until its disk is full; then give it space, and start it again with what it has."""
    course = Course("disk of the log full")
    assert isinstance(trial, BrokerTrial)
    for _ in range(times):
        pause(UNDER_LOAD_SECONDS)
        victim = chance.choice(trial.infra.cluster.nodes)
        with _on_small_disk(trial, victim) as why:
            if why:
                return left_out(course, f"no small disk can be mounted here: {why}")
            victim.fill_disk()
            course.flowed(until_all_is_answered(trial, time.monotonic()), BACK_SECONDS_MAX)
            if not _ends_within(victim, GIVE_UP_SECONDS):
                course.faults.append(f"a broker whose disk was full lived on for {GIVE_UP_SECONDS:.0f} s")
                victim.signal(signal.SIGKILL)
            victim.free_disk()
            victim.start()
            course.flowed(until_all_is_answered(trial, time.monotonic()), BACK_SECONDS_MAX)
            _until_in_sync(trial)
    return course


@contextmanager
def _on_small_disk(trial: BrokerTrial, node: Node) -> Iterator[str]:
    """Move a broker to a small disk for as long as the block lasts; yields why that cannot be, or nothing."""
    node.signal(signal.SIGKILL)
    node.lose_folder()
    why = node.mount_small_disk()
    node.start()
    _until_in_sync(trial)
    yield why
    if not why:
        node.signal(signal.SIGKILL)
        node.unmount()
        node.start()
        _until_in_sync(trial)


def _ends_within(node: Node, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while node.alive():
        if time.monotonic() > deadline:
            return False
        pause(LOOK_SECONDS)
    return True


def topics_wiped(trial: Trial, chance: random.Random, times: int) -> Course:
    """Delete all topics under load, make them anew, and rebuild them as an operator does."""
    course = Course("topics wiped and rebuilt")
    assert isinstance(trial, BrokerTrial)
    for _ in range(times):
        pause(UNDER_LOAD_SECONDS + chance.uniform(0.0, 2.0))
        topics.drop(trial.bootstrap, trial.name)
        running = [process for process in trial.processes.values() if process.alive()]
        for process in running:
            process.kill()  # an end by SIGTERM would wait for acknowledgements that cannot come
        _make_topics(trial)
        begun = time.monotonic()
        _republish(trial)
        for process in running:
            if not process.alive():
                process.start()
        course.flowed(until_all_is_answered(trial, begun), BACK_SECONDS_MAX)
    return course


def _leader(trial: BrokerTrial, partition: int) -> Node:
    found = trial.kafka.leader(f"{trial.name}.{tally.HEARS}", partition)
    return trial.infra.cluster.nodes[found - 1]


def _until_in_sync(trial: BrokerTrial) -> None:
    """Wait until every replica has caught up: the next death may take another one."""
    names, deadline = [f"{trial.name}.{t}" for t in (tally.HEARS, tally.SAYS)], time.monotonic() + GIVE_UP_SECONDS
    while not all(trial.kafka.in_sync(name, trial.infra.replication) for name in [*names, "__consumer_offsets"]):
        if time.monotonic() > deadline:
            raise RuntimeError(f"replicas have not caught up within {GIVE_UP_SECONDS:.0f} s")
        pause(LOOK_SECONDS)


def _make_topics(trial: BrokerTrial) -> None:
    """Make the topics anew; until the old ones are gone everywhere they count as there."""
    known = [topic for topic in TOPICS if topic.name in (tally.HEARS, tally.SAYS)]
    wanted = topics.wanted(trial.name, known, partitions=PARTITIONS, replication=trial.infra.replication)
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while topics.standing(trial.bootstrap, [topic.topic for topic in wanted]):
        if time.monotonic() > deadline:
            raise RuntimeError("deleted topics still stand")
        pause(LOOK_SECONDS)
    topics.apply(trial.bootstrap, wanted)


def _republish(trial: BrokerTrial) -> None:
    """Rebuild both topics at once; each relay starts as soon as its rows go out again."""
    rebuilt = [
        (trial.process(SOURCE), _republishing(trial, trial.source_url, tally.HEARS)),
        (trial.process("relay"), _republishing(trial, trial.database_url, tally.SAYS)),
    ]
    for relay, rebuilding in rebuilt:
        assert rebuilding.stdout is not None
        rebuilding.stdout.readline()
        relay.start()
    for _, rebuilding in rebuilt:
        _, said = rebuilding.communicate(timeout=GIVE_UP_SECONDS)
        if rebuilding.returncode:
            raise RuntimeError(f"republish: {said[-2000:]}")


def _republishing(trial: BrokerTrial, url: str, topic: str) -> subprocess.Popen[str]:
    told = os.environ | {"WORLD": trial.name, "KAFKA_BOOTSTRAP": trial.bootstrap, "DATABASE_URL": url}
    command = [sys.executable, "-m", "tools.republish", topic]
    return subprocess.Popen(command, env=told, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


ALONE: dict[str, tuple[Fault, int]] = {
    "leader": (leader_killed, 3),
    "frozen": (two_frozen, 2),
    "folder": (folder_deleted, 2),
    "disk": (disk_full, 2),
    "wiped": (topics_wiped, 2),
}
SHORT: dict[str, tuple[Fault, int]] = {"leader": (leader_killed, 1), "wiped": (topics_wiped, 1)}
