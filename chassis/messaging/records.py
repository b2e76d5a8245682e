"""Record: one Kafka message as the consumer, the effects and the dead letters pass it on."""

from __future__ import annotations

from typing import NamedTuple

from chassis.messaging import kafka
from chassis.messaging.reactions import Reaction
from schemas.envelope import Envelope


def storable_text(text: str) -> str:
    """Return text that PostgreSQL stores: without NUL, without halves of characters. Who sends poison may send both."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()


class Record(NamedTuple):
    """One Kafka record and what it says; `envelope` is None where the bytes could not be read."""

    topic: str  # as registered
    partition: int
    offset: int
    key: str
    type: str
    value: bytes
    envelope: Envelope | None
    fault: str = ""

    @property
    def place(self) -> tuple[str, int, int]:
        return (self.topic, self.partition, self.offset)


def record_of(message: kafka.Message, topic: str, name: str, envelope: Envelope | None, fault: str = "") -> Record:
    """Return a message of a registered topic as a record, with nothing in it that PostgreSQL cannot store."""
    key, name, fault = map(storable_text, ((message.key() or b"").decode(errors="replace"), name, fault))
    return Record(
        topic, message.partition() or 0, message.offset() or 0, key, name, message.value() or b"", envelope, fault
    )


Pair = tuple[Record, Reaction]
