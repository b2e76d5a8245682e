"""Tables of the chassis; each a function of the service's metadata, so that every database has its own."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)  # fmt: skip
from sqlalchemy.dialects.postgresql import JSONB, UUID


def instant(name: str, *, nullable: bool = False) -> Column[object]:
    """Return a column for an instant in UTC."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


class ChassisTables(NamedTuple):
    """The tables that `chassis_tables` added to a metadata."""

    outbox: Table
    inbox: Table
    dead_letters: Table
    parked_subjects: Table
    attempt_marks: Table
    timers: Table
    idempotency_keys: Table
    effect_attempts: Table
    recorded_sends: Table
    acts: Table
    signals: Table
    world_clock: Table


def _messaging(metadata: MetaData) -> tuple[Table, ...]:
    outbox = Table(
        "outbox", metadata,
        Column("position", BigInteger, Identity(always=True)),
        Column("event_id", UUID, nullable=False), Column("topic", Text, nullable=False), Column("key", Text, nullable=False),
        Column("type", Text, nullable=False), Column("payload", Text, nullable=False),
        instant("stored_at"), instant("published_at", nullable=True), PrimaryKeyConstraint("position", "stored_at"),
        Index("outbox_position_pending", "position", postgresql_where=text("published_at IS NULL")),
        postgresql_partition_by="RANGE (stored_at)",
    )  # fmt: skip
    inbox = Table(
        "inbox", metadata,
        Column("event_id", UUID, nullable=False), Column("reaction", Text, nullable=False), Column("made_on", Date, nullable=False),
        PrimaryKeyConstraint("event_id", "reaction", "made_on"), postgresql_partition_by="RANGE (made_on)",
    )  # fmt: skip
    dead = Table(
        "dead_letters", metadata,
        Column("dead_letter_id", BigInteger, Identity(always=True), primary_key=True),
        Column("topic", Text, nullable=False), Column("partition", Integer, nullable=False), Column("offset", BigInteger, nullable=False),
        Column("reaction", Text, nullable=False), Column("key", Text, nullable=False), Column("type", Text, nullable=False),
        Column("value", LargeBinary, nullable=False), Column("waiting", Boolean, nullable=False), Column("cause", Text, nullable=False),
        Column("detail", Text, nullable=False), Column("attempts", Integer, nullable=False), instant("stored_at"),
        instant("resolved_at", nullable=True), Column("resolution", Text),
        UniqueConstraint("topic", "partition", "offset", "reaction", name="dead_letters_topic_once"),
    )  # fmt: skip
    parked = Table(
        "parked_subjects", metadata,
        Column("topic", Text, nullable=False), Column("key", Text, nullable=False), Column("reaction", Text, nullable=False),
        instant("parked_at"), PrimaryKeyConstraint("topic", "key", "reaction"),
    )  # fmt: skip
    marks = Table(
        "attempt_marks", metadata,
        Column("topic", Text, nullable=False), Column("partition", Integer, nullable=False), Column("offset", BigInteger, nullable=False),
        Column("reaction", Text, nullable=False), instant("marked_at"), PrimaryKeyConstraint("topic", "partition", "offset", "reaction"),
    )  # fmt: skip
    return outbox, inbox, dead, parked, marks


def _time(metadata: MetaData) -> tuple[Table, ...]:
    timers = Table(
        "timers", metadata,
        Column("timer_id", UUID, primary_key=True), Column("name", Text, nullable=False), Column("subject", Text, nullable=False),
        instant("due_at"), Column("rule", JSONB, nullable=False), Column("rule_key", Text, nullable=False), Column("detail", JSONB, nullable=False),
        Column("armed_by", UUID, nullable=False), Column("armed_kind", Text, nullable=False), Column("correlation_id", UUID, nullable=False),
        Column("traceparent", Text), instant("armed_at"), instant("fired_at", nullable=True), instant("disarmed_at", nullable=True),
        Index("timers_due_at_pending", "due_at", postgresql_where=text("fired_at IS NULL AND disarmed_at IS NULL")),
        Index("timers_name_subject_pending", "name", "subject", postgresql_where=text("fired_at IS NULL AND disarmed_at IS NULL")),
    )  # fmt: skip
    clock = Table("world_clock", metadata, Column("one", Boolean, primary_key=True), instant("now"))
    return timers, clock


def _doors(metadata: MetaData) -> tuple[Table, ...]:
    keys = Table(
        "idempotency_keys", metadata,
        Column("key", Text, nullable=False), Column("route", Text, nullable=False), Column("subject", Text, nullable=False),
        Column("content_hash", Text, nullable=False), Column("status", Integer, nullable=False), Column("body", Text, nullable=False), instant("stored_at"),
        PrimaryKeyConstraint("subject", "route", "key"),
    )  # fmt: skip
    acts = Table(
        "acts", metadata,
        Column("act_id", UUID, primary_key=True), Column("act", Text, nullable=False), Column("route", Text, nullable=False),
        Column("subject", Text, nullable=False), Column("role", Text, nullable=False), Column("path", Text, nullable=False),
        Column("body", JSONB), Column("traceparent", Text), instant("recorded_at"), instant("machine_at"),
    )  # fmt: skip
    signals = Table(
        "signals", metadata,
        Column("signal_id", UUID, primary_key=True), Column("door", Text, nullable=False), Column("source", Text, nullable=False),
        Column("key", Text, nullable=False), Column("content_hash", Text, nullable=False), Column("content", JSONB, nullable=False),
        Column("result_id", Text), Column("subject", Text, nullable=False), instant("recorded_at"),
        UniqueConstraint("door", "source", "key", name="signals_door_source_key_once"),
    )  # fmt: skip
    attempts = Table(
        "effect_attempts", metadata,
        Column("effect", Text, nullable=False), Column("key", Text, nullable=False), Column("attempt", Integer, nullable=False),
        Column("outcome", Text), instant("started_at"), instant("ended_at", nullable=True), PrimaryKeyConstraint("effect", "key", "attempt"),
    )  # fmt: skip
    sends = Table(
        "recorded_sends", metadata,
        Column("effect", Text, nullable=False), Column("key", Text, nullable=False), Column("recipient", Text, nullable=False),
        Column("content", JSONB, nullable=False), instant("recorded_at"), PrimaryKeyConstraint("effect", "key"),
    )  # fmt: skip
    return keys, acts, signals, attempts, sends


def chassis_tables(metadata: MetaData) -> ChassisTables:
    """Add the chassis' tables to a service's metadata and return them."""
    outbox, inbox, dead, parked, marks = _messaging(metadata)
    timers, clock = _time(metadata)
    keys, acts, signals, attempts, sends = _doors(metadata)
    return ChassisTables(outbox, inbox, dead, parked, marks, timers, keys, attempts, sends, acts, signals, clock)


def aggregate_version() -> Column[int]:
    """Return the version column that every aggregate's root table has; the unit of work counts it."""
    return Column("version", Integer, nullable=False)
