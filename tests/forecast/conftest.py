"""Forecast under test: one database for the session, emptied for every test; a fresh one where the schema itself is tried."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.forecast.__main__ import parts
from tests.support.stack import Infrastructure
from tests.support.tried import Tried, tried_service


@pytest.fixture(scope="session")
def _opened(infra: Infrastructure) -> Iterator[Tried]:
    with tried_service(infra, parts()) as opened:
        yield opened


@pytest.fixture
def tried(_opened: Tried) -> Tried:
    """Return forecast as if it were new."""
    return _opened.emptied()


@pytest.fixture
def fresh(infra: Infrastructure) -> Iterator[Tried]:
    """Make forecast on a database of its own."""
    with tried_service(infra, parts()) as opened:
        yield opened
