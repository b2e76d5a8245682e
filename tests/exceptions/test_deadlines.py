"""A subscriber knows every deadline from the facts: whatever moves one says the new one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from schemas.envelope import encode
from services.exceptions import domain
from services.exceptions.__main__ import parts
from tests.exceptions.builders import (
    CAUSE,
    NOW,
    calendar,
    delayed,
    extended,
    impact,
    ladder,
    notice_sent,
    recovered,
    shortage,
)
from tests.exceptions.test_reactions import plant, wait_out
from tests.support import deadlines
from tests.support.service import ServiceUnderTest, open_service

CASE = domain.case_id_of(CAUSE, 1)
NOTIFY, FIND = domain.task_id_of(CASE, "notify-customers"), domain.task_id_of(CASE, "find-alternative-source")


class Subscriber:
    """A service under test, and what a subscriber made of its facts."""

    def __init__(self, service: ServiceUnderTest) -> None:
        self.service = service
        self.events: list[dict[str, Any]] = []

    def new_types(self) -> list[str]:
        """Take the facts said since the last call; returns their short names, without a word for the same again."""
        found = [json.loads(encode(envelope)) for envelope in self.service.emitted()]
        self.events += found
        return list(dict.fromkeys(e["type"].removeprefix("exceptions.").removesuffix(".v1") for e in found))

    def agrees(self) -> dict[str, Any]:
        """Compare every case with what the facts say; returns the deadlines of the case of these tests."""
        self.new_types()
        cases = deadlines.folded(self.events)
        for case_id, case in cases.items():
            answer = self.service.get(f"/cases/{case_id}").json()
            assert case.shown() == deadlines.of_answer(answer)
            (row,) = self.service.get("/cases", params={"case_id": case_id}).json()["items"]
            assert row["due_at"] == answer["due_at"]
        return cases[str(CASE)].shown()

    def act(self, path: str, body: Any = None, *, role: str = "planning-lead") -> None:
        answer = self.service.post(path, body, role=role)
        assert answer.is_success, f"{path}: {answer.text}"


@pytest.fixture
def subscriber(fresh_database: Callable[[str], str]) -> Iterator[Subscriber]:
    with open_service(parts(), fresh_database("exceptions")) as opened:
        plant(opened)
        opened.consume(calendar(), ladder(0, 240, 480))
        yield Subscriber(opened)


@pytest.fixture
def opened(subscriber: Subscriber) -> Subscriber:
    subscriber.service.consume(delayed())
    subscriber.agrees()
    return subscriber


def hours_later(opened: Subscriber, hours: float) -> None:
    opened.service.set_clock(opened.service.now() + timedelta(hours=hours))


def test_an_opening_says_when_the_case_and_each_task_are_due(opened: Subscriber) -> None:
    before = opened.agrees()
    assert None not in (before["due_at"], before["acknowledge_by"])
    assert len(before["tasks"]) == 2


def test_a_severity_that_tightens_says_the_earlier_deadlines(opened: Subscriber) -> None:
    """FLOW 2.5: who is hurt, a shortage that follows, a further slip."""
    before = opened.agrees()
    opened.act(f"/tasks/{FIND}/commit", {"committed_to": NOW + timedelta(days=1)}, role="procurement")
    opened.service.consume(impact(customers=(("Hofmann", "strategic"),)))
    after = opened.agrees()
    assert after["acknowledge_by"] < before["acknowledge_by"]
    assert all(after["tasks"][t][1] < before["tasks"][t][1] for t in before["tasks"])
    opened.service.consume(shortage(cause=CAUSE, value="9000000", item="nut"))
    sooner = opened.agrees()
    assert sooner["acknowledge_by"] < after["acknowledge_by"]
    opened.service.consume(extended(days=5))
    opened.agrees()


def test_a_further_slip_of_many_days_tightens_by_itself(opened: Subscriber) -> None:
    before = opened.agrees()
    hours_later(opened, 60)  # the day of need is near: the same signal makes the case graver
    opened.service.consume(extended(days=9))
    assert opened.new_types() == ["case.extended"]
    assert opened.agrees()["tasks"] != before["tasks"]


def test_a_pause_has_no_deadline_and_a_resumption_says_the_later_ones(opened: Subscriber) -> None:
    before = opened.agrees()
    opened.act(f"/cases/{CASE}/pause", {"reason": "they are closed"})
    assert opened.agrees()["due_at"] is None
    hours_later(opened, 30)
    opened.service.consume(calendar(closes=16))  # heard while no timer is pending: counted by it from the resumption on
    assert opened.new_types() == []
    opened.act(f"/cases/{CASE}/resume")
    assert opened.new_types() == ["case.resumed"]
    after = opened.agrees()
    assert after["due_at"] > before["due_at"]
    assert all(after["tasks"][t] > before["tasks"][t] for t in before["tasks"])


def test_a_handover_that_is_accepted_says_when_the_new_holder_commits(opened: Subscriber) -> None:
    before = opened.agrees()
    opened.act(f"/tasks/{NOTIFY}/hand-over", {"to_function": "logistics", "note": "you know them"}, role="sales")
    assert opened.agrees() == before, "until it is accepted nothing moves"
    hours_later(opened, 2)
    opened.act(f"/tasks/{NOTIFY}/accept", role="logistics")
    after = opened.agrees()["tasks"][str(NOTIFY)]
    assert after[0] > before["tasks"][str(NOTIFY)][0]
    assert after[1] == before["tasks"][str(NOTIFY)][1]


def test_a_handover_that_is_returned_moves_nothing(opened: Subscriber) -> None:
    before = opened.agrees()
    opened.act(f"/tasks/{NOTIFY}/hand-over", {"to_function": "logistics", "note": "you know them"}, role="sales")
    hours_later(opened, 2)
    opened.act(f"/tasks/{NOTIFY}/return", {"reason": "we do not"}, role="logistics")
    assert opened.agrees() == before


def test_a_refused_task_that_is_assigned_has_new_deadlines(opened: Subscriber) -> None:
    before = opened.agrees()
    opened.act(f"/tasks/{FIND}/refuse", {"reason": "nobody sells it"}, role="procurement")
    opened.agrees()
    hours_later(opened, 3)
    opened.act(f"/tasks/{FIND}/assign", {"to_function": "logistics", "reason": "you may know one"})
    assert opened.agrees()["tasks"][str(FIND)] > before["tasks"][str(FIND)]


def test_a_task_that_is_asked_for_again_has_new_deadlines(opened: Subscriber) -> None:
    """FLOW 3.1: nobody was hurt, then somebody is."""
    opened.service.consume(impact(customers=()))
    assert "task.completed" in opened.new_types()
    before = opened.agrees()
    hours_later(opened, 3)
    opened.service.consume(impact(version=2))
    assert "task.reopened" in opened.new_types()
    assert opened.agrees()["tasks"][str(NOTIFY)] > before["tasks"][str(NOTIFY)]


def test_a_case_that_comes_back_says_all_its_deadlines(opened: Subscriber) -> None:
    """FLOW 1.3: by its cause within the window, and by a person."""
    before = opened.agrees()
    opened.act(f"/cases/{CASE}/acknowledge", role="sales")
    opened.service.consume(recovered())
    assert opened.agrees()["due_at"] is None
    hours_later(opened, 50)
    opened.service.consume(delayed(days=2))
    again = opened.agrees()
    assert again["due_at"] > before["due_at"]
    for task, role in ((NOTIFY, "sales"), (FIND, "procurement")):
        opened.act(f"/tasks/{task}/complete", {"outcome": "done so"}, role=role)
    assert opened.agrees()["due_at"] is None, "implemented"
    hours_later(opened, 50)
    opened.act(f"/cases/{CASE}/reopen", {"reason": "it did not hold"})
    last = opened.agrees()
    assert last["acknowledge_by"] > again["acknowledge_by"]
    assert all(last["tasks"][t] > again["tasks"][t] for t in again["tasks"])


def test_a_changed_calendar_says_the_new_deadlines_of_each_open_task(opened: Subscriber) -> None:
    """FLOW 5.5: the timers follow the calendar, and so do those who follow the facts."""
    opened.act(f"/tasks/{FIND}/commit", {"committed_to": NOW + timedelta(days=1)}, role="procurement")
    before = opened.agrees()
    opened.service.consume(calendar(opens=12, closes=14))
    assert opened.new_types() == ["task.rescheduled"]
    after = opened.agrees()
    assert after["due_at"] > before["due_at"]
    assert after["acknowledge_by"] > before["acknowledge_by"]
    assert all(after["tasks"][t][1] > before["tasks"][t][1] for t in before["tasks"])
    rescheduled = [e["data"] for e in opened.events if e["type"] == "exceptions.task.rescheduled.v1"]
    assert [(one["task_id"], one["function"]) for one in rescheduled] == [
        (str(NOTIFY), "sales"),
        (str(FIND), "procurement"),
    ]
    opened.service.consume(calendar(opens=12, closes=14))
    assert opened.new_types() == [], "the same calendar again moves nothing and says nothing"


def test_a_calendar_that_was_unknown_says_the_deadlines_when_it_is_heard(fresh_database: Callable[[str], str]) -> None:
    with open_service(parts(), fresh_database("exceptions")) as bare:
        plant(bare)
        follower = Subscriber(bare)
        bare.set_clock(NOW + timedelta(hours=9))
        bare.consume(delayed())
        before = follower.agrees()
        bare.consume(calendar())
        assert follower.new_types() == ["task.rescheduled"]
        assert follower.agrees()["due_at"] > before["due_at"]


def test_deadlines_that_pass_stay_and_what_is_done_is_due_no_longer(opened: Subscriber) -> None:
    """FLOW 5.5: an escalation moves no deadline; a task done by another service's fact is due no longer."""
    before = opened.agrees()
    wait_out(opened.service, NOW + timedelta(days=3))
    assert opened.new_types() == ["case.escalated"]
    assert opened.agrees() == before
    opened.service.consume(calendar(opens=12, closes=14))
    opened.agrees()
    opened.act(f"/cases/{CASE}/take", role="sales")
    opened.agrees()
    opened.service.consume(notice_sent(CASE))
    opened.agrees()
    opened.act(f"/tasks/{FIND}/waive", {"reason": "we wait for the truck"})
    assert opened.agrees()["due_at"] is None
    opened.act(f"/cases/{CASE}/verify", {"outcome": "it held"})
    opened.agrees()


def test_a_fact_of_an_older_release_names_no_deadline_and_changes_none(opened: Subscriber) -> None:
    """The new fields are optional: who reads facts that lack them keeps what it knows."""
    before = opened.agrees()
    old = [json.loads(json.dumps(event)) for event in opened.events]
    for event in old:
        event["data"].pop("deadlines", None)
    assert deadlines.folded(old)[str(CASE)].shown() == before, "the tasks say their own"
