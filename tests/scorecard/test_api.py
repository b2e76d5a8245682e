"""The questions of the scorecard over HTTP: velocity, its check, causes, orphans, and who may see what."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid5

import pytest

from schemas.envelope import CauseOfFact, Envelope
from tests.scorecard.logs import SPACE, START, Log
from tests.scorecard.test_reactions import measures
from tests.support.service import ServiceUnderTest

HOUR_US = 3_600_000_000


def caused(envelope: Envelope, cause: UUID, kind: CauseOfFact = "event", armed: UUID | None = None) -> Envelope:
    return envelope.model_copy(
        update={"causationid": cause, "causekind": kind, "armedby": armed, "armedkind": "event" if armed else None}
    )


def some(name: str) -> UUID:
    return uuid5(SPACE, name)


@pytest.fixture
def five(scorecard: ServiceUnderTest) -> list[Log]:
    """Three implemented cases and two open ones (METRICS 3.1)."""
    logs = [Log(f"{h} h").implemented_after(h) for h in (2, 3, 4)] + [
        Log(f"o{n}").opened().asked("sales") for n in range(2)
    ]
    scorecard.consume(*[e for log in logs for e in (*log.envelopes, *measures(log))])
    scorecard.set_clock(START + timedelta(hours=10))
    return logs


def test_velocity_reports_n_open_cleared_and_what_is_not_reached(scorecard: ServiceUnderTest, five: list[Log]) -> None:
    """METRICS 3.1: open cases are in the figure."""
    found = scorecard.get("/velocity").json()
    assert (found["n"], found["implemented"], found["open"], found["cleared"]) == (5, 3, 2, 0)
    assert (found["p50_us"], found["p50_seconds"], found["p90_us"]) == (4 * HOUR_US, 4 * 3600.0, None)
    assert found["not_reached"] == ["p90", "p95"]


def test_velocity_says_what_the_naive_figure_hides(scorecard: ServiceUnderTest) -> None:
    """Hand-overs, acknowledgement and findings, from the readings and from SQL alike."""
    logs = [
        Log(f"{h} h").opened().acknowledged(h).asked("sales").completed("sales", h * 60).implemented(h * 60)
        for h in (2, 3)
    ]
    logs[0].passed_on(5, giver="L1", taker="L2").passed_on(6, giver="L2", taker="L1")
    logs += [Log("early").opened().acknowledged(-30).asked("sales"), Log("nobody").opened().asked("sales")]
    scorecard.consume(*[e for log in logs for e in (*log.envelopes, *measures(log))])
    scorecard.set_clock(START + timedelta(hours=10))
    end = (START + timedelta(hours=10)).isoformat()
    expected = {
        "n": 4,
        "implemented": 2,
        "open": 2,
        "p50_us": 3 * HOUR_US,
        "naive_p50_us": 5 * HOUR_US // 2,
        "handoffs": 2,
        "findings": 1,
        "acknowledge_p50_us": 2 * HOUR_US // 60,
        "not_reached": ["p90", "p95"],
    }
    for found in (scorecard.get("/velocity").json(), scorecard.get("/velocity", params={"as_of": end}).json()):
        assert {name: found[name] for name in expected} == expected


def test_velocity_as_of_a_time_uses_only_what_was_recorded_by_then(
    scorecard: ServiceUnderTest, five: list[Log]
) -> None:
    """METRICS 3.1: one implemented later is open."""
    then = (START + timedelta(hours=3)).isoformat()
    found = scorecard.get("/velocity", params={"as_of": then}).json()
    assert (found["n"], found["implemented"], found["open"]) == (5, 2, 3)
    before = (START - timedelta(hours=1)).isoformat()
    assert scorecard.get("/velocity", params={"as_of": before}).json()["n"] == 0


def test_velocity_is_filtered_by_kind_severity_and_time(scorecard: ServiceUnderTest, five: list[Log]) -> None:
    assert scorecard.get("/velocity", params={"severity": "low"}).json()["n"] == 0
    assert scorecard.get("/velocity", params={"kind": "shipment-delay", "severity": "high"}).json()["n"] == 5
    assert scorecard.get("/velocity", params={"since": (START + timedelta(days=1)).isoformat()}).json()["n"] == 0
    assert scorecard.get("/velocity", params={"kind": "weather"}).status_code == 422


def test_a_case_shows_the_reading_and_the_recomputation(scorecard: ServiceUnderTest, five: list[Log]) -> None:
    """LAYERS 1.2: the stream is held to SQL."""
    found = scorecard.get(f"/velocity/cases/{five[0].case_id}").json()
    assert found["agree"] is True
    assert found["stream"]["decision_us"] == found["recomputed"]["decision_us"] == 2 * HOUR_US
    assert found["stream"]["critical_function"] == "sales"
    assert scorecard.get(f"/velocity/cases/{some('nobody')}").status_code == 404


def test_a_reader_sees_the_cases_of_their_sites_and_customers_only(scorecard: ServiceUnderTest) -> None:
    """FLOW 4.3, ACCESS 1: read within scope."""
    logs = [
        Log("here", site="Lagos").implemented_after(1),
        Log("there", site="Accra", customer="Beta").implemented_after(2),
    ]
    scorecard.consume(*[e for log in logs for e in (*log.envelopes, *measures(log))])
    for claims in ({"sites": ["Lagos"], "customers": "*"}, {"sites": "*", "customers": ["Acme"]}):
        assert scorecard.get("/velocity", role="viewer", claims=claims).json()["n"] == 1
        at = START + timedelta(days=1)
        assert (
            scorecard.get("/velocity", role="viewer", claims=claims, params={"as_of": at.isoformat()}).json()["n"] == 1
        )
        items = scorecard.get("/measures", role="viewer", claims=claims).json()["items"]
        assert [item["case_id"] for item in items] == [str(logs[0].case_id)]
        assert scorecard.get(f"/velocity/cases/{logs[0].case_id}", role="viewer", claims=claims).status_code == 200
        assert scorecard.get(f"/velocity/cases/{logs[1].case_id}", role="viewer", claims=claims).status_code == 404
        assert scorecard.get(f"/causes/{logs[0].envelopes[0].id}", role="viewer", claims=claims).status_code == 200
        assert scorecard.get(f"/causes/{logs[1].envelopes[0].id}", role="viewer", claims=claims).status_code == 404
        for path in ("/orphans", "/velocity/check", "/external-causes?kind=act", "/figures"):
            assert scorecard.get(path, role="viewer", claims=claims).status_code == 403
        facts = {"type": logs[0].envelopes[0].type}
        assert scorecard.get("/facts", role="viewer", claims=claims, params=facts).status_code == 403
        mine, other = ({**facts, "subject": str(log.case_id)} for log in logs)
        for asked, found in ((mine, 1), (other, 0), ({**facts, "subject": "unheard"}, 0)):
            answer = scorecard.get("/facts", role="viewer", claims=claims, params=asked)
            assert (answer.status_code, len(answer.json()["items"])) == (200, found), (
                "a foreign one is as an unknown one"
            )
        assert scorecard.post("/causes:walk", {"ids": []}, role="viewer", claims=claims).status_code == 403


def test_measures_are_paged_by_a_signed_cursor(scorecard: ServiceUnderTest, five: list[Log]) -> None:
    seen, cursor = [], None
    while True:
        page = scorecard.get("/measures", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        seen += [item["case_id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(str(log.case_id) for log in five)
    assert len(seen) == 5


@pytest.mark.parametrize(
    "bug",
    [
        "UPDATE readings SET decision_us = decision_us + 1 WHERE state = 'implemented' AND decision_us = 7200000000",
        "UPDATE readings SET phases = jsonb_set(phases, '{0,duration_us}', '1') WHERE decision_us = 7200000000",
        "UPDATE readings SET severity = 'low' WHERE decision_us = 7200000000",
        (
            "UPDATE case_facts SET occurred_at = occurred_at + interval '1 microsecond' WHERE kind = 'task.completed'"
            " AND case_id = (SELECT case_id FROM readings WHERE decision_us = 7200000000)"
        ),
        (
            "DELETE FROM case_facts WHERE kind = 'case.implemented'"
            " AND case_id = (SELECT case_id FROM readings WHERE decision_us = 7200000000)"
        ),
        "DELETE FROM readings WHERE decision_us = 7200000000",
        "DELETE FROM case_facts WHERE case_id = (SELECT case_id FROM readings WHERE decision_us = 7200000000)",
    ],
)
def test_a_bug_planted_in_the_stream_or_in_sql_is_seen_by_the_check(
    scorecard: ServiceUnderTest, five: list[Log], bug: str
) -> None:
    """FLOW 4.4: the check compares to the microsecond and names the case."""
    assert scorecard.get("/velocity/check", params={"quiet": True}).json() == {
        "masked": [],
        "compared": 5,
        "differences": 0,
        "listed": [],
    }
    with scorecard.tx() as tx:
        tx.cursor().execute(bug)
    found = scorecard.get("/velocity/check", params={"quiet": True}).json()
    assert found["differences"] == 1
    assert [d["case_id"] for d in found["listed"]] == [str(five[0].case_id)]


def test_why_walks_through_events_and_timers_to_the_signal(scorecard: ServiceUnderTest) -> None:
    """FLOW 4.2: a timer's armed_by is walked, so that a silence leads to the plan record."""
    planned, due, opened = Log("plan").opened().asked("sales").acknowledged(1).envelopes
    timer, signal = some("timer"), some("signal")
    scorecard.consume(
        caused(opened, due.id), caused(due, timer, "timer", planned.id), caused(planned, signal, "signal")
    )
    why = scorecard.get(f"/causes/{opened.id}").json()
    assert [step["fact_id"] for step in why["chain"]] == [str(opened.id), str(due.id), str(planned.id)]
    assert [(passed["kind"], passed["id"]) for passed in why["passed"]] == [("timer", str(timer))]
    assert (why["root"]["kind"], why["root"]["id"], why["root"]["service"]) == ("signal", str(signal), "exceptions")
    impact = scorecard.get(f"/impacts/{signal}").json()
    assert [(step["fact_id"], step["step"]) for step in impact["items"]] == [
        (str(planned.id), 1),
        (str(due.id), 2),
        (str(opened.id), 3),
    ]
    assert scorecard.get(f"/causes/{some('unknown')}").status_code == 404


