"""Lists of cases and tasks: filtered, sorted, paged by signed cursor; and what a world's cases add up to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from schemas.types import Cause, subject_id
from services.exceptions import domain
from services.exceptions.__main__ import parts
from tests.exceptions.builders import NOW, calendar, delayed, recovered, shipment_line, shortage
from tests.exceptions.test_reactions import plant
from tests.support.service import ServiceUnderTest, open_service
from tests.support.stack import Infrastructure

VALUES = ("100", "12000", "250000", "100")


def case_of(shipment: str) -> str:
    return str(domain.case_id_of(Cause(kind="shipment-delay", id=subject_id("shipment", "erp", shipment)), 1))


NAMES = {case_of(f"S{n}"): f"S{n}" for n in range(4)}


@pytest.fixture(scope="module")
def exceptions(infra: Infrastructure) -> Iterator[ServiceUnderTest]:
    """Four delays a day apart, of 100, 12,000, 250,000 and 100 EUR; the last recovered; and a shortage elsewhere."""
    url = infra.database("exceptions")
    with open_service(parts(), url) as opened:
        plant(opened)
        opened.consume(calendar())
        for n, value in enumerate(VALUES):
            shipment = f"S{n}"
            customer = "Meyer" if n == 1 else "Hofmann"
            opened.consume(
                delayed(shipment=shipment, lines=(shipment_line(1, value=value, shipment=shipment, customer=customer),))
            )
            opened.set_clock(NOW + timedelta(days=n + 1))
        opened.consume(recovered("S3"), shortage(value=None))
        opened.post(f"/cases/{case_of('S2')}/take", role="procurement")
        yield opened
    infra.drop_database(url)


def found(exceptions: ServiceUnderTest, **question: Any) -> list[str]:
    answer = exceptions.get("/cases", params=question)
    assert answer.status_code == 200, answer.text
    return [NAMES.get(c["case_id"], "shortage") for c in answer.json()["items"]]


@pytest.mark.parametrize(
    ("question", "cases"),
    [
        ({}, {"S0", "S1", "S2", "S3", "shortage"}),
        ({"state": "closed"}, {"S3"}),
        ({"severity": "medium"}, {"S1"}),
        ({"severity": "critical"}, set()),
        ({"cause_kind": "shortage"}, {"shortage"}),
        ({"cause_id": subject_id("shipment", "erp", "S1")}, {"S1"}),
        ({"unowned": False}, {"S2"}),
        ({"unowned": True, "state": "open"}, {"S0", "S1", "shortage"}),
        ({"owner": "nobody"}, set()),
        ({"customer": "Meyer"}, {"S1"}),
        ({"site": "Abidjan", "state": "open"}, {"S0", "S1", "S2", "shortage"}),
        ({"site": "Hamburg"}, set()),
        ({"opened_after": NOW + timedelta(hours=1)}, {"S1", "S2", "S3", "shortage"}),
        ({"function": "sales"}, {"S0", "S1", "S2", "shortage"}),
        ({"function": "logistics"}, set()),
        ({"breaching": True}, {"S0", "S1", "S2"}),
        ({"breaching": False, "state": "open"}, {"shortage"}),
    ],
)
def test_a_list_of_cases_is_narrowed_by_what_is_asked(
    exceptions: ServiceUnderTest, question: dict[str, Any], cases: set[str]
) -> None:
    assert set(found(exceptions, **question)) == cases


def test_cases_are_sorted_by_money_by_deadline_or_by_age(exceptions: ServiceUnderTest) -> None:
    assert found(exceptions)[:2] == ["S2", "S1"]
    assert found(exceptions, sort="deadline") == ["S0", "S1", "S2", "shortage", "S3"], "without a deadline comes last"
    assert found(exceptions, sort="opened_at", cause_kind="shipment-delay") == ["S3", "S2", "S1", "S0"]


@pytest.mark.parametrize("sort", ["value_at_risk", "deadline", "opened_at"])
def test_pages_of_one_add_up_to_the_list(exceptions: ServiceUnderTest, sort: str) -> None:
    whole, cursor, seen = found(exceptions, sort=sort), None, []
    while True:
        page = exceptions.get(
            "/cases", params={"sort": sort, "limit": 1} | ({"cursor": cursor} if cursor else {})
        ).json()
        seen += [NAMES.get(c["case_id"], "shortage") for c in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == whole


def test_a_cursor_belongs_to_its_question(exceptions: ServiceUnderTest) -> None:
    cursor = exceptions.get("/cases", params={"limit": 1}).json()["next"]
    other = exceptions.get("/cases", params={"limit": 1, "cursor": cursor, "state": "open"})
    assert (other.status_code, other.json()["field"]) == (422, "cursor")


def test_tasks_are_narrowed_and_paged_by_what_is_due(exceptions: ServiceUnderTest) -> None:
    def tasks(**question: Any) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = exceptions.get("/tasks", params=question).json()["items"]
        return items

    assert len(tasks()) == 10
    assert {t["kind"] for t in tasks(function="procurement")} == {"find-alternative-source"}
    assert {t["state"] for t in tasks(case_id=case_of("S3"))} == {"withdrawn"}
    assert len(tasks(kind="notify-customers", state="open")) == 4
    dues = [t["due_at"] for t in tasks(state="open")]
    assert dues == sorted(dues)
    assert {t["case_id"] for t in tasks(state="open", due_before=NOW + timedelta(hours=9))} == {case_of("S0")}
    first = exceptions.get("/tasks", params={"limit": 6}).json()
    second = exceptions.get("/tasks", params={"limit": 6, "cursor": first["next"]}).json()
    assert len({t["task_id"] for t in first["items"] + second["items"]}) == 10


def test_the_cases_of_a_shipment_are_found_by_its_cause(exceptions: ServiceUnderTest) -> None:
    shipment = subject_id("shipment", "erp", "S2")
    answer = exceptions.get("/causes", params={"kind": "shipment-delay", "id": shipment}).json()
    assert ([c["case_id"] for c in answer["cases"]], answer["waits"]) == ([case_of("S2")], False)
    assert exceptions.get("/causes", params={"kind": "shortage", "id": shipment}).status_code == 404


def test_figures_count_recurrences_apart_from_duplicates(exceptions: ServiceUnderTest) -> None:
    figures = exceptions.get("/figures").json()
    assert (figures["cases"], figures["duplicates"], figures["recurrences"]) == (5, 0, 0)
    assert figures["tasks"] == {"notify-customers": 5, "find-alternative-source": 5}
    assert figures["value_at_risk"] == [{"amount": "262200.00", "currency": "EUR"}]
    assert figures["cases_by_state"] == {"open": 4, "closed": 1}


def test_a_question_that_makes_no_sense_is_refused(exceptions: ServiceUnderTest) -> None:
    for question in (
        {"sort": "color"},
        {"state": "sleepy"},
        {"limit": 0},
        {"limit": 501},
        {"opened_after": "yesterday"},
    ):
        assert exceptions.get("/cases", params=question).status_code == 422, question
