"""The console's server on a port of its own, following a real Kafka."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chassis.messaging import topics
from schemas.topics import BY_NAME
from tests.console.served import Cases
from tests.support.stack import Infrastructure


@pytest.fixture
def cases(infra: Infrastructure) -> Iterator[Cases]:
    """A world's topic of cases, with three partitions."""
    world = infra.world()
    wanted = topics.wanted(world, [BY_NAME["exceptions.case"]], partitions=3, replication=1)
    topics.apply(infra.kafka_bootstrap, wanted)
    yield Cases(infra.kafka_bootstrap, world)
    topics.drop(infra.kafka_bootstrap, world)
