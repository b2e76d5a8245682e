"""How fast cases are answered: from the stored readings, or as of a time from SQL; and whether the two agree."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from chassis.errors import NotFound
from chassis.http.auth import Actor
from chassis.persistence.database import ReadTx
from services.scorecard import domain
from services.scorecard.queries.answers import VelocityQuery, figure_of_cases
from services.scorecard.queries.recompute import MEASURED, PLANNED, measures_recomputed, statement

LISTED_MAX = 100
_SCOPED = """
SELECT r.*, s.sites, s.customers FROM readings r
LEFT JOIN LATERAL (
    SELECT sites, customers FROM case_facts c WHERE c.case_id = r.case_id ORDER BY c.recorded_at DESC, c.fact_id DESC LIMIT 1
) AS s ON true
WHERE (CAST(:sites AS text[]) IS NULL OR s.sites ?| CAST(:sites AS text[]))
  AND (CAST(:customers AS text[]) IS NULL OR s.customers ?| CAST(:customers AS text[]))
  AND (CAST(:kind AS text) IS NULL OR r.cause_kind = :kind)
  AND (CAST(:severity AS text) IS NULL OR r.severity = :severity)
  AND (CAST(:state AS text) IS NULL OR r.state = :state)
  AND (CAST(:since AS timestamptz) IS NULL OR r.identified_at >= :since)
"""


def world_now(read: ReadTx) -> datetime:
    """Return the world's time."""
    return read.database.world_now(read._connection)


def scope_of(actor: Actor) -> dict[str, Any]:
    """Return the reader's scope as parameters of a statement; None is everything."""
    return {
        "sites": None if actor.sites is None else sorted(actor.sites),
        "customers": None if actor.customers is None else sorted(actor.customers),
    }


def decision_velocity(
    read: ReadTx,
    actor: Actor,
    *,
    kind: str | None,
    severity: str | None,
    since: datetime | None,
    as_of: datetime | None,
    target: timedelta,
) -> tuple[domain.Figure, datetime]:
    """Return the figure over cases in scope: of now from the readings, as of an earlier time from SQL.

    An open case lasts until the time asked about, not until its last fact.
    """
    at = world_now(read) if as_of is None else as_of
    return figure_of_cases(read, VelocityQuery(actor, at, kind, severity, since, as_of), target=target), at


def readings_by_opening(
    read: ReadTx,
    actor: Actor,
    *,
    kind: str | None,
    severity: str | None,
    state: str | None,
    since: datetime | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Return readings in scope that fit the filters, by the time their case was identified."""
    asked = {
        "kind": kind,
        "severity": severity,
        "state": state,
        "since": since,
        "limit": limit,
        **scope_of(actor),
        "after_at": after and after[0],
        "after_id": after and after[1],
    }
    page = (
        " AND (CAST(:after_at AS timestamptz) IS NULL OR (r.identified_at, r.case_id) > (:after_at, CAST(:after_id AS uuid)))"
        " ORDER BY r.identified_at, r.case_id LIMIT :limit"
    )
    return read.rows(text(_SCOPED + page), asked)


def velocity_of_case(read: ReadTx, actor: Actor, case_id: UUID) -> tuple[Row[Any] | None, Row[Any]]:
    """Return the stream's reading of a case and its recomputation in SQL; raises NotFound, out of scope too."""
    recomputed = measures_recomputed(read, case_ids=[case_id])
    if not recomputed or not actor.sees_any(sites=recomputed[0].sites, customers=recomputed[0].customers):
        raise NotFound(f"no case {case_id} is measured here; check the id, or list measures")
    return read.row(text("SELECT * FROM readings WHERE case_id = :id"), {"id": case_id}), recomputed[0]


_COMPARED = f"""
SELECT coalesce(c.case_id, r.case_id) AS case_id,
       CASE WHEN c.case_id IS NULL THEN 'facts-missing' WHEN r.case_id IS NULL THEN 'reading-missing'
            WHEN (c.facts, c.latest_fact_id, c.recorded_at) IS DISTINCT FROM (r.facts, r.latest_fact_id, r.recorded_at)
                 THEN 'not-the-same-facts' ELSE 'different' END AS reason,
       to_jsonb(c) - 'sites' - 'customers' AS recomputed, to_jsonb(r) AS reading,
       h.heard_at
FROM recomputed c FULL JOIN readings r ON r.case_id = c.case_id
LEFT JOIN (SELECT case_id, max(heard_at) AS heard_at FROM case_facts GROUP BY case_id) AS h
  ON h.case_id = coalesce(c.case_id, r.case_id)
WHERE (c.facts, c.latest_fact_id, c.recorded_at, {", ".join(f"c.{name}" for name in MEASURED)})
      IS DISTINCT FROM (r.facts, r.latest_fact_id, r.recorded_at, {", ".join(f"r.{name}" for name in MEASURED)})
"""


def velocity_differences(
    read: ReadTx, *, settled: timedelta, limit: int = LISTED_MAX
) -> tuple[int, int, Sequence[Row[Any]]]:
    """Return how many cases were compared, how many differ, and the first of these, named with both measures.

    A case of which a fact was heard less than `settled` ago may still be on its way through the stream.
    """
    counted = f"""
    SELECT (SELECT count(*) FROM recomputed) AS compared, count(*) OVER () AS differences, d.* FROM ({_COMPARED}) AS d
    WHERE d.heard_at IS NULL OR d.heard_at <= clock_timestamp() - CAST(:settled AS interval)
    ORDER BY d.case_id LIMIT :limit
    """
    asked = {"as_of": None, "case_ids": None, "settled": settled, "limit": limit}
    with read.planned(*PLANNED):
        rows = read.rows(statement(counted), asked)
        compared = (
            rows[0].compared
            if rows
            else read.scalar(text("SELECT count(DISTINCT case_id) FROM case_facts WHERE kind = 'case.opened'"))
        )
    return int(compared or 0), int(rows[0].differences) if rows else 0, rows
