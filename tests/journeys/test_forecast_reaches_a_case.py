"""A changed forecast becomes a projected shortage, and the shortage a case."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from chassis.runtime.clock import machine_now
from tests.journeys.conftest import PATIENCE_SECONDS, Journey
from tests.support.service import wait_until


@pytest.fixture
def no_time_to_commit(whole: Journey) -> Iterator[None]:
    """A playbook for shortages whose tasks want a commitment at once, by a calendar that is always open."""
    (before,) = (p for p in whole.get("exceptions", "/playbooks")["items"] if p["kind"] == "shortage")
    kept = {name: before[name] for name in ("kind", "ladder", "recurrence_days", "acknowledge_within")}
    tasks = [task | {"commit_within": {"minutes": 0}} for task in before["tasks"]]
    whole.did("exceptions", "/playbooks", kept | {"calendar": "every-day", "tasks": tasks})
    yield
    whole.did("exceptions", "/playbooks", kept | {"calendar": before["calendar"], "tasks": before["tasks"]})


def test_a_forecast_that_takes_more_than_there_is_opens_a_case(whole: Journey, no_time_to_commit: None) -> None:
    """FLOW 3.4: a shortage with nothing behind it is its own cause; a task that nobody commits to is escalated."""
    whole.did(
        "inventory",
        "/items",
        {"code": "gauze", "description": "gauze", "unit": "box", "unit_value": {"amount": "2", "currency": "USD"}},
        "inventory",
    )
    opening = {"item": "gauze", "site": "Abidjan", "kind": "opening", "quantity": "100"}
    whole.did("inventory", "/stock-entries", opening, "inventory")
    today = machine_now().date()
    monday = (today + timedelta(days=7 - today.weekday())).isoformat()
    made = whole.did(
        "forecast",
        "/forecasts",
        {"item": "gauze", "site": "Abidjan", "weeks": [{"week_on": monday, "quantity": "80"}]},
        "sales",
    )
    whole.did("forecast", f"/forecasts/{made['forecast_id']}/publish", {}, "sales")
    override = {"week_on": monday, "quantity": "500", "reason": "vaccination campaign announced"}
    no_reason = whole.post(
        "forecast", f"/forecasts/{made['forecast_id']}/overrides", {**override, "reason": ""}, "sales"
    )
    assert (no_reason.status_code, no_reason.json()["field"]) == (422, "reason")
    whole.did("forecast", f"/forecasts/{made['forecast_id']}/overrides", override, "sales")
    whole.did("forecast", f"/forecasts/{made['forecast_id']}/publish", {}, "sales")

    def short() -> list[dict[str, Any]]:
        return [s for s in whole.get("inventory", "/shortages")["items"] if s["item"] == "gauze"]

    (shortage, *_) = wait_until(short, seconds=PATIENCE_SECONDS)

    def case() -> list[dict[str, Any]]:
        return [
            c
            for c in whole.get("exceptions", "/cases")["items"]
            if c["cause_kind"] == "shortage" and "gauze" in c["headline"]
        ]

    (opened, *_) = wait_until(case, seconds=PATIENCE_SECONDS)
    assert shortage["quantity"] == "400"
    assert opened["value_at_risk"]["amount"] == "800.00"

    def escalated() -> list[dict[str, Any]]:
        entries = whole.get("exceptions", f"/cases/{opened['case_id']}/timeline", limit=200)["items"]
        return [e for e in entries if e["type"] == "exceptions.case.escalated.v1" and e["task_id"] is not None]

    wait_until(escalated, seconds=PATIENCE_SECONDS)
