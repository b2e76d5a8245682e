"""Several copies of a consumer: they share the partitions, two of one number are noticed, and added partitions are read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from chassis.messaging import kafka, topics
from chassis.runtime.process import EXIT_FAILED
from schemas.topics import BY_NAME
from tests.chassis import toy
from tests.support.running import Running, running, tables
from tests.support.service import wait_until
from tests.support.stack import Infrastructure
from tools import broker

PARTITIONS, GROWN = 4, 16
NOTICED_SECONDS_MAX = 20.0
UNREAD_SECONDS_MAX = 20.0


@dataclass
class Group:
    """The consumer group of the toy service in a world of its own."""

    infra: Infrastructure
    world: str
    url: str
    folder: Path

    def copy(self, instance: int) -> AbstractContextManager[Running]:
        told = {
            "DATABASE_URL": self.url,
            "KAFKA_BOOTSTRAP": self.infra.kafka_bootstrap,
            "WORLD": self.world,
            "INSTANCE": str(instance),
        }
        return running("tests.chassis.toy", "consumer", folder=self.folder, told=told)

    def dealt(self) -> dict[str, set[int]]:
        """Return which partitions each member has, by the name it gave itself."""
        name = f"{self.world}.toy.consumer"
        client = kafka.admin(self.infra.kafka_bootstrap)  # held: one that is let go answers nothing any more
        found = client.describe_consumer_groups([name], request_timeout=kafka.ASK_SECONDS_MAX)[name].result()
        return {m.client_id: {tp.partition for tp in m.assignment.topic_partitions} for m in found.members}

    def grow(self) -> None:
        """Add partitions to the topic that the copies read."""
        name = f"{self.world}.inventory.item"
        broker.grow(kafka.admin(self.infra.kafka_bootstrap), name, GROWN)
        wait_until(lambda: topics.standing(self.infra.kafka_bootstrap, [name])[name] == GROWN)

    def read_whole(self, copies: int) -> bool:
        """Return whether these copies share all partitions of the grown topic, none of them twice."""
        dealt = list(self.dealt().values())
        return len(dealt) == copies and sorted(p for one in dealt for p in one) == list(range(GROWN))


@pytest.fixture
def group(infra: Infrastructure, fresh_database: Callable[[str], str], tmp_path: Path) -> Iterator[Group]:
    world, url = infra.world(), fresh_database("toy")
    tables(url, toy.metadata)
    names = [BY_NAME["inventory.item"], BY_NAME["inventory.site"]]
    topics.apply(infra.kafka_bootstrap, topics.wanted(world, names, partitions=PARTITIONS, replication=1))
    yield Group(infra, world, url, tmp_path)
    topics.drop(infra.kafka_bootstrap, world)


def test_two_copies_with_numbers_of_their_own_share_the_partitions(group: Group) -> None:
    names = {f"{group.world}.toy.consumer.{number}" for number in (0, 1)}
    with group.copy(0), group.copy(1):
        # A second member that has just joined may hold fewer than its share for a moment.
        wait_until(lambda: set(dealt := group.dealt()) == names and _is_shared_equally(*dealt.values()))


def _is_shared_equally(first: set[int], second: set[int]) -> bool:
    return first | second == set(range(PARTITIONS)) and not first & second and len(first) == len(second)


@pytest.mark.timing
def test_two_copies_of_one_number_are_noticed_and_one_of_them_ends(group: Group) -> None:
    """The group lets the older one go; it says so and ends with a failure, for its supervisor to see."""
    with ExitStack() as both:
        older = both.enter_context(group.copy(0))
        wait_until(lambda: group.dealt() == {f"{group.world}.toy.consumer.0": set(range(PARTITIONS))})
        begun = time.monotonic()
        newer = both.enter_context(group.copy(0))
        wait_until(lambda: older.child.poll() is not None, seconds=NOTICED_SECONDS_MAX)
        assert time.monotonic() - begun < NOTICED_SECONDS_MAX
        assert older.child.returncode == EXIT_FAILED
        assert newer.child.poll() is None
        said = older.log.read_text(encoding="utf-8")
        assert "loop.failed" in said
        assert "fenced" in said.lower()
        wait_until(lambda: group.dealt() == {f"{group.world}.toy.consumer.0": set(range(PARTITIONS))})


def test_partitions_added_while_a_copy_restarts_within_its_session_are_read(group: Group) -> None:
    """The broker gives it its former partitions back and starts no rebalance (KIP-814)."""
    with group.copy(0):
        wait_until(lambda: group.dealt() == {f"{group.world}.toy.consumer.0": set(range(PARTITIONS))}, seconds=30)
    group.grow()
    with group.copy(0):
        wait_until(lambda: group.read_whole(1), seconds=UNREAD_SECONDS_MAX)


def test_partitions_added_while_one_of_two_copies_restarts_are_read(group: Group) -> None:
    with group.copy(0):
        with group.copy(1):
            wait_until(lambda: len(group.dealt()) == 2 and all(group.dealt().values()), seconds=30)
        group.grow()
        with group.copy(1):
            wait_until(lambda: group.read_whole(2), seconds=UNREAD_SECONDS_MAX)


def test_partitions_added_while_a_copy_runs_are_read(group: Group) -> None:
    with group.copy(0):
        wait_until(lambda: len(group.dealt()) == 1, seconds=30)
        group.grow()
        wait_until(lambda: group.read_whole(1), seconds=UNREAD_SECONDS_MAX)
