"""The toy service on a fresh database."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.chassis import toy
from tests.support.service import ServiceUnderTest, open_service


@pytest.fixture
def toy_service(fresh_database: Callable[[str], str]) -> Iterator[ServiceUnderTest]:
    toy.faults.clear()
    toy.deeds.clear()
    with open_service(toy.parts(), fresh_database("toy"), metadata=toy.metadata) as opened:
        yield opened
    toy.faults.clear()
