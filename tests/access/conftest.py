"""One database per service for the session, filled once; the cells only ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.access import world as worlds
from tests.access.world import World
from tests.support.service import open_service
from tests.support.stack import Infrastructure


@pytest.fixture(scope="session")
def service_world(infra: Infrastructure) -> Iterator[Callable[[str], World]]:
    """Return the world of a service, made when it is first asked for."""
    made: dict[str, World] = {}
    with ExitStack() as stack:

        def world(service: str) -> World:
            if service not in made:
                url = infra.database(service)
                stack.callback(infra.drop_database, url)
                made[service] = worlds.build(service, stack.enter_context(open_service(worlds.parts(service), url)))
            return made[service]

        yield world
