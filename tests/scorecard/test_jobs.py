"""The gauges that come from stored rows."""

from __future__ import annotations

from datetime import timedelta

from prometheus_client import generate_latest

from chassis.metrics import REGISTRY
from services.scorecard import jobs
from tests.scorecard.logs import START, Log
from tests.scorecard.test_reactions import measures
from tests.support.service import House


def gauge(line: str) -> float | None:
    for text in generate_latest(REGISTRY).decode().splitlines():
        if text.startswith(line + " "):
            return float(text.rsplit(" ", 1)[1])
    return None


def test_percentiles_come_from_the_stored_readings(scorecard: House) -> None:
    """FLOW 4.4: workers export histograms only; METRICS 3.1: the median of 2, 3, 4 h and two open is 4 h."""
    logs = [Log(f"{h} h").implemented_after(h) for h in (2, 3, 4)] + [
        Log(f"o{n}").opened().asked("sales") for n in range(2)
    ]
    scorecard.hear(*[e for log in logs for e in (*log.envelopes, *measures(log))])
    scorecard.set_clock(START + timedelta(hours=10))
    with scorecard.database.reading() as read:
        jobs.Gauges()(read)
    assert gauge('scorecard_velocity_seconds{cause="shipment-delay",percentile="p50"}') == 4 * 3600
    assert gauge('scorecard_velocity_seconds{cause="shipment-delay",percentile="p90"}') is None
    assert gauge('scorecard_velocity_cases{cause="shipment-delay",state="open"}') == 2
    assert gauge('scorecard_velocity_target_seconds{cause="shipment-delay",percentile="p90"}') == 72 * 3600
    assert gauge("scorecard_velocity_difference") == 0


def test_a_planted_difference_and_planted_orphans_are_seen(scorecard: House) -> None:
    """FLOW 4.2 and 4.4: silence is not success."""
    log = Log("planted").implemented_after(1)
    scorecard.hear(*log.envelopes, *measures(log))
    with scorecard.tx() as tx:
        tx.cursor().execute("UPDATE readings SET decision_us = decision_us + 1")
        tx.cursor().execute("UPDATE case_facts SET heard_at = heard_at - interval '1 hour'")
        tx.cursor().execute("UPDATE facts SET heard_at = heard_at - interval '1 hour'")
    with scorecard.database.reading() as read:
        jobs.Gauges()(read)
    assert gauge("scorecard_velocity_difference") == 1
    assert gauge('scorecard_orphans{reason="dangling"}') == len(log.envelopes)
