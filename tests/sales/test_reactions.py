"""Sales hears of delays, tasks and receipts: who is hurt, what is drafted, what came true."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from schemas.types import subject_id
from services.sales.domain import notice_id_of
from tests.sales.builders import (
    CASE,
    PROMISED,
    TASK,
    case_extended,
    delayed,
    extended,
    known_customer,
    new_line,
    placed,
    received,
    shipped,
    task_opened,
    task_reopened,
    task_withdrawn,
)
from tests.support.service import ServiceUnderTest

IMPACT = "impact.assessed"
DRAFT = "notice.drafted"


def test_a_delay_names_the_order_lines_customers_and_promises_in_danger(sales: ServiceUnderTest) -> None:
    """FLOW 3.1"""
    order = placed(sales, "O1", new_line("1"), new_line("2", value="50.00"))
    sales.emitted()
    sales.consume(delayed(shipped(order)))
    (said,) = sales.emitted()
    impact = said.data
    assert (impact.version, impact.value.amount, impact.unmatched_lines) == (1, Decimal("150.00"), 0)
    assert {line.order_line_id for line in impact.lines} == {line.order_line_id for line in order.lines}
    assert {(line.customer, line.tier, line.promise_version, line.proposed_on) for line in impact.lines} == {
        ("clinic", "key", 1, PROMISED + timedelta(days=2))
    }


def test_nobody_affected_is_an_impact_too(sales: ServiceUnderTest) -> None:
    """FLOW 3.1"""
    order = placed(sales)
    unknown = [line.model_copy(update={"order_id": None}) for line in shipped(order)]
    for_stock = [line.model_copy(update={"order_id": None, "order_line_id": None}) for line in shipped(order)]
    sales.emitted()
    for lines, unmatched in ((unknown, 1), (for_stock, 0)):
        sales.consume(delayed(lines))
        (said,) = sales.emitted()
        assert (said.data.lines, said.data.value.amount, said.data.unmatched_lines) == ((), 0, unmatched)


def test_a_line_whose_own_promise_still_holds_is_not_in_danger(sales: ServiceUnderTest) -> None:
    """FLOW 3.1"""
    order = placed(sales, "O1", new_line("1"), new_line("2", promised_on=PROMISED + timedelta(days=9)))
    sales.emitted()
    sales.consume(delayed(shipped(order), days=2))
    (said,) = sales.emitted()
    assert [line.promised_on for line in said.data.lines] == [PROMISED]


def test_a_delay_without_a_date_proposes_the_slip_of_the_policy(sales: ServiceUnderTest) -> None:
    """FLOW 3.1"""
    order = placed(sales)
    sales.emitted()
    sales.consume(delayed(shipped(order), days=None))
    (said,) = sales.emitted()
    assert said.data.lines[0].proposed_on == PROMISED + timedelta(days=7)


def test_a_further_slip_is_the_next_version_of_the_same_impact(sales: ServiceUnderTest) -> None:
    """FLOW 3.1"""
    order = placed(sales)
    sales.emitted()
    sales.consume(delayed(shipped(order), days=1))
    sales.consume(extended(shipped(order), days=3))
    first, second = sales.emitted()
    assert first.data.impact_id == second.data.impact_id
    assert (first.data.version, second.data.version) == (1, 2)
    assert second.data.lines[0].proposed_on == PROMISED + timedelta(days=3)


def test_the_same_delay_a_thousand_times_is_one_impact(sales: ServiceUnderTest) -> None:
    """FLOW 3.1"""
    order = placed(sales)
    sales.emitted()
    (envelope,) = sales.consume(delayed(shipped(order)))
    sales.consume(*[envelope] * 999)
    assert sales.names() == [IMPACT]


def test_many_delays_in_one_batch_give_one_impact_each(sales: ServiceUnderTest) -> None:
    """FLOW 3.1"""
    orders = [placed(sales, f"O{n}", customer=f"clinic-{n % 3}") for n in range(30)]
    sales.emitted()
    sales.consume(*[delayed(shipped(o, shipment=o.reference), shipment=o.reference) for o in orders])
    said = sales.emitted()
    assert len(said) == len({e.data.impact_id for e in said}) == 30


@pytest.mark.parametrize("impact_first", [True, False])
def test_a_draft_waits_for_both_the_impact_and_the_task(sales: ServiceUnderTest, impact_first: bool) -> None:
    """FLOW 1.2, 3.2"""
    order = placed(sales)
    other = placed(sales, "O2", customer="hospital")
    facts = [delayed([*shipped(order), *shipped(other)]), task_opened()]
    sales.emitted()
    sales.consume(facts[0] if impact_first else facts[1])
    assert DRAFT not in sales.names()
    sales.consume(facts[1] if impact_first else facts[0])
    drafts = [e.data for e in sales.emitted() if e.type.endswith("drafted.v1")]
    assert sorted(d.customer for d in drafts) == ["clinic", "hospital"]
    assert {d.notice_id for d in drafts} == {notice_id_of(TASK, "clinic"), notice_id_of(TASK, "hospital")}
    assert all(len(d.lines) == 1 and d.version == 1 for d in drafts)


def test_impact_and_task_in_one_batch_draft_once(sales: ServiceUnderTest) -> None:
    """FLOW 1.2, 3.2"""
    order = placed(sales)
    sales.emitted()
    sales.consume(task_opened(), delayed(shipped(order)))
    assert sales.names() == [IMPACT, DRAFT]


def test_a_task_of_another_function_drafts_nothing(sales: ServiceUnderTest) -> None:
    order = placed(sales)
    sales.emitted()
    sales.consume(delayed(shipped(order)), task_opened(kind="find-alternative-source"))
    assert sales.names() == [IMPACT]


def test_an_extended_case_drafts_again_with_the_new_day_in_either_order(sales: ServiceUnderTest) -> None:
    """FLOW 2.4"""
    order = placed(sales)
    sales.consume(delayed(shipped(order), days=1), task_opened())
    sales.emitted()
    sales.consume(case_extended())
    assert sales.names() == []
    sales.consume(extended(shipped(order), days=4))
    impact, draft = sales.emitted()
    assert (impact.data.version, draft.data.version) == (2, 2)
    assert draft.data.lines[0].proposed_on == PROMISED + timedelta(days=4)
    sales.consume(case_extended())
    assert sales.names() == []


def test_a_withdrawn_task_closes_its_drafts_and_a_reopened_one_drafts_again(sales: ServiceUnderTest) -> None:
    """FLOW 2.4"""
    order = placed(sales)
    sales.consume(delayed(shipped(order)), task_opened())
    sales.emitted()
    sales.consume(task_withdrawn())
    (withdrawn,) = sales.emitted()
    assert "in time again" in withdrawn.data.reason
    sales.consume(extended(shipped(order), days=5))
    assert sales.names() == [IMPACT]
    sales.consume(task_reopened())
    (draft,) = sales.emitted()
    assert (draft.data.version, draft.data.lines[0].proposed_on) == (2, PROMISED + timedelta(days=5))


def test_a_new_case_of_the_same_cause_tells_only_what_was_not_told(sales: ServiceUnderTest) -> None:
    """FLOW 1.3"""
    order = placed(sales)
    sales.consume(delayed(shipped(order)), task_opened())
    sales.emitted()
    second_case, second_task = subject_id("case", "test", "2"), subject_id("task", "test", "2")
    sales.consume(task_opened(task_id=second_task, case_id=second_case))
    (draft,) = sales.emitted()
    assert draft.data.notice_id == notice_id_of(second_task, "clinic")
    assert sales.get(f"/notices?case={CASE}").json()["items"][0]["revision"] == 1


def test_a_draft_whose_customer_is_not_affected_any_more_is_withdrawn(sales: ServiceUnderTest) -> None:
    """FLOW 2.4"""
    order = placed(sales, "O1", new_line("1", promised_on=PROMISED), new_line("2", promised_on=PROMISED))
    sales.consume(delayed(shipped(order), days=3), task_opened())
    sales.emitted()
    sales.consume(received(shipped(order), on=PROMISED))
    sales.consume(extended(shipped(order), days=5))
    assert sales.names() == [IMPACT, "notice.withdrawn"]


def test_the_receipt_writes_the_actual_day_beside_the_promised_one(sales: ServiceUnderTest) -> None:
    """FLOW 7.1"""
    order = placed(sales, "O1", new_line("1"), new_line("2", promised_on=PROMISED + timedelta(days=9)))
    late = PROMISED + timedelta(days=3)
    sales.consume(received(shipped(order), on=late))
    lines = {line["reference"]: line for line in sales.get(f"/orders/{order.order_id}").json()["lines"]}
    assert {line["actual_on"] for line in lines.values()} == {late.isoformat()}
    kept = [sales.get(f"/promises/{line['order_line_id']}").json()["kept_first"] for line in lines.values()]
    assert sorted(kept) == [False, True]
    assert sales.get("/figures").json()["kept_first_promise"] == 1


def test_a_notice_about_what_has_come_is_not_approved_any_more(sales: ServiceUnderTest) -> None:
    """FLOW 2.4"""
    order = placed(sales)
    sales.consume(delayed(shipped(order)), task_opened())
    sales.consume(received(shipped(order), on=PROMISED + timedelta(days=1)))
    (notice,) = sales.get("/notices").json()["items"]
    answer = sales.post(f"/notices/{notice['notice_id']}/approve", role="sales")
    assert (answer.status_code, answer.json()["code"]) == (409, "line-has-come")
    assert sales.post(f"/notices/{notice['notice_id']}/redraft", role="sales").json()["state"] == "withdrawn"


def test_policy_approves_what_it_may_and_leaves_the_rest_to_people(sales: ServiceUnderTest) -> None:
    """FLOW 3.2"""
    known_customer(sales, "small", tier="standard")
    policy = {
        "automatic": True,
        "automatic_tiers": ["key"],
        "automatic_value_max": {"amount": "120", "currency": "USD"},
    }
    assert sales.post("/notice-policy", policy).status_code == 200
    cheap, dear = placed(sales, "O1"), placed(sales, "O2", new_line(value="500"), customer="hospital")
    sales.consume(delayed([*shipped(cheap), *shipped(dear)]), task_opened())
    states = {n["customer"]: (n["state"], n["automatic"]) for n in sales.get("/notices").json()["items"]}
    assert states == {"clinic": ("approved", True), "hospital": ("drafted", False)}


def test_what_was_known_when_is_kept_beside_when_it_happened(sales: ServiceUnderTest) -> None:
    """FLOW 6.2"""
    order = placed(sales)
    sales.consume(delayed(shipped(order)))
    (row,) = sales.rows("SELECT occurred_at, recorded_at FROM impacts")
    assert row["recorded_at"] == sales.now()


def test_a_receipt_of_a_line_that_nobody_ordered_here_is_left_out(sales: ServiceUnderTest) -> None:
    order = placed(sales)
    other = [line.model_copy(update={"order_id": subject_id("order", "x", "y")}) for line in shipped(order)]
    sales.consume(received(other, on=date(2026, 3, 5)))
    assert sales.rows("SELECT actual_on FROM order_lines") == [{"actual_on": None}]
