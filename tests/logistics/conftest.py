"""Logistics on one database for the whole session, emptied before each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.logistics.__main__ import parts
from tests.support.service import ServiceUnderTest, emptied_service, open_shared_service
from tests.support.stack import Infrastructure


@pytest.fixture(scope="session")
def _logistics(infra: Infrastructure) -> Iterator[ServiceUnderTest]:
    with open_shared_service(infra, parts()) as opened:
        yield opened


@pytest.fixture
def logistics(_logistics: ServiceUnderTest) -> ServiceUnderTest:
    """Return logistics as if it were new."""
    return emptied_service(_logistics)
