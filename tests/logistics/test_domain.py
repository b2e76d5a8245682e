"""What a shipment is and when it counts as late."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from chassis.errors import Invalid
from schemas.logistics import ShipmentLine
from schemas.types import Money, subject_id
from services.logistics import domain

DUE = datetime(2026, 3, 5, tzinfo=UTC)
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
TOLERANCE = timedelta(minutes=60)
LINE = ShipmentLine(
    line_id=subject_id("shipment-line", "erp", "S1/1"),
    reference="1",
    item="soap",
    quantity=Decimal(5),
    value=Money(amount=Decimal(10), currency="USD"),
    promised_on=date(2026, 3, 4),
    customer="clinic",
)


def a_shipment(**changes: Any) -> domain.Shipment:
    fields: dict[str, Any] = {
        "shipment_id": subject_id("shipment", "erp", "S1"),
        "source": "erp",
        "reference": "S1",
        "carrier": "northline",
        "mode": "Truck",
        "origin": None,
        "destination": "Abidjan",
        "promised_on": date(2026, 3, 4),
        "promised_at": DUE,
        "expected_at": DUE,
        "state": "planned",
        "planned_at": NOW,
        "recorded_at": NOW,
        "lines": (LINE,),
    }
    return domain.Shipment(**(fields | changes))


def estimate(number: int, *, said: datetime, expected: datetime, recorded: datetime = NOW) -> domain.Milestone:
    return domain.Milestone(UUID(int=number), "estimated", said, recorded, expected, "weather")


def after(
    shipment: domain.Shipment, *milestones: domain.Milestone, now: datetime = NOW
) -> tuple[domain.Shipment, list[str]]:
    names: list[str] = []
    for milestone in milestones:
        shipment, events = domain.record_milestone(shipment, milestone, tolerance=TOLERANCE, now=now)
        names += [type(e).__name__ for e in events]
    return shipment, names


def received(shipment: domain.Shipment, day: date, *, now: datetime) -> tuple[domain.Shipment, list[Any]]:
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return domain.receive_shipment(shipment, milestone_id=UUID(int=99), received_on=day, received_at=at, now=now)


def test_a_delay_inside_the_tolerance_is_not_told() -> None:
    _, names = after(a_shipment(), estimate(1, said=NOW, expected=DUE + timedelta(minutes=60)))
    assert names == []


def test_an_arrival_expected_later_than_promised_is_a_reported_delay() -> None:
    shipment, events = domain.record_milestone(
        a_shipment(), estimate(1, said=NOW, expected=DUE + timedelta(days=1)), tolerance=TOLERANCE, now=NOW
    )
    (told,) = events
    assert (told.basis, told.provisional, told.delay_minutes) == ("reported", False, 1440)
    assert shipment.state == "delayed"


def test_a_further_slip_extends_and_a_recovery_clears() -> None:
    _, names = after(
        a_shipment(),
        estimate(1, said=NOW, expected=DUE + timedelta(days=1)),
        estimate(2, said=NOW + timedelta(hours=1), expected=DUE + timedelta(days=3)),
        estimate(3, said=NOW + timedelta(hours=2), expected=DUE),
    )
    assert names == ["ShipmentDelayed", "ShipmentExtended", "ShipmentRecovered"]


def test_the_same_milestone_twice_changes_nothing() -> None:
    said = estimate(1, said=NOW, expected=DUE + timedelta(days=1))
    _, names = after(a_shipment(), said, said)
    assert names == ["ShipmentDelayed"]


def test_milestones_come_out_right_in_whatever_order_they_came() -> None:
    """FLOW 1.1: state is folded from business time; an older estimate that arrives later moves nothing."""
    said = [estimate(n, said=NOW + timedelta(hours=n), expected=DUE + timedelta(days=n)) for n in range(1, 5)]
    outcomes = {after(a_shipment(), *order)[0].expected_at for order in permutations(said)}
    assert outcomes == {DUE + timedelta(days=4)}


def test_silence_at_the_end_of_the_promised_day_is_told_once_and_provisional() -> None:
    shipment, (told,) = domain.shipment_falls_due(a_shipment(), now=DUE)
    assert (told.basis, told.provisional, told.occurred_at) == ("overdue", True, DUE)
    assert domain.shipment_falls_due(shipment, now=DUE)[1] == []


def test_a_reported_delay_is_not_told_again_when_the_promised_day_ends() -> None:
    shipment, _ = after(a_shipment(), estimate(1, said=NOW, expected=DUE + timedelta(days=1)))
    assert domain.shipment_falls_due(shipment, now=DUE)[1] == []
    assert domain.next_due_at(shipment, tolerance=TOLERANCE) is None


def test_a_carrier_that_breaks_its_silence_makes_the_delay_certain() -> None:
    shipment, _ = domain.shipment_falls_due(a_shipment(), now=DUE)
    said = estimate(1, said=DUE + timedelta(hours=3), expected=DUE + timedelta(days=2))
    shipment, (told,) = domain.record_milestone(shipment, said, tolerance=TOLERANCE, now=DUE + timedelta(hours=3))
    assert (type(told).__name__, told.provisional) == ("ShipmentExtended", False)


@pytest.mark.parametrize(
    ("day", "verdict", "days_late", "recorded_late"),
    [(date(2026, 3, 7), "late", 3, False), (date(2026, 3, 4), "in-time", 0, True)],
)
def test_a_receipt_settles_an_overdue_shipment(day: date, verdict: str, days_late: int, recorded_late: bool) -> None:
    shipment, _ = domain.shipment_falls_due(a_shipment(), now=DUE)
    shipment, (_, settled) = received(shipment, day, now=DUE + timedelta(days=9))
    assert (settled.verdict, settled.days_late, settled.recorded_late) == (verdict, days_late, recorded_late)
    kinds = [f.kind for f in domain.findings_of_receipt(shipment, finding_id=UUID(int=5))]
    assert kinds == (["recorded-late"] if recorded_late else [])


def test_a_receipt_of_a_shipment_that_was_never_late_settles_nothing() -> None:
    shipment, events = received(a_shipment(), date(2026, 3, 3), now=NOW)
    assert [type(e).__name__ for e in events] == ["ShipmentReceived"]
    assert shipment.verdict == "in-time"


def test_nothing_moves_after_the_receipt_or_the_cancellation() -> None:
    shipment, _ = received(a_shipment(), date(2026, 3, 3), now=NOW)
    with pytest.raises(domain.ShipmentOver):
        received(shipment, date(2026, 3, 3), now=NOW)
    with pytest.raises(domain.ShipmentOver):
        domain.cancel_shipment(shipment, reason="no longer needed", now=NOW)
    late_coming, names = after(shipment, estimate(7, said=NOW, expected=DUE + timedelta(days=9)))
    assert names == []
    assert late_coming.state == "received"


def test_a_cancelled_delay_names_its_cause() -> None:
    shipment, _ = after(a_shipment(), estimate(1, said=NOW, expected=DUE + timedelta(days=1)))
    _, (cancelled,) = domain.cancel_shipment(shipment, reason="lost at sea", now=NOW)
    assert cancelled.cause == shipment.cause


def test_an_estimate_without_a_date_is_refused() -> None:
    with pytest.raises(Invalid, match="expected"):
        domain.record_milestone(
            a_shipment(), domain.Milestone(UUID(int=1), "estimated", NOW, NOW), tolerance=TOLERANCE, now=NOW
        )


def test_a_changed_calendar_moves_the_end_of_the_promised_day() -> None:
    moved = domain.promise_ends(a_shipment(), promised_at=DUE + timedelta(hours=9))
    assert (moved.promised_at, moved.expected_at) == (DUE + timedelta(hours=9),) * 2
