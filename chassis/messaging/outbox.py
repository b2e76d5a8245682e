"""Emitted events become outbox rows in the transaction that made them true."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from chassis.ids import time_ordered_id
from chassis.persistence.context import Context
from chassis.persistence.partitions import Days
from chassis.persistence.statements import StatementRunner
from chassis.persistence.store import bulk_insert
from chassis.persistence.tables import ChassisTables
from chassis.runtime import log, trace
from chassis.runtime.clock import machine_now
from schemas.base import Event
from schemas.envelope import Envelope, encode, wrap

CHANNEL = "outbox"


class Emitted(NamedTuple):
    """An event and why it happened."""

    event: Event
    context: Context


def write(
    tx: StatementRunner, tables: ChassisTables, days: Days, emitted: Sequence[Emitted], *, source: str
) -> list[Envelope]:
    """Write one row per event in their order, and hint the relay; returns the envelopes."""
    envelopes = [_envelope(one, source) for one in emitted]
    stored_at = machine_now()
    days.ensure("outbox", [stored_at.date()])
    rows = [
        {
            "event_id": e.id,
            "topic": e.data.event_topic.name,
            "key": e.subject,
            "type": e.type,
            "payload": encode(e).decode(),
            "stored_at": stored_at,
        }
        for e in envelopes
    ]
    bulk_insert(tx.cursor(), tables.outbox, rows)
    tx.sql(f"NOTIFY {CHANNEL}")
    return envelopes


def _envelope(one: Emitted, source: str) -> Envelope:
    context = one.context
    return wrap(
        one.event,
        id=time_ordered_id(),
        source=source,
        recorded_at=context.now,
        correlation_id=context.correlation_id,
        causation_id=context.causation_id,
        cause_kind=context.cause_kind,
        armed_by=context.armed_by,
        armed_kind=context.armed_kind,
        traceparent=trace.child(context.traceparent),
    )


def tell(envelopes: Sequence[Envelope]) -> None:
    """Log one line per fact, after the commit."""
    log.many(
        {
            "event": e.type,
            "event_id": e.id,
            "subject": e.subject,
            "correlation_id": e.correlationid,
            "causation_id": e.causationid,
            "cause_kind": e.causekind,
            "trace_id": trace.trace_id(e.traceparent),
            "occurred_at": e.time,
            "recorded_at": e.recordedtime,
        }
        for e in envelopes
    )
