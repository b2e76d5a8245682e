"""Whole acts on a real database: batches, races, the schema, and a ledger that cannot be rewritten."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from chassis.ids import time_ordered_id
from chassis.persistence import migrations
from chassis.persistence.database import Context
from schemas.sales import NoticeSent
from schemas.types import By, subject_id
from services.sales import domain, operations
from services.sales.__main__ import parts
from tests.sales.builders import (
    PROMISED,
    SITE,
    SOURCE,
    delayed,
    known_customer,
    new_line,
    placed,
    shipped,
    task_opened,
)
from tests.support.service import ServiceUnderTest, open_service

BY = By(subject="sam", role="sales")


def order_item(number: int, **more: Any) -> dict[str, Any]:
    line = {
        "reference": "1",
        "item": "bandage",
        "quantity": "10",
        "value": {"amount": "1.00", "currency": "USD"},
        "promised_on": "2026-03-04",
    }
    return {"key": f"O{number}", "reference": f"O{number}", "customer": "clinic", "site": SITE, "lines": [line]} | more


def send(sales: ServiceUnderTest, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    answer = sales.post("/orders:batch", {"source": SOURCE, "items": items}, role="sales")
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def test_a_batch_of_500_with_three_bad_items_keeps_497(sales: ServiceUnderTest) -> None:
    """FLOW 5.2"""
    known_customer(sales)
    items = [order_item(n) for n in range(500)]
    items[7] = order_item(7, customer="nobody")
    items[100] = order_item(100, lines=[])
    items[499] = order_item(499, lines=[{**items[0]["lines"][0], "quantity": "-1"}])
    results = send(sales, items)
    assert [r["key"] for r in results] == [i["key"] for i in items]
    assert {n: (r["status"], r["field"]) for n, r in enumerate(results) if r["status"] != "created"} == {
        7: ("refused", "customer"),
        100: ("refused", "lines"),
        499: ("refused", "lines.0.quantity"),
    }
    assert "POST /customers" in results[7]["reason"]
    assert sales.rows("SELECT count(*) AS n FROM orders")[0]["n"] == 497
    assert len([name for name in sales.names() if name == "order.placed"]) == 497
    again = send(sales, items)
    assert [r["status"] for r in again].count("unchanged") == 497
    assert sales.emitted() == []


def test_a_known_key_with_other_content_is_a_conflict_and_when_it_became_known_is_no_content(
    sales: ServiceUnderTest,
) -> None:
    """FLOW 6.5"""
    known_customer(sales)
    send(sales, [order_item(1, known_at="2026-03-02T08:00:00Z")])
    (same,) = send(sales, [order_item(1, known_at="2026-03-09T08:00:00Z")])
    (other,) = send(sales, [order_item(1, site="Lome")])
    assert (same["status"], other["status"], other["field"]) == ("unchanged", "conflict", "key")


def test_orders_become_known_shipment_by_shipment(sales: ServiceUnderTest) -> None:
    """FLOW 7.2"""
    known_customer(sales)
    second = {**order_item(1)["lines"][0], "reference": "2"}
    results = send(sales, [order_item(1), order_item(1, key="O1@DN-34", lines=[second])])
    assert [r["status"] for r in results] == ["created", "created"]
    assert results[0]["id"] == results[1]["id"] == str(domain.order_id_of(SOURCE, "O1"))
    placed_fact, changed = sales.emitted()
    assert (placed_fact.type, changed.type) == ("sales.order.placed.v1", "sales.order.changed.v1")
    assert [line.reference for line in changed.data.lines] == ["1", "2"]


def test_a_day_of_orders_costs_a_few_statements_and_not_one_per_line(sales: ServiceUnderTest) -> None:
    known_customer(sales)
    statements: list[str] = []
    execute = psycopg.Cursor.execute

    def counted(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        statements.append(str(query)[:40])
        return execute(self, query, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", counted)
        send(sales, [order_item(n) for n in range(79)])
    assert len(statements) < 25, statements


def test_the_ledger_cannot_be_rewritten_even_by_hand(sales: ServiceUnderTest) -> None:
    order = placed(sales)
    for sql in (
        "UPDATE promises SET promised_on = promised_on + 1",
        "DELETE FROM promises",
    ):
        with pytest.raises((DBAPIError, psycopg.Error), match="added and never changed"):
            sales.do(lambda tx, sql=sql: tx.cursor().execute(sql))
    assert len(sales.rows("SELECT 1 FROM promises WHERE order_id = %s", [order.order_id])) == 1


def test_two_people_who_revise_at_once_make_two_versions_in_a_row(sales: ServiceUnderTest) -> None:
    order = placed(sales)
    line = order.lines[0].order_line_id

    def revise(days: int) -> None:
        def work(tx: Any) -> None:
            operations.revise_promise(
                tx, order_line_id=line, promised_on=PROMISED + timedelta(days=days), reason="asked", by=BY
            )

        cause = time_ordered_id()
        sales.database.run(work, lambda now: Context(cause, cause, "act", now))

    threads = [threading.Thread(target=revise, args=(n,)) for n in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    versions = [row["promise_version"] for row in sales.rows("SELECT promise_version FROM promises ORDER BY 1")]
    assert versions == list(range(1, 8))


def test_remaining_is_true_when_notices_leave_at_the_same_time(sales: ServiceUnderTest) -> None:
    """FLOW 3.2"""
    customers = [f"clinic-{n}" for n in range(8)]
    lines = [line for code in customers for line in shipped(placed(sales, f"O-{code}", customer=code))]
    sales.consume(delayed(lines), task_opened())
    notices = [UUID(n["notice_id"]) for n in sales.get("/notices").json()["items"]]
    for notice_id in notices:
        sales.do(lambda tx, one=notice_id: operations.approve_notice(tx, notice_id=one, by=BY))
    sales.emitted()

    def leave(notice_id: UUID) -> None:
        cause = time_ordered_id()
        sales.database.run(
            lambda tx: operations.record_notice_sent(tx, notice_id=notice_id, revision=1, transport="recorded"),
            lambda now: Context(cause, cause, "event", now),
        )

    threads = [threading.Thread(target=leave, args=(one,)) for one in notices]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    left = [e.data.remaining for e in sales.emitted() if isinstance(e.data, NoticeSent)]
    assert sorted(left) == list(range(8))


def test_whoever_comes_first_of_impact_and_task_the_other_drafts_when_they_race(sales: ServiceUnderTest) -> None:
    """FLOW 1.2"""
    for number in range(6):
        name = f"S{number}"
        order = placed(sales, f"O{number}")
        delay = delayed(shipped(order, shipment=name), shipment=name)
        case_id, task_id = subject_id("case", "race", name), subject_id("task", "race", name)
        cause = time_ordered_id()

        def run(work: Callable[[Any], object], cause: UUID = cause) -> threading.Thread:
            return threading.Thread(
                target=lambda: sales.database.run(work, lambda now: Context(cause, cause, "event", now))
            )

        racers = [
            run(lambda tx, delay=delay: operations.assess_impact(tx, delay=delay)),
            run(
                lambda tx, delay=delay, case_id=case_id, task_id=task_id: operations.draft_notices(
                    tx, cause=delay.cause, case_id=case_id, task_id=task_id
                )
            ),
        ]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
        assert len(sales.get("/notices", params={"task": str(task_id)}).json()["items"]) == 1


def test_the_schema_goes_up_down_and_up_again_with_data(fresh_database: Callable[[str], str]) -> None:
    url = fresh_database("sales")
    with open_service(parts(), url) as sales:
        order = placed(sales, "O1", new_line("1"), new_line("2"))
        sales.post("/notice-policy", {"automatic": True, "automatic_tiers": ["key"]})
        sales.consume(delayed(shipped(order)), task_opened())
        sales.post(f"/promises/{order.lines[0].order_line_id}/statements", {"stated_on": "2026-03-04", "version": 9})
        assert sales.get("/figures").json()["notices"] == {"approved": 1}
    migrations.migrate("sales", url, "base")
    with psycopg.connect(url) as connection:
        left = connection.execute(
            "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            " AND relname <> 'alembic_version'"
        ).fetchone()
        assert left == (0,)
    with open_service(parts(), url) as sales:
        placed(sales)
        assert sales.get("/figures").json()["orders"] == 1
