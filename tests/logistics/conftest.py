"""Logistics on one database for the whole session, emptied before each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.logistics.__main__ import parts
from tests.support.service import House, emptied, lasting
from tests.support.stack import Infrastructure


@pytest.fixture(scope="session")
def _logistics(infra: Infrastructure) -> Iterator[House]:
    with lasting(infra, parts()) as opened:
        yield opened


@pytest.fixture
def logistics(_logistics: House) -> House:
    """Return logistics as if it were new."""
    return emptied(_logistics)
