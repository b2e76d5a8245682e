"""Acts of procurement in a transaction, and its tables going down and up again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from prometheus_client import generate_latest

from chassis.errors import NotFound
from chassis.persistence import migrations
from chassis.runtime.metrics import REGISTRY
from services.procurement import domain, operations
from tests.procurement.builders import (
    CASE,
    LEAD,
    ROUND,
    TODAY,
    affected,
    option_of,
    price,
    procurement_service,
    received,
    task_opened,
    usd,
    with_suppliers,
)
from tests.support.service import ServiceUnderTest

TABLES = (
    "suppliers",
    "track_records",
    "receipts",
    "term_sheets",
    "terms",
    "purchase_orders",
    "purchase_order_lines",
    "sourcings",
    "sourcing_lines",
    "alternatives",
    "decisions",
)


def lived(opened: ServiceUnderTest) -> None:
    """Something in every table of the loop."""
    with_suppliers(opened, "ACME", "Cheap", price=price("4"), lead_time_days=2)
    opened.consume(received("S7", "Cheap"))
    opened.consume(task_opened())
    chosen = UUID(option_of(opened, "Cheap")["alternative_id"])
    opened.do(
        lambda tx: operations.choose_alternatives(
            tx, sourcing_id=ROUND, alternative_ids=[chosen], rationale="cheapest", by=LEAD
        )
    )


def test_the_tables_of_the_loop_go_up_down_and_up_again_with_data(
    fresh_database: Callable[[str], str],
) -> None:
    for _ in range(2):
        with procurement_service(fresh_database) as opened:
            lived(opened)
            url = opened.database.url.replace("postgresql+psycopg://", "postgresql://", 1)
            for table in TABLES:
                assert opened.rows(f"SELECT * FROM {table}"), table
        migrations.migrate("procurement", url, "base")
        migrations.migrate("procurement", url, "head")


def test_what_is_kept_comes_back_as_it_was(procurement: ServiceUnderTest) -> None:
    with_suppliers(
        procurement, "Cheap", price=price("4.5"), freight=price("0.25"), lead_time_days=2, capacity_per_week="50"
    )
    procurement.consume(task_opened(affected("1"), affected("2"), limit=usd(10_000)))
    before = procurement.do(lambda tx: operations.get_round(tx, sourcing_id=ROUND))
    alternative = before.alternatives[0]
    after, (order,) = procurement.do(
        lambda tx: operations.choose_alternatives(
            tx, sourcing_id=ROUND, alternative_ids=[alternative.alternative_id], rationale="cheapest", by=LEAD
        )
    )
    assert procurement.do(lambda tx: operations.get_round(tx, sourcing_id=ROUND)) == after
    assert procurement.do(lambda tx: operations.get_order(tx, order_id=order.order_id)) == order
    assert (alternative.landed_cost, alternative.weeks) == (usd(475), 2)


def test_an_order_is_kept_or_added_to_in_one_act(procurement: ServiceUnderTest) -> None:
    """FLOW 7.2: an order known under its reference gets the new lines."""
    with_suppliers(procurement, "ACME")

    def keep(reference: str) -> domain.PurchaseOrder:
        lines = [domain.RequestedLine(reference, "gloves", Decimal(1), TODAY)]
        order: domain.PurchaseOrder = procurement.do(
            lambda tx: operations.upsert_order(
                tx, source="erp", reference="P1", supplier="ACME", destination="Abidjan", lines=lines
            )
        )
        return order

    assert [len(keep(reference).lines) for reference in ("1", "2", "2")] == [1, 2, 2]
    assert procurement.names()[-2:] == ["order.placed", "order.changed"]


def test_an_unknown_round_or_order_is_said_to_be_unknown(procurement: ServiceUnderTest) -> None:
    for act in (
        lambda tx: operations.get_round(tx, sourcing_id=CASE),
        lambda tx: operations.get_order(tx, order_id=CASE),
        lambda tx: operations.confirm_order(tx, order_id=CASE, lines=[]),
    ):
        with pytest.raises(NotFound):
            procurement.do(act)


def test_a_term_with_a_stranger_is_refused(procurement: ServiceUnderTest) -> None:
    with pytest.raises(domain.UnknownSupplier):
        procurement.do(
            lambda tx: operations.upsert_term(tx, supplier="Nobody", item="gloves", effective_from=TODAY, price=usd(1))
        )
    assert procurement.rows("SELECT * FROM term_sheets") == []


def test_what_was_done_is_counted_after_the_commit(procurement: ServiceUnderTest) -> None:
    lived(procurement)
    told = generate_latest(REGISTRY).decode()
    for line in (
        'procurement_rounds_total{outcome="opened"}',
        'procurement_rounds_total{outcome="decided"}',
        'procurement_decisions_total{outcome="chosen",role="planning-lead"}',
        'procurement_receipts_total{outcome="on-time"}',
        "procurement_line_candidates_count",
    ):
        assert line in told, line


def test_a_late_receipt_is_counted_against_the_lines_own_promised_day(procurement: ServiceUnderTest) -> None:
    with_suppliers(procurement, "Cheap")
    procurement.consume(received("S1", "Cheap", promised_on=TODAY, received_on=TODAY + timedelta(days=1)))
    (receipt,) = procurement.rows("SELECT supplier, on_time FROM receipts")
    assert receipt == {"supplier": "Cheap", "on_time": False}
