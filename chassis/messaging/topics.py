"""Create or check topics from the register, the world's prefix included. Broker auto-creation stays off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chassis.messaging import kafka
from schemas.topics import Topic

_TIMEOUT_SECONDS = 30.0
TYPE_HEADER = kafka.TYPE_HEADER


class WrongTopics(RuntimeError):
    """A topic stands on the broker otherwise than the register says."""


def wanted(world: str, topics: Iterable[Topic], *, partitions: int | None, replication: int) -> list[kafka.NewTopic]:
    """Return the topics of a world as the register says them."""
    return [
        kafka.NewTopic(f"{world}.{t.name}", partitions or t.partitions, replication, config=_config(t, replication))
        for t in topics
    ]


def _config(topic: Topic, replication: int) -> dict[str, str]:
    return {
        "cleanup.policy": "compact" if topic.compacted else "delete",
        "retention.ms": str(topic.retention_days * 86_400_000),
        "min.insync.replicas": str(max(1, replication - 1)),
        "max.message.bytes": str(kafka.TOPIC_BYTES_MAX),
    }


def apply(bootstrap: str, topics: Sequence[kafka.NewTopic]) -> list[str]:
    """Create what is missing and check what stands; returns the names made. Raises WrongTopics."""
    client = kafka.admin(bootstrap)
    standing = client.list_topics(timeout=_TIMEOUT_SECONDS).topics
    missing = [t for t in topics if t.topic not in standing]
    wrong = [
        f"{t.topic}: {len(standing[t.topic].partitions)} partitions, register says {t.num_partitions}"
        for t in topics
        if t.topic in standing and len(standing[t.topic].partitions) < t.num_partitions
    ]
    if wrong:
        raise WrongTopics("; ".join(wrong) + "; `python -m tools.grow_topic` grows them, or drop the world")
    if missing:
        for future in client.create_topics(missing, operation_timeout=_TIMEOUT_SECONDS).values():
            _done(future, kafka.KafkaError.TOPIC_ALREADY_EXISTS)
    return [t.topic for t in missing]


def drop(bootstrap: str, world: str) -> list[str]:
    """Delete every topic of a world, the stream's internal ones included; returns their names."""
    client = kafka.admin(bootstrap)
    names = [name for name in client.list_topics(timeout=_TIMEOUT_SECONDS).topics if name.startswith(f"{world}.")]
    if names:
        for future in client.delete_topics(names, operation_timeout=_TIMEOUT_SECONDS).values():
            _done(future, kafka.KafkaError.UNKNOWN_TOPIC_OR_PART)
    return names


def _done(future: object, harmless: int) -> None:
    try:
        future.result()  # type: ignore[attr-defined]  # the client's futures are untyped
    except kafka.KafkaException as error:
        if error.args[0].code() != harmless:
            raise


def standing(bootstrap: str, names: Iterable[str]) -> dict[str, int]:
    """Return how many partitions each of these topics has; a topic that does not stand is left out."""
    found = kafka.admin(bootstrap).list_topics(timeout=_TIMEOUT_SECONDS).topics
    return {name: len(found[name].partitions) for name in names if name in found}


class Ends:
    """Where topics end, asked of the broker: for processes that consume with another client than ours."""

    def __init__(self, bootstrap: str) -> None:
        self._client = kafka.admin(bootstrap)

    def of(self, topic: str, partitions: Iterable[int]) -> dict[int, int]:
        """Return the end offset of each of these partitions."""
        asked = [kafka.TopicPartition(topic, partition) for partition in partitions]
        found = kafka.ends(self._client, asked) if asked else {}
        return {partition: end for (_, partition), end in found.items()}
