"""Figures from the database for Prometheus, refreshed by one process: percentiles, the check, the orphans."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import get_args

from chassis.http.auth import Actor
from chassis.persistence.database import ReadTx
from schemas.types import CauseKind
from services.scorecard import metrics, queries
from services.scorecard.settings import ScorecardSettings

EVERYBODY = Actor(subject="scorecard", roles=frozenset({"sre"}))
KINDS = get_args(CauseKind)
SETTLED = timedelta(seconds=30)


SHARE_OF_TIME = 0.02  # the comparison of all cases may take this much of the time, however many there are


class Gauges:
    """Sets every gauge that comes from stored rows; the comparison of stream and SQL waits the longer the more it costs."""

    def __init__(self) -> None:
        self._compare_after = 0.0

    def __call__(self, read: ReadTx) -> None:
        settings = ScorecardSettings()
        self._set_velocity(read, settings.window, settings.target)
        for reason, count in queries.orphans_by_reason(read, settled=settings.orphan_after).items():
            metrics.orphans.labels(reason).set(count)
        started = time.monotonic()
        if started >= self._compare_after:
            _, differences, _ = queries.velocity_differences(read, settled=SETTLED, limit=1)
            metrics.velocity_difference.set(differences)
            ended = time.monotonic()
            self._compare_after = ended + (ended - started) / SHARE_OF_TIME

    def _set_velocity(self, read: ReadTx, window: timedelta, target: timedelta) -> None:
        since = queries.world_now(read) - window
        for kind in KINDS:
            figure, _ = queries.decision_velocity(
                read, EVERYBODY, kind=kind, severity=None, since=since, as_of=None, target=target
            )
            found = figure.velocity
            for name in ("p50", "p90", "p95"):
                us = getattr(found, f"{name}_us")
                if us is None:
                    metrics.velocity_seconds.remove(kind, name)
                else:
                    metrics.velocity_seconds.labels(kind, name).set(us / 1_000_000)
            metrics.velocity_target_seconds.labels(kind, "p90").set(target.total_seconds())
            for state in ("implemented", "open", "cleared"):
                metrics.velocity_cases.labels(kind, state).set(getattr(found, state))
