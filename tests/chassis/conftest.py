"""The toy service on a fresh database."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.chassis import toy
from tests.support.service import House, house


@pytest.fixture
def toy_house(fresh_database: Callable[[str], str]) -> Iterator[House]:
    toy.faults.clear()
    toy.deeds.clear()
    with house(toy.parts(), fresh_database("toy"), metadata=toy.metadata) as opened:
        yield opened
    toy.faults.clear()
