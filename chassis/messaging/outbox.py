"""Emitted events become outbox rows in the transaction that made them true."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from chassis.ids import time_ordered_id
from chassis.persistence.store import bulk_insert
from chassis.persistence.tables import ChassisTables
from chassis.runtime import log, trace
from chassis.runtime.clock import machine_now
from schemas.base import Event
from schemas.envelope import CauseOfFact, Envelope, encode, wrap

if TYPE_CHECKING:
    from chassis.persistence.database import Tx

CHANNEL = "outbox"
NOBODY = UUID(int=0)


class Context(NamedTuple):
    """Why and when this work happens: what its events will name as their cause (FLOW 4.2)."""

    correlation_id: UUID
    causation_id: UUID
    cause_kind: CauseOfFact
    now: datetime
    armed_by: UUID | None = None
    armed_kind: CauseOfFact | None = None
    traceparent: str | None = None
    heard: Envelope | None = None  # inside a reaction: the fact itself, with its own cause and source


def nobodys(kind: CauseOfFact) -> Callable[[datetime], Context]:
    """Return the context of work that itself causes nothing: what is in it says its own cause."""
    return lambda now: Context(NOBODY, NOBODY, kind, now)


class Emitted(NamedTuple):
    """An event and why it happened."""

    event: Event
    context: Context


def write(tx: Tx, tables: ChassisTables, emitted: Sequence[Emitted], *, source: str) -> list[Envelope]:
    """Write one row per event in their order, and hint the relay; returns the envelopes."""
    envelopes = [_envelope(one, source) for one in emitted]
    stored_at = machine_now()
    tx.database.days.ensure("outbox", [stored_at.date()])
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
