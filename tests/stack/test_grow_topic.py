"""A topic grows under load and each subject keeps its order; without the wait it does not, and a group that sleeps is named."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from chassis.ids import time_ordered_id
from chassis.messaging import kafka, topics
from chassis.messaging.relay import Relay
from chassis.persistence.database import Context
from schemas.inventory import ItemChanged
from schemas.topics import BY_NAME
from tests.chassis import toy
from tests.support.running import Running, running
from tests.support.service import START, ServiceUnderTest, open_service, wait_until
from tests.support.stack import Infrastructure
from tools import broker
from tools.grow_topic import NotGrown, grow, hearers, main, unheard, unread, unread_after_a_while

WORLD = "test"
TOPIC, GROUP = f"{WORLD}.inventory.item", f"{WORLD}.toy.consumer"
BEFORE, AFTER = 2, 6
SUBJECTS = 40
NOT_YET = [
    getattr(kafka.KafkaError, name)
    for name in (
        "NON_EMPTY_GROUP",
        "UNKNOWN_MEMBER_ID",
        "COORDINATOR_LOAD_IN_PROGRESS",
        "NOT_COORDINATOR",
        "COORDINATOR_NOT_AVAILABLE",
    )
]


@dataclass
class Course:
    """The toy service that says facts and hears them; each mark is a fact's place among those of its subject."""

    service: ServiceUnderTest
    url: str
    folder: Path
    sent: dict[int, int] = field(default_factory=dict)

    def say(self, subject: int) -> None:
        number = self.sent.get(subject, 0) + 1
        act, item = time_ordered_id(), UUID(int=subject + 1)

        def work(tx: toy.Tx) -> None:
            toy.count(tx, item, "")
            tx.emit([ItemChanged(occurred_at=START, item_id=item, code="x", description=f"{number}.", unit="each")])

        self.service.database.run(work, lambda now: Context(act, act, "act", now))
        self.sent[subject] = number

    def say_rounds(self, rounds: int) -> None:
        for _ in range(rounds):
            for subject in range(SUBJECTS):
                self.say(subject)

    def process(self, *roles: str, instance: int = 0) -> AbstractContextManager[Running]:
        told = {
            "DATABASE_URL": self.url,
            "KAFKA_BOOTSTRAP": self.service.settings.kafka_bootstrap,
            "LOG_LEVEL": "warning",
            "INSTANCE": str(instance),
            "BATCH_EVENTS_MAX": "20",
        }
        return running("tests.chassis.toy", *roles, folder=self.folder, told=told)

    def consumed(self) -> int:
        """Return how many facts were heard: each mark ends with a point."""
        rows = self.service.rows("SELECT trail FROM counters")
        return sum(row["trail"].count(".") for row in rows)

    def out_of_order(self) -> list[str]:
        """Return the trails that are not 1.2.3. …"""
        trails = [row["trail"] for row in self.service.rows("SELECT trail FROM counters")]
        return [t for t in trails if t != "".join(f"{n}." for n in range(1, t.count(".") + 1))]

    def published(self) -> bool:
        return self.service.rows("SELECT count(*) AS n FROM outbox WHERE published_at IS NULL")[0]["n"] == 0

    def grow(self, patience_seconds: float = 60.0) -> int:
        return grow(
            bootstrap=self.service.settings.kafka_bootstrap,
            topic=TOPIC,
            partitions=AFTER,
            database_url=self.url,
            groups=[GROUP],
            patience_seconds=patience_seconds,
        )

    def partitions(self) -> int:
        return topics.standing(self.service.settings.kafka_bootstrap, [TOPIC])[TOPIC]


@pytest.fixture
def course(infra: Infrastructure, fresh_database: Callable[[str], str], tmp_path: Path) -> Iterator[Course]:
    names = [BY_NAME["inventory.item"], BY_NAME["inventory.site"]]
    topics.apply(infra.kafka_bootstrap, topics.wanted(WORLD, names, partitions=BEFORE, replication=1))
    url = fresh_database("toy")
    with open_service(toy.parts(), url, metadata=toy.metadata, clock="wall", kafka=infra.kafka_bootstrap) as opened:
        yield Course(opened, url, tmp_path)
    topics.drop(infra.kafka_bootstrap, WORLD)


