"""Producers, consumers and admin clients built from settings; the only import of confluent_kafka."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# isort: off
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
    TopicCollection,
    TopicPartition,
)

# isort: on
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic, OffsetSpec  # type: ignore[attr-defined]  # re-exported unsaid

TYPE_HEADER = "ce_type"
ASK_SECONDS_MAX = 10.0  # for what a broker that is there answers at once
ENDS_SECONDS_MAX = 5.0
SEND_MS_MAX = 120_000
SENDING_MAX = 100_000
SESSION_MS, HEARTBEAT_MS, POLL_MS_MAX = 10_000, 2_000, 300_000
FETCH_WAIT_MS_MAX, FETCH_BACKOFF_MS, METADATA_MS = 500, 10, 30_000
ADMIN_METADATA_MS = 2_000  # what a client remembers of a topic; librdkafka's own 15 minutes hide added partitions
RECORD_BYTES_MAX = 1_000_000  # of a record as it is produced; a topic takes a little more, for its frame
TOPIC_BYTES_MAX = 1_048_588
_READING: dict[str, str | int | bool] = {
    "enable.auto.commit": False,
    "auto.offset.reset": "earliest",
    "fetch.wait.max.ms": FETCH_WAIT_MS_MAX,
    "fetch.queue.backoff.ms": FETCH_BACKOFF_MS,
    "allow.auto.create.topics": False,
    "log_level": 3,
}
_LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # untyped in the package
_EARLIEST = OffsetSpec.earliest()  # type: ignore[no-untyped-call]  # untyped in the package


def producer(bootstrap: str, client_id: str) -> Producer:
    """Return an idempotent producer, acks=all, that hashes keys as every Kafka client but librdkafka does."""
    return Producer(
        {
            "bootstrap.servers": bootstrap,
            "client.id": client_id,
            "enable.idempotence": True,
            "acks": "all",
            "partitioner": "murmur2_random",
            "linger.ms": 0,
            "message.timeout.ms": SEND_MS_MAX,
            "queue.buffering.max.messages": SENDING_MAX,
            "allow.auto.create.topics": False,
            "log_level": 3,
            "message.max.bytes": RECORD_BYTES_MAX,
        }
    )


def is_too_large(error: KafkaError) -> bool:
    """Tell whether a record was refused for its size, which no repeating mends."""
    return bool(error.code() == KafkaError.MSG_SIZE_TOO_LARGE)


def group_consumer(bootstrap: str, group: str, instance: int) -> Consumer:
    """Return a group member that is static, so that a restart costs seconds (FLOW 5.6), and commits only when told."""
    return Consumer(
        {
            **_READING,
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "group.instance.id": f"{group}.{instance}",
            "client.id": f"{group}.{instance}",
            "enable.auto.offset.store": False,
            "partition.assignment.strategy": "range",
            "session.timeout.ms": SESSION_MS,
            "heartbeat.interval.ms": HEARTBEAT_MS,
            "max.poll.interval.ms": POLL_MS_MAX,
            "topic.metadata.refresh.interval.ms": METADATA_MS,
        }
    )


def is_final(error: KafkaError) -> bool:
    """Say whether a client hears nothing any more: one that was fenced says so by the code alone, and `fatal()` denies it."""
    return error.fatal() or error.code() == KafkaError._FATAL


def lone_consumer(bootstrap: str, client_id: str) -> Consumer:
    """Return a consumer without a group, for following topics from given offsets."""
    return Consumer(
        {**_READING, "bootstrap.servers": bootstrap, "group.id": f"{client_id}.alone", "client.id": client_id}
    )


def admin(bootstrap: str) -> AdminClient:
    """Return an admin client; one that is held knows of added partitions after ADMIN_METADATA_MS."""
    return AdminClient({"bootstrap.servers": bootstrap, "log_level": 3, "metadata.max.age.ms": ADMIN_METADATA_MS})


def partition_counts(client: AdminClient, topics: Sequence[str], *, seconds: float = ASK_SECONDS_MAX) -> dict[str, int]:
    """Return how many partitions each of these topics has; one that does not exist is left out.

    Raises KafkaException when no broker answers within so many seconds. Only these topics are asked for: a cluster may have thousands.
    """
    answers = client.describe_topics(TopicCollection(list(topics)), request_timeout=seconds)
    counts: dict[str, int] = {}
    for name, answer in answers.items():
        try:
            counts[name] = len(answer.result().partitions)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise
    return counts


def rejoin(client: Consumer, topics: Sequence[str], **callbacks: Any) -> None:
    """Make a member leave its group and join anew, which starts a rebalance; its partitions are revoked first.

    For the thread that polls. Closing the client would not do: a static member leaves only when it unsubscribes.
    """
    client.unsubscribe()
    client.subscribe(list(topics), **callbacks)


def ends(client: AdminClient, partitions: list[TopicPartition], *, first: bool = False) -> dict[tuple[str, int], int]:
    """Return the end offset of each partition, asked of the broker in one call; `first`: of the oldest record kept."""
    wanted = dict.fromkeys(partitions, _EARLIEST if first else _LATEST)
    asked = client.list_offsets(wanted, request_timeout=ENDS_SECONDS_MAX)
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
    found = next((value for key, value in headers if key == name and value is not None), None)
    return found.decode(errors="replace") if isinstance(found, bytes) else found


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
    "NewPartitions",
    "NewTopic",
    "Producer",
    "TopicPartition",
    "admin",
    "ends",
    "group_consumer",
    "header",
    "is_final",
    "is_too_large",
    "known_ends",
    "lone_consumer",
    "partition_counts",
    "producer",
    "rejoin",
]
