"""The recomputation in SQL equals the fold, to the microsecond; causes are walked; orphans are found."""

from __future__ import annotations

import random
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st

from schemas.envelope import Envelope
from services.scorecard import domain, queries
from tests.scorecard.logs import START, Log, hear, random_log
from tests.support.service import ServiceUnderTest

LOGS = 40


def folded(envelopes: list[Envelope], *, until: datetime | None = None) -> dict[str, Any] | None:
    """Return what the fold says, in the words of the SQL."""
    case = None
    for envelope in envelopes:
        case = hear(case, envelope)
    found = None if case is None else domain.measure(case, until_us=None if until is None else domain.micros(until))
    if case is None or found is None:
        return None
    return {
        "cause_kind": case.cause_kind,
        "severity": case.severity,
        "state": found.state,
        "identified_at": domain.instant(found.identified_us),
        "elapsed_us": found.elapsed_us,
        "decision_us": found.decision_us,
        "coordination_us": found.coordination_us,
        "excluded_us": found.excluded_us,
        "phases": [asdict(p) for p in found.phases],
        "inversions": list(found.inversions),
        "critical_function": found.critical_function,
        "reopened": found.reopened,
        "handoffs": found.handoffs,
        "acknowledged_us": found.acknowledged_us,
    }


def compare(scorecard: ServiceUnderTest, logs: list[Log], *, as_of: datetime | None = None) -> None:
    with scorecard.database.reading() as read:
        rows = queries.measures_recomputed(read, as_of=as_of, case_ids=[log.case_id for log in logs])
        found = {row.case_id: {name: getattr(row, name) for name in queries.MEASURED} for row in rows}
    for log in logs:
        known = [e for e in log.envelopes if as_of is None or e.recordedtime <= as_of]
        assert found.get(log.case_id) == folded(known, until=as_of), log.name


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.integers(0, 1_000_000), st.randoms(use_true_random=False))
def test_sql_says_what_the_fold_says_of_any_log_in_any_order(
    scorecard: ServiceUnderTest, seed: int, chance: random.Random
) -> None:
    """FLOW 4.4, LAYERS 1.2: the truth that the stream is held to shares no line with it."""
    logs = [random_log(f"{seed}/{n}", random.Random(seed * 1000 + n)) for n in range(LOGS)]
    envelopes = [e for log in logs for e in log.envelopes]
    chance.shuffle(envelopes)
    scorecard.consume(*envelopes, *envelopes[: len(envelopes) // 3])
    compare(scorecard, logs)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.integers(0, 1_000_000), st.floats(0, 4000))
def test_as_of_any_time_sql_says_what_the_fold_of_the_facts_of_then_says(
    scorecard: ServiceUnderTest, seed: int, minutes: float
) -> None:
    """METRICS 3.1: every figure has an as-of time and uses only what was recorded by then."""
    logs = [random_log(f"as of {seed}/{n}", random.Random(seed * 1000 + n)) for n in range(LOGS)]
    scorecard.consume(*[e for log in logs for e in log.envelopes])
    compare(scorecard, logs, as_of=START + timedelta(minutes=minutes))
