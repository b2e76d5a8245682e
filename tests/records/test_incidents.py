"""The yardstick for backfills says what was counted by others before."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.records import incidents
from tests.support.records import INCIDENTS, shared_file

pytestmark = pytest.mark.records


def test_the_incident_log_has_the_figures_of_the_issue() -> None:
    log = incidents.read_incidents(shared_file(INCIDENTS)).values()
    assert incidents.figures(log, datetime(2016, 5, 1)) == {
        "cases": 17136,
        "open": 1340,
        "p50_hours": 45.9,
        "p90_hours": 400.75,
        "p95_hours": 701.7167,
        "naive_p50_hours": 27.7583,
        "handoffs": 11783,
        "acknowledge_p50_hours": 0.3833,
        "findings": 2,
    }
    assert incidents.figures(log) == {
        "cases": 17136,
        "open": 0,
        "p50_hours": 46.1167,
        "p90_hours": 393.3167,
        "p95_hours": 738.0333,
        "naive_p50_hours": 46.1167,
        "handoffs": 12465,
        "acknowledge_p50_hours": 0.3833,
        "findings": 2,
    }
