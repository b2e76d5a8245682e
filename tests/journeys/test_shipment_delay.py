"""The way of a delay through every service."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from cli import simulated
from tests.journeys.conftest import PATIENCE_SECONDS, Journey
from tests.support.service import wait_until


def _simulated(whole: Journey, what: str, *arguments: str) -> list[dict[str, Any]]:
    with simulated.begin(whole.world, what, *arguments) as simulator:
        told, _ = simulator.communicate(timeout=600)
    steps = [json.loads(line) for line in told.splitlines()]
    assert simulator.returncode == 0, steps[-1:]
    return steps


def test_the_delay_story_is_told_whole_and_traffic_goes_on_after_it(whole: Journey) -> None:
    """A late truck becomes a coordinated response; stream, SQL and Prometheus agree to the millisecond."""
    steps = _simulated(whole, "story")
    assert [
        s["step"]
        for s in steps
        if s["step"] in ("signal", "case", "decided", "implemented", "velocity", "verified", "why")
    ] == [
        "signal",
        "case",
        "decided",
        "implemented",
        "velocity",
        "verified",
        "why",
    ]
    assert "signal" in steps[-1]["text"]
    ways = _simulated(whole, "traffic", "--every", "0", "--cases", "6", "--seed", "5")
    states = {"verified": "closed", "implemented": "implemented"}
    for step in ways:
        how_far = step["text"].rsplit(" ", 1)[-1]
        case = whole.get("exceptions", f"/cases/{step['case_id']}")
        assert case["state"] == states.get(how_far, "open"), step
        assert (case["acknowledged_at"] is None) is (how_far == "nothing"), step
    assert len({step["case_id"] for step in ways}) == 6


def test_delay_after_delay_extends_the_one_case_that_is_open(whole: Journey) -> None:
    """FLOW 1.3: a root signal of the same cause while the case is open extends it."""
    shipment = whole.a_truck()
    for days in (1, 2, 4):
        assert whole.late(shipment, days=days).is_success
    case = whole.case_of(shipment, state="open")
    wait_until(lambda: "4 d late" in whole.cases_of(shipment)[0]["headline"], seconds=PATIENCE_SECONDS)
    assert len(whole.cases_of(shipment)) == 1
    assert len(case["tasks"]) == 2
    assert case["value_at_risk"]["amount"] == "500.00", "each line counts once (FLOW 1.4)"


def test_a_recovery_before_the_response_clears_the_case_and_withdraws_its_tasks(whole: Journey) -> None:
    """FLOW 2.4: withdrawn closes the draft and the round; an approval of something closed is refused with 409."""
    shipment = whole.a_truck()
    whole.late(shipment, days=2)
    case = whole.case_of(shipment, state="open")
    drafts = wait_until(lambda: whole.get("sales", "/notices", case=case["case_id"])["items"], seconds=PATIENCE_SECONDS)
    whole.late(shipment, days=0)
    closed = whole.case_of(shipment, state="closed")
    assert {t["state"] for t in closed["tasks"]} == {"withdrawn"}
    wait_until(
        lambda: whole.get("sales", f"/notices/{drafts[0]['notice_id']}")["state"] == "withdrawn",
        seconds=PATIENCE_SECONDS,
    )
    refused = whole.post("sales", f"/notices/{drafts[0]['notice_id']}/approve", {}, "sales")
    assert refused.status_code == 409
    assert "cleared" in refused.json()["detail"]


def test_the_same_message_a_thousand_times_is_one_delay(whole: Journey) -> None:
    shipment = whole.a_truck()
    reference = whole.get("logistics", f"/shipments/{shipment}")["reference"]
    due = datetime.fromisoformat(whole.get("logistics", f"/shipments/{shipment}")["promised_at"])
    item = {
        "key": f"{reference}@1",
        "shipment": reference,
        "planned_by": "crossdock",
        "kind": "estimated",
        "occurred_at": due.isoformat(),
        "expected_at": (due + timedelta(days=2)).isoformat(),
        "reason": "customs",
    }

    def send(_: int) -> set[str]:
        answer = whole.did(
            "logistics",
            "/milestones:batch",
            {"source": "northline", "items": [item] * 100},
            "machine",
            carrier="northline",
            source="northline",
        )
        return {r["status"] for r in answer["results"]}

    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(send, range(10)))
    assert sum("created" in statuses for statuses in said) == 1
    whole.case_of(shipment, state="open")
    assert len(whole.get("logistics", f"/shipments/{shipment}")["milestones"]) == 1
    assert len(whole.cases_of(shipment)) == 1


def test_messages_of_two_carriers_out_of_order_come_out_right(whole: Journey) -> None:
    shipment = whole.a_truck()
    shown = whole.get("logistics", f"/shipments/{shipment}")
    due = datetime.fromisoformat(shown["promised_at"])

    def says(carrier: str, hour: int, days: int) -> dict[str, Any]:
        return {
            "key": f"{shown['reference']}-{carrier}-{hour}",
            "shipment": shown["reference"],
            "planned_by": "crossdock",
            "kind": "estimated",
            "occurred_at": (due - timedelta(days=2) + timedelta(hours=hour)).isoformat(),
            "expected_at": (due + timedelta(days=days)).isoformat(),
        }

    for item in (says("b", 9, 3), says("a", 1, 6), says("b", 5, 5)):  # the latest word came first
        whole.did(
            "logistics",
            "/milestones:batch",
            {"source": "northline", "items": [item]},
            "machine",
            carrier="northline",
            source="northline",
        )
    moved = whole.get("logistics", f"/shipments/{shipment}")
    assert datetime.fromisoformat(moved["expected_at"]) == due + timedelta(days=3)
    assert whole.case_of(shipment)["headline"].startswith(f"Shipment {shown['reference']} to Abidjan is 3 d late")


def test_a_function_that_refuses_leaves_the_choice_to_the_planning_lead(whole: Journey) -> None:
    """FLOW 2.3: a refused task goes to the planning lead; quorum waits for every required task (FLOW 2.2)."""
    shipment = whole.a_truck(item="nobody-sells-this")
    whole.late(shipment, days=2)
    case = whole.case_of(shipment, state="open")
    find = whole.task(case, "find-alternative-source")
    refused = whole.did(
        "exceptions", f"/tasks/{find['task_id']}/refuse", {"reason": "no supplier has a term for it"}, "procurement"
    )
    assert refused
    assert (
        whole.post(
            "exceptions", f"/tasks/{find['task_id']}/waive", {"reason": "we wait for the truck"}, "sales"
        ).status_code
        == 403
    )
    whole.did("exceptions", f"/tasks/{find['task_id']}/waive", {"reason": "we wait for the truck"}, "planning-lead")
    assert whole.case_of(shipment)["state"] == "open", "one waiver does not silence the others"
    drafts = wait_until(
        lambda: whole.get("sales", "/notices", case=case["case_id"], state="drafted")["items"], seconds=PATIENCE_SECONDS
    )
    whole.did("sales", f"/notices/{drafts[0]['notice_id']}/approve", {}, "sales")
    whole.case_of(shipment, state="implemented")


def test_a_delay_that_nobody_is_hurt_by_is_an_impact_too(whole: Journey) -> None:
    """FLOW 3.1: nobody affected is said as such, and completes the notification."""
    shipment = whole.a_truck(order=False)
    whole.late(shipment, days=2)
    case = whole.case_of(shipment, state="open")
    wait_until(lambda: whole.task(case, "notify-customers")["state"] == "completed", seconds=PATIENCE_SECONDS)


def test_a_trace_goes_from_the_request_to_the_last_fact_of_the_chain(whole: Journey) -> None:
    shipment = whole.a_truck()
    trace = uuid4().hex
    due = datetime.fromisoformat(whole.get("logistics", f"/shipments/{shipment}")["promised_at"])
    head = whole.head("logistics") | {"traceparent": f"00-{trace}-{trace[:16]}-01"}
    body = {"expected_at": (due + timedelta(days=2)).isoformat(), "reason": "customs"}
    assert whole.http.post(
        f"{whole.world.urls['logistics']}/shipments/{shipment}/expected-arrival", json=body, headers=head
    ).is_success
    case = whole.case_of(shipment, state="open")

    def facts() -> list[dict[str, Any]]:
        return list(
            whole.get("scorecard", "/facts", type="exceptions.case.reassessed.v1", subject=case["case_id"])["items"]
        )

    (fact, *_) = wait_until(facts, seconds=PATIENCE_SECONDS)
    assert fact["traceparent"].split("-")[1] == trace
