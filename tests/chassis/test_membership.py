"""A group reads every partition of its topics, whenever partitions were added; one that no member reads is seen."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

import pytest

from chassis.messaging import kafka, membership, topics
from chassis.messaging.consumer import Consumer
from chassis.messaging.effects import EffectRunner, Effects, Sending
from chassis.messaging.membership import Coverage, assigned_partitions
from chassis.messaging.testing import InProcessBroker
from chassis.runtime import metrics, process
from chassis.runtime.settings import ServiceSettings
from schemas.inventory import ItemChanged
from schemas.topics import BY_NAME
from tests.chassis import toy
from tests.support.service import ServiceUnderTest, wait_until
from tests.support.stack import Infrastructure
from tools import broker

NAME, BEFORE, AFTER = "inventory.item", 2, 6
UNREAD_SECONDS_MAX = 20.0


@dataclass
class Grown:
    """A world of its own with one topic, to which partitions can be added."""

    service: ServiceUnderTest
    settings: ServiceSettings

    @property
    def client(self) -> kafka.AdminClient:
        return kafka.admin(self.settings.kafka_bootstrap)

    def grow(self) -> None:
        name = self.settings.topic(NAME)
        broker.grow(self.client, name, AFTER)
        wait_until(lambda: topics.standing(self.settings.kafka_bootstrap, [name]) == {name: AFTER})

    def read(self, role: str) -> set[int]:
        """Return the partitions that the members of a role's group hold."""
        client = self.client  # held: one that is let go answers nothing any more
        held = assigned_partitions(client, self.settings.group("toy", role)) or {}
        return held.get(self.settings.topic(NAME), set())


@pytest.fixture
def grown(toy_service: ServiceUnderTest, infra: Infrastructure) -> Iterator[Grown]:
    world = infra.world()
    names = [BY_NAME[NAME], BY_NAME["inventory.site"]]
    topics.apply(infra.kafka_bootstrap, topics.wanted(world, names, partitions=BEFORE, replication=1))
    yield Grown(
        toy_service, toy_service.settings.model_copy(update={"world": world, "kafka_bootstrap": infra.kafka_bootstrap})
    )
    topics.drop(infra.kafka_bootstrap, world)


def a_consumer(grown: Grown) -> Consumer:
    return Consumer(grown.service.database, toy.reactions, grown.settings)


def an_effect_runner(grown: Grown) -> EffectRunner:
    effects = Effects()

    @effects.on(ItemChanged)
    def tell_buyer(_: Sending, event: ItemChanged) -> str:
        return "told"

    return EffectRunner(grown.service.database, effects, grown.settings)


@contextmanager
def at_work(listener: Consumer | EffectRunner) -> Iterator[None]:
    """Run a loop for as long as the block lasts; it ends as at SIGTERM, and its group remembers it."""
    thread = threading.Thread(target=listener.run)
    thread.start()
    try:
        yield
    finally:
        listener.stopped.set()
        thread.join()


@pytest.mark.parametrize(("made", "role"), [(a_consumer, "consumer"), (an_effect_runner, "effects")])
def test_partitions_added_while_a_member_restarts_within_its_session_are_read(
    grown: Grown, made: Callable[[Grown], Consumer | EffectRunner], role: str
) -> None:
    """The broker gives a static member its former partitions back, and no rebalance happens (KIP-814)."""
    with at_work(made(grown)):
        wait_until(lambda: grown.read(role) == set(range(BEFORE)), seconds=30)
    grown.grow()
    with at_work(made(grown)):
        wait_until(lambda: grown.read(role) == set(range(AFTER)), seconds=UNREAD_SECONDS_MAX)


@dataclass
class Member:
    """A member of the toy's group that was back within its session after its topic had grown; it watches nothing itself."""

    client: kafka.Consumer
    subscribed: list[str]

    def poll_until(self, condition: Callable[[], bool]) -> None:
        wait_until(lambda: self.client.poll(0.05) or condition(), seconds=UNREAD_SECONDS_MAX)

    def poll_until_assigned(self, partitions: int) -> None:
        self.poll_until(lambda: len(self.client.assignment()) == partitions)


