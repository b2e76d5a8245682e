"""The follower of the case topic, on a real Kafka: what a reader gets that asks for older records."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from chassis.messaging import kafka
from chassis.messaging.tail import Tail
from console.server import broadcaster as broadcasters
from schemas.envelope import encode
from tests.console.served import Cases, opened
from tests.support.service import wait_until


def test_a_reader_that_catches_up_while_the_topic_grows_gets_what_it_asked_for(cases: Cases) -> None:
    """It asked for the partitions of before; a record of an added one comes to it by the follower."""
    made: list[Tail] = []

    def tail(client: str) -> Tail:
        made.append(Tail(cases.bootstrap, cases.world, ["exceptions.case"], client))
        return made[-1]

    follower, asked_for, added = broadcasters.Broadcaster(tail, 10), ("exceptions.case", 0), ("exceptions.case", 1)
    fact = opened(1)

    def say(partition: int) -> None:
        producer = kafka.producer(cases.bootstrap, "test")
        name, headers = f"{cases.world}.exceptions.case", {kafka.TYPE_HEADER: fact.type}
        producer.produce(name, key="x", value=encode(fact), partition=partition, headers=headers)
        assert producer.flush(30) == 0

    say(added[1])
    with ThreadPoolExecutor(1) as reader:
        catching_up = reader.submit(lambda: list(follower.older({}, {asked_for: 1}, "late")))
        try:
            wait_until(lambda: catching_up.done() or (made and made[-1].places.get(added) == 1))
        finally:
            say(asked_for[1])
        assert [(seen.partition, seen.next) for seen in catching_up.result(30)] == [(0, 1)]
