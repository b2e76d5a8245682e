"""Why a fact happened and what came of it (FLOW 4.2): the causal record, walked through events and timers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from chassis.errors import NotFound
from chassis.http.auth import Actor
from chassis.persistence.database import ReadTx
from services.scorecard.queries.velocity import scope_of

STEPS_MAX = 100
_COLUMNS = (
    "f.fact_id, f.type, f.source, f.subject, f.occurred_at, f.recorded_at, f.correlation_id, f.cause_id, f.cause_kind,"
    " f.armed_by, f.armed_kind, f.traceparent"
)
# What led to a fact: the event that caused it, or the one that armed the timer that caused it.
_PARENT = "CASE WHEN {0}.cause_kind = 'event' THEN {0}.cause_id WHEN {0}.cause_kind = 'timer' AND {0}.armed_kind = 'event' THEN {0}.armed_by END"


def must_see_fact(read: ReadTx, actor: Actor, fact_id: UUID) -> None:
    """Raise NotFound where a reader with a part of the sites or customers asks about anything but a fact of a case in it."""
    if actor.sees_all:
        return
    row = read.row(text("SELECT sites, customers FROM case_facts WHERE fact_id = :id"), {"id": fact_id})
    if row is None or not actor.sees_any(sites=row.sites, customers=row.customers):
        raise _unknown(fact_id)


def _unknown(fact_id: UUID) -> NotFound:
    return NotFound(f"no fact {fact_id} is recorded here; it may still be on its way, or check the id")


def causes_of_fact(read: ReadTx, fact_id: UUID) -> Sequence[Row[Any]]:
    """Return a fact, the fact that led to it, and so on; the last one's cause is no fact, or unknown. Raises NotFound."""
    rows = read.rows(
        text(
            f"WITH RECURSIVE why AS (SELECT {_COLUMNS}, 1 AS step FROM facts f WHERE f.fact_id = :id"
            f" UNION ALL SELECT {_COLUMNS}, w.step + 1 FROM why w JOIN facts f ON f.fact_id = {_PARENT.format('w')}"
            " WHERE w.step < :most) SELECT * FROM why ORDER BY step"
        ),
        {"id": fact_id, "most": STEPS_MAX},
    )
    if not rows:
        raise _unknown(fact_id)
    return rows


def facts_by_id(read: ReadTx, fact_ids: Sequence[UUID]) -> Sequence[Row[Any]]:
    """Return the causal records of these facts: one level of a walk of many at once."""
    return read.rows(
        text(f"SELECT {_COLUMNS} FROM facts f WHERE f.fact_id = ANY(:ids) ORDER BY f.fact_id"), {"ids": list(fact_ids)}
    )


def facts_by_type(
    read: ReadTx, actor: Actor, kind: str, *, subject: str | None = None, after: UUID | None, limit: int
) -> Sequence[Row[Any]]:
    """Return the causal records of one kind of fact, of one subject where one is told, by id: where a walk starts.

    A reader limited to some sites or customers gets only facts of cases in that scope.
    """
    seen = (
        "EXISTS (SELECT 1 FROM case_facts c WHERE c.fact_id = f.fact_id"
        " AND (CAST(:sites AS text[]) IS NULL OR c.sites ?| CAST(:sites AS text[]))"
        " AND (CAST(:customers AS text[]) IS NULL OR c.customers ?| CAST(:customers AS text[])))"
    )
    return read.rows(
        text(
            f"SELECT {_COLUMNS} FROM facts f WHERE f.type = :kind AND (CAST(:after AS uuid) IS NULL OR f.fact_id > :after)"
            + ("" if subject is None else " AND f.subject = :subject")
            + ("" if actor.sees_all else f" AND {seen}")
            + " AND (CAST(:subject AS text) IS NULL OR f.subject = :subject) ORDER BY f.fact_id LIMIT :limit"
        ),
        {
            "kind": kind,
            "after": after,
            "limit": limit,
            "subject": subject,
            **({} if actor.sees_all else scope_of(actor)),
        },
    )


