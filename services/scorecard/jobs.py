"""Figures from the database for Prometheus, refreshed by one process: percentiles, the check, the orphans."""

from __future__ import annotations

from datetime import timedelta

from chassis.auth import Actor
from chassis.db import ReadTx
from services.scorecard import metrics, queries
from services.scorecard.settings import ScorecardSettings

EVERYBODY = Actor(subject="scorecard", roles=frozenset({"sre"}))
KINDS = ("shipment-delay", "shortage")
SETTLED = timedelta(seconds=30)


def refresh_gauges(read: ReadTx) -> None:
    """Set every gauge that comes from stored rows."""
    settings = ScorecardSettings()
    since = queries.world_now(read) - settings.window
    for kind in KINDS:
        found, _ = queries.decision_velocity(read, EVERYBODY, kind=kind, severity=None, since=since, as_of=None)
        for name in ("p50", "p90", "p95"):
            us = getattr(found, f"{name}_us")
            if us is None:
                metrics.velocity_seconds.remove(kind, name)
            else:
                metrics.velocity_seconds.labels(kind, name).set(us / 1_000_000)
        metrics.velocity_target_seconds.labels(kind, "p90").set(settings.target.total_seconds())
        for state in ("implemented", "open", "cleared"):
            metrics.velocity_cases.labels(kind, state).set(getattr(found, state))
    _, differences, _ = queries.velocity_differences(read, settled=SETTLED, limit=1)
    metrics.velocity_difference.set(differences)
    for reason, count in queries.orphans_by_reason(read, settled=settings.orphan_after).items():
        metrics.orphans.labels(reason).set(count)
