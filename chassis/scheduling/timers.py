"""Due times as rows; the only scheduler. A timer names the fact that armed it, so that `why` walks through it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from chassis.ids import derived_id
from chassis.persistence.context import Context
from chassis.persistence.statements import StatementRunner
from chassis.persistence.store import bulk_insert
from chassis.persistence.tables import ChassisTables
from chassis.runtime.clock import machine_now

SOON = timedelta(seconds=1)  # a timer set for within this time wakes who fires it


class Change(NamedTuple):
    """One timer set (`due_at`) or taken back (None)."""

    name: str
    subject: str
    due_at: datetime | None
    rule: dict[str, Any]
    rule_key: str
    detail: dict[str, Any]
    context: Context


class Timer(NamedTuple):
    """A timer that fires: given to its reaction."""

    timer_id: UUID
    name: str
    subject: str
    due_at: datetime
    rule: dict[str, Any]
    detail: dict[str, Any]
    armed_by: UUID
    armed_kind: str
    correlation_id: UUID
    traceparent: str | None


def write(tx: StatementRunner, tables: ChassisTables, changes: Sequence[Change]) -> None:
    """Write what the transaction armed and disarmed; the last word on a (name, subject) counts."""
    last = {(c.name, c.subject): c for c in changes}
    tx.sql(
        "UPDATE timers SET disarmed_at = %s FROM unnest(%b::text[], %b::text[]) AS n(name, subject)"
        " WHERE timers.name = n.name AND timers.subject = n.subject AND fired_at IS NULL AND disarmed_at IS NULL",
        machine_now(),
        [name for name, _ in last],
        [subject for _, subject in last],
    )
    armed = [c for c in last.values() if c.due_at is not None]
    if not armed:
        return
    rows = [
        {
            "timer_id": derived_id(
                "timer", c.name, c.subject, c.due_at.isoformat() if c.due_at else "", c.detail.get("again", "")
            ),
            "name": c.name,
            "subject": c.subject,
            "due_at": c.due_at,
            "rule": c.rule,
            "rule_key": c.rule_key,
            "detail": c.detail,
            "armed_by": c.context.causation_id,
            "armed_kind": c.context.cause_kind,
            "correlation_id": c.context.correlation_id,
            "traceparent": c.context.traceparent,
            "armed_at": c.context.now,
        }
        for c in armed
    ]
    bulk_insert(
        tx.cursor(),
        tables.timers,
        rows,
        on_conflict="ON CONFLICT (timer_id) DO UPDATE SET disarmed_at = NULL, armed_by = EXCLUDED.armed_by, armed_kind = EXCLUDED.armed_kind,"
        " correlation_id = EXCLUDED.correlation_id, rule = EXCLUDED.rule, rule_key = EXCLUDED.rule_key, detail = EXCLUDED.detail, armed_at = EXCLUDED.armed_at"
        " WHERE timers.fired_at IS NULL",
    )


_FIELDS = "timer_id, name, subject, due_at, rule, detail, armed_by, armed_kind, correlation_id, traceparent"


def claim_due(tx: StatementRunner, names: Sequence[str], now: datetime, limit: int) -> list[Timer]:
    """Lock the earliest due timers of these names, skipping those that another process holds."""
    rows = tx.sql(
        f"SELECT {_FIELDS} FROM timers WHERE due_at <= %s AND fired_at IS NULL AND disarmed_at IS NULL AND name = ANY(%s)"
        " ORDER BY due_at, timer_id LIMIT %s FOR UPDATE SKIP LOCKED",
        now,
        list(names),
        limit,
    )
    return [Timer(**row) for row in rows.fetchall()]


def mark_fired(tx: StatementRunner, fired: Sequence[Timer], at: datetime) -> None:
    """Store that these timers have fired, at this world time."""
    tx.sql("UPDATE timers SET fired_at = %s WHERE timer_id = ANY(%s)", at, [t.timer_id for t in fired])


def pending_with_rule(tx: StatementRunner, rule_key: str) -> list[Timer]:
    """Return the pending timers whose rule hangs on this key (a calendar's code, say), locked, so that they can be armed again."""
    pending = "rule_key = %s AND fired_at IS NULL AND disarmed_at IS NULL ORDER BY timer_id FOR UPDATE"
    return [Timer(**row) for row in tx.sql(f"SELECT {_FIELDS} FROM timers WHERE {pending}", rule_key).fetchall()]
