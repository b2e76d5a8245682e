"""Exceptions on one database for the whole session, emptied before each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.exceptions.__main__ import parts
from tests.support.service import House, emptied, lasting
from tests.support.stack import Infrastructure


@pytest.fixture(scope="session")
def _exceptions(infra: Infrastructure) -> Iterator[House]:
    with lasting(infra, parts()) as opened:
        yield opened


@pytest.fixture
def new_exceptions(_exceptions: House) -> House:
    """Return exceptions as if it were new."""
    return emptied(_exceptions)