def test_many_facts_are_walked_level_by_level(scorecard: ServiceUnderTest) -> None:
    """FLOW 4.2: `why --all` asks for at most 500 ids at once and goes on with their causes."""
    first, second = Log("walk").opened().asked("sales").envelopes
    scorecard.consume(caused(first, some("s"), "signal"), caused(second, first.id))
    level = scorecard.get("/facts", params={"type": second.type}).json()["items"]
    assert [fact["fact_id"] for fact in level] == [str(second.id)]
    of_case = scorecard.get("/facts", params={"type": second.type, "subject": second.subject}).json()["items"]
    assert [fact["fact_id"] for fact in of_case] == [str(second.id)]
    assert scorecard.get("/facts", params={"type": second.type, "subject": "another"}).json()["items"] == []
    answer = scorecard.post("/causes:walk", {"ids": [level[0]["cause_id"], str(some("gone"))]}).json()
    assert [fact["fact_id"] for fact in answer["found"]] == [str(first.id)]
    assert answer["missing"] == [str(some("gone"))]
    assert scorecard.post("/causes:walk", {"ids": [str(some(str(n))) for n in range(501)]}).status_code == 422


def test_planted_orphans_are_counted_by_reason(scorecard: ServiceUnderTest) -> None:
    """FLOW 4.2: an orphan's cause is missing, dangling or of the wrong kind."""
    facts = (
        Log("orphans")
        .opened()
        .asked("sales")
        .acknowledged(1)
        .decided(2)
        .committed("sales", 3)
        .completed("sales", 4)
        .implemented(5)
        .envelopes
    )
    good, missing, dangling, wrong, wrong_too, itself, timer = facts
    scorecard.consume(
        caused(good, some("act"), "act"),
        caused(missing, UUID(int=0)),
        caused(dangling, some("nothing")),
        caused(wrong, good.id, "act"),
        caused(wrong_too, some("act")),
        caused(itself, itself.id),
        caused(timer, some("timer"), "timer", some("nothing armed")),
    )
    found = scorecard.get("/orphans", params={"quiet": True}).json()
    assert found["by_reason"] == {"missing": 2, "dangling": 2, "wrong-kind": 2}
    assert found["count"] == 6
    assert {item["fact_id"]: item["reason"] for item in found["items"]} == {
        str(missing.id): "missing",
        str(dangling.id): "dangling",
        str(wrong.id): "wrong-kind",
        str(wrong_too.id): "wrong-kind",
        str(itself.id): "missing",
        str(timer.id): "dangling",
    }
    assert scorecard.get("/figures").json()["orphans"] == 6
    assert scorecard.get("/orphans").json()["count"] == 0  # heard a moment ago: the cause may still be on its way


