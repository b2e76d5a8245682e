"""What can be asked of procurement: figures, candidates, and what stands beside a number."""

from __future__ import annotations

import time
from decimal import Decimal
from uuid import UUID

from schemas.exceptions import TaskOpened
from schemas.types import subject_id
from services.procurement import operations, queries
from tests.procurement.builders import (
    LATER,
    ROUND,
    TODAY,
    affected,
    price,
    received,
    task_opened,
    task_withdrawn,
    usd,
    with_suppliers,
)
from tests.support.service import House


def case(number: int, *items: str) -> TaskOpened:
    """The task of another case, with one line for each item."""
    lines = [affected(f"{number}-{n}", item=name) for n, name in enumerate(items)]
    return task_opened(*lines).model_copy(
        update={"task_id": subject_id("task", "test", str(number)), "case_id": subject_id("case", "test", str(number))}
    )


def test_the_figures_count_cases_with_a_candidate_for_every_line_and_for_some(procurement: House) -> None:
    """FLOW 7.3: a pair of line and supplier counts for each line, whether it can work or not."""
    with_suppliers(procurement, "A", "B", price=price("4"), lead_time_days=2)
    with_suppliers(procurement, "Late", price=price("4"), lead_time_days=90)
    with_suppliers(procurement, "A", item="masks", price=price("4"), lead_time_days=2)
    procurement.hear(case(1, "gloves", "gloves"), case(2, "gloves", "soap"), case(3, "soap"), case(4, "masks"))
    assert procurement.get("/figures").json() == {
        "rounds": 4, "cases_with_round": 4, "cases_with_candidate_for_every_line": 2, "cases_with_candidate_for_some_line": 3,
        "candidates_total": 3 + 3 + 3 + 1, "masked": [],
    }  # fmt: skip


def test_figures_of_an_empty_world_are_zeros(procurement: House) -> None:
    figures = procurement.get("/figures").json()
    assert figures.pop("masked") == []
    assert set(figures.values()) == {0}


def test_a_closed_round_still_shows_who_could_have_delivered(procurement: House) -> None:
    with_suppliers(procurement, "A", price=price("4"))
    procurement.hear(task_opened(), task_withdrawn())
    (row,) = procurement.get("/sourcings").json()["items"]
    assert (row["state"], row["lines_with_candidate"], row["alternatives"]) == ("closed", 1, 1)
    assert procurement.get("/figures").json()["candidates_total"] == 1


def test_later_receipts_do_not_change_a_round(procurement: House) -> None:
    """FLOW 3.3: a round ranks once; what becomes known later does not touch it."""
    with_suppliers(procurement, "A", "B")
    procurement.hear(received("S1", "A"))
    procurement.set_clock(LATER)
    procurement.hear(task_opened())
    procurement.hear(received("S2", "B"))
    assert [c["supplier"] for c in procurement.get("/candidates").json()["items"]] == ["A"]


def test_a_received_line_shows_all_its_days(procurement: House) -> None:
    with_suppliers(procurement, "ACME")
    line = {"reference": "1", "item": "gloves", "quantity": "10", "needed_on": "2026-03-04"}
    body = {"source": "erp", "reference": "S7", "supplier": "ACME", "destination": "Abidjan", "lines": [line]}
    made = procurement.post("/orders", body, role="procurement").json()
    procurement.hear(received("S7", "ACME"))
    (shown,) = procurement.get(f"/orders/{made['order_id']}").json()["lines"]
    assert (shown["needed_on"], shown["confirmed_on"], shown["received_on"]) == ("2026-03-04", None, TODAY.isoformat())


def test_the_rounds_of_cases_are_found_in_one_question(procurement: House) -> None:
    procurement.hear(task_opened(), case(1, "gloves"))
    ids: list[UUID] = [task_opened().case_id, case(1, "gloves").case_id]
    with procurement.database.reading() as read:
        assert ROUND in (found := queries.rounds_of_cases(read, ids))
        assert len(found) == 2


def test_a_thousand_rounds_are_ranked_and_listed_in_moments(procurement: House) -> None:
    """A day of a large world: 31 rounds a day, each page of candidates in milliseconds."""
    procurement.do(lambda tx: [operations.register_supplier(tx, code=f"V{n}", name=f"V{n}") for n in range(60)])
    procurement.do(
        lambda tx: [
            operations.agree_term(
                tx, supplier=f"V{n % 60}", item=f"i{n % 100}", effective_from=TODAY, price=usd(Decimal(n % 7 + 1))
            )
            for n in range(600)
        ]
    )
    began = time.perf_counter()
    for day in range(32):
        procurement.hear(*(case(day * 31 + n, f"i{n}", f"i{n + 1}") for n in range(31)))
    ranked = time.perf_counter() - began
    began = time.perf_counter()
    page = procurement.get("/candidates", params={"limit": 500}).json()
    listed = time.perf_counter() - began
    assert len(page["items"]) == 500
    assert procurement.get("/figures").json()["cases_with_candidate_for_every_line"] == 992
    assert ranked / 992 < 0.02, f"{ranked / 992 * 1000:.1f} ms a round"
    assert listed < 1.0, f"{listed * 1000:.0f} ms a page"
