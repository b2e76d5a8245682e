"""A fact comes in, a case and its tasks come out; the same fact again changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli import seed
from services.exceptions import domain
from tests.exceptions.builders import (
    CAUSE,
    NOW,
    averted,
    calendar,
    cancelled,
    chosen,
    delayed,
    eur,
    extended,
    impact,
    ladder,
    notice_sent,
    recovered,
    roster,
    settled,
    shortage,
)
from tests.support.service import ServiceUnderTest

CASE = domain.case_id_of(CAUSE, 1)
OPENED = ["case.opened", "task.opened", "task.opened"]


def plant(opened: ServiceUnderTest, folder: Path = seed.FOLDER) -> None:
    for request in seed.requests(folder, currency=opened.database.currency):
        if request["service"] == "exceptions":
            answer = opened.post(request["path"], request["body"], key=request["key"])
            assert answer.status_code == 201, answer.text


@pytest.fixture
def bare(new_exceptions: ServiceUnderTest) -> ServiceUnderTest:
    return new_exceptions


@pytest.fixture
def exceptions(bare: ServiceUnderTest) -> ServiceUnderTest:
    plant(bare)
    bare.consume(calendar())
    return bare


def one_case(exceptions: ServiceUnderTest) -> dict[str, Any]:
    (row,) = exceptions.rows("SELECT * FROM cases")
    return row


def test_a_delay_opens_a_case_with_both_tasks_once(exceptions: ServiceUnderTest) -> None:
    """FLOW 1.1 and 1.2: the root signal opens the case; a redelivery finds what it made."""
    heard = exceptions.consume(delayed())
    said = exceptions.emitted()
    assert [e.type.split(".", 1)[1].rsplit(".", 1)[0] for e in said] == OPENED
    assert {e.causationid for e in said} == {heard[0].id}
    assert said[0].data.value_at_risk == eur("2000.50")
    assert [e.data.kind for e in said[1:]] == ["notify-customers", "find-alternative-source"]
    tables = ("cases", "tasks", "case_timeline", "timers", "causes")
    before = [exceptions.rows(f"SELECT * FROM {t} ORDER BY 1, 2") for t in tables]
    exceptions.consume(*heard)
    assert exceptions.emitted() == []
    assert before == [exceptions.rows(f"SELECT * FROM {t} ORDER BY 1, 2") for t in tables]


def test_the_timeline_keeps_every_fact_with_its_cause(exceptions: ServiceUnderTest) -> None:
    """FLOW 2.1: the clock points are immutable facts; what the lines say stays with the case and its scope."""
    (heard,) = exceptions.consume(delayed())
    entries = exceptions.rows("SELECT * FROM case_timeline ORDER BY position")
    assert [e["fact"] for e in entries] == ["CaseOpened", "TaskOpened", "TaskOpened"]
    assert {(e["caused_by"], e["caused_kind"]) for e in entries} == {(heard.id, "event")}
    assert all("lines" not in e["content"] and "customers" not in e["content"] for e in entries)


def test_facts_carry_sites_and_customers_and_no_cost(exceptions: ServiceUnderTest) -> None:
    """FLOW 4.3: every fact on the topic says the sites and customers known at that time."""
    exceptions.consume(delayed(), impact(customers=(("Meyer", "key"),)))
    said = exceptions.emitted()
    assert {e.data.sites for e in said} == {("Abidjan",)}
    assert [e.data.customers for e in said] == [("Hofmann",)] * 3 + [("Hofmann", "Meyer")]
    assert all("cost" not in e.model_dump_json() for e in said)


def test_a_further_slip_and_an_impact_go_to_the_case_that_is_open(exceptions: ServiceUnderTest) -> None:
    """FLOW 1.3: extended, not duplicated."""
    exceptions.consume(delayed(), extended(days=3), impact(customers=(("Hofmann", "strategic"),)))
    assert exceptions.names() == [*OPENED, "case.extended", "case.reassessed"]
    case = one_case(exceptions)
    assert (case["severity"], case["recurrence"], case["cycle"], case["impact_version"]) == ("high", 0, 1, 1)


def test_what_comes_before_its_cause_waits_and_is_folded_in(exceptions: ServiceUnderTest) -> None:
    """FLOW 1.2: an impact and a shortage may arrive before the delay; nothing opens until the root signal comes."""
    exceptions.consume(shortage(cause=CAUSE), impact(customers=()))
    assert exceptions.names() == []
    exceptions.consume(delayed())
    assert exceptions.names() == [*OPENED, "case.reassessed", "task.completed", "case.reassessed"]
    (record,) = exceptions.rows("SELECT impact, shortages, signal, case_id FROM causes")
    assert record == {"impact": None, "shortages": [], "signal": None, "case_id": CASE}
    assert one_case(exceptions)["shortages"][0]["site"] == "Abidjan"


def test_an_early_shortage_that_is_averted_is_forgotten(exceptions: ServiceUnderTest) -> None:
    """FLOW 1.2."""
    exceptions.consume(shortage(cause=CAUSE), averted(CAUSE), delayed())
    assert exceptions.names() == OPENED
    assert one_case(exceptions)["shortages"] == []


def test_a_shortage_that_follows_joins_the_case_and_leaves_it_again(exceptions: ServiceUnderTest) -> None:
    """FLOW 1.1 and 1.4: a consequence opens nothing and adds no money for a line that is in the case."""
    exceptions.consume(delayed(), shortage(cause=CAUSE))
    assert exceptions.names() == [*OPENED, "case.reassessed"]
    exceptions.consume(averted(CAUSE))
    assert exceptions.names() == ["case.reassessed"]
    exceptions.consume(averted(CAUSE))
    assert exceptions.names() == [], "averted twice is averted once"
    assert len(exceptions.rows("SELECT 1 FROM cases")) == 1


def test_a_shortage_of_its_own_opens_extends_and_clears(exceptions: ServiceUnderTest) -> None:
    """FLOW 1.1: with no delay behind it the shortage is the root signal."""
    exceptions.consume(shortage())
    assert exceptions.names() == ["case.opened", "task.opened", "task.opened"]
    required = {t["kind"]: t["required"] for t in exceptions.rows("SELECT kind, required FROM tasks")}
    assert required == {"find-alternative-source": True, "notify-customers": False}
    exceptions.consume(shortage(quantity=60), averted())
    assert exceptions.names() == ["case.extended", "case.cleared", "task.withdrawn", "task.withdrawn"]


def test_a_recovery_clears_and_a_delay_within_a_week_brings_the_case_back(exceptions: ServiceUnderTest) -> None:
    """FLOW 1.3: the recurrence window of the playbook; after it, a new case that names the one before."""
    exceptions.consume(delayed(), recovered())
    assert exceptions.names() == [*OPENED, "case.cleared", "task.withdrawn", "task.withdrawn"]
    exceptions.set_clock(NOW + timedelta(days=6))
    exceptions.consume(delayed(days=2))
    reopened = exceptions.emitted()
    assert [e.type.split(".")[2] for e in reopened] == ["reopened"] * 3
    assert reopened[0].data.stopped_at == NOW
    exceptions.consume(recovered())
    exceptions.emitted()
    exceptions.set_clock(NOW + timedelta(days=6 + 8))
    exceptions.consume(delayed(days=2))
    opened = exceptions.emitted()[0].data
    assert (opened.case_id, opened.recurrence, opened.previous_case_id) == (domain.case_id_of(CAUSE, 2), 1, CASE)
    shown = exceptions.get("/causes", params={"kind": "shipment-delay", "id": CAUSE.id}).json()["cases"]
    assert [case["recurrence"] for case in shown] == [0, 1], "the number of earlier cases, as each opening says"
    assert exceptions.get("/figures").json()["recurrences"] == 1


def test_a_late_receipt_settles_and_one_in_time_clears(exceptions: ServiceUnderTest) -> None:
    """FLOW 2.4 and METRICS 3.1: cause and response end apart."""
    exceptions.consume(delayed(), delayed(shipment="S2"))
    exceptions.emitted()
    exceptions.consume(settled(days_late=2), settled(days_late=0, shipment="S2"))
    assert exceptions.names() == ["case.settled", "case.cleared", "task.withdrawn", "task.withdrawn"]
    states = exceptions.rows("SELECT state, days_late FROM cases ORDER BY state")
    assert states == [{"state": "closed", "days_late": None}, {"state": "open", "days_late": 2}]
    exceptions.consume(settled(days_late=0, shipment="S9"), settled(days_late=3, shipment="S9"))
    assert exceptions.names() == [], "a cause that nobody heard of changes nothing"


def test_a_cancelled_shipment_extends_its_case_and_one_without_delay_opens_none(exceptions: ServiceUnderTest) -> None:
    exceptions.consume(cancelled(shipment="S7", cause=False))
    assert exceptions.names() == []
    exceptions.consume(delayed(), cancelled())
    assert exceptions.names() == [*OPENED, "case.extended"]


def test_the_last_notice_and_the_last_choice_complete_the_response(exceptions: ServiceUnderTest) -> None:
    """FLOW 3.2 and 3.3: facts complete the tasks, the first choice decides the case."""
    exceptions.consume(delayed())
    exceptions.emitted()
    exceptions.consume(notice_sent(CASE, remaining=1), chosen(CASE, remaining=1))
    assert exceptions.names() == ["case.decided"]
    exceptions.consume(chosen(CASE, remaining=0, supplier="Baltic"))
    assert exceptions.names() == ["task.completed"]
    (sent,) = exceptions.consume(notice_sent(CASE))
    said = exceptions.emitted()
    assert [e.type.split(".")[1:3] for e in said] == [["task", "completed"], ["case", "implemented"]]
    assert {e.causationid for e in said} == {sent.id}
    assert said[0].data.by is None, "completed by a fact, not by a person"
    assert one_case(exceptions)["choice"] == "other supplier: Nordic"


def test_a_notice_or_a_choice_for_something_closed_changes_nothing(exceptions: ServiceUnderTest) -> None:
    """FLOW 2.4: withdrawn is withdrawn."""
    exceptions.consume(delayed(), recovered())
    exceptions.emitted()
    exceptions.consume(notice_sent(CASE), chosen(CASE), shortage(cause=CAUSE), impact())
    assert exceptions.names() == []
    exceptions.consume(notice_sent(domain.case_id_of(CAUSE, 7)), chosen(domain.case_id_of(CAUSE, 7)))
    assert exceptions.names() == []


def test_without_a_playbook_the_signal_waits_and_opens_when_it_comes(bare: ServiceUnderTest) -> None:
    """A world without its seed opens no sham: what waits is counted, and opened by the act that brings the rules."""
    bare.consume(delayed(), delayed(shipment="S2"), extended(days=4), recovered("S2"))
    assert bare.names() == []
    assert bare.get("/causes", params={"kind": "shipment-delay", "id": CAUSE.id}).json()["waits"] is True
    plant(bare)
    assert bare.names() == OPENED, "the one that recovered meanwhile opens nothing"
    assert one_case(bare)["headline"] == "Shipment S1 to Abidjan is 4 d late: 2 lines"
    assert one_case(bare)["calendar_known"] is False, "its calendar was not heard yet"


# ── deadlines ────────────────────────────────────────────────────────────────────────────────────

PENDING = "SELECT name, due_at FROM timers WHERE fired_at IS NULL AND disarmed_at IS NULL ORDER BY due_at, name"


def pending(exceptions: ServiceUnderTest) -> list[tuple[str, datetime]]:
    return [(row["name"], row["due_at"]) for row in exceptions.rows(PENDING)]


def wait_out(exceptions: ServiceUnderTest, until: datetime) -> None:
    """Move the clock as a driver does: to one due instant after the other (FLOW 6.4)."""
    while due := [at for _, at in pending(exceptions) if at <= until]:
        exceptions.advance(due[0])
    exceptions.advance(until)


def test_silence_is_escalated_rung_by_rung_and_no_more_often_than_the_ladder_says(exceptions: ServiceUnderTest) -> None:
    """FLOW 5.5: function, planning lead, executive; the roster is read when the deadline passes."""
    exceptions.consume(ladder(0, 60, 120, most=3), delayed())
    exceptions.emitted()
    exceptions.consume(roster("sales", "sam"))
    assert exceptions.advance(NOW + timedelta(hours=3)) == 0
    wait_out(exceptions, NOW + timedelta(days=8))
    told = [e for e in exceptions.emitted() if e.type == "exceptions.case.escalated.v1"]
    at = [(e.data.level, e.data.rung, e.data.recipients, e.recordedtime) for e in told]
    assert at == [
        (1, "sales", ("sam",), NOW + timedelta(hours=4)),
        (2, "planning-lead", ("planning-lead",), NOW + timedelta(hours=5)),
        (3, "executive", ("executive",), NOW + timedelta(hours=7)),
    ]
    assert {e.causekind for e in told} == {"timer"}
    case = exceptions.get(f"/cases/{CASE}").json()
    assert (case["escalations"], case["breaching"]) == (3, True)
    assert pending(exceptions) == []
    assert exceptions.post(f"/cases/{CASE}/acknowledge", role="executive").status_code == 200


def test_what_is_done_in_time_is_not_escalated(exceptions: ServiceUnderTest) -> None:
    """FLOW 5.5: a met deadline is disarmed."""
    exceptions.consume(delayed())
    assert [name for name, _ in pending(exceptions)] == [
        "case-acknowledge-due",
        *["task-commit-due"] * 2,
        *["task-complete-due"] * 2,
    ]
    exceptions.post(f"/cases/{CASE}/acknowledge", role="sales")
    for task in ("notify-customers", "find-alternative-source"):
        body = {"committed_to": NOW + timedelta(days=1)}
        exceptions.post(f"/tasks/{domain.task_id_of(CASE, task)}/commit", body)
    assert [name for name, _ in pending(exceptions)] == ["task-complete-due"] * 2
    exceptions.consume(recovered())
    assert pending(exceptions) == []
    exceptions.emitted()
    exceptions.advance(NOW + timedelta(days=30))
    assert exceptions.names() == []


def test_deadlines_count_working_minutes_and_follow_a_changed_calendar(exceptions: ServiceUnderTest) -> None:
    """FLOW 5.5: the timer keeps its rule; a changed calendar arms it again."""
    friday = datetime(2026, 3, 6, 16, tzinfo=UTC)
    exceptions.set_clock(friday)
    exceptions.consume(delayed())
    assert pending(exceptions)[0] == ("case-acknowledge-due", datetime(2026, 3, 9, 9, tzinfo=UTC)), (
        "three quarters of four hours"
    )
    exceptions.consume(calendar(closes=20))
    assert pending(exceptions)[0] == ("case-acknowledge-due", friday + timedelta(hours=3))
    exceptions.consume(calendar(weekdays=()))
    assert pending(exceptions)[0][1] == friday + timedelta(hours=3), "a calendar without a working day is not used"


def test_an_unknown_calendar_is_utc_and_seven_days_until_it_is_heard(bare: ServiceUnderTest) -> None:
    """FLOW 5.5: flagged, counted, re-armed when heard."""
    plant(bare)
    bare.set_clock(datetime(2026, 3, 1, 20, tzinfo=UTC))
    bare.consume(delayed())
    assert pending(bare)[0][1] == datetime(2026, 3, 2, 0, tzinfo=UTC)
    assert bare.get(f"/cases/{CASE}").json()["calendar_known"] is False
    bare.consume(calendar())
    assert pending(bare)[0][1] == datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert bare.get(f"/cases/{CASE}").json()["calendar_known"] is True


def test_a_changed_ladder_times_the_next_rung_anew(exceptions: ServiceUnderTest) -> None:
    """FLOW 5.5: also a ladder; until one is heard a stand-in tells, counted."""
    exceptions.consume(delayed())
    exceptions.advance(NOW + timedelta(hours=4))
    assert ("case-escalation-due", NOW + timedelta(hours=8)) in pending(exceptions)
    exceptions.consume(ladder(0, 60, 60))
    assert ("case-escalation-due", NOW + timedelta(hours=5)) in pending(exceptions)
    exceptions.consume(calendar(closes=12))
    assert ("case-escalation-due", datetime(2026, 3, 3, 9, tzinfo=UTC)) in pending(exceptions)


def test_a_pause_disarms_and_a_resumption_arms_later(exceptions: ServiceUnderTest) -> None:
    exceptions.consume(delayed())
    before = pending(exceptions)
    assert exceptions.post(f"/cases/{CASE}/pause", {"reason": "they are closed"}).status_code == 200
    assert pending(exceptions) == []
    exceptions.set_clock(NOW + timedelta(days=1))
    assert exceptions.post(f"/cases/{CASE}/resume").status_code == 200
    assert pending(exceptions) == [(name, at + timedelta(days=1)) for name, at in before]


def test_a_replay_world_has_whole_day_deadlines_and_at_most_three_escalations(bare: ServiceUnderTest) -> None:
    """FLOW 7.4: the seed of a replay world."""
    plant(bare, seed.FOLDER / "replay")
    bare.consume(calendar("every-day", opens=0, closes=0, weekdays=(0, 1, 2, 3, 4, 5, 6)), ladder(0, 0, 0))
    bare.set_clock(datetime(2026, 3, 5, tzinfo=UTC))
    bare.consume(delayed(basis="overdue", provisional=True, expected_at=None))
    assert {at for _, at in pending(bare)} == {datetime(2026, 3, 13, tzinfo=UTC)}, "one stop of the driver per case"
    bare.emitted()
    bare.advance(datetime(2026, 3, 13, tzinfo=UTC))
    told = bare.emitted()
    assert [e.data.level for e in told] == [1, 2, 3]
    assert [e.data.rung for e in told][1:] == ["planning-lead", "executive"]
    assert pending(bare) == []
