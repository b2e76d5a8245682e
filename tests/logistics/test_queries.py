"""What can be asked of logistics."""

from __future__ import annotations

from decimal import Decimal

from tests.logistics.test_api import BODY, ERP, item
from tests.support.service import ServiceUnderTest


def test_a_list_is_paged_by_signed_cursors_that_belong_to_their_question(logistics: ServiceUnderTest) -> None:
    logistics.post(
        "/shipments:batch", {"source": "erp", "items": [item(n) for n in range(5)]}, role="machine", claims=ERP
    )
    seen, cursor = [], None
    while True:
        page = logistics.get("/shipments", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        seen += [row["reference"] for row in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
        other = logistics.get("/shipments", params={"limit": 2, "cursor": cursor, "state": "received"})
        assert (other.status_code, other.json()["field"]) == (422, "cursor")
    assert sorted(seen) == [f"B{n}" for n in range(5)]
    assert len(seen) == len(set(seen))


def test_a_line_is_late_against_its_own_promised_day(logistics: ServiceUnderTest) -> None:
    second = {**BODY["lines"][0], "reference": "2", "promised_on": "2026-03-09"}
    made = logistics.post("/shipments", {**BODY, "lines": [*BODY["lines"], second]}, role="logistics").json()[
        "shipment_id"
    ]
    logistics.post(f"/shipments/{made}/receive", {"received_on": "2026-03-07"}, role="logistics")
    figures = logistics.get("/figures").json()
    assert (figures["lines"], figures["late_lines"], figures["on_time_line_share"]) == (2, 1, "0.5000")
    assert (figures["late_shipments"], figures["delayed_shipments"]) == (1, 0)
    assert Decimal(figures["value"]) == Decimal(20)


def test_an_empty_world_has_no_share_rather_than_zero(logistics: ServiceUnderTest) -> None:
    assert logistics.get("/figures").json()["on_time_line_share"] is None


def test_sums_over_everything_are_for_readers_of_everything(logistics: ServiceUnderTest) -> None:
    assert logistics.get("/figures", role="viewer", claims={"sites": ["Abidjan"]}).status_code == 403


def test_findings_are_shown_with_their_shipment(logistics: ServiceUnderTest) -> None:
    made = logistics.post("/shipments", BODY, role="logistics").json()["shipment_id"]
    logistics.post(f"/shipments/{made}/receive", {"received_on": "2026-03-03"}, role="logistics")
    (finding,) = logistics.get("/findings").json()["items"]
    assert (finding["kind"], finding["reference"]) == ("received-after-recording", "S1")
