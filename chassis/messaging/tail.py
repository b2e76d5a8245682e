"""Follow topics from given offsets without a group: live streams, `watch`. The vector of offsets is the place to resume."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from chassis.messaging import kafka
from chassis.runtime import log
from schemas.envelope import Envelope, UnknownEvent, decode

POLL_SECONDS = 0.1
BATCH_MAX = 500
GROWTH_SECONDS = 5.0
GROWTH_ASK_SECONDS_MAX = 1.0  # nothing is read meanwhile
TopicPartition = tuple[str, int]  # registered topic, partition


class Seen(NamedTuple):
    """One record of a followed topic; `next` is the offset after it."""

    topic: str
    partition: int
    next: int
    envelope: Envelope
    value: bytes


class Tail:
    """Follows topics of one world until stopped."""

    def __init__(self, bootstrap: str, world: str, topics: Sequence[str], client_id: str) -> None:
        self._bootstrap, self._prefix, self._topics, self._client_id = bootstrap, f"{world}.", topics, client_id
        self.stopped = threading.Event()
        self.places: dict[TopicPartition, int] = {}  # where it stands, past records too that nobody can read

    def partitions(self) -> list[kafka.TopicPartition]:
        """Return every partition of the followed topics; raises KafkaException where one is not there (yet)."""
        client = kafka.admin(self._bootstrap)
        found: list[kafka.TopicPartition] = []
        for topic in self._topics:
            name = self._prefix + topic
            metadata = client.list_topics(name, timeout=kafka.ASK_SECONDS_MAX).topics[name]
            if metadata.error is not None or not metadata.partitions:
                raise kafka.KafkaException(metadata.error or kafka.KafkaError(kafka.KafkaError.UNKNOWN_TOPIC_OR_PART))
            found += [kafka.TopicPartition(name, p) for p in sorted(metadata.partitions)]
        return found

    def ends(self, *, first: bool = False) -> dict[TopicPartition, int]:
        """Return the end offset of each partition now; `first`: of the oldest record that is kept."""
        found = kafka.ends(kafka.admin(self._bootstrap), self.partitions(), first=first)
        return {(topic.removeprefix(self._prefix), partition): offset for (topic, partition), offset in found.items()}

    def follow(self, start: Mapping[TopicPartition, int]) -> Iterator[Seen | None]:
        """Yield records from these offsets on, and None whenever there is nothing for a moment; ends when stopped.

        Partitions that a topic gains meanwhile are read from their beginning.
        """
        consumer, client = kafka.lone_consumer(self._bootstrap, self._client_id), None
        places = self.partitions()
        for place in places:
            place.offset = start.get((place.topic.removeprefix(self._prefix), place.partition), 0)
        consumer.assign(places)
        compare_at = time.monotonic() + GROWTH_SECONDS
        try:
            while not self.stopped.is_set():
                if time.monotonic() >= compare_at:
                    client = client or kafka.admin(self._bootstrap)  # most readers that catch up have ended before
                    if added := self._added(client, places):
                        consumer.incremental_assign(added)
                        places += added
                    compare_at = time.monotonic() + GROWTH_SECONDS
                first = consumer.poll(POLL_SECONDS)
                if first is None:
                    yield None
                    continue
                for message in [first, *consumer.consume(BATCH_MAX - 1, timeout=0)]:
                    if (seen := self._seen(message)) is not None:
                        yield seen
        finally:
            consumer.close()

    def _added(self, client: kafka.AdminClient, places: Sequence[kafka.TopicPartition]) -> list[kafka.TopicPartition]:
        """Return the partitions of the followed topics that are not among these; none while no broker answers."""
        names, followed = [self._prefix + topic for topic in self._topics], {(p.topic, p.partition) for p in places}
        try:
            counts = kafka.partition_counts(client, names, seconds=GROWTH_ASK_SECONDS_MAX)
        except kafka.KafkaException as error:
            log.get().warning("tail.partitions_unknown", detail=str(error)[:300])
            return []
        added = [(name, number) for name, count in counts.items() for number in range(count)]
        return [kafka.TopicPartition(*place, 0) for place in added if place not in followed]

    def _seen(self, message: kafka.Message) -> Seen | None:
        if message.error() is not None:
            log.get().warning("tail.poll_failed", detail=str(message.error()))
            return None
        place = ((message.topic() or "").removeprefix(self._prefix), message.partition() or 0)
        self.places[place] = (message.offset() or 0) + 1
        value = message.value() or b""
        try:
            envelope = decode(value, kafka.header(message, kafka.TYPE_HEADER))
        except (UnknownEvent, ValueError) as error:
            where = {"topic": message.topic(), "offset": message.offset()}
            log.get().warning("tail.unreadable", **where, detail=str(error)[:300])
            return None
        return Seen(*place, self.places[place], envelope, value)