def test_a_cause_that_comes_later_ends_the_orphan(scorecard: ServiceUnderTest) -> None:
    """FLOW 4.2: facts come in any order."""
    first, second = Log("later").opened().asked("sales").envelopes
    scorecard.consume(caused(second, first.id))
    assert scorecard.get("/orphans", params={"quiet": True}).json()["count"] == 1
    scorecard.consume(caused(first, some("signal"), "signal"))
    assert scorecard.get("/orphans", params={"quiet": True}).json()["count"] == 0


def test_causes_that_are_no_facts_are_listed_once_with_their_owner(scorecard: ServiceUnderTest) -> None:
    """FLOW 4.2: the owner is asked to show them."""
    one, two, three = Log("external").opened().asked("sales").acknowledged(3).envelopes
    scorecard.consume(
        caused(one, some("signal"), "signal"), caused(two, some("signal"), "signal"), caused(three, some("act"), "act")
    )
    items = scorecard.get("/external-causes", params={"kind": "signal"}).json()["items"]
    assert [(i["id"], i["service"], i["facts"]) for i in items] == [(str(some("signal")), "exceptions", 2)]
    assert len(scorecard.get("/external-causes", params={"kind": "act"}).json()["items"]) == 1
    assert scorecard.get("/external-causes", params={"kind": "event"}).status_code == 422


def test_nothing_is_answered_without_a_token(scorecard: ServiceUnderTest) -> None:
    assert scorecard.client.get("/velocity").status_code == 401
