"""Effects are told at least once: what was not told is not committed."""

from __future__ import annotations

from uuid import UUID

import psycopg

from chassis.messaging import kafka, topics
from chassis.messaging.effects import EffectRunner, Effects, Sending
from schemas.envelope import encode
from schemas.inventory import ItemChanged
from schemas.topics import BY_NAME
from tests.chassis.test_consumer import changed
from tests.support.service import ServiceUnderTest
from tests.support.stack import Infrastructure
from tools import broker


def test_an_effect_that_waits_for_the_database_is_not_done_because_the_process_ends(
    toy_service: ServiceUnderTest, infra: Infrastructure
) -> None:
    world, effects, tried = infra.world(), Effects(), list[UUID]()
    topics.apply(infra.kafka_bootstrap, topics.wanted(world, [BY_NAME["inventory.item"]], partitions=1, replication=1))
    settings = toy_service.settings.model_copy(update={"world": world, "kafka_bootstrap": infra.kafka_bootstrap})
    runner = EffectRunner(toy_service.database, effects, settings)
    runner.assigned = False

    @effects.on(ItemChanged)
    def tell_buyer(_: Sending, event: ItemChanged) -> str:
        tried.append(event.item_id)
        runner.stopped.set()
        raise psycopg.OperationalError("the database is away")

    producer = kafka.producer(infra.kafka_bootstrap, "test")
    fact = toy_service.envelope(changed(UUID(int=1), "a"))
    producer.produce(
        settings.topic("inventory.item"), key=fact.subject, value=encode(fact), headers={kafka.TYPE_HEADER: fact.type}
    )
    assert producer.flush(30) == 0
    runner.run()
    place = kafka.TopicPartition(settings.topic("inventory.item"), 0)
    committed = broker.committed(
        kafka.admin(infra.kafka_bootstrap), settings.group(toy_service.database.service, "effects"), [place]
    )
    assert (len(tried), committed) == (1, {(place.topic, 0): 0})
    topics.drop(infra.kafka_bootstrap, world)
