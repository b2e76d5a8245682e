"""The doors of exceptions: acts and questions, who may, and what each reader sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from services.exceptions import domain
from services.exceptions.__main__ import parts
from tests.exceptions.builders import CAUSE, calendar, delayed
from tests.exceptions.test_reactions import plant
from tests.support.service import House, house

CASE = domain.case_id_of(CAUSE, 1)
NOTIFY = domain.task_id_of(CASE, "notify-customers")
FIND = domain.task_id_of(CASE, "find-alternative-source")


@pytest.fixture
def exceptions(fresh_database: Callable[[str], str]) -> Iterator[House]:
    with house(parts(), fresh_database("exceptions")) as opened:
        plant(opened)
        opened.hear(calendar(), delayed())
        opened.said()
        yield opened


def act(
    exceptions: House, path: str, body: dict[str, Any] | None = None, *, role: str = "planning-lead", status: int = 200
) -> dict[str, Any]:
    answer = exceptions.post(path, body, role=role)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_whole_response_over_http(exceptions: House) -> None:
    """FLOW 2.2: the last required task implements the case, a person verifies it."""
    act(exceptions, f"/cases/{CASE}/acknowledge", role="logistics")
    taken = act(exceptions, f"/cases/{CASE}/take", role="procurement")
    assert taken["owner"] == exceptions.get("/cases").json()["items"][0]["owner"]
    act(exceptions, f"/cases/{CASE}/decide", {"choice": "order from Nordic"}, role="procurement")
    act(exceptions, f"/tasks/{NOTIFY}/commit", {"committed_to": "2026-03-03T12:00:00Z"}, role="sales")
    act(exceptions, f"/tasks/{NOTIFY}/complete", {"outcome": "told by phone"}, role="sales")
    done = act(exceptions, f"/tasks/{FIND}/waive", {"reason": "nothing is cheaper"}, role="procurement")
    assert (done["state"], done["task"]["state"]) == ("implemented", "waived")
    assert act(exceptions, f"/cases/{CASE}/verify", {"outcome": "customer is content"})["ending"] == "verified"
    assert exceptions.names() == [
        "case.acknowledged", "case.taken", "case.decided", "task.committed", "task.completed", "task.waived", "case.implemented", "case.verified",
    ]  # fmt: skip
