"""The relay's promises on a real Kafka: order per subject, nothing skipped, one active, what was marked was acknowledged."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry

from chassis.ids import time_ordered_id
from chassis.messaging import kafka, topics
from chassis.messaging.relay import Relay
from chassis.messaging.tail import Tail
from chassis.persistence.database import Context, Tx
from schemas.inventory import ItemChanged
from schemas.topics import BY_NAME
from tests.chassis import toy
from tests.support.service import PATIENCE_SECONDS, START, ServiceUnderTest, open_service, wait_until
from tests.support.stack import Infrastructure

WORLD = "test"


@pytest.fixture
def on_kafka(infra: Infrastructure, fresh_database: Callable[[str], str]) -> Iterator[ServiceUnderTest]:
    topics.apply(
        infra.kafka_bootstrap,
        topics.wanted(WORLD, [BY_NAME["inventory.item"], BY_NAME["inventory.site"]], partitions=3, replication=1),
    )
    with open_service(
        toy.parts(), fresh_database("toy"), metadata=toy.metadata, clock="wall", kafka=infra.kafka_bootstrap
    ) as opened:
        yield opened
    topics.drop(infra.kafka_bootstrap, WORLD)


def say(on_kafka: ServiceUnderTest, subject: int, mark: str, *, hold_seconds: float = 0) -> None:
    act = time_ordered_id()

    def work(tx: Tx) -> None:
        toy.count(tx, UUID(int=subject), "")
        tx.emit(
            [
                ItemChanged(
                    occurred_at=START, item_id=UUID(int=subject), code=str(subject), description=mark, unit="each"
                )
            ]
        )
        tx.flush()
        time.sleep(hold_seconds)  # layers: allow wait — a writer that holds its transaction open is what is tested

    on_kafka.database.run(work, lambda now: Context(act, act, "act", now))


def published(on_kafka: ServiceUnderTest, count: int) -> list[tuple[str, str]]:
    tail = Tail(on_kafka.settings.kafka_bootstrap, WORLD, ["inventory.item"], "test")
    seen: list[tuple[str, str]] = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    for record in tail.follow({}):
        if record is not None:
            seen.append((record.envelope.subject, record.envelope.data.description))
        if len(seen) >= count or time.monotonic() > deadline:
            break
    return seen


def running(on_kafka: ServiceUnderTest) -> tuple[Relay, threading.Thread]:
    relay = Relay(on_kafka.database, on_kafka.settings)
    thread = threading.Thread(target=relay.run, daemon=True)
    thread.start()
    return relay, thread


def test_writers_that_hold_transactions_open_lose_nothing_and_keep_each_subjects_order(
    on_kafka: ServiceUnderTest,
) -> None:
    """FLOW 4.1: the subject is locked before its fact gets a position; a cursor would skip rows that commit late."""
    relay, thread = running(on_kafka)
    chance = random.Random(7)

    def write(writer: int) -> None:
        for n in range(12):
            say(on_kafka, writer % 3 + 1, f"{writer}.{n}", hold_seconds=chance.random() * 0.05)

    writers = [threading.Thread(target=write, args=(w,)) for w in range(6)]
    for w in writers:
        w.start()
    for w in writers:
        w.join()
    seen = published(on_kafka, 72)
    relay.stopped.set()
    thread.join(PATIENCE_SECONDS)
    assert len(seen) == len(set(seen)) == 72
    stored = on_kafka.rows("SELECT key, payload::json->'data'->>'description' AS mark FROM outbox ORDER BY position")
    for subject in {key for key, _ in seen}:
        assert [m for k, m in seen if k == subject] == [row["mark"] for row in stored if row["key"] == subject]


def test_a_second_relay_waits_and_takes_over(on_kafka: ServiceUnderTest) -> None:
    first, first_thread = running(on_kafka)
    wait_until(lambda: first.active)
    second, second_thread = running(on_kafka)
    say(on_kafka, 1, "a")
    assert published(on_kafka, 1) == [(str(UUID(int=1)), "a")]
    assert not second.active
    first.stopped.set()
    first_thread.join(PATIENCE_SECONDS)
    say(on_kafka, 1, "b")
    assert [m for _, m in published(on_kafka, 2)] == ["a", "b"]
    assert second.active
    second.stopped.set()
    second_thread.join(PATIENCE_SECONDS)


def test_a_crash_between_produce_and_mark_repeats_and_loses_nothing(on_kafka: ServiceUnderTest) -> None:
    relay, thread = running(on_kafka)
    say(on_kafka, 1, "a")
    wait_until(lambda: on_kafka.rows("SELECT 1 FROM outbox WHERE published_at IS NOT NULL"))
    relay.stopped.set()
    thread.join(PATIENCE_SECONDS)
    with on_kafka.tx() as tx:
        tx.cursor().execute("UPDATE outbox SET published_at = NULL")  # the mark was lost with the process
    relay, thread = running(on_kafka)
    wait_until(lambda: on_kafka.rows("SELECT 1 FROM outbox WHERE published_at IS NOT NULL"))
    relay.stopped.set()
    thread.join(PATIENCE_SECONDS)
    assert [m for _, m in published(on_kafka, 2)] == ["a", "a"], "the inbox of each reader makes it one"


def test_keys_lie_where_every_kafka_client_puts_them(on_kafka: ServiceUnderTest) -> None:
    """librdkafka's own hash would part one subject over two partitions."""
    producer = kafka.producer(on_kafka.settings.kafka_bootstrap, "test")
    where: list[int] = []
    producer.produce(
        "test.inventory.item", key=b"21", value=b"x", on_delivery=lambda _e, m: where.append(m.partition())
    )
    assert producer.flush(PATIENCE_SECONDS) == 0
    assert where == [murmur2(b"21") % 3]


