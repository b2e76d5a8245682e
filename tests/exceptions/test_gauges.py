"""The gauges that come from stored rows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from prometheus_client import generate_latest

from chassis.runtime.metrics import REGISTRY
from services.exceptions import domain, gauges
from tests.exceptions.builders import CAUSE, NOW, calendar, delayed
from tests.exceptions.test_reactions import plant
from tests.support.service import ServiceUnderTest


@pytest.fixture
def exceptions(new_exceptions: ServiceUnderTest) -> ServiceUnderTest:
    return new_exceptions


def gauge_values(exceptions: ServiceUnderTest) -> dict[str, float]:
    with exceptions.database.reading() as read:
        gauges.refresh_gauges(read)
    lines = generate_latest(REGISTRY).decode().splitlines()
    return {
        name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line.startswith("exceptions_"))
    }


def test_a_case_that_nobody_takes_grows_old_until_somebody_does(exceptions: ServiceUnderTest) -> None:
    plant(exceptions)
    exceptions.consume(calendar(), delayed(), delayed(shipment="S2"))
    exceptions.set_clock(NOW + timedelta(hours=5))
    found = gauge_values(exceptions)
    assert (found["exceptions_cases_unowned"], found["exceptions_oldest_unowned_seconds"]) == (2, 5 * 3600)
    assert (found['exceptions_cases_active{state="open"}'], found["exceptions_cases_breaching"]) == (2, 2)
    for cause in (CAUSE, delayed(shipment="S2").cause):
        exceptions.post(f"/cases/{domain.case_id_of(cause, 1)}/take", role="sales")
    found = gauge_values(exceptions)
    assert (
        found["exceptions_cases_unowned"],
        found["exceptions_oldest_unowned_seconds"],
        found["exceptions_cases_breaching"],
    ) == (0, 0, 0)


def test_signals_that_wait_for_a_playbook_are_seen(exceptions: ServiceUnderTest) -> None:
    exceptions.consume(delayed())
    assert gauge_values(exceptions)['exceptions_signals_waiting{cause="shipment-delay"}'] == 1
    plant(exceptions)
    assert gauge_values(exceptions)['exceptions_signals_waiting{cause="shipment-delay"}'] == 0