def test_a_topic_grows_under_load_and_each_subject_keeps_its_order(course: Course) -> None:
    stopped, failed = threading.Event(), list[BaseException]()

    def write() -> None:
        try:
            while not stopped.is_set():
                course.say_rounds(1)
        except BaseException as why:  # noqa: BLE001  raised below
            failed.append(why)

    writer = threading.Thread(target=write)
    with (
        course.process("consumer", "relay"),
        course.process("consumer", "relay", instance=1),
    ):
        writer.start()
        wait_until(lambda: course.consumed() > 3 * SUBJECTS)
        assert course.grow() == BEFORE
        grown_at, bootstrap = course.consumed(), course.service.settings.kafka_bootstrap
        assert unread(kafka.admin(bootstrap), TOPIC, AFTER, [GROUP]) == {GROUP: AFTER - BEFORE}
        assert unread_after_a_while(bootstrap, TOPIC, AFTER, [GROUP]) == {}, "both rejoin by themselves"
        assert course.partitions() == AFTER
        wait_until(lambda: course.consumed() > grown_at + 10 * SUBJECTS, seconds=90)
        stopped.set()
        writer.join()
        wait_until(lambda: course.consumed() == sum(course.sent.values()))
    assert failed == []
    assert course.out_of_order() == []
    places = [kafka.TopicPartition(TOPIC, number) for number in range(AFTER)]
    used = kafka.ends(kafka.admin(course.service.settings.kafka_bootstrap), places)
    assert all(end > 0 for end in used.values()), "facts travel in the new partitions too"


def _publish(course: Course) -> None:
    relay = Relay(course.service.database, course.service.settings)
    thread = threading.Thread(target=relay.run)
    thread.start()
    wait_until(course.published)
    relay.stopped.set()
    thread.join()


def _stand_at(course: Course, old: dict[int, int]) -> bool:
    """Set the group to these places; False while a member of it is known, or its coordinator is not awake yet."""
    places = [kafka.TopicPartition(TOPIC, number, offset) for number, offset in old.items()]
    try:
        broker.commit_for(kafka.admin(course.service.settings.kafka_bootstrap), GROUP, places)
    except kafka.KafkaException as error:
        assert error.args[0].code() in NOT_YET, error
        return False
    return True


def test_grown_without_the_wait_order_is_lost(course: Course) -> None:
    """The crime, planted: the check above would see it. Here the members that have the old partitions are the slow ones."""
    course.say_rounds(2)
    _publish(course)
    client, old = kafka.admin(course.service.settings.kafka_bootstrap), range(BEFORE)
    ends = kafka.ends(client, [kafka.TopicPartition(TOPIC, number) for number in old])
    broker.grow(client, TOPIC, AFTER)
    wait_until(lambda: course.partitions() == AFTER)
    course.say_rounds(1)
    _publish(course)
    wait_until(lambda: _stand_at(course, {number: ends[TOPIC, number] for number in old}))
    with course.process("consumer"):
        wait_until(lambda: course.consumed() == SUBJECTS)
    wait_until(lambda: _stand_at(course, dict.fromkeys(old, 0)))
    with course.process("consumer"):
        wait_until(lambda: course.consumed() == 3 * SUBJECTS)
    assert course.out_of_order() != []


def test_a_group_that_has_not_heard_everything_stops_the_growth_and_the_relay_goes_on(course: Course) -> None:
    course.say_rounds(1)
    _publish(course)
    with pytest.raises(NotGrown, match=rf"{GROUP} \({SUBJECTS}\)"):
        course.grow(patience_seconds=0.5)
    assert course.partitions() == BEFORE
    course.say_rounds(1)
    _publish(course)
    client = kafka.admin(course.service.settings.kafka_bootstrap)
    assert unheard(client, TOPIC, BEFORE, [GROUP]) == {GROUP: 2 * SUBJECTS}


def test_no_relay_is_active_while_the_topic_grows(course: Course) -> None:
    """The lock is taken from the relay that has it, and given back."""
    relay = Relay(course.service.database, course.service.settings)
    thread = threading.Thread(target=relay.run)
    thread.start()
    wait_until(lambda: relay.active)
    with psycopg.connect(course.url, autocommit=True) as looks:
        pids = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"
        before = looks.execute(pids).fetchall()
        assert course.grow() == BEFORE
        wait_until(lambda: relay.active and looks.execute(pids).fetchall() not in ([], before))
    relay.stopped.set()
    thread.join()


def test_a_topic_never_shrinks(course: Course) -> None:
    with pytest.raises(NotGrown, match="only grow"):
        grow(
            bootstrap=course.service.settings.kafka_bootstrap,
            topic=TOPIC,
            partitions=1,
            database_url=course.url,
            groups=[],
        )


def test_whoever_hears_a_topic_is_known_from_the_code() -> None:
    assert hearers("live", "logistics.shipment") == [
        f"live.{name}.consumer" for name in ("inventory", "procurement", "exceptions", "sales", "scorecard")
    ]
    assert "live.sales.effects" in hearers("live", "sales.notice")


@pytest.mark.parametrize("topic", ["exceptions.case", "scorecard.measure"])
def test_what_the_stream_divides_as_its_changelog_does_not_grow(
    topic: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["grow_topic", topic, "12"])
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "nobody:1")
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody")
    assert main() == 2
    assert "docs/scaling.md" in capsys.readouterr().err
