"""`crossdock up` and `down`: the stack starts, serves, comes back after a kill, and leaves nothing."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from cli.exit_codes import ExitCode
from cli.stack import Home, kafka
from cli.stack.control import ask
from tests.support.command import Crossdock, gone
from tests.support.service import wait_until

pytestmark = [pytest.mark.postgres, pytest.mark.kafka]


def test_up_and_down_leave_no_process_and_no_port(crossdock: Crossdock) -> None:
    up = crossdock("up", "--bare", "--detach", "--json")
    assert up.code == ExitCode.OK, up.err
    assert up.json["kafka"]["kind"] == "kafka"
    assert {one["process"]: one["state"] for one in up.json["infrastructure"]} == {
        "postgres": "ready",
        "kafka": "ready",
    }
    bootstrap = up.json["kafka"]["bootstrap"]
    assert kafka.answers(bootstrap)
    assert crossdock("status", "--json").json["kafka"]["bootstrap"] == bootstrap
    assert crossdock("down").code == ExitCode.OK
    assert crossdock.left() == []
    assert not kafka.answers(bootstrap)


def test_a_second_up_says_that_the_stack_runs_and_disturbs_nothing(crossdock: Crossdock) -> None:
    first = crossdock("up", "--bare", "--detach", "--json")
    second = crossdock("up", "--bare")
    assert second.code == ExitCode.FAILED
    assert f"process {first.json['pid']}" in second.err and "crossdock down" in second.err
    assert crossdock("status", "--json").json["pid"] == first.json["pid"]


def test_nothing_survives_a_supervisor_that_is_killed_and_the_next_up_works(crossdock: Crossdock) -> None:
    first = crossdock("up", "--only", "console", "--detach", "--json").json
    assert [world["state"] for world in first["worlds"]] == ["ready"]
    os.kill(first["pid"], signal.SIGKILL)
    assert gone(crossdock.home), crossdock.left()
    status = crossdock("status")
    assert status.code == ExitCode.UNREACHABLE and "crossdock up" in status.err
    second = crossdock("up", "--bare", "--detach", "--json")
    assert second.code == ExitCode.OK, second.err
    assert second.json["kafka"]["bootstrap"] == first["kafka"]["bootstrap"]


@pytest.mark.parametrize("victim", ["postgres", "kafka"])
def test_a_server_that_is_killed_comes_back_at_its_address_and_is_counted(crossdock: Crossdock, victim: str) -> None:
    before = crossdock("up", "--bare", "--detach", "--json").json
    pid = next(one["pid"] for one in before["infrastructure"] if one["process"] == victim)
    started_as = Path(f"/proc/{pid}/cmdline").read_bytes()
    os.kill(pid, signal.SIGKILL)

    def come_back() -> dict[str, Any] | None:
        found = ask(Home(crossdock.home), "status")["infrastructure"]
        return next((one for one in found if one["process"] == victim and one["restarts"] == 1), None)

    server = wait_until(come_back)
    assert server["state"] == "ready" and server["pid"] != pid
    assert kafka.answers(before["kafka"]["bootstrap"])
    # Nothing was chosen anew: not the socket, not a port.
    assert Path(f"/proc/{server['pid']}/cmdline").read_bytes() == started_as
