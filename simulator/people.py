"""Pretend people: each function answers its task through the public API, as a person at a screen would."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from simulator.service_client import ServiceClient, until


def acknowledge(services: ServiceClient, case_id: str) -> None:
    """Logistics accepts the case and takes it."""
    services.post("logistics", "exceptions", f"/cases/{case_id}/acknowledge", {})
    services.post("logistics", "exceptions", f"/cases/{case_id}/take", {})


def commit_to(services: ServiceClient, task: dict[str, Any], now: datetime) -> None:
    """A function commits to its task with a date."""
    by = {"committed_to": (now + timedelta(hours=4)).isoformat(), "note": "simulated person"}
    services.post(task["function"], "exceptions", f"/tasks/{task['task_id']}/commit", by)


def choose(services: ServiceClient, task_id: str) -> dict[str, Any]:
    """Procurement chooses the first way out that works for each line, and declines a line that has none."""
    found = until(lambda: _round(services, task_id), "procurement's round")
    whole = services.get("procurement", "procurement", f"/sourcings/{found['sourcing_id']}")
    best = []
    for line in whole["lines"]:
        works = [option for option in line["options"] if option["feasible"]]
        if works:
            best.append(works[0]["alternative_id"])
        else:
            said = {"line_id": line["line_id"], "reason": "no other supplier can deliver in time (simulated)"}
            services.post("procurement", "procurement", f"/sourcings/{found['sourcing_id']}/decline", said)
    if best:
        said_so = {"alternative_ids": best, "rationale": "dearer, and it saves the promised week (simulated)"}
        services.post("procurement", "procurement", f"/sourcings/{found['sourcing_id']}/choose", said_so)
    return {"lines": whole["lines"], "chosen": len(best), "money_limit": whole["money_limit"]}


def _round(services: ServiceClient, task_id: str) -> dict[str, Any] | None:
    items = services.get("procurement", "procurement", "/sourcings", task=task_id)["items"]
    return items[0] if items else None


def approve(services: ServiceClient, case_id: str, customers: int) -> list[dict[str, Any]]:
    """Sales reads each drafted notice and approves it."""
    drafts = until(lambda: _drafts(services, case_id, customers), "the drafted notices")
    for draft in drafts:
        services.post("sales", "sales", f"/notices/{draft['notice_id']}/approve", {})
    return list(drafts)


def _drafts(services: ServiceClient, case_id: str, customers: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = services.get("sales", "sales", "/notices", case=case_id, limit=100)["items"]
    return found if len(found) >= customers else []


def verify(services: ServiceClient, case_id: str) -> None:
    """The planning lead checks the effect and closes the case."""
    services.post(
        "planning-lead",
        "exceptions",
        f"/cases/{case_id}/verify",
        {"outcome": "customers were told in time (simulated)"},
    )