def consequences(read: ReadTx, cause_id: UUID, *, limit: int) -> Sequence[Row[Any]]:
    """Return everything that followed from a fact, an act, a signal or a timer, nearest first."""
    return read.rows(
        text(
            f"WITH RECURSIVE what AS ("
            f" SELECT {_COLUMNS}, 1 AS step FROM facts f WHERE f.cause_id = :id OR f.armed_by = :id"
            f" UNION SELECT {_COLUMNS}, w.step + 1 FROM what w JOIN facts f ON f.cause_id = w.fact_id OR f.armed_by = w.fact_id"
            " WHERE w.step < :most)"
            " SELECT * FROM (SELECT DISTINCT ON (fact_id) * FROM what ORDER BY fact_id, step) AS once"
            " ORDER BY step, recorded_at, fact_id LIMIT :limit"
        ),
        {"id": cause_id, "most": STEPS_MAX, "limit": limit},
    )


_REASON = """
CASE
    WHEN f.cause_id IS NULL OR f.cause_id = f.fact_id THEN 'missing'
    WHEN f.cause_kind <> 'event' AND c.fact_id IS NOT NULL THEN 'wrong-kind'
    WHEN f.cause_kind = 'event' AND c.fact_id IS NULL AND EXISTS (
        SELECT 1 FROM facts o WHERE o.cause_id = f.cause_id AND o.cause_kind <> 'event'
    ) THEN 'wrong-kind'
    WHEN f.cause_kind = 'event' AND c.fact_id IS NULL THEN 'dangling'
    WHEN f.cause_kind = 'timer' AND f.armed_by IS NULL THEN 'missing'
    WHEN f.cause_kind = 'timer' AND f.armed_kind = 'event' AND a.fact_id IS NULL THEN 'dangling'
END
"""
_ORPHANS = f"""
SELECT {_COLUMNS}, {_REASON} AS reason FROM facts f
LEFT JOIN facts c ON c.fact_id = f.cause_id
LEFT JOIN facts a ON a.fact_id = f.armed_by
WHERE {_REASON} IS NOT NULL AND f.heard_at <= clock_timestamp() - CAST(:settled AS interval)
"""


def orphans(read: ReadTx, *, settled: timedelta, after: UUID | None, limit: int) -> Sequence[Row[Any]]:
    """Return facts whose cause is missing, dangling or of the wrong kind, though they were heard `settled` ago."""
    return read.rows(
        text(
            f"SELECT * FROM ({_ORPHANS}) AS o WHERE (CAST(:after AS uuid) IS NULL OR o.fact_id > :after)"
            " ORDER BY o.fact_id LIMIT :limit"
        ),
        {"settled": settled, "after": after, "limit": limit},
    )


def orphans_by_reason(read: ReadTx, *, settled: timedelta) -> dict[str, int]:
    """Return how many orphans there are, by reason."""
    rows = read.rows(text(f"SELECT reason, count(*) AS n FROM ({_ORPHANS}) AS o GROUP BY reason"), {"settled": settled})
    return {"missing": 0, "dangling": 0, "wrong-kind": 0} | {row.reason: row.n for row in rows}


def external_causes(read: ReadTx, kind: str, *, after: UUID | None, limit: int) -> Sequence[Row[Any]]:
    """Return the acts, signals or timers that facts name as their cause, each once, with the source that can show it."""
    return read.rows(
        text(
            "SELECT cause_id, cause_kind, min(source) AS source, count(*) AS facts, min(fact_id::text)::uuid AS example FROM facts"
            " WHERE cause_kind = :kind AND cause_id IS NOT NULL AND (CAST(:after AS uuid) IS NULL OR cause_id > :after)"
            " GROUP BY cause_id, cause_kind ORDER BY cause_id LIMIT :limit"
        ),
        {"kind": kind, "after": after, "limit": limit},
    )


def facts_recorded(read: ReadTx) -> int:
    """Return how many facts the causal record holds."""
    return int(read.scalar(text("SELECT count(*) FROM facts")) or 0)
