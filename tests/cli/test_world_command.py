"""`crossdock world` and `logs`: a world is created, used, dropped and followed by the command."""

from __future__ import annotations

import pytest

from cli.exit_codes import ExitCode
from cli.stack import Home, daemon
from tests.support.command import Crossdock
from tests.support.service import wait_until

pytestmark = [pytest.mark.postgres, pytest.mark.kafka]


def test_a_world_is_made_used_and_dropped_by_the_command(crossdock: Crossdock) -> None:
    made = crossdock("world", "create", "demo", "--only", "logistics", "--only", "console", "--json")
    assert made.code == ExitCode.OK, made.err
    assert set(made.json["urls"]) == {"logistics", "console"}
    login = crossdock("login", "--as", "logistics", "--world", "demo", "--json")
    assert login.code == ExitCode.OK, login.err
    again = crossdock("world", "create", "demo")
    assert again.code == ExitCode.FAILED and "runs already" in again.err

    def states() -> dict[str, str]:
        (world,) = crossdock("status", "--json").json["worlds"]
        return {one["process"]: one["state"] for one in world["processes"]}

    wait_until(lambda: states() == {"logistics": "ready", "console": "ready"})
    assert "process.started" in crossdock("logs", "logistics", "--world", "demo").out
    assert crossdock("world", "drop", "demo").code == ExitCode.OK
    assert crossdock("world", "list", "--json").json == []
    assert not (crossdock.home / "worlds" / "demo").exists()


def test_down_while_a_world_is_made_ends_everything_and_takes_the_world_back(crossdock: Crossdock) -> None:
    """The request goes straight to the supervisor: a command of its own would start slower than a world is made."""
    assert crossdock("up", "--bare", "--detach").code == ExitCode.OK
    making = crossdock.begin("world", "create", "demo", "--only", "logistics")
    making.wait_for("World demo starts")
    assert daemon.end(Home(crossdock.home))
    said = making.end()
    worlds = crossdock("world", "list", "--json").json
    was_taken_back = said.code in (ExitCode.FAILED, ExitCode.UNREACHABLE) and worlds == []
    was_made_before = said.code == ExitCode.OK and [one["state"] for one in worlds] == ["stopped"]
    assert was_taken_back or was_made_before, (said, worlds)
    assert "Traceback" not in said.err
    assert crossdock.left() == []


def test_following_a_log_shows_what_is_written_meanwhile(crossdock: Crossdock) -> None:
    logs = crossdock.home / "worlds" / "live" / "logs"
    logs.mkdir(parents=True)
    (logs / "sales.log").write_text("before\n")
    following = crossdock.begin("logs", "sales", "--follow")
    assert following.process.stdout is not None
    assert following.process.stdout.readline() == "before\n"
    with (logs / "sales.log").open("a") as log:
        log.write("after\nhalf a line")
    assert following.process.stdout.readline() == "after\n"
    assert following.interrupt().code == ExitCode.INTERRUPTED
