"""The gauges that come from stored rows."""

from __future__ import annotations

from datetime import timedelta

from prometheus_client import generate_latest

from chassis.runtime.metrics import REGISTRY
from schemas.types import Cause
from services.scorecard import gauges
from tests.scorecard.logs import START, Log
from tests.scorecard.test_reactions import measures
from tests.support.service import ServiceUnderTest


def gauge(line: str) -> float | None:
    for text in generate_latest(REGISTRY).decode().splitlines():
        if text.startswith(line + " "):
            return float(text.rsplit(" ", 1)[1])
    return None


def test_percentiles_come_from_the_stored_readings(scorecard: ServiceUnderTest) -> None:
    """FLOW 4.4: workers export histograms only; METRICS 3.1: the median of 2, 3, 4 h and two open is 4 h."""
    logs = [Log(f"{h} h").implemented_after(h) for h in (2, 3, 4)] + [
        Log(f"o{n}").opened().asked("sales") for n in range(2)
    ]
    scorecard.consume(*[e for log in logs for e in (*log.envelopes, *measures(log))])
    scorecard.set_clock(START + timedelta(hours=10))
    with scorecard.database.reading() as read:
        gauges.Gauges()(read)
    assert gauge('scorecard_velocity_seconds{cause="shipment-delay",percentile="p50"}') == 4 * 3600
    assert gauge('scorecard_velocity_seconds{cause="shipment-delay",percentile="p90"}') is None
    assert gauge('scorecard_velocity_cases{cause="shipment-delay",state="open"}') == 2
    assert gauge('scorecard_velocity_target_seconds{cause="shipment-delay",percentile="p90"}') == 72 * 3600
    assert gauge("scorecard_velocity_difference") == 0


def test_prometheus_shows_what_the_api_says(scorecard: ServiceUnderTest) -> None:
    """The same percentiles, to the microsecond, of every kind of cause; what is not reached is absent."""
    logs = [Log(f"case {n}").implemented_after(1 + n * 0.7) for n in range(30)]
    logs += [Log(f"open {n}", start=START + timedelta(hours=n)).opened().asked("sales") for n in range(3)]
    for n in range(6):
        incident = Log(f"incident {n}")
        incident.cause = Cause(kind="incident", id=incident.case_id)
        logs.append(incident.implemented_after(2 + n) if n < 4 else incident.opened().asked("sales"))
    old = Log("before the window", start=START - timedelta(days=80)).implemented_after(900)
    scorecard.consume(*[e for log in [*logs, old] for e in (*log.envelopes, *measures(log))])
    now = START + timedelta(days=20)
    scorecard.set_clock(now)
    with scorecard.database.reading() as read:
        gauges.Gauges()(read)
    compared = 0
    for kind in gauges.KINDS:
        since = (now - timedelta(days=90)).isoformat()
        found = scorecard.get("/velocity", params={"kind": kind, "since": since}).json()
        for name in ("p50", "p90", "p95"):
            assert (
                gauge(f'scorecard_velocity_seconds{{cause="{kind}",percentile="{name}"}}') == found[f"{name}_seconds"]
            )
            compared += found[f"{name}_seconds"] is not None
        for state in ("implemented", "open", "cleared"):
            assert gauge(f'scorecard_velocity_cases{{cause="{kind}",state="{state}"}}') == found[state]
    assert compared == 3
    assert gauges.KINDS == ("shipment-delay", "shortage", "incident")


def test_a_planted_difference_and_planted_orphans_are_seen(scorecard: ServiceUnderTest) -> None:
    """FLOW 4.2 and 4.4: silence is not success."""
    log = Log("planted").implemented_after(1)
    scorecard.consume(*log.envelopes, *measures(log))
    with scorecard.tx() as tx:
        tx.cursor().execute("UPDATE readings SET decision_us = decision_us + 1")
        tx.cursor().execute("UPDATE case_facts SET heard_at = heard_at - interval '1 hour'")
        tx.cursor().execute("UPDATE facts SET heard_at = heard_at - interval '1 hour'")
    with scorecard.database.reading() as read:
        gauges.Gauges()(read)
    assert gauge("scorecard_velocity_difference") == 1
    assert gauge('scorecard_orphans{reason="dangling"}') == len(log.envelopes)
