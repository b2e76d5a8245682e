"""What a world said, read from its outboxes and its topics alone, and whether the two agree."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import psycopg
from confluent_kafka import Consumer, TopicPartition

WAIT_SECONDS = 30.0
SHOWN_MAX = 5


class Stored(NamedTuple):
    """A fact as its service committed it."""

    position: int
    event_id: str
    topic: str
    key: str


class PublishedFact(NamedTuple):
    """A record of a topic."""

    partition: int
    offset: int
    key: str
    event_id: str
    type: str


@dataclass
class Agreement:
    """How outboxes and topics differ; only records told again under their own id are allowed."""

    facts: int = 0
    records: int = 0
    again: int = 0
    lost: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)

    def faults(self) -> list[str]:
        """Say in a sentence each what is wrong."""
        kinds = {
            "facts committed and not on their topic": self.lost,
            "records that no outbox holds": self.unknown,
            "facts before an earlier one of their subject": self.out_of_order,
        }
        return [
            f"{len(found)} {what}: {', '.join(found[:SHOWN_MAX])}{' …' if len(found) > SHOWN_MAX else ''}"
            for what, found in kinds.items()
            if found
        ]


def compare(stored: Iterable[Stored], published: dict[str, Sequence[PublishedFact]]) -> Agreement:
    """Compare what was committed with what was told, topic by topic and subject by subject."""
    said = Agreement()
    by_topic: dict[str, list[Stored]] = {topic: [] for topic in published}
    for row in sorted(stored):
        by_topic.setdefault(row.topic, []).append(row)
    for topic, rows in by_topic.items():
        records = published.get(topic, ())
        place = {row.event_id: row.position for row in rows}
        seen = Counter(record.event_id for record in records)
        said.facts += len(rows)
        said.records += len(records)
        said.again += sum(count - 1 for count in seen.values())
        said.lost += [f"{topic} {row.key} {row.event_id}" for row in rows if row.event_id not in seen]
        said.unknown += [f"{topic}/{r.partition}@{r.offset} {r.event_id}" for r in records if r.event_id not in place]
        said.out_of_order += _out_of_order(topic, records, place)
    return said


def _out_of_order(topic: str, records: Sequence[PublishedFact], place: dict[str, int]) -> list[str]:
    latest: dict[str, int] = {}
    seen: set[str] = set()
    found = []
    for record in sorted(records):
        if record.event_id in seen or record.event_id not in place:
            continue
        seen.add(record.event_id)
        if place[record.event_id] < latest.get(record.key, 0):
            found.append(f"{topic}/{record.partition}@{record.offset} {record.key}")
        latest[record.key] = max(latest.get(record.key, 0), place[record.event_id])
    return found


def stored_facts(database_url: str) -> list[Stored]:
    """Read a service's outbox."""
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT position, event_id::text, topic, key FROM outbox ORDER BY position"
        ).fetchall()
    return [Stored(*row) for row in rows]


def published_facts(bootstrap: str, topics: dict[str, str]) -> dict[str, list[PublishedFact]]:
    """Read topics from their beginning to their end; `topics` is the name on the broker by the registered name."""
    client = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "reads-all.alone", "enable.auto.commit": False, "log_level": 3}
    )
    try:
        return {name: _read(client, topic) for name, topic in topics.items()}
    finally:
        client.close()


def _read(client: Consumer, topic: str) -> list[PublishedFact]:
    known = client.list_topics(topic, timeout=WAIT_SECONDS).topics[topic].partitions
    found = []
    for partition in known:
        first, end = client.get_watermark_offsets(TopicPartition(topic, partition), timeout=WAIT_SECONDS)
        client.assign([TopicPartition(topic, partition, first)])
        at = first
        while at < end:
            messages = client.consume(min(1000, end - at), timeout=WAIT_SECONDS)
            if not messages:
                raise RuntimeError(f"{topic}/{partition} gives nothing at {at}, though it ends at {end}")
            for message in messages:
                if message.error() is not None:
                    raise RuntimeError(str(message.error()))
                at = message.offset() + 1
                found.append(_published_fact(message))
    return found


def _published_fact(message: Any) -> PublishedFact:
    content = json.loads(message.value())
    return PublishedFact(message.partition(), message.offset(), message.key().decode(), content["id"], content["type"])
