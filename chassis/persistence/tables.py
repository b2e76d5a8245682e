"""Tables of the chassis; each a function of the service's metadata, so that every database has its own."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Column, MetaData, Table
from sqlalchemy.dialects.postgresql import JSONB, UUID


def instant(name: str, *, nullable: bool = False) -> Column[Any]:
    """Return a column for an instant in UTC."""
    return Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _needed(kind: Any, *names: str) -> list[Column[Any]]:
    return [Column(name, kind, nullable=False) for name in names]


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


def chassis_tables(metadata: MetaData) -> ChassisTables:
    """Add the chassis' tables to a service's metadata and return them."""
    pending = sa.text("fired_at IS NULL AND disarmed_at IS NULL")
    outbox = Table(
        "outbox", metadata, Column("position", sa.BigInteger, sa.Identity(always=True), nullable=False), *_needed(UUID, "event_id"),
        *_needed(sa.Text, "topic", "key", "type", "payload"), instant("stored_at"), instant("published_at", nullable=True),
        postgresql_partition_by="RANGE (stored_at)",
    )  # fmt: skip
    sa.Index("outbox_position_pending", outbox.c.position, postgresql_where=sa.text("published_at IS NULL"))
    inbox = Table(
        "inbox", metadata, *_needed(UUID, "event_id"), *_needed(sa.Text, "reaction"), *_needed(sa.Date, "made_on"),
        sa.PrimaryKeyConstraint("event_id", "reaction", "made_on"), postgresql_partition_by="RANGE (made_on)",
    )  # fmt: skip
    dead_letters = Table(
        "dead_letters", metadata, Column("dead_letter_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        *_needed(sa.Text, "topic"), *_needed(sa.Integer, "partition"), *_needed(sa.BigInteger, "offset"), *_needed(sa.Text, "reaction", "key", "type"),
        *_needed(sa.LargeBinary, "value"), *_needed(sa.Boolean, "waiting"), *_needed(sa.Text, "cause", "detail"), *_needed(sa.Integer, "attempts"),
        instant("stored_at"), instant("resolved_at", nullable=True), Column("resolution", sa.Text),
        sa.UniqueConstraint("topic", "partition", "offset", "reaction", name="dead_letters_topic_once"),
    )  # fmt: skip
    parked_subjects = Table(
        "parked_subjects", metadata, *_needed(sa.Text, "topic", "key", "reaction"), instant("parked_at"),
        sa.PrimaryKeyConstraint("topic", "key", "reaction"),
    )  # fmt: skip
    attempt_marks = Table(
        "attempt_marks", metadata, *_needed(sa.Text, "topic"), *_needed(sa.Integer, "partition"), *_needed(sa.BigInteger, "offset"),
        *_needed(sa.Text, "reaction"), instant("marked_at"), sa.PrimaryKeyConstraint("topic", "partition", "offset", "reaction"),
    )  # fmt: skip
    timers = Table(
        "timers", metadata, Column("timer_id", UUID, primary_key=True), *_needed(sa.Text, "name", "subject"), instant("due_at"),
        *_needed(JSONB, "rule"), *_needed(sa.Text, "rule_key"), *_needed(JSONB, "detail"), *_needed(UUID, "armed_by"), *_needed(sa.Text, "armed_kind"),
        *_needed(UUID, "correlation_id"), Column("traceparent", sa.Text), instant("armed_at"), instant("fired_at", nullable=True),
        instant("disarmed_at", nullable=True), sa.Index("timers_due_at_pending", "due_at", postgresql_where=pending),
        sa.Index("timers_name_subject_pending", "name", "subject", postgresql_where=pending),
    )  # fmt: skip
    idempotency_keys = Table(
        "idempotency_keys", metadata, *_needed(sa.Text, "key", "route", "subject", "content_hash"), *_needed(sa.Integer, "status"),
        *_needed(sa.Text, "body"), instant("stored_at"), sa.PrimaryKeyConstraint("subject", "route", "key"),
    )  # fmt: skip
    effect_attempts = Table(
        "effect_attempts", metadata, *_needed(sa.Text, "effect", "key"), *_needed(sa.Integer, "attempt"), Column("outcome", sa.Text),
        instant("started_at"), instant("ended_at", nullable=True), sa.PrimaryKeyConstraint("effect", "key", "attempt"),
    )  # fmt: skip
    recorded_sends = Table(
        "recorded_sends", metadata, *_needed(sa.Text, "effect", "key", "recipient"), *_needed(JSONB, "content"), instant("recorded_at"),
        sa.PrimaryKeyConstraint("effect", "key"),
    )  # fmt: skip
    acts = Table(
        "acts", metadata, Column("act_id", UUID, primary_key=True), *_needed(sa.Text, "act", "route", "subject", "role", "path"),
        Column("body", JSONB), Column("traceparent", sa.Text), instant("recorded_at"), instant("machine_at"),
    )  # fmt: skip
    signals = Table(
        "signals", metadata, Column("signal_id", UUID, primary_key=True), *_needed(sa.Text, "door", "source", "key", "content_hash"),
        *_needed(JSONB, "content"), Column("result_id", sa.Text), *_needed(sa.Text, "subject"), instant("recorded_at"),
        sa.UniqueConstraint("door", "source", "key", name="signals_door_source_key_once"),
    )  # fmt: skip
    world_clock = Table("world_clock", metadata, Column("one", sa.Boolean, primary_key=True), instant("now"))
    return ChassisTables(
        outbox, inbox, dead_letters, parked_subjects, attempt_marks, timers, idempotency_keys, effect_attempts, recorded_sends, acts, signals, world_clock
    )  # fmt: skip


def aggregate_version() -> Column[int]:
    """Return the version column that every aggregate's root table has; the unit of work counts it."""
    return Column("version", sa.Integer, nullable=False)
