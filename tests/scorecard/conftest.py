"""Scorecard on one database for the whole session, emptied before each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.scorecard.__main__ import parts
from tests.support.service import House, emptied, lasting
from tests.support.stack import Infrastructure


@pytest.fixture(scope="session")
def _scorecard(infra: Infrastructure) -> Iterator[House]:
    with lasting(infra, parts()) as opened:
        yield opened


@pytest.fixture
def scorecard(_scorecard: House) -> House:
    """Return scorecard as if it were new."""
    return emptied(_scorecard)
