"""A follower without a group reads the partitions that its topic gains while it follows."""

from __future__ import annotations

import threading
from uuid import UUID

from chassis.messaging import kafka, topics
from chassis.messaging.tail import Seen, Tail
from schemas.envelope import encode
from schemas.topics import BY_NAME
from tests.chassis.test_consumer import changed
from tests.support.service import ServiceUnderTest, wait_until
from tests.support.stack import Infrastructure
from tools import broker

NAME, BEFORE, AFTER = "inventory.item", 1, 4
UNREAD_SECONDS_MAX = 20.0


def test_partitions_added_while_a_topic_is_followed_are_read_from_their_beginning(
    toy_service: ServiceUnderTest, infra: Infrastructure
) -> None:
    world, seen = infra.world(), list[Seen]()
    topics.apply(infra.kafka_bootstrap, topics.wanted(world, [BY_NAME[NAME]], partitions=BEFORE, replication=1))
    tail, topic = Tail(infra.kafka_bootstrap, world, [NAME], "test"), f"{world}.{NAME}"
    start, following = tail.ends(), threading.Event()

    def follow() -> None:
        for one in tail.follow(start):
            following.set()
            if one is not None:
                seen.append(one)

    follower = threading.Thread(target=follow)
    follower.start()
    try:
        assert following.wait(UNREAD_SECONDS_MAX)
        fact = toy_service.envelope(changed(UUID(int=1), "a"))
        broker.grow(kafka.admin(infra.kafka_bootstrap), topic, AFTER)
        wait_until(lambda: topics.standing(infra.kafka_bootstrap, [topic]) == {topic: AFTER})
        producer = kafka.producer(infra.kafka_bootstrap, "test")
        for partition in range(AFTER):
            producer.produce(
                topic, key="k", value=encode(fact), partition=partition, headers={kafka.TYPE_HEADER: fact.type}
            )
        assert producer.flush(30) == 0
        wait_until(lambda: {one.partition for one in seen} == set(range(AFTER)), seconds=UNREAD_SECONDS_MAX)
    finally:
        tail.stopped.set()
        follower.join()
        topics.drop(infra.kafka_bootstrap, world)
    assert len(seen) == AFTER, "nothing is read twice"