@pytest.fixture
def member(grown: Grown) -> Iterator[Member]:
    subscribed, group = [grown.settings.topic(NAME)], grown.settings.group("toy", "consumer")
    for restarted in (False, True):
        member = Member(kafka.group_consumer(grown.settings.kafka_bootstrap, group, 0), subscribed)
        member.client.subscribe(subscribed)
        member.poll_until_assigned(BEFORE)
        if not restarted:
            member.client.close()
            grown.grow()
    yield member
    member.client.close()


def test_partitions_without_a_member_are_counted_and_after_a_while_the_process_is_not_ready(
    grown: Grown, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = Coverage(grown.settings, "toy", "consumer", [NAME])
    unassigned = metrics.consumer_partitions_unassigned.labels("toy", "consumer", NAME)._value
    running = process.Running(toy.parts(), grown.settings, ["consumer"])
    assert running.consumer is not None
    running.consumer.coverage = watch
    pause = watch.look(time.monotonic())
    assert unassigned.get() == AFTER - BEFORE
    assert running.readiness()["consumer_partitions"], "a moment is no fault"
    assert not watch.rejoin.is_set(), "another member may join anew first"
    monkeypatch.setattr(membership, "UNREAD_SECONDS_MAX", pause / 2)
    begun = time.monotonic()
    member.poll_until(lambda: time.monotonic() - begun > pause)
    watch.look(time.monotonic())
    assert not running.readiness()["consumer_partitions"]
    assert watch.rejoin.is_set()
    kafka.rejoin(member.client, member.subscribed)
    member.poll_until_assigned(AFTER)
    watch.look(time.monotonic())
    assert unassigned.get() == 0
    assert running.readiness()["consumer_partitions"]
    assert not watch.rejoin.is_set()
    running.database.dispose()


@pytest.mark.usefixtures("member")
def test_a_rejoin_that_does_not_help_is_repeated_less_and_less_often(grown: Grown) -> None:
    """Each one stops the work of the whole group for a moment."""
    now, asked_at = 0.0, list[float]()
    watch = Coverage(grown.settings, "toy", "consumer", [NAME])
    while now < 300:
        now += watch.look(now)
        if watch.rejoin.is_set():
            watch.rejoin.clear()
            asked_at.append(now)
    pauses = [round(later - earlier) for earlier, later in pairwise(asked_at)]
    assert pauses[:5] == [5, 10, 20, 40, 60]


def test_a_group_between_two_assignments_is_not_judged(grown: Grown) -> None:
    assert assigned_partitions(grown.client, grown.settings.group("toy", "nobody")) is None


def test_on_a_broker_that_tells_nothing_of_groups_the_watch_ends_and_the_process_stays_ready(
    toy_service: ServiceUnderTest,
) -> None:
    """The in-process broker is one."""
    holder = InProcessBroker()  # it lasts as long as somebody holds it
    settings = toy_service.settings.model_copy(update={"kafka_bootstrap": holder.bootstrap})
    watch = Coverage(settings, "toy", "consumer", [NAME])
    watch.start()
    wait_until(lambda: not any(thread.name == "coverage-consumer" for thread in threading.enumerate()))
    assert watch.complete()
    assert not watch.rejoin.is_set()


def test_a_client_that_is_held_knows_the_ends_of_added_partitions_within_seconds(grown: Grown) -> None:
    """It asks the broker again; what it remembered of the topic is older than the growth."""
    client, name = grown.client, grown.settings.topic(NAME)

    def known(partitions: int) -> bool:
        try:
            return len(kafka.ends(client, [kafka.TopicPartition(name, n) for n in range(partitions)])) == partitions
        except kafka.KafkaException as error:
            assert error.args[0].code() in (
                kafka.KafkaError._UNKNOWN_PARTITION,
                kafka.KafkaError.NOT_LEADER_FOR_PARTITION,
            )
            return False

    wait_until(lambda: known(BEFORE))
    grown.grow()
    wait_until(lambda: known(AFTER), seconds=10)
