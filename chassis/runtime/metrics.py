"""Every chassis metric, declared once, with the same name in every service (label `service`)."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry(auto_describe=True)
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_EVENTS = (1, 2, 5, 10, 25, 50, 100, 250, 500)


def _counter(name: str, told: str, *labels: str) -> Counter:
    return Counter(name, told, ("service", *labels), registry=REGISTRY)


def _gauge(name: str, told: str, *labels: str) -> Gauge:
    return Gauge(name, told, ("service", *labels), registry=REGISTRY)


def _histogram(name: str, told: str, *labels: str, buckets: tuple[float, ...] = _SECONDS) -> Histogram:
    return Histogram(name, told, ("service", *labels), buckets=buckets, registry=REGISTRY)


outbox_pending_events = _gauge("outbox_pending_events", "Events committed and not yet acknowledged by Kafka.")
outbox_oldest_pending_seconds = _gauge("outbox_oldest_pending_seconds", "Age of the oldest pending event.")
outbox_published_total = _counter("outbox_published_total", "Events acknowledged by Kafka.", "topic")
reaction_handled_total = _counter(
    "reaction_handled_total", "Events handled (done, duplicate, ignored, parked, retry, dead).", "reaction", "outcome"
)
reaction_seconds = _histogram("reaction_seconds", "Time inside one reaction.", "reaction")
batch_events = _histogram("batch_events", "Records per consumer transaction.", buckets=_EVENTS)
batch_seconds = _histogram("batch_seconds", "Time of one consumer transaction.")
consumer_lag_events = _gauge("consumer_lag_events", "Records between the position and the end of a topic.", "topic")
consumer_progress_timestamp_seconds = _gauge(
    "consumer_progress_timestamp_seconds", "When the consumer last went round its loop (Unix time)."
)
consumer_partitions_unassigned = _gauge(
    "consumer_partitions_unassigned", "Partitions of a topic that no member of the role's group reads.", "role", "topic"
)
dead_letters = _gauge("dead_letters", "Records set aside: dead, or waiting behind a dead one.")
timers_fired_total = _counter("timers_fired_total", "Timers fired, by name and outcome.", "timer", "outcome")
timers_overdue = _gauge("timers_overdue", "Timers past their due instant and not fired.")
calendars_unknown_total = _counter(
    "calendars_unknown_total", "Rules that fell back to UTC and seven days because their calendar was unknown."
)
http_requests_total = _counter(
    "http_requests_total", "Requests by route template and status class.", "method", "route", "status"
)
http_seconds = _histogram("http_seconds", "Time of a request.", "method", "route")
http_refused_total = _counter("http_refused_total", "Requests refused at the front: the process had work enough.")
acts_refused_total = _counter("acts_refused_total", "Acts refused, by code.", "code")
effects_total = _counter("effects_total", "Effects, by effect and outcome.", "effect", "outcome")
transactions_rerun_total = _counter(
    "transactions_rerun_total", "Transactions run again because somebody else was first."
)


def exposition() -> bytes:
    """Return the text that Prometheus scrapes."""
    return generate_latest(REGISTRY)
