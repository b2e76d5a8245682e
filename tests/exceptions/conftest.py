"""Exceptions on one database for the whole session, emptied before each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.exceptions.__main__ import parts
from tests.support.service import ServiceUnderTest, emptied_service, open_shared_service
from tests.support.stack import Infrastructure


@pytest.fixture(scope="session")
def _exceptions(infra: Infrastructure) -> Iterator[ServiceUnderTest]:
    with open_shared_service(infra, parts()) as opened:
        yield opened


@pytest.fixture
def new_exceptions(_exceptions: ServiceUnderTest) -> ServiceUnderTest:
    """Return exceptions as if it were new."""
    return emptied_service(_exceptions)
