"""Lost topics are rebuilt from the outbox: rows in their order, groups from the beginning, nobody does anything twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from chassis.ids import time_ordered_id
from chassis.messaging import kafka, topics
from chassis.messaging.relay import Relay
from chassis.persistence.database import Context
from schemas.inventory import ItemChanged
from schemas.topics import BY_NAME
from tests.chassis import toy
from tests.faults.facts import compare, published_facts, stored_facts
from tests.support.running import Running, running
from tests.support.service import START, ServiceUnderTest, open_service, wait_until
from tests.support.stack import Infrastructure
from tools import broker, republish

WORLD, HEARS, SAYS = "test", "inventory.item", "inventory.site"
GROUP = f"{WORLD}.toy.consumer"
PARTITIONS, SUBJECTS = 2, 10


@dataclass
class Course:
    """The toy service that says facts, hears them and repeats each; a mark is a fact's place among those of its subject."""

    service: ServiceUnderTest
    url: str
    folder: Path
    rounds: int = 0

    def say_rounds(self, rounds: int) -> None:
        for _ in range(rounds):
            self.rounds += 1
            for subject in range(SUBJECTS):
                self._say(UUID(int=subject + 1), f"{self.rounds}.")

    def _say(self, item: UUID, mark: str) -> None:
        act = time_ordered_id()

        def work(tx: toy.Tx) -> None:
            toy.count(tx, item, "")
            tx.emit([ItemChanged(occurred_at=START, item_id=item, code="x", description=mark, unit="each")])

        self.service.database.run(work, lambda now: Context(act, act, "act", now))

    def process(self) -> AbstractContextManager[Running]:
        told = {"DATABASE_URL": self.url, "KAFKA_BOOTSTRAP": self.bootstrap, "LOG_LEVEL": "warning"}
        return running("tests.chassis.toy", "consumer", "relay", folder=self.folder, told=told)

    @property
    def bootstrap(self) -> str:
        return self.service.settings.kafka_bootstrap

    def at_rest(self) -> bool:
        """Tell whether everything said was heard and repeated, and lies in its topic."""
        wanted = "".join(f"{number}." for number in range(1, self.rounds + 1))
        return (
            self.trails() == [wanted] * SUBJECTS and self.pending() == 0 and self.rows() == 2 * self.rounds * SUBJECTS
        )

    def trails(self) -> list[str]:
        return [row["trail"] for row in self.service.rows("SELECT trail FROM counters")]

    def rows(self) -> int:
        return int(self.service.rows("SELECT count(*) AS n FROM outbox")[0]["n"])

    def pending(self) -> int:
        return int(self.service.rows("SELECT count(*) AS n FROM outbox WHERE published_at IS NULL")[0]["n"])

    def places(self) -> dict[tuple[str, int], int]:
        asked = [kafka.TopicPartition(f"{WORLD}.{HEARS}", number) for number in range(PARTITIONS)]
        return broker.committed(kafka.admin(self.bootstrap), GROUP, asked)

    def ends(self) -> dict[tuple[str, int], int]:
        return republish.ends_of(kafka.admin(self.bootstrap), WORLD, [HEARS, SAYS])

    def make_topics(self) -> None:
        known = [BY_NAME[HEARS], BY_NAME[SAYS]]
        topics.apply(self.bootstrap, topics.wanted(WORLD, known, partitions=PARTITIONS, replication=1))

    def lose_topics(self) -> None:
        names = topics.drop(self.bootstrap, WORLD)
        wait_until(lambda: not topics.standing(self.bootstrap, names))

    def lose_topics_under_a_consumer(self) -> None:
        """The broker forgets a group's places with their topic; a consumer that runs on commits its old ones again."""
        old = self.places()
        assert sum(old.values()) > 0
        self.lose_topics()
        self.make_topics()
        wait_until(lambda: self._stand_at(old))

    def _stand_at(self, old: dict[tuple[str, int], int]) -> bool:
        places = [kafka.TopicPartition(*place, offset) for place, offset in old.items()]
        try:
            broker.commit_for(kafka.admin(self.bootstrap), GROUP, places)
        except kafka.KafkaException as error:  # until the session of who has ended is over
            assert error.args[0].code() in (kafka.KafkaError.NON_EMPTY_GROUP, kafka.KafkaError.UNKNOWN_MEMBER_ID), error
            return False
        return self.places() == old


