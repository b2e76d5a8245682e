"""A deadline that passes climbs the ladder, in a world whose clock is driven."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.stack import Stack
from tests.journeys.conftest import LOOP, PATIENCE_SECONDS, Journey
from tests.support import deadlines
from tests.support.service import wait_until
from tests.support.stack import Infrastructure

START = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def driven(stack: Stack, infra: Infrastructure) -> Iterator[Journey]:
    world = stack.create_world(infra.world(), clock="driven", services=LOOP)
    journey = Journey(world)
    yield journey
    stack.drop_world(world.name)


def test_a_promised_day_that_ends_in_silence_escalates_function_lead_executive(driven: Journey) -> None:
    """FLOW 5.5 and 6.2: timers fire at their due instants, rung by rung; nobody answers, and it stops at the limit."""
    driven.advance(START)
    rungs_ = [
        {"role": None, "after_minutes": 0},
        {"role": "planning-lead", "after_minutes": 1440},
        {"role": "executive", "after_minutes": 1440},
    ]
    ladder = {"code": "default", "calendar": "every-day", "max_escalations": 3, "rungs": rungs_}
    driven.did("collaboration", "/ladders", ladder)
    driven.a_site()
    body: dict[str, Any] = {
        "reference": "T1",
        "destination": "Abidjan",
        "promised_on": "2026-03-04",
        "lines": [
            {
                "reference": "1",
                "item": "kit",
                "quantity": "1",
                "value": {"amount": "10", "currency": "USD"},
                "promised_on": "2026-03-04",
            }
        ],
    }
    shipment = driven.did("logistics", "/shipments", body, "logistics")["shipment_id"]
    driven.advance(START + timedelta(days=3))
    case = driven.case_of(shipment, state="open")
    assert datetime.fromisoformat(case["opened_at"]) == datetime(2026, 3, 5, tzinfo=UTC), (
        "the instant at which the day ended"
    )
    assert case["provisional"] is True

    def levels() -> list[str]:
        entries = driven.get("exceptions", f"/cases/{case['case_id']}/timeline", limit=200)["items"]
        return [e["content"]["rung"] for e in entries if e["type"] == "exceptions.case.escalated.v1"]

    for day in range(4, 30):
        driven.advance(START + timedelta(days=day))
    found = wait_until(lambda: levels() if len(levels()) >= 3 else None, seconds=PATIENCE_SECONDS)
    assert found[1:] == ["planning-lead", "executive"], "the next rung is told after the one before"
    assert found[0] in ("sales", "procurement"), "the function is told first"
    driven.advance(START + timedelta(days=90))
    assert len(levels()) == 3, "never more than the ladder's limit"


def test_whoever_follows_the_facts_knows_every_deadline(whole: Journey) -> None:
    """The facts on Kafka alone give the deadlines that the service answers, of every case of the world."""
    shipment = whole.a_truck(value="70000")
    assert whole.late(shipment, days=3).is_success
    case = whole.case_of(shipment, state="open")
    notify = whole.task(case, "notify-customers")
    offer = {"to_function": "logistics", "note": "they know the driver"}
    whole.did("exceptions", f"/tasks/{notify['task_id']}/hand-over", offer, "sales")
    whole.did("exceptions", f"/tasks/{notify['task_id']}/accept", {}, "logistics")
    whole.did("exceptions", f"/cases/{case['case_id']}/pause", {"reason": "they are closed"})
    whole.did("exceptions", f"/cases/{case['case_id']}/resume", {})
    (usual,) = (c for c in whole.get("collaboration", "/calendars")["items"] if c["code"] == "weekdays")
    hours = {name: usual[name] for name in ("code", "zone", "weekdays", "opens", "closes", "holidays")}
    whole.did("collaboration", "/calendars", hours | {"opens": "10:00:00"})

    def rescheduled() -> bool:
        types = {f["type"] for f in whole.facts() if f["data"]["case_id"] == case["case_id"]}
        return "exceptions.task.rescheduled.v1" in types

    wait_until(rescheduled, seconds=PATIENCE_SECONDS)
    whole.did("collaboration", "/calendars", hours)

    def agrees() -> bool:
        known = deadlines.folded(whole.facts())
        return all(
            case.shown() == deadlines.of_answer(whole.get("exceptions", f"/cases/{case_id}"))
            for case_id, case in known.items()
        )

    wait_until(agrees, seconds=PATIENCE_SECONDS)
