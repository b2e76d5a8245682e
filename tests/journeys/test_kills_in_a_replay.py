"""Records are replayed while services and the command itself die: the same figures. `make faults FULL=1` kills everything."""

from __future__ import annotations

from datetime import date

import psycopg
import pytest

from cli.stack import Stack
from tests.faults import replay, replay_checks
from tests.support.records import RECORDED, shared_file
from tests.support.stack import Infrastructure

pytestmark = pytest.mark.records

UNTIL = date(2007, 9, 30)
DIE = ("logistics", "exceptions", "procurement", replay.REPLAY)


def test_figures_are_the_files_though_services_and_the_replay_are_killed_and_one_altered_row_is_seen(
    stack: Stack, infra: Infrastructure
) -> None:
    """FLOW 6.4: killed, the same command goes on; what was told before moves nothing."""
    file = shared_file(RECORDED)
    said: list[str] = []
    outcome = replay.run(stack, file, seed=1, name=infra.world(), until=UNTIL, only=DIE, last=0.6, say=said.append)
    assert outcome.faults == [], said
    assert {kill.victim for kill in outcome.kills} == set(DIE)
    assert all(kill.pid_after not in (0, kill.pid_before) for kill in outcome.kills)
    world = stack.world(outcome.world)
    with psycopg.connect(world.database_urls["logistics"]) as connection:
        connection.execute(
            "UPDATE shipments SET promised_on = promised_on + 1 WHERE shipment_id = (SELECT min(shipment_id::text)::uuid FROM shipments)"
        )
    again = replay.replay_once(stack, world.name, file, UNTIL)
    assert [fault.partition(" ")[0] for fault in replay_checks.differences(again, outcome.expected)] == ["fingerprint"]
    stack.drop_world(world.name)