@pytest.fixture
def course(
    infra: Infrastructure, fresh_database: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Course]:
    url = fresh_database("toy")
    with open_service(toy.parts(), url, metadata=toy.metadata, clock="wall", kafka=infra.kafka_bootstrap) as opened:
        made = Course(opened, url, tmp_path)
        made.make_topics()
        for name, value in (("WORLD", WORLD), ("KAFKA_BOOTSTRAP", infra.kafka_bootstrap), ("DATABASE_URL", url)):
            monkeypatch.setenv(name, value)
        yield made
    topics.drop(infra.kafka_bootstrap, WORLD)


def test_lost_topics_are_rebuilt_in_order_and_nobody_does_anything_twice(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    with course.process():
        course.say_rounds(3)
        wait_until(course.at_rest)
    assert sum(course.places().values()) == 3 * SUBJECTS
    course.lose_topics_under_a_consumer()
    assert republish.main([HEARS, SAYS]) == 0
    assert capsys.readouterr().out == f"{6 * SUBJECTS} rows go out again\ngroups set to the beginning: {GROUP}\n"
    assert course.pending() == 6 * SUBJECTS
    assert set(course.places().values()) == {0}
    with course.process():
        course.say_rounds(1)
        wait_until(course.at_rest)
    told = published_facts(course.bootstrap, {topic: f"{WORLD}.{topic}" for topic in (HEARS, SAYS)})
    found = compare(stored_facts(course.url), told)
    assert (found.faults(), found.facts, found.records) == ([], 8 * SUBJECTS, 8 * SUBJECTS)


def test_a_group_that_stands_within_its_topic_stays_where_it_is(course: Course) -> None:
    with course.process():
        course.say_rounds(1)
        wait_until(course.at_rest)
    before = course.places()
    assert republish.main([HEARS]) == 0
    assert course.places() == before
    assert course.pending() == SUBJECTS


def test_a_group_is_judged_by_the_ends_of_before_anything_was_sent_again(course: Course) -> None:
    """A relay that is quicker than the group's session would make an old place look like one of the new topic."""
    with course.process():
        course.say_rounds(2)
        wait_until(course.at_rest)
    course.lose_topics_under_a_consumer()
    empty = course.ends()
    republish.pend_again(course.url, [HEARS, SAYS], republish.BEGINNING_OF_TIME)
    relay = Relay(course.service.database, course.service.settings)
    thread = threading.Thread(target=relay.run)
    thread.start()
    wait_until(lambda: course.pending() == 0)
    relay.stopped.set()
    thread.join()
    assert republish.rewind_groups(kafka.admin(course.bootstrap), WORLD, course.ends()) == []
    assert republish.rewind_groups(kafka.admin(course.bootstrap), WORLD, empty) == [GROUP]
    assert set(course.places().values()) == {0}


def test_only_what_was_first_published_since_an_instant_goes_out_again(course: Course) -> None:
    with course.process():
        course.say_rounds(1)
        wait_until(course.at_rest)
        since = datetime.now(UTC)
        course.say_rounds(1)
        wait_until(course.at_rest)
    assert republish.main([HEARS, "--since", since.isoformat()]) == 0
    marks = course.service.rows(
        "SELECT payload::json->'data'->>'description' AS mark FROM outbox WHERE published_at IS NULL"
    )
    assert [row["mark"] for row in marks] == ["2."] * SUBJECTS


def test_processes_that_run_are_named_and_nothing_is_moved(course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    with course.process():
        course.say_rounds(1)
        wait_until(course.at_rest)
        before = wait_until(lambda: sum(course.places().values()) == SUBJECTS and course.places())
        with pytest.raises(republish.StillRunning, match="a relay"):
            republish.pend_again(course.url, [HEARS], republish.BEGINNING_OF_TIME)
        with pytest.raises(republish.StillRunning, match=GROUP):
            republish.rewind_groups(kafka.admin(course.bootstrap), WORLD, course.ends())
        assert republish.main([HEARS, "--patience", "0.2"]) == 1
        assert "a relay of this service is active" in capsys.readouterr().err
        assert (course.places(), course.pending()) == (before, 0)


def test_a_topic_that_is_not_there_is_named_and_no_row_goes_out(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    course.say_rounds(1)
    course.lose_topics()
    assert republish.main([HEARS, "--patience", "0"]) == 1
    assert f"{WORLD}.{HEARS} must be made anew first" in capsys.readouterr().err
