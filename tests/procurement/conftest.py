"""Procurement on a real PostgreSQL: one database for the folder, emptied before each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.procurement import tables
from tests.procurement.builders import NOW, procurement_service
from tests.support.service import ServiceUnderTest
from tests.support.stack import Infrastructure


@pytest.fixture(scope="package")
def shared_service(infra: Infrastructure) -> Iterator[ServiceUnderTest]:
    """The service, migrated once: a database for each test would take longer than the tests."""
    with procurement_service(infra.database) as opened:
        yield opened


@pytest.fixture
def procurement(shared_service: ServiceUnderTest) -> ServiceUnderTest:
    """The service with nothing in its tables and its clock standing at NOW."""
    names = ", ".join(f'"{name}"' for name in tables.metadata.tables)
    with shared_service.database.engine.connect() as connection:
        connection.exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
        connection.commit()
    shared_service._seen = 0
    shared_service.set_clock(NOW)
    return shared_service
