"""Business metrics of the scorecard, declared once; labels from closed lists only."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from chassis.runtime.metrics import REGISTRY

_HOUR, _DAY = 3600, 86_400
DECISION_BUCKETS = (
    60,
    300,
    900,
    _HOUR,
    4 * _HOUR,
    8 * _HOUR,
    _DAY,
    2 * _DAY,
    3 * _DAY,
    5 * _DAY,
    7 * _DAY,
    14 * _DAY,
)

# `phase` is one of the seven phases, `whole` (decision velocity) or `coordination` (coordination velocity).
decision_seconds = Histogram(
    "scorecard_decision_seconds",
    "Duration of implemented cases by phase; each case and phase is observed once.",
    ["cause", "severity", "phase"],
    buckets=DECISION_BUCKETS,
    registry=REGISTRY,
)
stream_lag_events = Gauge(
    "scorecard_stream_lag_events", "Events of cases that this worker has not processed yet.", registry=REGISTRY
)
stream_progress_timestamp_seconds = Gauge(
    "scorecard_stream_progress_timestamp_seconds",
    "Unix time at which this worker last processed an event or had none waiting.",
    registry=REGISTRY,
)
stream_facts_total = Counter(
    "scorecard_stream_facts_total",
    "Events of cases by outcome (folded, known, unreadable, failed).",
    ["outcome"],
    registry=REGISTRY,
)
stream_measures_total = Counter("scorecard_stream_measures_total", "Measures published.", registry=REGISTRY)
cases_open = Gauge(
    "scorecard_cases_open",
    "Open cases in the partitions of this worker; sum over workers for the total.",
    ["cause", "severity"],
    registry=REGISTRY,
)
velocity_seconds = Gauge(
    "scorecard_velocity_seconds",
    "Decision velocity over the last 90 days, open cases censored; absent if the curve does not reach the percentile.",
    ["cause", "percentile"],
    registry=REGISTRY,
)
velocity_target_seconds = Gauge(
    "scorecard_velocity_target_seconds",
    "Target of scorecard_velocity_seconds, for the percentiles that have one.",
    ["cause", "percentile"],
    registry=REGISTRY,
)
velocity_cases = Gauge(
    "scorecard_velocity_cases",
    "Cases behind scorecard_velocity_seconds, by state.",
    ["cause", "state"],
    registry=REGISTRY,
)
velocity_difference = Gauge(
    "scorecard_velocity_difference",
    "Cases whose stored measurement differs from the SQL computation.",
    registry=REGISTRY,
)
orphans = Gauge("scorecard_orphans", "Events whose cause cannot be resolved, by reason.", ["reason"], registry=REGISTRY)
