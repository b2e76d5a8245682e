"""Figures of the chassis that come from stored rows and from Kafka; set by the first consumer process of a service only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from chassis.persistence.database import ReadTx
from chassis.runtime import metrics


def refresh(read: ReadTx, timers: Sequence[str]) -> None:
    """Set how many records are set aside and how many of these timers are past their instant."""
    service = read.database.service
    row = read.sql("SELECT count(*) AS aside FROM dead_letters WHERE resolved_at IS NULL").fetchone()
    metrics.dead_letters.labels(service).set(row["aside"] if row else 0)
    row = read.sql(
        "SELECT count(*) AS overdue FROM timers WHERE fired_at IS NULL AND disarmed_at IS NULL AND due_at <= %s AND name = ANY(%s)",
        read.world_now,
        list(timers),
    ).fetchone()
    metrics.timers_overdue.labels(service).set(row["overdue"] if row else 0)


def refresh_lag(service: str, positions: Mapping[str, int], ends: Mapping[str, int]) -> None:
    """Set how far each topic's consumer is behind; places are `role:topic/partition`, as `GET /world/quiet` shows them."""
    behind: Counter[str] = Counter()
    for place, position in positions.items():
        topic = place.partition(":")[2].rpartition("/")[0]
        behind[topic] += max(0, ends.get(place, position) - position)
    for topic, records in behind.items():
        metrics.consumer_lag_events.labels(service, topic).set(records)
