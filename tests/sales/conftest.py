"""Sales on one database for the whole session, emptied before each test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from services.sales.__main__ import parts
from services.sales.tables import metadata
from tests.support.service import START, ServiceUnderTest, open_service
from tests.support.stack import Infrastructure

EMPTY = f"TRUNCATE {', '.join(metadata.tables)}"


@pytest.fixture(scope="session")
def _sales(infra: Infrastructure) -> Iterator[ServiceUnderTest]:
    url = infra.database("sales")
    with open_service(parts(), url) as opened:
        yield opened
    infra.drop_database(url)


@pytest.fixture
def sales(_sales: ServiceUnderTest) -> ServiceUnderTest:
    with _sales.tx() as tx:
        tx.cursor().execute(EMPTY)
    fresh = replace(_sales, _offset=0, _seen=0)
    fresh.set_clock(START)
    return fresh
