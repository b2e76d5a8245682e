"""Pretend people: each function answers its task through the public API, as a person at a screen would."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from simulator.doors import Doors, until


def acknowledge(doors: Doors, case_id: str) -> None:
    """Logistics accepts the case and takes it."""
    doors.post("logistics", "exceptions", f"/cases/{case_id}/acknowledge", {})
    doors.post("logistics", "exceptions", f"/cases/{case_id}/take", {})


def commit_to(doors: Doors, task: dict[str, Any], now: datetime) -> None:
    """A function commits to its task with a date."""
    by = {"committed_to": (now + timedelta(hours=4)).isoformat(), "note": "simulated person"}
    doors.post(task["function"], "exceptions", f"/tasks/{task['task_id']}/commit", by)


def choose(doors: Doors, task_id: str) -> dict[str, Any]:
    """Procurement chooses the first way out that works for each line, and declines a line that has none."""
    found = until(lambda: _round(doors, task_id), "procurement's round")
    whole = doors.get("procurement", "procurement", f"/sourcings/{found['sourcing_id']}")
    best = []
    for line in whole["lines"]:
        works = [option for option in line["options"] if option["feasible"]]
        if works:
            best.append(works[0]["alternative_id"])
        else:
            said = {"line_id": line["line_id"], "reason": "no other supplier can deliver in time (simulated)"}
            doors.post("procurement", "procurement", f"/sourcings/{found['sourcing_id']}/decline", said)
    if best:
        said_so = {"alternative_ids": best, "rationale": "dearer, and it saves the promised week (simulated)"}
        doors.post("procurement", "procurement", f"/sourcings/{found['sourcing_id']}/choose", said_so)
    return {"lines": whole["lines"], "chosen": len(best), "money_limit": whole["money_limit"]}


def _round(doors: Doors, task_id: str) -> dict[str, Any] | None:
    items = doors.get("procurement", "procurement", "/sourcings", task=task_id)["items"]
    return items[0] if items else None


def approve(doors: Doors, case_id: str, customers: int) -> list[dict[str, Any]]:
    """Sales reads each drafted notice and approves it."""
    drafts = until(lambda: _drafts(doors, case_id, customers), "the drafted notices")
    for draft in drafts:
        doors.post("sales", "sales", f"/notices/{draft['notice_id']}/approve", {})
    return list(drafts)


def _drafts(doors: Doors, case_id: str, customers: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = doors.get("sales", "sales", "/notices", case=case_id, limit=100)["items"]
    return found if len(found) >= customers else []


def verify(doors: Doors, case_id: str) -> None:
    """The planning lead checks the effect and closes the case."""
    doors.post(
        "planning-lead",
        "exceptions",
        f"/cases/{case_id}/verify",
        {"outcome": "customers were told in time (simulated)"},
    )
