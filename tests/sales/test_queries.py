"""What can be asked of sales: lists by scope and cursor, impacts, figures."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.sales.builders import (
    CASE,
    PROMISED,
    TASK,
    cause_of,
    delayed,
    new_line,
    placed,
    received,
    shipped,
    task_opened,
)
from tests.support.service import ServiceUnderTest

LIMITED = {"sites": ["Abidjan"], "customers": ["clinic"]}


def pages(sales: ServiceUnderTest, path: str, key: str, **filters: Any) -> list[str]:
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = sales.get(path, params={"limit": 2, **filters, **({"cursor": cursor} if cursor else {})}).json()
        assert len(page["items"]) <= 2
        seen += [row[key] for row in page["items"]]
        if (cursor := page["next"]) is None:
            return seen
        other = sales.get(
            path, params={"limit": 2, "cursor": cursor, "customer": "x", "tier": "key", "affected": "false"}
        )
        assert (other.status_code, other.json()["field"]) == (422, "cursor")


def test_every_list_is_paged_by_signed_cursors_that_belong_to_their_question(sales: ServiceUnderTest) -> None:
    orders = [placed(sales, f"O{n}", customer=f"c{n}") for n in range(5)]
    for order in orders:
        sales.consume(delayed(shipped(order, shipment=order.reference), shipment=order.reference))
    sales.consume(delayed([line for order in orders for line in shipped(order)]), task_opened())
    assert sorted(pages(sales, "/orders", "reference")) == [f"O{n}" for n in range(5)]
    assert pages(sales, "/customers", "code") == [f"c{n}" for n in range(5)]
    assert len(set(pages(sales, "/impacts", "impact_id"))) == 6
    assert sorted(pages(sales, "/notices", "customer")) == [f"c{n}" for n in range(5)]


def test_lists_show_what_lies_in_scope_and_nothing_else(sales: ServiceUnderTest) -> None:
    """FLOW 4.3"""
    mine, theirs = placed(sales), placed(sales, "O2", customer="hospital")
    placed(sales, "O3", site="Lome")
    sales.consume(delayed([*shipped(mine), *shipped(theirs)]), task_opened())
    sales.consume(delayed(shipped(theirs, shipment="S2"), shipment="S2"))
    seen = {
        path: [row[field] for row in sales.get(path, role="viewer", claims=LIMITED).json()["items"]]
        for path, field in (
            ("/orders", "reference"),
            ("/customers", "code"),
            ("/notices", "customer"),
            ("/impacts", "cause"),
        )
    }
    assert seen == {
        "/orders": ["O1"],
        "/customers": ["clinic"],
        "/notices": ["clinic"],
        "/impacts": [cause_of().model_dump(mode="json")],
    }
    figures = sales.get("/figures", role="viewer", claims=LIMITED).json()
    assert (figures["orders"], figures["customers"], figures["impacts"], figures["notices"]) == (
        1,
        1,
        1,
        {"drafted": 1},
    )
    nothing = sales.get("/orders", role="viewer", claims={"sites": [], "customers": []}).json()
    assert nothing["items"] == []


def test_an_impact_shows_the_lines_in_scope_and_counts_the_others(sales: ServiceUnderTest) -> None:
    """FLOW 4.3"""
    mine, theirs = placed(sales), placed(sales, "O2", new_line(value="900"), customer="hospital")
    sales.consume(delayed([*shipped(mine), *shipped(theirs)]))
    (row,) = sales.get("/impacts", params={"cause": str(cause_of().id)}).json()["items"]
    assert (row["lines_affected"], row["value"]["amount"], row["nobody_affected"]) == (2, "1000.00", False)
    assert [(c["customer"], c["lines"]) for c in row["customers"]] == [("clinic", 1), ("hospital", 1)]
    limited = sales.get(f"/impacts/{row['impact_id']}", role="viewer", claims=LIMITED).json()
    assert [line["customer"] for line in limited["lines"]] == ["clinic"]
    assert (limited["lines_out_of_scope"], limited["value"]["amount"]) == (1, "100.00")
    stranger = {"sites": "*", "customers": ["nobody"]}
    assert sales.get(f"/impacts/{row['impact_id']}", role="viewer", claims=stranger).status_code == 403


def test_money_at_risk_is_that_of_the_lines_in_scope(sales: ServiceUnderTest) -> None:
    """The figures add up what the lists show."""
    mine, theirs = placed(sales), placed(sales, "O2", new_line(value="900"), customer="hospital")
    sales.consume(delayed([*shipped(mine), *shipped(theirs)]))
    for claims, amount in ((None, "1000.00"), (LIMITED, "100.00")):
        (money,) = sales.get("/figures", role="viewer", claims=claims).json()["value_at_risk"]
        assert money["amount"] == amount


def test_a_task_that_waits_for_its_impact_is_no_impact_yet(sales: ServiceUnderTest) -> None:
    """FLOW 1.2"""
    sales.consume(task_opened())
    assert sales.get("/impacts").json()["items"] == []
    assert sales.get("/figures").json()["impacts"] == 0


@pytest.mark.parametrize(
    ("filters", "number"),
    [
        ({"case": str(CASE)}, 2),
        ({"task": str(TASK)}, 2),
        ({"customer": "clinic"}, 1),
        ({"state": "sent"}, 0),
        ({"case": str(TASK)}, 0),
    ],
)
def test_notices_are_found_by_case_task_customer_and_state(
    sales: ServiceUnderTest, filters: dict[str, str], number: int
) -> None:
    mine, theirs = placed(sales), placed(sales, "O2", customer="hospital")
    sales.consume(delayed([*shipped(mine), *shipped(theirs)]), task_opened())
    assert len(sales.get("/notices", params=filters).json()["items"]) == number


def test_orders_are_found_by_what_they_say(sales: ServiceUnderTest) -> None:
    placed(sales), placed(sales, "O2", new_line(promised_on=PROMISED + timedelta(days=9)), customer="hospital")
    for filters, number in (
        ({"reference": "O2"}, 1),
        ({"customer": "clinic"}, 1),
        ({"promised_before": "2026-03-05"}, 1),
        ({"source": "erp"}, 2),
    ):
        assert len(sales.get("/orders", params=filters).json()["items"]) == number, filters


def test_promises_kept_are_shown_against_the_first_and_the_current_promise(sales: ServiceUnderTest) -> None:
    """METRICS 3.2"""
    order = placed(sales, "O1", new_line("1"), new_line("2"))
    late = PROMISED + timedelta(days=2)
    revised = order.lines[0].order_line_id
    sales.post(f"/promises/{revised}/revise", {"promised_on": str(late), "reason": "agreed"}, role="sales")
    sales.consume(received(shipped(order), on=late))
    figures = sales.get("/figures").json()
    assert (figures["lines_received"], figures["kept_first_promise"], figures["kept_current_promise"]) == (2, 0, 1)
    assert figures["promises_revised"] == 1


def test_money_at_risk_is_the_sum_of_the_lines_at_sales_price(sales: ServiceUnderTest) -> None:
    """FLOW 1.4"""
    order = placed(sales, "O1", new_line("1", value="0.10"), new_line("2", value="0.20"))
    sales.consume(delayed(shipped(order)))
    (at_risk,) = sales.get("/figures").json()["value_at_risk"]
    assert Decimal(at_risk["amount"]) == Decimal("0.30")


def test_an_empty_world_has_no_rate_rather_than_zero(sales: ServiceUnderTest) -> None:
    figures = sales.get("/figures").json()
    assert (figures["contradictory_update_rate"], figures["notice_lead_days"], figures["orders"]) == (None, None, 0)


def test_notice_lead_counts_to_the_end_of_the_old_promise(sales: ServiceUnderTest) -> None:
    """METRICS 3.2"""
    order = placed(sales)
    sales.consume(delayed(shipped(order)), task_opened())
    (notice,) = sales.get("/notices").json()["items"]
    sales.post(f"/notices/{notice['notice_id']}/approve", role="sales")
    sales.do(lambda tx: tx.cursor().execute("UPDATE notices SET state = 'sent', sent_at = '2026-03-03T12:00:00Z'"))
    figures = sales.get("/figures").json()
    assert (figures["lines_told"], figures["lines_told_proactively"], figures["notice_lead_days"]) == (1, 1, "1.5000")