def murmur2(key: bytes) -> int:
    """Kafka's default hash, written from its published definition, positive."""
    length, seed, m, mask = len(key), 0x9747B28C, 0x5BD1E995, 0xFFFFFFFF
    h = (seed ^ length) & mask
    whole = length - length % 4
    for i in range(0, whole, 4):
        k = int.from_bytes(key[i : i + 4], "little")
        k = (k * m) & mask
        k = ((k ^ (k >> 24)) * m) & mask
        h = ((h * m) & mask) ^ k
    rest = key[whole:]
    if rest:
        h = ((h ^ int.from_bytes(rest, "little")) * m) & mask
    h = ((h ^ (h >> 13)) * m) & mask
    return (h ^ (h >> 15)) & 0x7FFFFFFF


def test_the_consumer_and_the_relay_carry_a_fact_from_topic_to_topic(on_kafka: ServiceUnderTest) -> None:
    relay, relay_thread = running(on_kafka)
    consumer_thread = threading.Thread(target=on_kafka.consumer.run, daemon=True)
    consumer_thread.start()
    for n in range(20):
        say(on_kafka, n + 1, "x")
    wait_until(lambda: on_kafka.rows("SELECT count(*) FROM counters WHERE trail = 'x'")[0]["count"] == 20)
    assert on_kafka.rows("SELECT count(*) FROM inbox")[0]["count"] == 40
    on_kafka.consumer.stopped.set()
    consumer_thread.join(PATIENCE_SECONDS)
    relay.stopped.set()
    relay_thread.join(PATIENCE_SECONDS)
    assert not consumer_thread.is_alive()
    assert not relay_thread.is_alive()


@pytest.mark.timing
def test_a_member_that_comes_back_gets_its_partitions_in_seconds(on_kafka: ServiceUnderTest) -> None:
    """FLOW 5.6: members are static, so a restart costs no session's time-out."""

    def joined() -> kafka.Consumer:
        member = kafka.group_consumer(on_kafka.settings.kafka_bootstrap, "test.toy.static", 0)
        member.subscribe(["test.inventory.item"])
        wait_until(lambda: member.poll(0.1) is None and member.assignment())
        return member

    killed = joined()  # never says goodbye
    begun = time.monotonic()
    back = joined()
    assert time.monotonic() - begun < 8, "less than the session's ten seconds"
    back.close()
    killed.close()


@pytest.mark.parametrize("limit", ["of the client", "of the topic"])
def test_a_record_over_the_limit_is_set_aside_and_what_follows_goes_on(on_kafka: ServiceUnderTest, limit: str) -> None:
    if limit == "of the topic":
        lower_topic_limit(on_kafka, 20_000)
    for subject, mark in ((1, "a"), (2, "b"), (1, "large"), (1, "c"), (2, "d")):
        say(on_kafka, subject, mark)
    with on_kafka.tx() as tx:
        bytes_more = 30_000 if limit == "of the topic" else 1_100_000
        tx.cursor().execute(
            "UPDATE outbox SET payload = payload || repeat(' ', %s) WHERE payload LIKE '%%\"large\"%%'", [bytes_more]
        )
    relay, thread = running(on_kafka)
    wait_until(lambda: not on_kafka.rows("SELECT 1 FROM outbox WHERE published_at IS NULL"))
    relay.stopped.set()
    thread.join(PATIENCE_SECONDS)
    told: dict[str, list[str]] = {}
    for subject, mark in dict.fromkeys(published(on_kafka, 4)):
        told.setdefault(subject, []).append(mark)
    assert told == {str(UUID(int=1)): ["a", "c"], str(UUID(int=2)): ["b", "d"]}
    (letter,) = on_kafka.rows("SELECT reaction, cause, value FROM dead_letters")
    assert (letter["reaction"], letter["cause"]) == ("outbox", "too-large")
    assert (
        bytes(letter["value"]) == on_kafka.rows("SELECT payload FROM outbox ORDER BY position")[2]["payload"].encode()
    )


def lower_topic_limit(on_kafka: ServiceUnderTest, limit: int) -> None:
    entry = ConfigEntry("max.message.bytes", str(limit), incremental_operation=AlterConfigOpType.SET)
    topic = kafka.ConfigResource("topic", f"{WORLD}.inventory.item", incremental_configs=[entry])
    client = kafka.admin(on_kafka.settings.kafka_bootstrap)
    for done in client.incremental_alter_configs([topic]).values():
        done.result()
