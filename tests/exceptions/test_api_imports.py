"""The door for responses of other systems: both times, never into live, the same again changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from services.exceptions.__main__ import parts
from tests.exceptions.builders import CAUSE, calendar, delayed
from tests.exceptions.test_reactions import plant
from tests.support.service import ServiceUnderTest, open_service

OPENED, KNOWN = "2016-02-29T01:16:00Z", "2016-02-29T01:23:00Z"
DONE, DONE_KNOWN = "2016-02-29T11:29:00Z", "2016-03-05T12:00:00Z"
LEFT_BEHIND = (
    "SELECT (SELECT count(*) FROM timers) AS timers, (SELECT count(*) FROM tasks) AS tasks, (SELECT count(*) FROM outbox) AS said,"
    " (SELECT count(*) FROM case_timeline) AS lines, (SELECT count(*) FROM cases) AS cases, (SELECT count(*) FROM causes) AS causes"
)


@pytest.fixture
def exceptions(new_exceptions: ServiceUnderTest) -> ServiceUnderTest:
    return new_exceptions


def fact(kind: str, occurred_at: str, recorded_at: str | None = None, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "occurred_at": occurred_at, "recorded_at": recorded_at or occurred_at, **more}


def item(key: str = "INC0000045", *facts: dict[str, Any], **more: Any) -> dict[str, Any]:
    told = facts or (
        fact("opened", OPENED, KNOWN),
        fact("acknowledged", "2016-02-29T08:53:00Z"),
        fact("handed-over", "2016-02-29T09:00:00Z", from_group="Group 56", to_group="Group 70"),
        fact("implemented", DONE, DONE_KNOWN),
    )
    return {"key": key, "headline": f"{key} Category 55", "severity": "medium", "facts": list(told), **more}


def brought(exceptions: ServiceUnderTest, *items: dict[str, Any], status: int = 200) -> dict[str, Any]:
    answer = exceptions.post("/cases:import", {"source": "desk", "items": list(items)}, role="sre")
    assert answer.status_code == status, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_a_case_comes_in_with_both_its_times_and_sets_nothing_off(exceptions: ServiceUnderTest) -> None:
    result = brought(exceptions, item())["results"][0]
    assert result["status"] == "created"
    told = exceptions.emitted()
    assert [(e.type.split(".", 1)[1], e.time.isoformat()[:16], e.recordedtime.isoformat()[:16]) for e in told] == [
        ("case.opened.v1", "2016-02-29T01:16", "2016-02-29T01:23"),
        ("case.acknowledged.v1", "2016-02-29T08:53", "2016-02-29T08:53"),
        ("case.handed-over.v1", "2016-02-29T09:00", "2016-02-29T09:00"),
        ("case.implemented.v1", "2016-02-29T11:29", "2016-03-05T12:00"),
    ]
    assert {(e.subject, e.causekind) for e in told} == {(result["id"], "signal")}
    assert exceptions.rows(LEFT_BEHIND) == [{"timers": 0, "tasks": 0, "said": 4, "lines": 4, "cases": 1, "causes": 1}]


def test_people_find_an_imported_case_and_its_timeline_and_it_breaches_nothing(exceptions: ServiceUnderTest) -> None:
    case_id = brought(exceptions, item(), item("INC2", fact("opened", OPENED)))["results"][0]["id"]
    listed = exceptions.get("/cases", params={"cause_kind": "incident", "sort": "opened_at"}).json()["items"]
    assert {(one["headline"], one["state"], one["breaching"]) for one in listed} == {
        ("INC0000045 Category 55", "implemented", False),
        ("INC2 Category 55", "open", False),
    }
    whole = exceptions.get(f"/cases/{case_id}").json()
    assert (whole["clock"]["identified_at"], whole["clock"]["implemented_at"]) == (OPENED, DONE)
    lines = exceptions.get(f"/cases/{case_id}/timeline").json()["items"]
    assert [(one["fact"], one["recorded_at"]) for one in lines][-1] == ("CaseImplemented", DONE_KNOWN)
    cause = {"kind": "incident", "id": whole["cause_id"]}
    assert exceptions.get("/causes", params=cause).json()["cases"][0]["case_id"] == case_id


def test_the_same_record_again_changes_nothing_and_another_content_is_a_conflict(exceptions: ServiceUnderTest) -> None:
    brought(exceptions, item())
    before = exceptions.rows(LEFT_BEHIND)
    assert [one["status"] for one in brought(exceptions, item(), item())["results"]] == ["unchanged", "unchanged"]
    other = brought(exceptions, item("INC0000045", fact("opened", OPENED)))["results"][0]
    assert (other["status"], other["field"]) == ("conflict", "key")
    assert exceptions.rows(LEFT_BEHIND) == before


@pytest.mark.parametrize(
    ("spoiled", "field", "said"),
    [
        ({"severity": "grave"}, "severity", "'low', 'medium', 'high' or 'critical'"),
        ({"facts": []}, "facts", "at least 1 item"),
        ({"facts": [fact("implemented", DONE)]}, "facts", "begins with its opening"),
        ({"facts": [fact("opened", DONE, OPENED)]}, "facts.0", "recorded_at is before occurred_at"),
        ({"facts": [fact("opened", OPENED), fact("handed-over", DONE)]}, "facts.1", "from_group and to_group"),
        ({"facts": [fact("opened", OPENED), fact("acknowledged", DONE, to_group="x")]}, "facts.1", "to no other"),
        ({"facts": [fact("opened", "2016-02-29T01:16:00")]}, "facts.0.occurred_at", "timezone"),
        ({"facts": [fact("closed", OPENED)]}, "facts.0.kind", "'opened'"),
        ({"reopened": 1}, "reopened", "not permitted"),
    ],
)
def test_a_bad_record_is_refused_alone_and_no_half_of_it_is_kept(
    exceptions: ServiceUnderTest, spoiled: dict[str, Any], field: str, said: str
) -> None:
    good, bad, last = brought(exceptions, item("INC1"), item("INC2") | spoiled, item("INC3"))["results"]
    assert (good["status"], bad["status"], last["status"]) == ("created", "refused", "created")
    assert bad["field"] == field
    assert said in bad["reason"]
    assert exceptions.rows(LEFT_BEHIND) == [{"timers": 0, "tasks": 0, "said": 8, "lines": 8, "cases": 2, "causes": 2}]
    assert brought(exceptions, item("INC2"))["results"][0]["status"] == "created"


def test_it_is_for_the_planning_lead_and_the_sre(exceptions: ServiceUnderTest) -> None:
    """ACCESS 1: import files, run a replay, backfill responses."""
    body = {"source": "desk", "items": [item()]}
    roles = ("sales", "logistics", "inventory", "procurement", "planning-lead", "executive", "sre", "viewer")
    answers = {role: exceptions.post("/cases:import", body, role=role).status_code for role in roles}
    assert {role for role, status in answers.items() if status == 200} == {"planning-lead", "sre"}
    assert set(answers.values()) == {200, 403}


def test_live_refuses_it_with_what_to_do_instead(fresh_database: Callable[[str], str]) -> None:
    with open_service(parts(), fresh_database("exceptions"), clock="wall", world="live") as live:
        answer = brought(live, item(), status=409)
        assert answer["code"] == "live-world"
        assert "answers of your own" in answer["detail"]
        assert "crossdock world create" in answer["detail"]
        assert live.rows(LEFT_BEHIND)[0]["said"] == 0


def test_a_case_of_our_own_beside_it_stays_as_it_is(exceptions: ServiceUnderTest) -> None:
    plant(exceptions)
    exceptions.consume(calendar(), delayed())
    exceptions.emitted()
    before = exceptions.rows("SELECT name, subject, due_at FROM timers ORDER BY timer_id")
    brought(exceptions, item())
    assert exceptions.rows("SELECT name, subject, due_at FROM timers ORDER BY timer_id") == before
    mine = exceptions.get("/causes", params={"kind": "shipment-delay", "id": str(CAUSE.id)}).json()
    assert len(mine["cases"]) == 1
