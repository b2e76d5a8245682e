"""What a worker knows of its partitions: read from the changelog once, and only what others wrote read again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping

import pytest

from chassis.messaging import kafka, topics
from schemas.topics import INTERNAL
from services.scorecard.stream.batch_producer import Batch, BatchProducer, Records
from services.scorecard.stream.changelog_state import ChangelogState
from tests.support.stack import Infrastructure

TOPIC = INTERNAL[0].name


class Changelog:
    """The changelog of a world of its own, and who writes into it."""

    def __init__(self, infra: Infrastructure) -> None:
        self.world, self.bootstrap = infra.world(), infra.kafka_bootstrap
        topics.apply(self.bootstrap, topics.wanted(self.world, INTERNAL, partitions=2, replication=1))
        self._producer = kafka.producer(self.bootstrap, self.world)

    def write(self, partition: int, key: bytes, state: bytes | None) -> int:
        """Write one record; returns its offset."""
        put: list[int] = []
        self._producer.produce(
            f"{self.world}.{TOPIC}",
            key=key,
            value=state,
            partition=partition,
            on_delivery=lambda error, message: put.append(message.offset() or 0),
        )
        assert self._producer.flush(30) == 0
        return put[0]

    def states(self) -> ChangelogState:
        return ChangelogState(self.bootstrap, f"{self.world}.{TOPIC}")


@pytest.fixture
def changelog(infra: Infrastructure) -> Iterator[Changelog]:
    made = Changelog(infra)
    yield made
    topics.drop(made.bootstrap, made.world)


def test_a_case_is_all_that_any_worker_wrote_of_it_and_did_not_take_away(changelog: Changelog) -> None:
    changelog.write(0, b"a/one", b"early")
    changelog.write(0, b"a/one", b"late")
    changelog.write(0, b"a/two", b"more")
    changelog.write(0, b"b/one", b"gone")
    changelog.write(0, b"b/one", None)
    changelog.write(1, b"c/one", b"elsewhere")
    states = changelog.states()
    asyncio.run(states.load([0, 1]))
    assert states.cases(0) == {b"a": {b"one": b"late", b"two": b"more"}}
    assert states.of(1, b"c") == {b"one": b"elsewhere"}
    assert states.of(0, b"b") == {}
    assert states.read == 6


def test_what_it_wrote_itself_is_not_read_again_and_what_another_wrote_is(changelog: Changelog) -> None:
    states = changelog.states()
    asyncio.run(states.load([0]))
    states.put(0, b"a/one", b"mine")
    states.wrote(0, changelog.write(0, b"a/one", b"mine"), 1)
    asyncio.run(states.load([0]))
    assert states.read == 0
    changelog.write(0, b"a/two", b"theirs")
    states.put(0, b"a/one", b"mine again")
    states.wrote(0, changelog.write(0, b"a/one", b"mine again"), 1)  # theirs lies before it
    asyncio.run(states.load([0]))
    assert (states.read, states.of(0, b"a")) == (2, {b"one": b"mine again", b"two": b"theirs"})


def test_a_state_that_cannot_be_written_is_known_to_whoever_waits_for_it() -> None:
    """Its facts are then neither committed nor waited for: the worker ends with the reason."""

    def unwritable(_: Batch) -> Mapping[int, Records]:
        raise ValueError("not to be written")

    async def folded() -> None:
        producer = BatchProducer("changelog", "measures", lambda: None, unwritable, lambda *_: None)
        producer.add_removed_key(b"case/another", 0)
        waiting = producer.round.acknowledged
        producer.send_batch()
        with pytest.raises(ValueError, match="not to be written"):
            await asyncio.wait_for(waiting, 60)

    asyncio.run(folded())


def test_an_empty_partition_is_loaded_at_once(changelog: Changelog) -> None:
    states = changelog.states()
    asyncio.run(states.load([0, 1]))
    assert (states.read, states.cases(0)) == (0, {})
