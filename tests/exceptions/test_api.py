"""The doors of exceptions: acts and questions, who may, and what each reader sees."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.exceptions import domain
from tests.exceptions.builders import CAUSE, NOW, calendar, delayed, impact, recovered, shipment_line
from tests.exceptions.test_reactions import plant
from tests.support.service import ServiceUnderTest

CASE = domain.case_id_of(CAUSE, 1)
NOTIFY = domain.task_id_of(CASE, "notify-customers")
FIND = domain.task_id_of(CASE, "find-alternative-source")


@pytest.fixture
def exceptions(new_exceptions: ServiceUnderTest) -> ServiceUnderTest:
    plant(new_exceptions)
    new_exceptions.consume(calendar(), delayed())
    new_exceptions.emitted()
    return new_exceptions


def act(
    exceptions: ServiceUnderTest,
    path: str,
    body: dict[str, Any] | None = None,
    *,
    role: str = "planning-lead",
    status: int = 200,
) -> dict[str, Any]:
    answer = exceptions.post(path, body, role=role)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_whole_response_over_http(exceptions: ServiceUnderTest) -> None:
    """FLOW 2.2: the last required task implements the case, a person verifies it."""
    act(exceptions, f"/cases/{CASE}/acknowledge", role="logistics")
    taken = act(exceptions, f"/cases/{CASE}/take", role="procurement")
    assert taken["owner"] == exceptions.get("/cases").json()["items"][0]["owner"]
    assert taken["owner"]["role"] == "procurement"
    act(exceptions, f"/cases/{CASE}/decide", {"choice": "order from Nordic"}, role="procurement")
    act(exceptions, f"/tasks/{NOTIFY}/commit", {"committed_to": "2026-03-03T12:00:00Z"}, role="sales")
    act(exceptions, f"/tasks/{NOTIFY}/complete", {"outcome": "told by phone"}, role="sales")
    done = act(exceptions, f"/tasks/{FIND}/waive", {"reason": "nothing is cheaper"}, role="procurement")
    assert (done["state"], done["task"]["state"]) == ("implemented", "waived")
    assert act(exceptions, f"/cases/{CASE}/verify", {"outcome": "customer is content"})["ending"] == "verified"
    assert exceptions.names() == [
        "case.acknowledged",
        "case.taken",
        "case.decided",
        "task.committed",
        "task.completed",
        "task.waived",
        "case.implemented",
        "case.verified",
    ]


EVERYONE = ("sales", "logistics", "inventory", "procurement", "planning-lead", "executive", "sre", "viewer")
FUNCTIONS = EVERYONE[:4]


def statuses(exceptions: ServiceUnderTest, path: str, body: dict[str, Any] | None = None) -> dict[str, int]:
    """What each role is answered; an act that goes through is answered 200 for the first and 409 for those after."""
    return {role: exceptions.post(path, body, role=role).status_code for role in EVERYONE}


def allowed(answers: dict[str, int]) -> set[str]:
    assert set(answers.values()) <= {200, 403, 409}
    return {role for role, status in answers.items() if status != 403}


def test_who_may_do_what_is_what_the_table_says(exceptions: ServiceUnderTest) -> None:
    """ACCESS 1: the rows on cases, tasks and playbooks."""
    work = {"outcome": "it is done"}
    assert allowed(statuses(exceptions, f"/cases/{CASE}/acknowledge")) == {*FUNCTIONS, "planning-lead"}
    assert allowed(statuses(exceptions, f"/tasks/{NOTIFY}/complete", work)) == {"sales", "planning-lead"}
    assert allowed(statuses(exceptions, f"/tasks/{FIND}/complete", work)) == {"procurement", "planning-lead"}
    assert allowed(statuses(exceptions, f"/cases/{CASE}/decide", {"choice": "air freight"})) == {
        "planning-lead",
        "executive",
    }
    assert allowed(statuses(exceptions, f"/cases/{CASE}/verify", work)) == {"planning-lead"}
    assert exceptions.post("/playbooks", {}, role="sales").status_code == 403


def test_one_who_was_handed_a_task_accepts_it_and_works_on_it(exceptions: ServiceUnderTest) -> None:
    """FLOW 2.3 over HTTP."""
    handed = {"to_function": "logistics", "note": "the carrier knows them"}
    act(exceptions, f"/tasks/{NOTIFY}/hand-over", handed, role="sales")
    act(exceptions, f"/tasks/{NOTIFY}/accept", role="inventory", status=403)
    act(exceptions, f"/tasks/{NOTIFY}/return", {"reason": "no contact"}, role="logistics")
    act(exceptions, f"/tasks/{NOTIFY}/hand-over", handed, role="sales")
    assert exceptions.get("/tasks", params={"function": "logistics"}).json()["items"][0]["offered_to"] == "logistics"
    accepted = act(exceptions, f"/tasks/{NOTIFY}/accept", role="logistics")["task"]
    assert (accepted["holder"], accepted["function"]) == ("logistics", "sales")
    act(exceptions, f"/tasks/{NOTIFY}/complete", {"outcome": "told them"}, role="sales", status=403)
    act(exceptions, f"/tasks/{NOTIFY}/refuse", {"reason": "they hung up"}, role="logistics")
    act(
        exceptions,
        f"/tasks/{NOTIFY}/assign",
        {"to_function": "sales", "reason": "try again"},
        role="logistics",
        status=403,
    )
    assert (
        act(exceptions, f"/tasks/{NOTIFY}/assign", {"to_function": "sales", "reason": "try again"})["task"]["holder"]
        == "sales"
    )
    assert exceptions.names() == [
        "task.handed-over",
        "task.handover-returned",
        "task.handed-over",
        "task.handover-accepted",
        "task.refused",
        "task.reopened",
    ]


def test_a_refusal_says_what_is_the_state_now(exceptions: ServiceUnderTest) -> None:
    act(exceptions, f"/cases/{CASE}/acknowledge")
    again = act(exceptions, f"/cases/{CASE}/acknowledge", status=409)
    assert (again["code"], "was acknowledged at 2026-03-02T08:00:00" in again["detail"]) == ("already-done", True)
    early = act(exceptions, f"/cases/{CASE}/verify", {"outcome": "fine"}, status=409)
    assert (early["code"], "notify-customers, find-alternative-source" in early["detail"]) == ("wrong-state", True)
    assert act(exceptions, f"/cases/{NOTIFY}/acknowledge", status=404)["code"] == "not-found"
    assert act(exceptions, f"/tasks/{CASE}/waive", {"reason": "unknown"}, status=404)["code"] == "not-found"
    assert (
        act(exceptions, f"/tasks/{NOTIFY}/commit", {"committed_to": "2026-03-01T00:00:00Z"}, status=422)["field"]
        == "committed_to"
    )
    assert act(exceptions, f"/tasks/{NOTIFY}/waive", {"reason": "x", "extra": 1}, status=422)["field"]
    assert act(exceptions, f"/cases/{CASE}/reopen", {"reason": "because"}, status=409)["code"] == "wrong-state"


def test_the_same_key_does_the_act_once(exceptions: ServiceUnderTest) -> None:
    body = {"committed_to": "2026-03-03T12:00:00Z"}
    first, again = (exceptions.post(f"/tasks/{NOTIFY}/commit", body, role="sales", key="k1") for _ in range(2))
    assert (first.status_code, again.status_code, again.json()) == (200, 200, first.json())
    assert exceptions.names() == ["task.committed"]


def test_an_owner_reopens_what_was_implemented_and_a_later_case_stands_in_the_way(exceptions: ServiceUnderTest) -> None:
    """FLOW 1.3: the latest case of a cause is the one that comes back."""
    act(exceptions, f"/cases/{CASE}/take", role="sales")
    for task in (NOTIFY, FIND):
        act(exceptions, f"/tasks/{task}/waive", {"reason": "not needed"})
    assert act(exceptions, f"/cases/{CASE}/reopen", {"reason": "it is"}, role="sales")["state"] == "open"
    exceptions.consume(recovered())
    exceptions.set_clock(NOW + timedelta(days=9))
    exceptions.consume(delayed())
    later = act(exceptions, f"/cases/{CASE}/reopen", {"reason": "it is"}, status=409)
    assert (later["code"], str(domain.case_id_of(CAUSE, 2)) in later["detail"]) == ("later-case", True)


# ── what a reader sees ───────────────────────────────────────────────────────────────────────────

HERE: dict[str, Any] = {"sites": ["Abidjan"], "customers": ["Hofmann"]}
ELSEWHERE: tuple[dict[str, Any], ...] = (
    {"sites": ["Hamburg"], "customers": "*"},
    {"sites": "*", "customers": ["Meyer"]},
    {"sites": [], "customers": []},
)


def test_a_case_outside_the_scope_is_neither_shown_nor_acted_on(exceptions: ServiceUnderTest) -> None:
    """FLOW 4.3: a reader sees a case when one of its sites and one of its customers are in scope."""
    paths = (f"/cases/{CASE}", f"/cases/{CASE}/timeline", f"/tasks/{NOTIFY}")
    for scope in ELSEWHERE:
        for path in paths:
            assert exceptions.get(path, claims=scope).json()["code"] == "outside-scope", (scope, path)
        for path in ("/cases", "/tasks"):
            assert exceptions.get(path, claims=scope).json()["items"] == []
        assert (
            exceptions.get("/causes", params={"kind": CAUSE.kind, "id": CAUSE.id}, claims=scope).json()["cases"] == []
        )
        assert exceptions.post(f"/cases/{CASE}/take", claims=scope).json()["code"] == "outside-scope"
        assert (
            exceptions.post(f"/cases/{CASE}/reopen", {"reason": "please"}, claims=scope).json()["code"]
            == "outside-scope"
        )
        assert (
            exceptions.post(f"/tasks/{NOTIFY}/waive", {"reason": "gone"}, claims=scope).json()["code"]
            == "outside-scope"
        )
    assert exceptions.get("/figures", claims=HERE).status_code == 403
    for path in paths:
        assert exceptions.get(path, claims=HERE, role="viewer").status_code == 200


def test_lines_and_customers_of_others_are_absent_and_counted(exceptions: ServiceUnderTest) -> None:
    """FLOW 4.3."""
    mixed = (shipment_line(1, shipment="S2"), shipment_line(2, shipment="S2", customer="Meyer"))
    told = delayed(shipment="S2", lines=mixed)
    exceptions.consume(told, impact(customers=(("Hofmann", "key"), ("Meyer", "key")), cause=told.cause))
    case = domain.case_id_of(told.cause, 1)
    whole = exceptions.get(f"/cases/{case}").json()
    assert (len(whole["affected_lines"]), whole["lines_out_of_scope"], whole["customers"]) == (
        2,
        0,
        ["Hofmann", "Meyer"],
    )
    theirs = exceptions.get(f"/cases/{case}", claims=HERE).json()
    assert [line["customer"] for line in theirs["affected_lines"]] == ["Hofmann"]
    assert [c["customer"] for c in theirs["affected_customers"]] == ["Hofmann"]
    assert (theirs["lines_out_of_scope"], theirs["customers_out_of_scope"], theirs["customers"]) == (1, 1, ["Hofmann"])
    entries = exceptions.get(f"/cases/{case}/timeline", claims=HERE)
    assert "Meyer" not in entries.text


def test_a_machine_reads_only_what_it_subscribed_to(exceptions: ServiceUnderTest) -> None:
    claims: dict[str, Any] = {"topics": ["exceptions.case"], "sites": "*", "customers": "*"}
    assert exceptions.get("/cases", role="machine", claims=claims).status_code == 200
    assert exceptions.get("/cases", role="machine", claims=claims | {"topics": ["sales.order"]}).status_code == 403
    assert exceptions.get("/cases", role="machine", claims={"source": "erp"}).status_code == 403
    assert exceptions.get("/playbooks", role="machine", claims=claims | {"topics": ["sales.order"]}).status_code == 403


def test_the_whole_case_shows_its_clock_its_tasks_and_its_deadlines(exceptions: ServiceUnderTest) -> None:
    """FLOW 2.1: the clock points that are there so far."""
    act(exceptions, f"/tasks/{NOTIFY}/commit", {"committed_to": "2026-03-03T12:00:00Z"}, role="sales")
    assert exceptions.get(f"/cases/{CASE}").json()["clock"]["committed_at"] is None, "procurement has not committed"
    exceptions.set_clock(NOW + timedelta(minutes=5))
    act(exceptions, f"/tasks/{FIND}/waive", {"reason": "nothing to find"}, role="procurement")
    whole = exceptions.get(f"/cases/{CASE}").json()
    clock = whole["clock"]
    assert clock["identified_at"] == clock["tasked_at"] == "2026-03-02T08:00:00Z"
    assert (clock["committed_at"], clock["implemented_at"]) == ("2026-03-02T08:05:00Z", None)
    assert [(t["kind"], t["state"]) for t in whole["whole_tasks"]] == [
        ("notify-customers", "committed"),
        ("find-alternative-source", "waived"),
    ]
    assert (whole["acknowledge_by"], whole["due_at"], whole["playbook_version"]) == (
        "2026-03-02T12:00:00Z",
        "2026-03-02T12:00:00Z",
        1,
    )
    timeline = exceptions.get(f"/cases/{CASE}/timeline", params={"limit": 3}).json()
    rest = exceptions.get(f"/cases/{CASE}/timeline", params={"limit": 3, "cursor": timeline["next"]}).json()
    assert [e["fact"] for e in timeline["items"] + rest["items"]] == [
        "CaseOpened",
        "TaskOpened",
        "TaskOpened",
        "TaskCommitted",
        "TaskWaived",
    ]
    assert (rest["items"][-1]["by_role"], rest["items"][-1]["content"]["reason"], rest["next"]) == (
        "procurement",
        "nothing to find",
        None,
    )


# ── rules ────────────────────────────────────────────────────────────────────────────────────────


def test_a_posted_playbook_is_the_next_version_for_the_cases_that_open_later(exceptions: ServiceUnderTest) -> None:
    (current,) = (p for p in exceptions.get("/playbooks").json()["items"] if p["kind"] == "shipment-delay")
    body = {k: current[k] for k in ("kind", "calendar", "ladder", "recurrence_days", "acknowledge_within", "tasks")}
    assert act(exceptions, "/playbooks", body, status=201)["number"] == 1, "the same content is no new version"
    body["tasks"] = body["tasks"][:1]
    assert act(exceptions, "/playbooks", body, status=201)["number"] == 2
    exceptions.consume(delayed(shipment="S2"))
    rows = exceptions.rows(
        "SELECT playbook_version, count(*) AS tasks FROM cases JOIN tasks USING (case_id) GROUP BY 1 ORDER BY 1"
    )
    assert rows == [{"playbook_version": 1, "tasks": 2}, {"playbook_version": 2, "tasks": 1}]
    versions = exceptions.get("/playbooks/shipment-delay/versions").json()["versions"]
    assert [(v["number"], len(v["tasks"])) for v in versions] == [(2, 1), (1, 2)]
    body["tasks"][0]["required"] = False
    assert act(exceptions, "/playbooks", body, status=422)["field"] == "tasks"
    body["acknowledge_within"] = {"minutes": 5, "days": 1}
    act(exceptions, "/playbooks", body, status=422)


def test_a_rule_in_another_currency_than_the_worlds_is_refused_with_both_named(exceptions: ServiceUnderTest) -> None:
    """Without an exchange rate such a limit can be compared with nothing, and nobody could choose within it."""
    answer = act(exceptions, "/thresholds", {"currency": "USD", "money": []}, status=422)
    assert (answer["code"], answer["field"]) == ("other-currency", "currency")
    assert "is in USD, and this world reports in EUR: state it in EUR" in answer["detail"]
    (current,) = (p for p in exceptions.get("/playbooks").json()["items"] if p["kind"] == "shipment-delay")
    body = {k: current[k] for k in ("kind", "calendar", "ladder", "recurrence_days", "acknowledge_within", "tasks")}
    body["tasks"][1]["money_limit"] = {"amount": "5000", "currency": "JPY"}
    answer = act(exceptions, "/playbooks", body, status=422)
    assert (answer["code"], answer["field"]) == ("other-currency", "tasks.1.money_limit.currency")
    assert "is in JPY, and this world reports in EUR" in answer["detail"]
    assert exceptions.get("/thresholds").json()["number"] == 1


def test_posted_thresholds_are_the_next_version(exceptions: ServiceUnderTest) -> None:
    body = {"currency": "EUR", "money": [{"severity": "critical", "amount": "1000"}]}
    assert act(exceptions, "/thresholds", body, status=201)["number"] == 2
    assert exceptions.get("/thresholds").json()["money"] == [{"severity": "critical", "amount": "1000"}]
    assert [v["number"] for v in exceptions.get("/thresholds/versions").json()["versions"]] == [2, 1]
    exceptions.consume(delayed(shipment="S2"))
    assert exceptions.emitted()[0].data.severity == "critical"


def test_cases_are_asked_again_by_their_ids_and_only_in_scope(exceptions: ServiceUnderTest) -> None:
    other = str(UUID(int=7))
    found = exceptions.get("/cases", params={"case_id": [str(CASE), other]}).json()["items"]
    assert [row["case_id"] for row in found] == [str(CASE)]
    assert exceptions.get("/cases", params={"case_id": [other]}).json()["items"] == []
    elsewhere = exceptions.get("/cases", params={"case_id": [str(CASE)]}, claims={"sites": ["Nowhere"]})
    assert elsewhere.json()["items"] == []


def test_figures_of_the_stream_count_what_is_in_scope(exceptions: ServiceUnderTest) -> None:
    before = exceptions.get("/cases/figures").json()
    assert (before["open"], before["unowned"], before["implemented"]) == (1, 1, 0)
    assert before["value_at_risk"] == [exceptions.get("/cases").json()["items"][0]["value_at_risk"]]
    act(exceptions, f"/cases/{CASE}/take", role="procurement")
    assert exceptions.get("/cases/figures").json()["unowned"] == 0
    assert exceptions.get("/cases/figures", claims={"sites": ["Nowhere"]}).json()["open"] == 0


def test_an_act_on_what_another_changed_meanwhile_is_refused_and_says_what_changed(
    exceptions: ServiceUnderTest,
) -> None:
    """Two people look at one case; the second act is no silent overwrite."""
    seen = exceptions.get("/cases").json()["items"][0]["version"]
    act(exceptions, f"/cases/{CASE}/take", role="procurement")
    refused = exceptions.post(f"/cases/{CASE}/take", role="logistics", headers={"If-Match": f'"{seen}"'})
    assert refused.status_code == 409
    said = refused.json()
    assert said["code"] == "changed-meanwhile"
    facts = [(one["fact"], one["by_role"]) for one in said["changes"]]
    assert facts == [("CaseAcknowledged", "procurement"), ("CaseTaken", "procurement")]
    assert exceptions.get(f"/cases/{CASE}").json()["owner"]["role"] == "procurement"
    now = exceptions.get(f"/cases/{CASE}").json()["version"]
    act_again = exceptions.post(f"/cases/{CASE}/take", role="logistics", headers={"If-Match": str(now)})
    assert act_again.json()["owner"]["role"] == "logistics"
    assert (
        exceptions.post(f"/cases/{CASE}/pause", {"reason": "port closed"}, headers={"If-Match": "x"}).status_code == 422
    )


def test_an_own_act_of_before_is_no_conflict(exceptions: ServiceUnderTest) -> None:
    seen = exceptions.get("/cases").json()["items"][0]["version"]
    act(exceptions, f"/cases/{CASE}/acknowledge", role="logistics")
    again = exceptions.post(f"/cases/{CASE}/take", role="logistics", headers={"If-Match": str(seen)})
    assert again.status_code == 200
