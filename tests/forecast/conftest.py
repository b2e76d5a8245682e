"""Forecast under test: one database for the session, emptied for every test; a fresh one where the schema itself is tried."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.forecast.__main__ import parts
from tests.support.checked_service import CheckedService, open_checked_service
from tests.support.stack import Infrastructure


@pytest.fixture(scope="session")
def _opened(infra: Infrastructure) -> Iterator[CheckedService]:
    with open_checked_service(infra, parts()) as opened:
        yield opened


@pytest.fixture
def tried(_opened: CheckedService) -> CheckedService:
    """Return forecast as if it were new."""
    return _opened.emptied()


@pytest.fixture
def fresh(infra: Infrastructure) -> Iterator[CheckedService]:
    """Make forecast on a database of its own."""
    with open_checked_service(infra, parts()) as opened:
        yield opened
