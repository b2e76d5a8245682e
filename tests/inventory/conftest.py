"""Inventory under test, on a database of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.inventory.__main__ import parts
from tests.support.stack import Infrastructure
from tests.support.tried import Tried, tried_service


@pytest.fixture
def tried(infra: Infrastructure) -> Iterator[Tried]:
    """Make a fresh inventory."""
    with tried_service(infra, parts()) as tried:
        yield tried
