"""The doors: who may keep the rules, what is refused with which words, and what is masked."""

from __future__ import annotations

import pytest

from cli import seed
from tests.support.checked_service import CheckedService

WEEKDAYS = {"code": "weekdays", "zone": "UTC", "weekdays": [0, 1, 2, 3, 4], "opens": "08:00", "closes": "18:00"}
ANA = {"code": "ana", "name": "Ana", "function": "sales", "contact": "ana@example.org"}


def duty(person: str, day: int) -> dict[str, str]:
    return {"person": person, "starts_at": f"2026-03-{day:02}T08:00:00Z", "ends_at": f"2026-03-{day + 1:02}T08:00:00Z"}


@pytest.mark.parametrize("folder", [seed.FOLDER, seed.FOLDER / "replay"])
def test_the_seed_is_taken_and_planting_it_again_changes_nothing(tried: CheckedService, folder):
    """FLOW 7.4: a replay world's ladder has whole-day rungs."""
    mine = [request for request in seed.requests(folder) if request["service"] == "collaboration"]
    for request in mine + mine:
        tried.post(request["path"], request["body"], by=request.get("as", seed.ROLE), key=request["key"])
    said = tried.emitted()
    assert len(said) == len(mine) - 6  # functions are not published
    ladder = said[-1]
    assert (ladder.rungs[0].role, ladder.rungs[0].after_minutes) == (None, 0)
    assert ladder.max_escalations == 3
    if folder.name == "replay":
        assert all(rung.after_minutes % 1440 == 0 for rung in ladder.rungs)


@pytest.mark.parametrize("path", ["/functions", "/people", "/calendars", "/rosters", "/ladders"])
def test_only_the_planning_lead_keeps_the_rules(tried: CheckedService, path):
    for role in ("sales", "logistics", "inventory", "procurement", "executive", "sre", "viewer"):
        assert tried.post(path, {}, by=role, expect=403)["code"] == "forbidden"
    assert tried.service.client.post(path, json={}).status_code == 401


def test_a_calendar_is_made_changed_and_shown(tried: CheckedService):
    tried.post("/calendars", WEEKDAYS)
    tried.post("/calendars", WEEKDAYS | {"holidays": ["2026-12-25"]})
    assert tried.get("/calendars/weekdays", by="viewer")["holidays"] == ["2026-12-25"]
    assert len(tried.get("/calendars", by="viewer")["items"]) == 1
    assert tried.get("/calendars/nights", expect=404)["detail"].startswith("no calendar of that code")


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"zone": "Mars/Olympus"}, "unknown-zone", "zone"),
        ({"closes": "07:59"}, "closes-before-opens", "closes"),
        ({"weekdays": []}, "no-weekdays", "weekdays"),
        ({"weekdays": [9]}, "no-weekdays", "weekdays"),
        ({"colour": "red"}, "invalid", "colour"),
    ],
)
def test_a_calendar_that_cannot_work_is_refused_with_its_field(tried: CheckedService, change, code, field):
    problem = tried.post("/calendars", WEEKDAYS | change, expect=422)
    assert (problem["code"], problem["field"]) == (code, field)


def test_overlapping_duties_are_refused(tried: CheckedService):
    tried.post("/people", ANA)
    tried.post("/rosters", {"function": "sales", "duties": [duty("ana", 2), duty("ana", 3)]})
    longer = duty("ana", 2) | {"ends_at": "2026-03-03T09:00:00Z"}
    problem = tried.post("/rosters", {"function": "sales", "duties": [longer, duty("ana", 3)]}, expect=422)
    assert problem["code"] == "overlapping-duties"
    assert len(tried.get("/rosters")["items"][0]["duties"]) == 2


def test_a_ladder_needs_a_calendar_that_is_kept(tried: CheckedService):
    ladder = {"calendar": "weekdays", "max_escalations": 3, "rungs": [{"after_minutes": 0}]}
    assert tried.post("/ladders", ladder, expect=422)["code"] == "unknown-calendar"
    tried.post("/calendars", WEEKDAYS)
    tried.post("/ladders", ladder)
    assert tried.get("/ladders")["items"][0]["code"] == "default"


def test_a_persons_contact_is_masked_for_those_who_may_not_see_it(tried: CheckedService):
    tried.post("/people", ANA)
    assert tried.get("/people", by="sales")["items"][0]["contact"] == "ana@example.org"
    page = tried.get("/people", by="logistics")
    assert page["items"][0]["contact"] is None
    assert page["masked"] == ["items[].contact"]


def test_an_idempotency_key_gives_the_same_answer_once(tried: CheckedService):
    first = tried.post("/calendars", WEEKDAYS, key="k-1")
    tried.at(tried.now.replace(hour=12))
    assert tried.post("/calendars", WEEKDAYS, key="k-1") == first
    other = tried.post("/calendars", WEEKDAYS | {"closes": "19:00"}, key="k-1", expect=409)
    assert other["code"] == "key-reused"


def test_a_machine_without_subscriptions_reads_nothing(tried: CheckedService):
    tried.get("/calendars", by="machine", claims={"source": "erp"}, expect=403)
    tried.get("/calendars", by="machine", claims={"topics": ["collaboration.calendar"]})
