"""Logistics hears where days end, and tells that one ended in silence."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from schemas.collaboration import CalendarChanged
from schemas.inventory import SiteChanged
from schemas.types import subject_id
from services.logistics import operations
from tests.logistics.test_domain import LINE
from tests.support.service import START, ServiceUnderTest

PROMISED = date(2026, 3, 4)


def site(zone: str = "UTC", calendar: str = "every-day") -> SiteChanged:
    return SiteChanged(
        occurred_at=START,
        site_id=subject_id("site", "master", "Abidjan"),
        code="Abidjan",
        name="Abidjan",
        zone=zone,
        calendar=calendar,
    )


def calendar(zone: str) -> CalendarChanged:
    return CalendarChanged(
        occurred_at=START,
        calendar_id=subject_id("calendar", "master", "every-day"),
        code="every-day",
        zone=zone,
        weekdays=(0, 1, 2, 3, 4, 5, 6),
        opens=time(0),
        closes=time(0),
        holidays=(),
    )


def plan(logistics: ServiceUnderTest, reference: str = "S1") -> str:
    shipment = logistics.do(
        lambda tx: operations.plan_shipment(
            tx, source="erp", reference=reference, destination="Abidjan", promised_on=PROMISED, lines=[LINE]
        )
    )
    return str(shipment.shipment_id)


def test_a_promised_day_that_ends_in_silence_is_a_provisional_delay(logistics: ServiceUnderTest) -> None:
    plan(logistics)
    logistics.advance(datetime(2026, 3, 4, 23, 59, tzinfo=UTC))
    assert logistics.names() == ["shipment.planned"]
    assert logistics.advance(datetime(2026, 3, 6, tzinfo=UTC)) == 1
    (told,) = logistics.emitted()
    assert (told.data.basis, told.data.provisional) == ("overdue", True)
    assert told.recordedtime == datetime(2026, 3, 5, tzinfo=UTC), (
        "inside a timer the time is its due instant (FLOW 6.2)"
    )
    assert told.causekind == "timer"


def test_the_same_fact_again_changes_nothing(logistics: ServiceUnderTest) -> None:
    heard = logistics.consume(site("Asia/Tokyo"))
    before = logistics.rows("SELECT * FROM site_calendars")
    logistics.consume(*heard)
    assert logistics.rows("SELECT * FROM site_calendars") == before


def test_a_changed_site_or_calendar_arms_the_promised_day_again(logistics: ServiceUnderTest) -> None:
    """FLOW 5.5: a timer keeps its rule, not only an instant; what changes the rule moves the timer."""
    plan(logistics)
    due = "SELECT due_at FROM timers WHERE fired_at IS NULL AND disarmed_at IS NULL"
    logistics.consume(site("Asia/Tokyo"))
    assert logistics.rows(due) == [{"due_at": datetime(2026, 3, 4, 15, tzinfo=UTC)}]
    logistics.consume(calendar("America/New_York"))
    assert logistics.rows(due) == [{"due_at": datetime(2026, 3, 5, 5, tzinfo=UTC)}]


def test_a_receipt_on_the_promised_day_disarms_the_timer(logistics: ServiceUnderTest) -> None:
    shipment_id = plan(logistics)
    logistics.set_clock(datetime(2026, 3, 4, 12, tzinfo=UTC))
    assert (
        logistics.post(f"/shipments/{shipment_id}/receive", {"received_on": "2026-03-04"}, role="logistics").status_code
        == 200
    )
    assert logistics.advance(START + timedelta(days=30)) == 0
    assert logistics.names() == ["shipment.planned", "shipment.received"]
