"""`crossdock up` names what is wrong when a port, Maven, Kafka or disk space is missing, and leaves nothing."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.exit_codes import ExitCode
from cli.stack import kafka
from tests.support.command import Crossdock, gone
from tests.support.stack import Infrastructure

pytestmark = [pytest.mark.postgres, pytest.mark.kafka]


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


def test_a_world_that_cannot_be_made_leaves_no_stack_that_was_started_for_it(crossdock: Crossdock) -> None:
    said = crossdock("world", "create", "demo", "--only", "nonsense")
    assert said.code == ExitCode.FAILED
    assert "There is no process 'nonsense'; a world is made of" in said.err.strip().splitlines()[-1]
    assert crossdock.left() == []
    assert crossdock("world", "list", "--json").json == []
