"""Every chassis metric, declared once, with the same name in every service (label `service`)."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry(auto_describe=True)
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

outbox_pending_events = Gauge(
    "outbox_pending_events", "Events committed and not yet acknowledged by Kafka.", ["service"], registry=REGISTRY
)
outbox_oldest_pending_seconds = Gauge(
    "outbox_oldest_pending_seconds", "Age of the oldest pending event.", ["service"], registry=REGISTRY
)
outbox_published_total = Counter(
    "outbox_published_total", "Events acknowledged by Kafka.", ["service", "topic"], registry=REGISTRY
)
reaction_handled_total = Counter(
    "reaction_handled_total",
    "Events handled, by reaction and outcome (done, duplicate, ignored, parked, retry, dead).",
    ["service", "reaction", "outcome"],
    registry=REGISTRY,
)
reaction_seconds = Histogram(
    "reaction_seconds", "Time inside one reaction.", ["service", "reaction"], buckets=_SECONDS, registry=REGISTRY
)
batch_events = Histogram(
    "batch_events",
    "Records per consumer transaction.",
    ["service"],
    buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500),
    registry=REGISTRY,
)
batch_seconds = Histogram(
    "batch_seconds", "Time of one consumer transaction.", ["service"], buckets=_SECONDS, registry=REGISTRY
)
consumer_lag_events = Gauge(
    "consumer_lag_events",
    "Records between the position and the end of a topic.",
    ["service", "topic"],
    registry=REGISTRY,
)
consumer_progress_timestamp_seconds = Gauge(
    "consumer_progress_timestamp_seconds",
    "When the consumer last went round its loop (Unix time).",
    ["service"],
    registry=REGISTRY,
)
dead_letters = Gauge(
    "dead_letters", "Records set aside: dead, or waiting behind a dead one.", ["service"], registry=REGISTRY
)
timers_fired_total = Counter(
    "timers_fired_total", "Timers fired, by name and outcome.", ["service", "timer", "outcome"], registry=REGISTRY
)
timers_overdue = Gauge("timers_overdue", "Timers past their due instant and not fired.", ["service"], registry=REGISTRY)
calendars_unknown_total = Counter(
    "calendars_unknown_total",
    "Rules that fell back to UTC and seven days because their calendar was unknown.",
    ["service"],
    registry=REGISTRY,
)
http_requests_total = Counter(
    "http_requests_total",
    "Requests by route template and status class.",
    ["service", "method", "route", "status"],
    registry=REGISTRY,
)
http_seconds = Histogram(
    "http_seconds", "Time of a request.", ["service", "method", "route"], buckets=_SECONDS, registry=REGISTRY
)
http_refused_total = Counter(
    "http_refused_total",
    "Requests refused at the front because the process had work enough.",
    ["service"],
    registry=REGISTRY,
)
acts_refused_total = Counter("acts_refused_total", "Acts refused, by code.", ["service", "code"], registry=REGISTRY)
effects_total = Counter(
    "effects_total", "Effects, by effect and outcome.", ["service", "effect", "outcome"], registry=REGISTRY
)
transactions_rerun_total = Counter(
    "transactions_rerun_total",
    "Transactions run again because somebody else was first.",
    ["service"],
    registry=REGISTRY,
)


def exposition() -> bytes:
    """Return the text that Prometheus scrapes."""
    return generate_latest(REGISTRY)
