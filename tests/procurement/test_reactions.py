"""Procurement hears tasks, cases and deliveries: events in, rows and events out; the same again changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from schemas.base import Event
from schemas.types import subject_id
from tests.procurement.builders import (
    CASE,
    LATER,
    NOW,
    ROUND,
    TASK,
    TODAY,
    affected,
    case_extended,
    option_of,
    price,
    received,
    task_completed,
    task_opened,
    task_reopened,
    task_waived,
    task_withdrawn,
    with_suppliers,
)
from tests.support.service import ServiceUnderTest


def test_a_task_opens_its_round_and_ranks_every_candidate_at_once(procurement: ServiceUnderTest) -> None:
    """FLOW 3.3: a round ranks once at opening; its options carry their reasons."""
    with_suppliers(procurement, "ACME", "Dear", "Cheap", price=price("9"), lead_time_days=2)
    with_suppliers(procurement, "Cheap", price=price("4"), lead_time_days=3)
    procurement.emitted()
    procurement.consume(task_opened())
    (opened,) = procurement.emitted()
    assert opened.type == "procurement.sourcing.opened.v1"
    assert (opened.data.case_id, opened.data.task_id, opened.data.lines) == (CASE, TASK, 1)
    assert [(a.supplier, a.rank, a.feasible) for a in opened.data.alternatives] == [
        ("Cheap", 1, True),
        ("Dear", 2, True),
    ]
    assert opened.data.alternatives[0].reasons == ("arrives 2026-03-05, 1 day after the need",)


def test_the_same_task_heard_again_and_told_again_opens_no_second_round(procurement: ServiceUnderTest) -> None:
    heard = procurement.consume(task_opened())
    procurement.consume(*heard)
    procurement.consume(task_opened(), task_opened())
    assert procurement.names() == ["sourcing.opened"]
    assert len(procurement.rows("SELECT * FROM sourcings")) == 1


def test_a_task_of_another_kind_is_none_of_procurements_business(procurement: ServiceUnderTest) -> None:
    procurement.consume(task_opened(kind="notify-customers"))
    assert procurement.names() == []


def test_a_grown_delay_ranks_the_round_again_with_the_new_days(procurement: ServiceUnderTest) -> None:
    """FLOW 2.4, 3.3: extended ranks again with the new need day; what could not work may work now."""
    with_suppliers(procurement, "Slow", price=price("4"), lead_time_days=20)
    procurement.consume(task_opened())
    assert option_of(procurement, "Slow")["feasible"] is False
    procurement.consume(case_extended(affected(expected_on=TODAY + timedelta(days=30))))
    assert procurement.names()[-1] == "sourcing.ranked"
    assert option_of(procurement, "Slow")["feasible"] is True


def test_a_case_that_grows_in_the_same_batch_as_its_task_is_ranked_again(procurement: ServiceUnderTest) -> None:
    procurement.consume(task_opened(), case_extended(affected(quantity=Decimal(7))))
    assert procurement.names() == ["sourcing.opened", "sourcing.ranked"]
    assert procurement.rows("SELECT quantity FROM sourcing_lines") == [{"quantity": Decimal(7)}]


def test_a_withdrawn_task_closes_the_round_and_a_choice_is_refused_with_the_reason(
    procurement: ServiceUnderTest,
) -> None:
    """FLOW 2.4: withdrawn closes the round; a choice on something closed is refused with 409 and the reason."""
    with_suppliers(procurement, "Cheap", price=price("4"), lead_time_days=2)
    procurement.consume(task_opened())
    chosen = option_of(procurement, "Cheap")["alternative_id"]
    procurement.consume(task_withdrawn("the shipment came in time"))
    assert procurement.names()[-1] == "sourcing.closed"
    refused = procurement.post(f"/sourcings/{ROUND}/choose", {"alternative_id": chosen, "rationale": "still cheap"})
    assert refused.status_code == 409
    assert "the shipment came in time" in refused.json()["detail"]
    assert procurement.names() == []


@pytest.mark.parametrize("ended", [task_waived, task_completed])
def test_a_task_that_a_person_ended_closes_its_round(procurement: ServiceUnderTest, ended: Callable[[], Event]) -> None:
    procurement.consume(task_opened(), ended())
    assert procurement.names() == ["sourcing.opened", "sourcing.closed"]


def test_a_reopened_task_opens_the_round_again_with_what_is_known_now(procurement: ServiceUnderTest) -> None:
    """FLOW 2.4: the task came back, the round is ranked again and can be decided again."""
    procurement.consume(task_opened(), task_withdrawn())
    with_suppliers(procurement, "New", price=price("4"), lead_time_days=2)
    procurement.emitted()
    procurement.consume(task_reopened())
    (told,) = procurement.emitted()
    assert told.type == "procurement.sourcing.reopened.v1"
    assert [a.supplier for a in told.data.alternatives] == ["New"]
    chosen = procurement.post(
        f"/sourcings/{ROUND}/choose",
        {"alternative_id": option_of(procurement, "New")["alternative_id"], "rationale": "the only one"},
    )
    assert chosen.status_code == 200, chosen.text


def test_a_returned_task_whose_round_is_open_is_only_ranked_again(procurement: ServiceUnderTest) -> None:
    procurement.consume(task_opened(), task_reopened())
    assert procurement.names() == ["sourcing.opened", "sourcing.ranked"]


def test_a_reopened_task_without_a_round_opens_one(procurement: ServiceUnderTest) -> None:
    procurement.consume(task_reopened())
    assert procurement.names() == ["sourcing.opened"]


def test_facts_about_a_round_that_never_was_change_nothing(procurement: ServiceUnderTest) -> None:
    procurement.consume(task_withdrawn(), case_extended(affected()))
    assert procurement.names() == []
    assert procurement.rows("SELECT * FROM dead_letters") == []


def test_a_delivered_order_line_is_an_observed_term_from_its_recording_on(procurement: ServiceUnderTest) -> None:
    """FLOW 7.3: a recorded line is an observed term of its supplier for that item, known from the day of recording."""
    with_suppliers(procurement, "ACME", "Observed", "Other")
    procurement.consume(received("S7", "Observed"), received("S8", "Other", item="masks"))
    procurement.consume(task_opened())
    assert procurement.rows("SELECT * FROM alternatives") == [], (
        "what is recorded in the same instant is known after it"
    )
    procurement.set_clock(LATER)
    procurement.consume(case_extended(affected()))
    (option,) = procurement.get(f"/sourcings/{ROUND}").json()["lines"][0]["options"]
    assert (option["supplier"], option["feasible"]) == ("Observed", True)
    assert option["reasons"][0] == "no agreed price: observed deliveries only"
    assert (option["on_time_share"], option["receipts"]) == ("1.0000", 1)


def test_a_line_from_stock_says_nothing_about_a_supplier(procurement: ServiceUnderTest) -> None:
    """FLOW 7.3: a placeholder without a purchase order is never a candidate."""
    with_suppliers(procurement, "Store")
    procurement.consume(received("S7", "Store", ordered=False), received("S8", None, ordered=False))
    assert procurement.rows("SELECT * FROM terms") == []
    assert procurement.rows("SELECT * FROM track_records") == []


def test_a_registered_placeholder_is_never_offered_even_when_it_delivered(procurement: ServiceUnderTest) -> None:
    procurement.post("/suppliers", {"code": "Store", "name": "Store", "candidate": False}, role="procurement")
    procurement.consume(received("S7", "Store"))
    procurement.set_clock(LATER)
    procurement.consume(task_opened())
    assert procurement.rows("SELECT * FROM alternatives") == []


def test_receipts_make_the_on_time_share_and_a_redelivery_does_not_count_twice(procurement: ServiceUnderTest) -> None:
    with_suppliers(procurement, "Mixed")
    heard = procurement.consume(
        received("S1", "Mixed"), received("S2", "Mixed"), received("S3", "Mixed", received_on=TODAY + timedelta(days=3))
    )
    procurement.consume(*heard)
    (supplier,) = procurement.get("/suppliers").json()["items"]
    assert (supplier["receipts"], supplier["receipts_on_time"], supplier["on_time_share"]) == (3, 2, "0.6667")
    (term,) = procurement.get("/terms").json()["items"]
    assert (term["kind"], term["deliveries"], term["price"]) == ("observed", 3, None)
    assert term["last_delivered_on"] == (TODAY + timedelta(days=3)).isoformat()


def test_in_a_driven_world_a_round_is_opened_at_the_time_of_its_task(procurement: ServiceUnderTest) -> None:
    """FLOW 6.2: inside a reaction the world's time is the event's recorded time, wherever the clock stands."""
    told = procurement.envelope(task_opened())
    procurement.set_clock(NOW + timedelta(days=3))
    procurement.consume(told)
    assert procurement.rows("SELECT recorded_at, ranked_at FROM sourcings") == [{"recorded_at": NOW, "ranked_at": NOW}]
    (opened,) = procurement.emitted()
    assert (opened.recordedtime, opened.causationid, opened.causekind) == (NOW, told.id, "event")


def test_a_hundred_tasks_of_one_batch_are_ranked_from_one_look_at_the_market(procurement: ServiceUnderTest) -> None:
    with_suppliers(procurement, *(f"V{n}" for n in range(10)), price=price("4"), lead_time_days=2)
    procurement.emitted()
    tasks = [
        task_opened(*(affected(f"{n}-{m}") for m in range(3))).model_copy(
            update={"task_id": subject_id("task", "test", str(n)), "case_id": subject_id("case", "test", str(n))}
        )
        for n in range(100)
    ]
    procurement.consume(*tasks)
    assert procurement.rows("SELECT count(*) AS n FROM alternatives") == [{"n": 3000}]
    assert procurement.names() == ["sourcing.opened"] * 100
