"""Figures from the database for Prometheus, refreshed by one process: open cases, missed deadlines, cases without owner."""

from __future__ import annotations

from chassis.persistence.database import ReadTx
from services.exceptions import metrics, queries

KINDS = ("shipment-delay", "shortage")


def refresh_gauges(read: ReadTx) -> None:
    """Set every gauge that comes from stored rows."""
    now = queries.world_now(read)
    found = queries.standing_cases(read, now)
    metrics.cases_active.labels("open").set(found.open)
    metrics.cases_active.labels("implemented").set(found.implemented)
    metrics.cases_breaching.set(found.breaching)
    metrics.cases_unowned.set(found.unowned)
    since = found.unowned_since
    metrics.oldest_unowned_seconds.set(0 if since is None else (now - since).total_seconds())
    for kind in KINDS:
        metrics.signals_waiting.labels(kind).set(len(queries.waiting_causes(read, kind)))
