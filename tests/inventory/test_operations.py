"""One act, one transaction; the database guards the ledger; the schema comes and goes with its data."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal as D
from uuid import uuid4

import pytest
from sqlalchemy.exc import DBAPIError

from chassis.persistence import migrations
from chassis.persistence.database import Context, Tx
from schemas.logistics import ShipmentLine
from schemas.types import Money
from services.inventory import domain, operations
from tests.support.checked_service import CheckedService
from tests.support.service import START, wait_until


def with_masters(tried: CheckedService) -> None:
    def register(tx):
        operations.upsert_item(tx, code="kit", description="", unit="each", unit_value=None)
        operations.upsert_site(tx, code="LYO", name="", country=None, zone="UTC", calendar="every-day")

    tried.do(register)


def enter(tried: CheckedService, kind: str, quantity: int):
    return tried.do(
        lambda tx: operations.record_entry(
            tx, entry_id=uuid4(), item="kit", site="LYO", kind=kind, quantity=D(quantity)
        )
    )


def test_an_entry_and_the_balance_are_written_together(tried: CheckedService):
    with_masters(tried)
    enter(tried, "opening", 10)
    enter(tried, "issue", 4)
    [stock] = tried.rows("SELECT * FROM stocks")
    [total] = tried.rows("SELECT sum(quantity) AS sum, count(*) AS n FROM stock_entries")
    assert (stock["on_hand"], stock["entries"]) == (total["sum"], total["n"]) == (6, 2)


def test_a_refused_entry_writes_nothing(tried: CheckedService):
    with_masters(tried)
    tried.emitted()
    with pytest.raises(domain.NotOpened):
        enter(tried, "issue", 4)
    assert tried.rows("SELECT * FROM stock_entries") == []
    assert tried.emitted() == []


@pytest.mark.parametrize("crime", ["UPDATE stock_entries SET quantity = 1", "DELETE FROM stock_entries"])
def test_the_database_refuses_to_change_a_row_of_the_ledger(tried: CheckedService, crime):
    with_masters(tried)
    enter(tried, "opening", 10)
    with pytest.raises(DBAPIError, match="never changed"), tried.service.database.engine.begin() as connection:
        connection.exec_driver_sql(crime)
    assert [row["quantity"] for row in tried.rows("SELECT quantity FROM stock_entries")] == [10]


def test_a_second_opening_balance_leaves_the_first(tried: CheckedService):
    with_masters(tried)
    enter(tried, "opening", 10)
    with pytest.raises(domain.AlreadyOpened):
        enter(tried, "opening", 20)
    assert tried.rows("SELECT on_hand FROM stocks")[0]["on_hand"] == 10


def waits_for_a_lock(tried: CheckedService) -> bool:
    return bool(tried.rows("SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'stocks'::regclass"))


def test_an_opening_balance_waits_for_a_fact_that_is_being_heard_and_sees_it(tried: CheckedService):
    """FLOW 3.4: whoever comes first, the shipment is in the projection of the opening balance."""
    with_masters(tried)
    line = ShipmentLine(
        line_id=uuid4(),
        reference="1",
        item="kit",
        quantity=D(5),
        value=Money(amount=D(1), currency="EUR"),
        promised_on=START.date(),
    )
    with ThreadPoolExecutor(1) as threads:
        with tried.service.tx() as tx:
            operations.upsert_inbound(
                tx,
                shipment_id=uuid4(),
                destination="LYO",
                lines=[line],
                expected_at=START + timedelta(days=1),
                occurred_at=START,
                reason="planned",
            )
            opening = threads.submit(enter, tried, "opening", 10)
            wait_until(lambda: waits_for_a_lock(tried))
            assert not opening.done()
        assert opening.result(timeout=60).on_hand == 10
    days = tried.get("/projections", item="kit", site="LYO", days=3)["days"]
    assert [day["projected"] for day in days] == ["10", "15", "15"]


def test_two_openings_at_once_leave_one(tried: CheckedService):
    with_masters(tried)

    def attempt(quantity: int) -> str:
        act_id = uuid4()

        def work(tx: Tx) -> str:
            operations.record_entry(tx, entry_id=act_id, item="kit", site="LYO", kind="opening", quantity=D(quantity))
            return "opened"

        try:
            return tried.service.database.run(work, lambda now: Context(act_id, act_id, "act", now))
        except domain.AlreadyOpened:
            return "refused"

    with ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(attempt, range(1, 5)))
    assert sorted(outcomes) == ["opened", "refused", "refused", "refused"]
    assert len(tried.rows("SELECT * FROM stock_entries")) == 1


def test_the_schema_goes_down_and_up_again_and_takes_the_same_data(fresh: CheckedService):
    with_masters(fresh)
    enter(fresh, "opening", 10)
    before = fresh.data()
    migrations.migrate("inventory", fresh.url, "base")
    assert fresh.data() == {}
    migrations.migrate("inventory", fresh.url, "head")
    fresh.at(fresh.now)
    with_masters(fresh)
    enter(fresh, "opening", 10)
    after = fresh.data()
    assert after.keys() == before.keys()
    for table in ("items", "sites", "stocks", "shortages"):
        assert after[table] == before[table]
