"""Producers, consumers and admin clients built from settings; the only import of confluent_kafka."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)  # fmt: skip
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # the package re-exports without saying so
    AdminClient,
    ConfigResource,
    NewTopic,
    OffsetSpec,
)

TYPE_HEADER = "ce_type"
RECORD_BYTES_MAX = 1_000_000  # of a record as it is produced; a topic takes a little more, for its frame
TOPIC_BYTES_MAX = 1_048_588
_LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # untyped in the package
_EARLIEST = OffsetSpec.earliest()  # type: ignore[no-untyped-call]  # untyped in the package


def producer(bootstrap: str, client_id: str) -> Producer:
    """Return an idempotent producer, acks=all, that hashes keys as every Kafka client but librdkafka does."""
    return Producer(
        {
            "bootstrap.servers": bootstrap, "client.id": client_id, "enable.idempotence": True, "acks": "all",
            "partitioner": "murmur2_random", "linger.ms": 0, "message.timeout.ms": 120_000,
            "queue.buffering.max.messages": 100_000, "allow.auto.create.topics": False, "log_level": 3,
            "message.max.bytes": RECORD_BYTES_MAX,
        }
    )  # fmt: skip


def is_too_large(error: KafkaError) -> bool:
    """Tell whether a record was refused for its size, which no repeating mends."""
    return bool(error.code() == KafkaError.MSG_SIZE_TOO_LARGE)


def group_consumer(bootstrap: str, group: str, instance: int) -> Consumer:
    """Return a group member that is static, so that a restart costs seconds (FLOW 5.6), and commits only when told."""
    return Consumer(
        {
            "bootstrap.servers": bootstrap, "group.id": group, "group.instance.id": f"{group}.{instance}",
            "client.id": f"{group}.{instance}", "enable.auto.commit": False, "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest", "partition.assignment.strategy": "range", "session.timeout.ms": 10_000,
            "heartbeat.interval.ms": 2_000, "max.poll.interval.ms": 300_000, "fetch.wait.max.ms": 100,
            "fetch.queue.backoff.ms": 10, "allow.auto.create.topics": False, "topic.metadata.refresh.interval.ms": 30_000, "log_level": 3,
        }
    )  # fmt: skip


def lone_consumer(bootstrap: str, client_id: str) -> Consumer:
    """Return a consumer without a group, for following topics from given offsets."""
    return Consumer(
        {
            "bootstrap.servers": bootstrap, "group.id": f"{client_id}.alone", "client.id": client_id, "enable.auto.commit": False,
            "auto.offset.reset": "earliest", "fetch.wait.max.ms": 100, "fetch.queue.backoff.ms": 10, "log_level": 3,
        }
    )  # fmt: skip


def admin(bootstrap: str) -> AdminClient:
    """Return an admin client."""
    return AdminClient({"bootstrap.servers": bootstrap, "log_level": 3})


def ends(
    client: AdminClient, partitions: list[TopicPartition], timeout_seconds: float = 5.0, *, first: bool = False
) -> dict[tuple[str, int], int]:
    """Return the end offset of each partition, asked of the broker in one call; `first`: of the oldest record kept."""
    asked = client.list_offsets(
        dict.fromkeys(partitions, _EARLIEST if first else _LATEST), request_timeout=timeout_seconds
    )
    return {(tp.topic, tp.partition): future.result().offset for tp, future in asked.items()}


def known_ends(client: Consumer, positions: Mapping[tuple[str, int], int]) -> dict[tuple[str, int], int]:
    """Return the ends of partitions as the client's last fetch told them: cheap, and late by a moment.

    To be asked by the thread that polls: another one that asks while it polls stands still for ever.
    """
    ends: dict[tuple[str, int], int] = {}
    for (topic, partition), position in list(positions.items()):
        marks = client.get_watermark_offsets(TopicPartition(topic, partition), cached=True)
        ends[topic, partition] = max(marks[1], position) if marks else position
    return ends


def header(message: Message, name: str) -> str | None:
    """Return one header of a record as text."""
    headers: Any = message.headers() or ()
    for key, value in headers:
        if key == name and value is not None:
            text: Any = value
            return text.decode() if isinstance(text, bytes) else str(text)
    return None


__all__ = [
    "OFFSET_BEGINNING",
    "OFFSET_END",
    "TYPE_HEADER",
    "AdminClient",
    "ConfigResource",
    "Consumer",
    "ConsumerGroupState",
    "ConsumerGroupTopicPartitions",
    "KafkaError",
    "KafkaException",
    "Message",
    "NewTopic",
    "Producer",
    "TopicPartition",
    "admin",
    "ends",
    "group_consumer",
    "header",
    "is_too_large",
    "known_ends",
    "lone_consumer",
    "producer",
]  # fmt: skip
