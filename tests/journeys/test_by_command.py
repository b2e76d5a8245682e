"""The whole loop by the command alone: a delay arrives, is understood, answered, decided, told, verified and measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from cli.exit_codes import ExitCode
from tests.journeys.conftest import PATIENCE_SECONDS, Journey
from tests.support.needs import CHECKOUT
from tests.support.service import wait_until

Command = Callable[..., Any]


@pytest.fixture
def crossdock_(whole: Journey) -> Command:
    """The command on the world of the journeys; returns what it printed as JSON, or None where `not_yet` allows NOT_FOUND."""
    env = os.environ | {"CROSSDOCK_HOME": str(whole.world.stack.home.root), "CROSSDOCK_WORLD": whole.world.name}

    def run(*arguments: str, code: int = 0, not_yet: bool = False) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "cli", *arguments, "--json"],
            cwd=CHECKOUT,
            env=env,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        if not_yet and done.returncode == ExitCode.NOT_FOUND:
            return None
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    return run


def test_the_whole_loop_by_the_command_alone(whole: Journey, crossdock_: Command) -> None:
    shipment = whole.a_truck(value="70000")
    assert whole.late(shipment, days=4).is_success
    crossdock_("login", "--as", "planning-lead")

    def arrived() -> dict[str, Any] | None:
        return next(
            (c for c in crossdock_("cases", "--state", "open") if c["cause_id"] == shipment and len(c["tasks"]) == 2),
            None,
        )

    case = wait_until(arrived, seconds=PATIENCE_SECONDS)["case_id"]
    shown = crossdock_("case", case[:13])
    assert shown["value_at_risk"]["amount"] == "70000.00"
    assert [line["quantity"] for line in shown["affected_lines"]] == ["5"]
    crossdock_("ack", case)
    crossdock_("take", case)
    assert crossdock_("take", case, code=5)["error"]  # it is taken already: refused, in words
    for task in shown["tasks"]:
        crossdock_("commit", task["task_id"], "--by", "2035-03-05T17:00Z")
    sales = next(task for task in shown["tasks"] if task["function"] == "sales")
    crossdock_("hand-over", sales["task_id"], "--to", "logistics", "--note", "they know the driver")
    assert [t["offered_to"] for t in crossdock_("tasks", "--function", "logistics") if t["case_id"] == case] == [
        "logistics"
    ]
    crossdock_("return", sales["task_id"], "--reason", "only sales may write to them")

    ways = wait_until(lambda: crossdock_("options", case)["lines"], seconds=PATIENCE_SECONDS)
    best = next(option for option in ways[0]["options"] if option["feasible"])
    crossdock_("choose", case, best["alternative_id"], "--rationale", "dearer, and in time")
    drafted = ("notices", "--case", case, "--state", "drafted")
    for notice in wait_until(lambda: crossdock_(*drafted), seconds=PATIENCE_SECONDS):
        crossdock_("approve", notice["notice_id"])
    wait_until(lambda: crossdock_("case", case)["state"] == "implemented", seconds=PATIENCE_SECONDS)
    crossdock_("verify", case, "told in time")

    closed = crossdock_("case", case)
    assert (closed["state"], closed["ending"]) == ("closed", "verified")

    def causes() -> list[str]:
        chain = (crossdock_("why", case, not_yet=True) or {"chain": []})["chain"]
        return [step["type"] for step in chain][:2]

    # The scorecard hears of a case after the services that answer it.
    wait_until(
        lambda: causes() == ["exceptions.case.opened.v1", "logistics.shipment.delayed.v1"], seconds=PATIENCE_SECONDS
    )

    def decision_us() -> int | None:
        recomputed = (crossdock_("velocity", "--case", case, not_yet=True) or {}).get("recomputed")
        return recomputed and recomputed["decision_us"]

    assert wait_until(decision_us, seconds=PATIENCE_SECONDS) > 0
    assert {process["name"] for process in crossdock_("processes")["processes"]} >= {"exceptions", "scorecard-stream"}
    assert crossdock_("desk", "--as", "sales")["url"].startswith(whole.world.urls["console"])


def test_planning_by_the_command(whole: Journey, crossdock_: Command) -> None:
    whole.did("inventory", "/items", {"code": "swab", "description": "swab", "unit": "box"}, "inventory")
    whole.did(
        "inventory",
        "/stock-entries",
        {"item": "swab", "site": "Abidjan", "kind": "opening", "quantity": "40"},
        "inventory",
    )
    weeks = {"item": "swab", "site": "Abidjan", "weeks": [{"week_on": "2035-03-05", "quantity": "10"}]}
    made = whole.did("forecast", "/forecasts", weeks, "sales")
    crossdock_("login", "--as", "sales")
    asked = ("override", made["forecast_id"][:13], "--week", "2035-03-05", "--quantity", "25")
    assert crossdock_(*asked, "--reason", "", code=5)["error"]
    crossdock_(*asked, "--reason", "campaign announced")
    assert crossdock_("publish", made["forecast_id"])["published"] == 1
    (shown,) = crossdock_("forecasts", "--item", "swab")
    assert [(one["after"], one["reason"]) for one in shown["overrides"]] == [("25", "campaign announced")]
    assert [one["on_hand"] for one in crossdock_("stock", "--item", "swab")] == ["40"]
    assert crossdock_("projection", "swab", "Abidjan")["days"][0]["projected"] == "40"
    assert isinstance(crossdock_("shortages"), list)
