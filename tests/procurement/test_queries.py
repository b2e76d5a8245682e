"""What can be asked of procurement: figures, candidates, and what stands beside a number."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest

from schemas.base import Event
from schemas.exceptions import TaskOpened
from schemas.types import subject_id
from services.procurement import queries
from tests.procurement.builders import (
    LATER,
    ROUND,
    TODAY,
    affected,
    price,
    received,
    task_opened,
    task_withdrawn,
    with_suppliers,
)
from tests.support.service import ServiceUnderTest


def case(number: int, *items: str) -> TaskOpened:
    """The task of another case, with one line for each item."""
    lines = [affected(f"{number}-{n}", item=name) for n, name in enumerate(items)]
    return task_opened(*lines).model_copy(
        update={"task_id": subject_id("task", "test", str(number)), "case_id": subject_id("case", "test", str(number))}
    )


def test_the_figures_count_cases_with_a_candidate_for_every_line_and_for_some(procurement: ServiceUnderTest) -> None:
    """FLOW 7.3: a pair of line and supplier counts for each line, whether it can work or not."""
    with_suppliers(procurement, "A", "B", price=price("4"), lead_time_days=2)
    with_suppliers(procurement, "Late", price=price("4"), lead_time_days=90)
    with_suppliers(procurement, "A", item="masks", price=price("4"), lead_time_days=2)
    procurement.consume(case(1, "gloves", "gloves"), case(2, "gloves", "soap"), case(3, "soap"), case(4, "masks"))
    assert procurement.get("/figures").json() == {
        "rounds": 4,
        "cases_with_round": 4,
        "cases_with_candidate_for_every_line": 2,
        "cases_with_candidate_for_some_line": 3,
        "candidates_total": 3 + 3 + 3 + 1,
        "masked": [],
    }


def test_figures_of_an_empty_world_are_zeros(procurement: ServiceUnderTest) -> None:
    figures = procurement.get("/figures").json()
    assert figures.pop("masked") == []
    assert set(figures.values()) == {0}


def test_a_closed_round_still_shows_who_could_have_delivered(procurement: ServiceUnderTest) -> None:
    with_suppliers(procurement, "A", price=price("4"))
    procurement.consume(task_opened(), task_withdrawn())
    (row,) = procurement.get("/sourcings").json()["items"]
    assert (row["state"], row["lines_with_candidate"], row["alternatives"]) == ("closed", 1, 1)
    assert procurement.get("/figures").json()["candidates_total"] == 1


def test_later_receipts_do_not_change_a_round(procurement: ServiceUnderTest) -> None:
    """FLOW 3.3: a round ranks once; what becomes known later does not touch it."""
    with_suppliers(procurement, "A", "B")
    procurement.consume(received("S1", "A"))
    procurement.set_clock(LATER)
    procurement.consume(task_opened())
    procurement.consume(received("S2", "B"))
    assert [c["supplier"] for c in procurement.get("/candidates").json()["items"]] == ["A"]


def test_a_received_line_shows_all_its_days(procurement: ServiceUnderTest) -> None:
    with_suppliers(procurement, "ACME")
    line = {"reference": "1", "item": "gloves", "quantity": "10", "needed_on": "2026-03-04"}
    body = {"source": "erp", "reference": "S7", "supplier": "ACME", "destination": "Abidjan", "lines": [line]}
    made = procurement.post("/orders", body, role="procurement").json()
    procurement.consume(received("S7", "ACME"))
    (shown,) = procurement.get(f"/orders/{made['order_id']}").json()["lines"]
    assert (shown["needed_on"], shown["confirmed_on"], shown["received_on"]) == ("2026-03-04", None, TODAY.isoformat())


def test_the_rounds_of_cases_are_found_in_one_question(procurement: ServiceUnderTest) -> None:
    procurement.consume(task_opened(), case(1, "gloves"))
    ids: list[UUID] = [task_opened().case_id, case(1, "gloves").case_id]
    with procurement.database.reading() as read:
        assert ROUND in (found := queries.rounds_of_cases(read, ids))
        assert len(found) == 2


def statements_of(monkeypatch: pytest.MonkeyPatch, opened: ServiceUnderTest, *facts: Event) -> int:
    """Count what is sent to the database while these facts are heard as one batch."""
    told = [opened.envelope(fact) for fact in facts]
    sent, execute = [0], psycopg.Cursor.execute

    def counting(self: Any, *arguments: Any, **options: Any) -> Any:
        sent[0] += 1
        return execute(self, *arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(psycopg.Cursor, "execute", counting)
        opened.consume(*told)
    return sent[0]


def test_a_day_of_many_rounds_asks_the_database_no_more_often_than_one_round(
    procurement: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch is loaded and written with statements per table, never per round, line or candidate."""
    with_suppliers(procurement, *(f"V{n}" for n in range(9)), price=price("4"))
    one = statements_of(monkeypatch, procurement, case(0, "gloves"))
    many = statements_of(monkeypatch, procurement, *(case(n, "gloves", "gloves") for n in range(1, 32)))
    assert 0 < many <= one
    received_one = statements_of(monkeypatch, procurement, received("S0", "V0"))
    received_many = statements_of(
        monkeypatch, procurement, *(received(f"S{n}", f"V{n % 9}", item=f"i{n}") for n in range(1, 60))
    )
    assert received_many <= received_one + 1


def test_a_thousand_rounds_are_listed_page_by_page(procurement: ServiceUnderTest) -> None:
    """The whole of a large world is read with a few questions."""
    with_suppliers(procurement, *(f"V{n}" for n in range(5)), price=price("4"))
    procurement.consume(*(case(n, "gloves", "gloves") for n in range(500)))
    procurement.consume(*(case(n, "gloves", "soap") for n in range(500, 990)))
    assert procurement.get("/figures").json()["cases_with_candidate_for_every_line"] == 500
    for path, expected in (("/sourcings", 990), ("/candidates", 500 * 10 + 490 * 5)):
        count, cursor, pages = 0, None, 0
        while pages == 0 or cursor:
            page = procurement.get(path, params={"limit": 500} | ({"cursor": cursor} if cursor else {})).json()
            count, cursor, pages = count + len(page["items"]), page["next"], pages + 1
        assert count == expected
        assert pages == -(-expected // 500)
