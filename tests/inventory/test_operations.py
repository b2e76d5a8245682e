"""One act, one transaction; the database guards the ledger; the schema comes and goes with its data."""

from __future__ import annotations

from decimal import Decimal as D
from uuid import uuid4

import pytest
from sqlalchemy.exc import DBAPIError

from chassis import migrations
from services.inventory import domain, operations
from tests.support.tried import Tried


def with_masters(tried: Tried) -> None:
    def register(tx):
        operations.keep_item(tx, code="kit", description="", unit="each", unit_value=None)
        operations.keep_site(tx, code="LYO", name="", country=None, zone="UTC", calendar="every-day")

    tried.do(register)


def enter(tried: Tried, kind: str, quantity: int):
    return tried.do(
        lambda tx: operations.record_entry(
            tx, entry_id=uuid4(), item="kit", site="LYO", kind=kind, quantity=D(quantity)
        )
    )


def test_an_entry_and_the_balance_are_written_together(tried: Tried):
    with_masters(tried)
    enter(tried, "opening", 10)
    enter(tried, "issue", 4)
    [stock] = tried.rows("SELECT * FROM stocks")
    [total] = tried.rows("SELECT sum(quantity) AS sum, count(*) AS n FROM stock_entries")
    assert (stock["on_hand"], stock["entries"]) == (total["sum"], total["n"]) == (6, 2)


def test_a_refused_entry_writes_nothing(tried: Tried):
    with_masters(tried)
    tried.said()
    with pytest.raises(domain.NotOpened):
        enter(tried, "issue", 4)
    assert tried.rows("SELECT * FROM stock_entries") == []
    assert tried.said() == []


@pytest.mark.parametrize("crime", ["UPDATE stock_entries SET quantity = 1", "DELETE FROM stock_entries"])
def test_the_database_refuses_to_change_a_row_of_the_ledger(tried: Tried, crime):
    with_masters(tried)
    enter(tried, "opening", 10)
    with pytest.raises(DBAPIError, match="never changed"), tried.house.database.engine.begin() as connection:
        connection.exec_driver_sql(crime)
    assert [row["quantity"] for row in tried.rows("SELECT quantity FROM stock_entries")] == [10]


def test_two_openings_at_once_leave_one(tried: Tried):
    with_masters(tried)
    enter(tried, "opening", 10)
    with pytest.raises(domain.AlreadyOpened):
        enter(tried, "opening", 20)
    assert tried.rows("SELECT on_hand FROM stocks")[0]["on_hand"] == 10


def test_the_schema_goes_down_and_up_again_and_takes_the_same_data(tried: Tried):
    with_masters(tried)
    enter(tried, "opening", 10)
    before = tried.data()
    migrations.migrate("inventory", tried.url, "base")
    assert tried.data() == {}
    migrations.migrate("inventory", tried.url, "head")
    tried.at(tried.now)
    with_masters(tried)
    enter(tried, "opening", 10)
    after = tried.data()
    assert after.keys() == before.keys()
    for table in ("items", "sites", "stocks", "shortages"):
        assert after[table] == before[table]
