"""The scorecard on a fresh database."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from services.scorecard.__main__ import parts
from tests.support.service import House, house


@pytest.fixture
def scorecard(fresh_database: Callable[[str], str]) -> Iterator[House]:
    with house(parts(), fresh_database("scorecard")) as opened:
        yield opened
