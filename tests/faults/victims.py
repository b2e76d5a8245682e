"""Processes of a world as victims: each is frozen until it has work to do, and only then killed with `kill -9`."""

from __future__ import annotations

import importlib
import random
import signal
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import psycopg
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from cli.stack.worlds import World

FROZEN_SECONDS = 0.4
THAWED_SECONDS = (0.05, 0.4)
GLANCE_SECONDS = 0.002
LOOK_SECONDS = 0.01
BUSY_SECONDS_MAX = 60.0
BACK_SECONDS_MAX = 60.0
ASK_SECONDS = 10.0
Place = tuple[str, int]


class NeverBusy(RuntimeError):
    """A victim had nothing to do for as long as was waited: its death would prove nothing."""


class NotBack(RuntimeError):
    """Work that a victim had to do was not done in time after its death."""


@dataclass(frozen=True)
class Work:
    """What a victim had to do when it was killed: both grew, or stood, while it was frozen."""

    lag: int = 0
    outbox: int = 0

    def __bool__(self) -> bool:
        return bool(self.lag or self.outbox)

    def __str__(self) -> str:
        said = [f"{name} {n}" for name, n in (("lag", self.lag), ("outbox", self.outbox)) if n]
        return ", ".join(said) or "nothing to do"


class Log:
    """Ends and committed offsets, asked of the broker."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 3})

    def ends(self, topics: Iterable[str]) -> dict[Place, int]:
        """Return the end of each partition of these topics."""
        known = self._admin.list_topics(timeout=ASK_SECONDS).topics
        asked = {TopicPartition(t, p): OffsetSpec.latest() for t in topics for p in known[t].partitions}
        if not asked:
            return {}
        found = self._admin.list_offsets(asked, request_timeout=ASK_SECONDS)
        return {(tp.topic, tp.partition): answer.result().offset for tp, answer in found.items()}

    def leader(self, topic: str, partition: int) -> int:
        """Return the number of the broker that leads a partition."""
        return int(self._admin.list_topics(topic, timeout=ASK_SECONDS).topics[topic].partitions[partition].leader)

    def in_sync(self, topic: str, replicas: int) -> bool:
        """Tell whether so many replicas of each partition have caught up."""
        known = self._admin.list_topics(topic, timeout=ASK_SECONDS).topics[topic].partitions
        return bool(known) and all(len(found.isrs) >= replicas for found in known.values())

    def committed(self, group: str, places: Iterable[Place]) -> dict[Place, int]:
        """Return what a group has committed, 0 where nothing."""
        client = Consumer({"bootstrap.servers": self._bootstrap, "group.id": group, "log_level": 3})
        try:
            found = client.committed([TopicPartition(*place) for place in places], timeout=ASK_SECONDS)
        finally:
            client.close()
        return {(tp.topic, tp.partition): max(tp.offset, 0) for tp in found}


@dataclass
class Victim:
    """A process of a world, what it hears and what it publishes; `fed` gives work to one that gets none otherwise."""

    name: str
    world: World
    log: Log
    group: str = ""
    topics: tuple[str, ...] = ()
    outbox_url: str = ""
    fed: Callable[[], AbstractContextManager[object]] = nullcontext
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    _goal: dict[Place, int] = field(default_factory=dict)
    _rows: int = 0
    _connection: psycopg.Connection[Any] | None = None

    def freeze_busy(self) -> Work:
        """Freeze the process at an instant at which it has work to do, and leave it frozen; raises NeverBusy."""
        deadline = time.monotonic() + BUSY_SECONDS_MAX
        while time.monotonic() < deadline:
            self.world.kill(self.name, signal.SIGSTOP)
            if work := self._wait_for_work():
                return work
            self.world.kill(self.name, signal.SIGCONT)
            self._let_work_come(self.chance.uniform(*THAWED_SECONDS))
        raise NeverBusy(f"{self.name} had nothing to do for {BUSY_SECONDS_MAX:.0f} s")

    def kill(self) -> int:
        """Note what there is to do and kill; returns the process id."""
        self._goal = self.log.ends(self.topics) if self.topics else {}
        if self.outbox_url:
            self._rows = self._ask("SELECT coalesce(max(position), 0) FROM outbox")
        return self.world.kill(self.name)

    def wait_until_back(self, pid: int) -> float:
        """Wait until a successor has done what the victim left; returns how long that took. Raises NotBack."""
        begun = time.monotonic()
        self.world.wait_until_ready(self.name, after_pid=pid)
        while left := self._left():
            if time.monotonic() - begun > BACK_SECONDS_MAX:
                raise NotBack(f"{self.name} has not done what its predecessor left: {left}")
            pause(LOOK_SECONDS)
        return time.monotonic() - begun

    def _wait_for_work(self) -> Work:
        deadline = time.monotonic() + (FROZEN_SECONDS if self.topics else 0)  # else nothing can come while it stands
        before = self.log.ends(self.topics) if self.topics else {}
        while True:
            now = self.log.ends(self.topics) if self.topics else {}
            work = Work(lag=sum(now.values()) - sum(before.values()), outbox=self._pending())
            if work or time.monotonic() > deadline:
                return work
            pause(LOOK_SECONDS)

    def _let_work_come(self, seconds: float) -> None:
        """Let it run for a while, or until its outbox holds something."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self._pending():
            pause(GLANCE_SECONDS)

    def _pending(self) -> int:
        return self._ask("SELECT count(*) FROM outbox WHERE published_at IS NULL") if self.outbox_url else 0

    def _left(self) -> Work:
        done = self.log.committed(self.group, self._goal) if self._goal else {}
        lag = sum(max(0, end - done[place]) for place, end in self._goal.items())
        if not self.outbox_url:
            return Work(lag=lag)
        rows = f"SELECT count(*) FROM outbox WHERE published_at IS NULL AND position <= {self._rows}"
        return Work(lag=lag, outbox=self._ask(rows))

    def _ask(self, question: str) -> int:
        if self._connection is None:
            self._connection = psycopg.connect(self.outbox_url, autocommit=True)
        row = self._connection.execute(question).fetchone()
        return int(row[0]) if row else 0


def pause(seconds: float) -> None:
    """Wait between two looks at a condition."""
    threading.Event().wait(seconds)


def topics_of(service: str, world: World) -> tuple[str, ...]:
    """Name the topics that a service hears in a world."""
    found = importlib.import_module(f"services.{service}.reactions")
    return tuple(f"{world.name}.{topic}" for topic in sorted(found.reactions.topics()))
