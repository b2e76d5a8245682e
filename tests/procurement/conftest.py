"""Procurement on a real PostgreSQL: one database for the folder, emptied before each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.procurement import tables
from tests.procurement.builders import NOW, procurement_house
from tests.support.service import House
from tests.support.stack import Infrastructure


@pytest.fixture(scope="package")
def lasting_house(infra: Infrastructure) -> Iterator[House]:
    """The service, migrated once: a database for each test would take longer than the tests."""
    with procurement_house(infra.database) as opened:
        yield opened


@pytest.fixture
def procurement(lasting_house: House) -> House:
    """The service with nothing in its tables and its clock standing at NOW."""
    names = ", ".join(f'"{name}"' for name in tables.metadata.tables)
    with lasting_house.database.engine.connect() as connection:
        connection.exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
        connection.commit()
    lasting_house._seen = 0
    lasting_house.set_clock(NOW)
    return lasting_house
