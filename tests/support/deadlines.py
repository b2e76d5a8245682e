"""The deadlines of cases from the facts on `exceptions.case` alone, as a subscriber keeps them.

It reads what travels, as JSON, and shares nothing with the service whose answers it is compared with.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

TASK_STATES = {
    "task.opened": "open",
    "task.reopened": "open",
    "task.handover-accepted": "open",
    "task.committed": "committed",
    "task.refused": "refused",
    "task.completed": "done",
    "task.waived": "done",
    "task.withdrawn": "done",
}
CASE_STATES = {
    "case.opened": "open",
    "case.reopened": "open",
    "case.implemented": "implemented",
    "case.cleared": "closed",
    "case.verified": "closed",
}
PAUSED = {"case.paused": True, "case.resumed": False, "case.reopened": False}


@dataclass
class TaskDeadlines:
    """One task, as the facts describe it."""

    state: str = "open"
    commit_by: datetime | None = None
    complete_by: datetime | None = None


@dataclass
class CaseDeadlines:
    """One case and its tasks, as the facts describe them."""

    state: str = "open"
    is_paused: bool = False
    is_acknowledged: bool = False
    acknowledge_by: datetime | None = None
    tasks: dict[str, TaskDeadlines] = field(default_factory=dict)

    @property
    def due_at(self) -> datetime | None:
        """Return the earliest deadline that is not met, passed or not; None while the case is paused or not open."""
        if self.state != "open" or self.is_paused:
            return None
        due = [] if self.is_acknowledged else [self.acknowledge_by]
        due += [task.commit_by for task in self.tasks.values() if task.state == "open"]
        due += [task.complete_by for task in self.tasks.values() if task.state != "done"]
        return min((at for at in due if at is not None), default=None)

    def shown(self) -> dict[str, Any]:
        """Return the deadlines by name, to be compared with those of `GET /cases/{id}`."""
        tasks = {task_id: (task.commit_by, task.complete_by) for task_id, task in sorted(self.tasks.items())}
        return {"due_at": self.due_at, "acknowledge_by": self.acknowledge_by, "tasks": tasks}


def folded(events: Iterable[dict[str, Any]]) -> dict[str, CaseDeadlines]:
    """Return the deadlines of each case by its id, from CloudEvents in the order of their topic."""
    cases: dict[str, CaseDeadlines] = {}
    for event in events:
        fold(cases.setdefault(event["data"]["case_id"], CaseDeadlines()), event["type"], event["data"])
    return cases


def fold(case: CaseDeadlines, event_type: str, data: dict[str, Any]) -> None:
    """Change what is known of a case by one fact about it."""
    kind = event_type.removeprefix("exceptions.").removesuffix(".v1")
    case.state = CASE_STATES.get(kind, case.state)
    case.is_paused = PAUSED.get(kind, case.is_paused)
    case.is_acknowledged = case.is_acknowledged or kind == "case.acknowledged"
    if "acknowledge_by" in data:
        case.acknowledge_by = datetime.fromisoformat(data["acknowledge_by"])
    for moved in data.get("deadlines", ()):
        _move(case.tasks.setdefault(moved["task_id"], TaskDeadlines()), moved)
    if kind.startswith("task."):
        task = case.tasks.setdefault(data["task_id"], TaskDeadlines())
        task.state = TASK_STATES.get(kind, task.state)
        _move(task, data)


def _move(task: TaskDeadlines, data: dict[str, Any]) -> None:
    if "commit_by" in data:
        task.commit_by = datetime.fromisoformat(data["commit_by"])
    if "complete_by" in data:
        task.complete_by = datetime.fromisoformat(data["complete_by"])


def of_answer(case: dict[str, Any]) -> dict[str, Any]:
    """Return the deadlines that `GET /cases/{id}` answers, by the names that `shown` uses."""

    def at(text: str | None) -> datetime | None:
        return None if text is None else datetime.fromisoformat(text)

    tasks = {
        task["task_id"]: (at(task["commit_by"]), at(task["complete_by"]))
        for task in sorted(case["whole_tasks"], key=lambda one: one["task_id"])
    }
    return {"due_at": at(case["due_at"]), "acknowledge_by": at(case["acknowledge_by"]), "tasks": tasks}
