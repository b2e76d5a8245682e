"""Read and set the offsets of consumer groups, and add partitions to a topic. No service does any of this."""

from __future__ import annotations

from chassis.messaging import kafka


def committed(
    client: kafka.AdminClient, group: str, partitions: list[kafka.TopicPartition]
) -> dict[tuple[str, int], int]:
    """Return the offset that a group has committed of each partition, 0 where none."""
    asked = client.list_consumer_group_offsets(
        [kafka.ConsumerGroupTopicPartitions(group, partitions)], request_timeout=kafka.ASK_SECONDS_MAX
    )
    return {(tp.topic, tp.partition): max(tp.offset, 0) for tp in asked[group].result().topic_partitions}


def commit_for(client: kafka.AdminClient, group: str, places: list[kafka.TopicPartition]) -> None:
    """Set the offsets of a group without members; raises KafkaException, which is reported per partition only."""
    (asked,) = client.alter_consumer_group_offsets([kafka.ConsumerGroupTopicPartitions(group, places)]).values()
    for place in asked.result().topic_partitions:
        if place.error is not None:
            raise kafka.KafkaException(place.error)


def grow(client: kafka.AdminClient, topic: str, partitions: int) -> None:
    """Give a topic more partitions; whoever calls this keeps the order of subjects, as tools/grow_topic does."""
    client.create_partitions([kafka.NewPartitions(topic, partitions)], operation_timeout=kafka.ASK_SECONDS_MAX)[
        topic
    ].result()
