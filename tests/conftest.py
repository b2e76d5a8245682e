"""Marks every test by what it needs, and holds what the whole session shares."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from cli.stack import Stack, kafka
from tests.support.command import Crossdock, gone
from tests.support.service import forget_issuer
from tests.support.stack import Infrastructure

NEEDS_POSTGRES = {"infra", "fresh_database"}
NEEDS_KAFKA = {"stack"}
PURE_FOLDERS = {"schemas"}

# Hypothesis fails an example that takes longer than 200 ms, and data that is drawn slowly: both measure the machine.
settings.register_profile("crossdock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("crossdock")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark by file name and by fixture: `test_domain` does no I/O, journeys need everything."""
    for item in items:
        path = Path(str(item.path))
        fixtures = set(getattr(item, "fixturenames", ()))
        if path.name.startswith("test_domain") or path.parent.name in PURE_FOLDERS:
            item.add_marker("pure")
        if path.parent.name == "journeys":
            item.add_marker("journey")
        if path.parent.name == "desk":
            item.add_marker("desk")
        if fixtures & NEEDS_POSTGRES or path.parent.name == "journeys":
            item.add_marker("postgres")
        if fixtures & NEEDS_KAFKA or path.parent.name == "journeys":
            item.add_marker("kafka")


def pytest_sessionfinish() -> None:
    """Leave no key behind."""
    forget_issuer()


@pytest.fixture(scope="session")
def infra() -> Iterator[Infrastructure]:
    """One real PostgreSQL and one real Kafka for the session, each started when first asked for."""
    infrastructure = Infrastructure()
    try:
        yield infrastructure
    finally:
        infrastructure.close()


@pytest.fixture(scope="session")
def stack(infra: Infrastructure) -> Iterator[Stack]:
    """A supervisor on the session's servers: `stack.create_world(infra.world(), services=[…])`."""
    home = infra.home / "stack"
    with Stack.start(home, postgres_url=infra.postgres_admin_url, kafka_bootstrap=infra.kafka_bootstrap) as running:
        yield running


@pytest.fixture
def fresh_database(infra: Infrastructure) -> Iterator[Callable[[str], str]]:
    """Make databases of a service for one test; they are dropped after it."""
    urls: list[str] = []

    def make(service: str) -> str:
        urls.append(infra.database(service))
        return urls[-1]

    yield make
    for url in urls:
        infra.drop_database(url)


@pytest.fixture
def crossdock(infra: Infrastructure, tmp_path: Path) -> Iterator[Crossdock]:
    """The command with an empty data folder; whatever a test forgot is ended."""
    kafka.fetch_jars(infra.kafka_libs)
    command = Crossdock(tmp_path / "home", infra.kafka_libs)
    yield command
    if command.left():
        command("down")
    assert gone(command.home), command.left()
