"""Acts on shipments, on a real database: what is stored, what is said, what is armed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis.errors import NotFound
from chassis.persistence import database
from schemas.logistics import ShipmentPlanned
from services.logistics import operations
from services.logistics.domain import ShipmentKnown, ShipmentOver, UnknownCarrier
from tests.logistics.test_domain import LINE
from tests.support.service import START, ServiceUnderTest

PLAN: dict[str, Any] = {"source": "erp", "destination": "Abidjan", "promised_on": date(2026, 3, 4), "lines": [LINE]}


def planned(logistics: ServiceUnderTest, reference: str = "S1") -> UUID:
    found: UUID = logistics.do(lambda tx: operations.plan_shipment(tx, reference=reference, **PLAN)).shipment_id
    return found


def test_a_shipment_is_planned_once(logistics: ServiceUnderTest) -> None:
    planned(logistics)
    with pytest.raises(ShipmentKnown):
        planned(logistics)
    assert logistics.names() == ["shipment.planned"]


def test_a_fact_and_its_row_are_one_transaction(logistics: ServiceUnderTest) -> None:
    with pytest.raises(ZeroDivisionError):
        logistics.do(lambda tx: (operations.plan_shipment(tx, reference="S1", **PLAN), 1 // 0))
    assert logistics.emitted() == []
    assert logistics.rows("SELECT * FROM shipments") == []


def test_milestones_out_of_order_come_out_the_same(logistics: ServiceUnderTest) -> None:
    def expected_after(reference: str, hours: list[int]) -> datetime:
        shipment_id = planned(logistics, reference)
        for hour in hours:
            logistics.do(
                lambda tx, h=hour: operations.record_milestone(
                    tx,
                    shipment_id=shipment_id,
                    milestone_id=UUID(int=h),
                    kind="estimated",
                    occurred_at=START + timedelta(hours=h),
                    expected_at=datetime(2026, 3, 5 + h, tzinfo=UTC),
                )
            )
        (row,) = logistics.rows("SELECT expected_at FROM shipments WHERE shipment_id = %s", [shipment_id])
        return row["expected_at"]  # type: ignore[no-any-return]  # a driver's row has no types

    assert expected_after("A", [1, 2, 3]) == expected_after("B", [3, 1, 2]) == datetime(2026, 3, 8, tzinfo=UTC)


def test_a_shipment_nobody_planned_is_not_found(logistics: ServiceUnderTest) -> None:
    with pytest.raises(NotFound, match="check the id"):
        logistics.do(lambda tx: operations.receive_shipment(tx, shipment_id=UUID(int=1), received_on=date(2026, 3, 4)))


def test_a_cancelled_shipment_is_neither_received_nor_overdue(logistics: ServiceUnderTest) -> None:
    shipment_id = planned(logistics)
    logistics.do(lambda tx: operations.cancel_shipment(tx, shipment_id=shipment_id, reason="no longer needed"))
    with pytest.raises(ShipmentOver):
        logistics.do(lambda tx: operations.receive_shipment(tx, shipment_id=shipment_id, received_on=date(2026, 3, 4)))
    assert logistics.advance(START + timedelta(days=30)) == 0


def test_completed_history_is_planned_and_received_without_a_delay(logistics: ServiceUnderTest) -> None:
    logistics.do(lambda tx: operations.import_shipment(tx, reference="H1", received_on=date(2026, 3, 20), **PLAN))
    assert logistics.names() == ["shipment.planned", "shipment.received"]
    assert logistics.advance(START + timedelta(days=60)) == 0


def test_a_receipt_recorded_before_its_day_is_a_finding(logistics: ServiceUnderTest) -> None:
    shipment_id = planned(logistics)
    logistics.do(lambda tx: operations.receive_shipment(tx, shipment_id=shipment_id, received_on=date(2026, 3, 3)))
    assert [f["kind"] for f in logistics.rows("SELECT kind FROM data_quality_findings")] == ["received-after-recording"]


def test_a_lane_needs_a_carrier_that_is_known(logistics: ServiceUnderTest) -> None:
    lane = {"origin": "Chennai", "destination": "Abidjan", "carrier": "northline", "mode": "Ocean", "transit_days": 30}
    with pytest.raises(UnknownCarrier):
        logistics.do(lambda tx: operations.upsert_lane(tx, **lane))
    logistics.do(lambda tx: operations.upsert_carrier(tx, code="northline", name="Northline"))
    assert logistics.do(lambda tx: operations.upsert_lane(tx, **lane)).transit_days == 30


def test_a_fact_about_what_is_neither_locked_nor_new_is_refused(logistics: ServiceUnderTest) -> None:
    """FLOW 4.1: the aggregate that keys a fact must be locked or new in its transaction."""
    fact = ShipmentPlanned(
        occurred_at=START,
        shipment_id=UUID(int=7),
        reference="S7",
        destination="Abidjan",
        lines=(LINE,),
        source="erp",
        promised_on=date(2026, 3, 4),
        promised_at=START,
        expected_at=START,
    )
    with pytest.raises(database.Unlocked):
        logistics.do(lambda tx: tx.emit([fact]))
    assert logistics.emitted() == []
