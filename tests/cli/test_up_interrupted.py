"""Ctrl-C and SIGTERM at any moment of `crossdock up` end everything that it started."""

from __future__ import annotations

import signal

import pytest

from cli.exit_codes import ExitCode
from tests.support.command import Crossdock, Said, gone

pytestmark = [pytest.mark.postgres, pytest.mark.kafka]


def test_ctrl_c_ends_a_stack_that_is_up(crossdock: Crossdock) -> None:
    running = crossdock.begin("up", "--bare")
    running.wait_for("Kafka starts")
    assert running.process.stdout is not None
    assert "Ctrl-C ends it" in running.process.stdout.readline()
    assert crossdock("status").code == ExitCode.OK
    said = running.interrupt()
    assert said.code == ExitCode.OK, said.err
    assert gone(crossdock.home), crossdock.left()


def _was_up_before(result: Said) -> bool:
    """Tell whether a stack had come up before the signal that was to interrupt its start, and ended in order."""
    return result.code == ExitCode.OK and "Ctrl-C ends it" in result.out


@pytest.mark.parametrize(
    ("moment", "sent"),
    [
        ("PostgreSQL starts", signal.SIGINT),
        ("Kafka's jars are looked for", signal.SIGINT),
        ("Kafka starts", signal.SIGINT),
        ("Kafka starts", signal.SIGTERM),
    ],
)
def test_ctrl_c_in_the_middle_of_up_leaves_nothing_behind(crossdock: Crossdock, moment: str, sent: int) -> None:
    running = crossdock.begin("up", "--bare")
    running.wait_for(moment)
    said = running.interrupt(sent)
    was_interrupted = said.code == ExitCode.INTERRUPTED and said.err.strip().splitlines()[-1] == (
        "Interrupted before it was up: nothing is left running; `crossdock up` starts it again."
    )
    assert was_interrupted or _was_up_before(said), said
    assert "Traceback" not in said.err
    assert gone(crossdock.home), crossdock.left()


def test_ctrl_c_while_the_world_starts_takes_the_new_world_back(crossdock: Crossdock) -> None:
    running = crossdock.begin("up", "--only", "logistics", "--only", "console")
    running.wait_for("World live starts")
    said = running.interrupt()
    assert gone(crossdock.home), crossdock.left()
    worlds = crossdock("world", "list", "--json").json
    last = said.err.strip().splitlines()[-1]
    was_taken_back = said.code == ExitCode.INTERRUPTED and "nothing is left running" in last and worlds == []
    was_kept = _was_up_before(said) and [one["state"] for one in worlds] == ["stopped"]
    assert was_taken_back or was_kept, (said, worlds)
    again = crossdock("up", "--only", "logistics", "--detach", "--json")
    assert again.code == ExitCode.OK, again.err
    assert [world["state"] for world in again.json["worlds"]] == ["ready"]


def test_ctrl_c_while_a_detached_stack_starts_takes_the_supervisor_along(crossdock: Crossdock) -> None:
    running = crossdock.begin("up", "--bare", "--detach")
    running.wait_for("Kafka starts")
    said = running.interrupt()
    if said.code == ExitCode.OK:  # the stack was up before the signal came: it stays, as after any `up --detach`
        assert crossdock("down").code == ExitCode.OK
    else:
        assert said.code == ExitCode.INTERRUPTED and "nothing is left running" in said.err, said
    assert gone(crossdock.home), crossdock.left()
