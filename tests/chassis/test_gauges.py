"""The chassis' gauges that come from stored rows and from Kafka: an alert on one that nobody sets stays silent for ever."""

from __future__ import annotations

from datetime import timedelta

from chassis.messaging.reactions import Reactions
from chassis.runtime import gauges, metrics
from tests.chassis import toy
from tests.support.service import START, ServiceUnderTest


def _set(toy_service: ServiceUnderTest) -> tuple[float, float]:
    reactions: Reactions = toy_service.parts.reactions
    with toy_service.database.reading() as read:
        gauges.refresh(read, list(reactions.at_timers))
    return (
        metrics.dead_letters.labels("toy")._value.get(),
        metrics.timers_overdue.labels("toy")._value.get(),
    )


def test_what_is_set_aside_is_counted_until_it_is_resolved(toy_service: ServiceUnderTest) -> None:
    assert _set(toy_service) == (0, 0)
    with toy_service.tx() as tx:
        tx.cursor().execute(
            'INSERT INTO dead_letters (topic, partition, "offset", reaction, key, type, value, waiting, cause, detail, attempts, stored_at)'
            " SELECT 'a', 0, n, 'r', 'k', 't', '', n > 1, 'c', 'd', 1, now() FROM generate_series(1, 3) AS n"
        )
    assert _set(toy_service) == (3, 0)
    with toy_service.tx() as tx:
        tx.cursor().execute("UPDATE dead_letters SET resolved_at = now()")
    assert _set(toy_service) == (0, 0)


def test_a_timer_past_its_instant_is_counted_until_it_fires(toy_service: ServiceUnderTest) -> None:
    """FLOW 5.5: the consumer role fires timers; one that stands still is seen."""
    name = next(iter(toy.reactions.at_timers))
    with toy_service.tx() as tx:
        tx.arm(name, "late", due_at=START + timedelta(hours=1))
        tx.arm("of-nobody", "late", due_at=START)
    assert _set(toy_service) == (0, 0)
    toy_service.set_clock(START + timedelta(hours=2))
    assert _set(toy_service) == (0, 1)


def test_the_lag_of_a_topic_is_the_sum_over_its_partitions() -> None:
    gauges.refresh_lag(
        "toy", {"consumer:a.b/0": 5, "consumer:a.b/1": 7, "effects:c/0": 3}, {"consumer:a.b/0": 9, "consumer:a.b/1": 8}
    )
    assert metrics.consumer_lag_events.labels("toy", "a.b")._value.get() == 5
    assert metrics.consumer_lag_events.labels("toy", "c")._value.get() == 0, "an end that is not known yet is no lag"
