"""`crossdock up` as a new user meets it: it starts, it ends, it leaves nothing, and it says what is wrong."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.exit_codes import ExitCode
from cli.stack import Home, daemon, kafka
from cli.stack.control import ask
from tests.support.command import Crossdock, Said, gone
from tests.support.service import wait_until
from tests.support.stack import Infrastructure

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


def test_a_port_that_is_in_use_is_named_before_anything_starts(crossdock: Crossdock) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for detach in ([], ["--detach"]):
            said = crossdock("up", "--port", str(port), *detach)
            assert said.code == ExitCode.FAILED
            assert f"Port {port} is in use: choose another one for console" in said.err
            assert "Traceback" not in said.err
    assert crossdock.left() == []
    assert not (crossdock.home / "postgres").exists()


def test_without_maven_and_with_real_infrastructure_required_the_sentence_says_what_to_do(
    crossdock: Crossdock, tmp_path: Path
) -> None:
    said = crossdock("up", "--bare", **_without_maven(tmp_path), REQUIRE_INFRA="1")
    assert said.code == ExitCode.FAILED
    last = said.err.strip().splitlines()[-1]
    assert "install maven" in last and "KAFKA_BOOTSTRAP" in last and "REQUIRE_INFRA" in last
    assert "Traceback" not in said.err
    assert crossdock.left() == []


def test_without_maven_the_broker_in_memory_serves_and_says_that_it_forgets(
    crossdock: Crossdock, tmp_path: Path
) -> None:
    said = crossdock("up", "--bare", "--detach", "--json", **_without_maven(tmp_path), REQUIRE_INFRA="0")
    assert said.code == ExitCode.OK, said.err
    assert said.json["kafka"]["kind"] == "in-process broker"
    assert "install maven" in said.json["warnings"][0] and "keeps nothing" in said.json["warnings"][0]
    assert kafka.answers(said.json["kafka"]["bootstrap"])


def test_an_address_where_no_kafka_is_fails_with_the_variable_to_check(crossdock: Crossdock) -> None:
    said = crossdock("up", "--bare", KAFKA_BOOTSTRAP="127.0.0.1:1")
    assert said.code == ExitCode.FAILED
    assert "check KAFKA_BOOTSTRAP" in said.err
    assert gone(crossdock.home), crossdock.left()


@pytest.fixture(params=[("", "64k"), ("", "24m"), ("kafka", "12k")], ids=["all", "postgres", "kafka"])
def small_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path | None]:
    """A data folder that is full for all, for PostgreSQL or for Kafka; None where no disk can be made."""
    part, size = request.param
    home = tmp_path / "full"
    folder = home / part
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        yield None
        return
    try:
        yield home
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_data_folder_is_told_in_a_sentence_and_nothing_is_left(
    infra: Infrastructure, crossdock: Crossdock, small_disk: Path | None, tmp_path: Path
) -> None:
    if small_disk is None:
        # No disk can be made here: a limit on the size of every file has the same effect.
        limited = Crossdock(tmp_path / "limited", infra.kafka_libs)
        said = _with_file_limit(limited, 500_000)
    else:
        limited = Crossdock(small_disk, infra.kafka_libs)
        said = limited("up", "--bare", "--detach")
    assert said.code == ExitCode.FAILED, (said.code, said.err)
    last = said.err.strip().splitlines()[-1]
    assert "cannot be written" in last and "free some space" in last and "CROSSDOCK_HOME" in last, said.err
    assert "Traceback" not in said.err
    assert gone(limited.home), limited.left()


def _with_file_limit(command: Crossdock, limit: int) -> object:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        return command("up", "--bare", "--detach")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def _without_maven(folder: Path) -> dict[str, str]:
    """A PATH that has what the machine has, but for Maven and Docker, and a folder without jars."""
    tools = folder / "tools"
    tools.mkdir()
    for part in ("/usr/sbin", "/usr/bin", "/sbin", "/bin"):
        for program in Path(part).iterdir():
            link = tools / program.name
            if program.name not in ("mvn", "docker") and not link.is_symlink():
                link.symlink_to(program)
    return {"PATH": str(tools), "CROSSDOCK_KAFKA_LIBS": str(folder / "no-jars")}


def test_ctrl_c_while_a_detached_stack_starts_takes_the_supervisor_along(crossdock: Crossdock) -> None:
    running = crossdock.begin("up", "--bare", "--detach")
    running.wait_for("Kafka starts")
    said = running.interrupt()
    if said.code == ExitCode.OK:  # the stack was up before the signal came: it stays, as after any `up --detach`
        assert crossdock("down").code == ExitCode.OK
    else:
        assert said.code == ExitCode.INTERRUPTED and "nothing is left running" in said.err, said
    assert gone(crossdock.home), crossdock.left()


def test_a_world_that_cannot_be_made_leaves_no_stack_that_was_started_for_it(crossdock: Crossdock) -> None:
    said = crossdock("world", "create", "demo", "--only", "nonsense")
    assert said.code == ExitCode.FAILED
    assert "There is no process 'nonsense'; a world is made of" in said.err.strip().splitlines()[-1]
    assert crossdock.left() == []
    assert crossdock("world", "list", "--json").json == []


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
