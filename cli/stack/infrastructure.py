"""PostgreSQL and Kafka of one stack: chosen, started, guarded and ended (LAYERS 11)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from cli.stack import spawn
from cli.stack.kafka import KafkaFailed, KafkaUnavailable, LocalKafka, wait_until_it_answers
from cli.stack.postgres import EmbeddedPostgres, connect_admin
from cli.stack.state import CHECKOUT, Home, make_folder
from cli.stack.supervisor import SupervisedProcess

IMAGE = "apache/kafka:4.4.0"
REACH_SECONDS = 10.0
DOCKER_ASK_SECONDS = 10.0
PULL_SECONDS = 300.0
FORGETS = "This broker runs in memory and keeps nothing: what it holds is gone after `crossdock down`."

Report = Callable[[str], None]


class DockerKafka(LocalKafka):
    """The same Kafka from its image; the docker command is our child and passes our signals on."""

    kind = "kafka in docker"

    def prepare(self) -> str:
        """Tell whether there is an engine; raises KafkaUnavailable where there is none."""
        docker = shutil.which("docker")
        if docker is None or not _succeeds([docker, "info"]):
            raise KafkaUnavailable("There is no Docker engine to run Kafka in.")
        return docker

    def start(self) -> str:
        """Start the container, formatting its folder the first time, and return its address."""
        docker = self.prepare()
        make_folder(self.folder)
        self._ports = self._choose_ports()
        properties = self._write_properties()
        tools = "/opt/kafka/bin"
        script = (
            f"{tools}/kafka-storage.sh format --ignore-formatted -t {self._cluster_id()} -c {properties}"
            f" && exec {tools}/kafka-server-start.sh {properties}"
        )
        command = [docker, "run", "--rm", "--network", "host", "--user", f"{os.getuid()}:{os.getgid()}"]
        command += ["-e", "LOG_DIR=/tmp", "-v", f"{self.folder}:{self.folder}"]
        command += ["--entrypoint", "sh", IMAGE, "-c", script]
        self._child = spawn.spawn(command, log=self.log, death_signal=15)
        return self._wait(seconds=PULL_SECONDS)


class MemoryBroker:
    """The in-process broker of the chassis as a child: real protocol, nothing kept."""

    kind = "in-process broker"

    def __init__(self, folder: Path) -> None:
        self.log = folder / "broker.log"
        self.bootstrap = ""
        self._child: spawn.Popen | None = None

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    def alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def start(self) -> str:
        """Start the broker and return the address it prints."""
        command = [sys.executable, "-m", "chassis.messaging.testing"]
        child = spawn.spawn(command, log=self.log, cwd=CHECKOUT, stdout=subprocess.PIPE)
        self._child = child
        assert child.stdout is not None
        said = child.stdout.readline().decode().strip()
        if ":" not in said:
            self.stop()
            raise KafkaFailed(f"The in-process broker did not start (more in {self.log}).")
        self.bootstrap = said
        return said

    def stop(self) -> None:
        """End the broker and all it held."""
        if self._child is not None:
            spawn.stop(self._child)
            if self._child.stdout is not None:
                self._child.stdout.close()
            self._child = None


class Infrastructure:
    """The two servers of a stack, ours or somebody's."""

    def __init__(
        self,
        home: Home,
        report: Report,
        *,
        postgres_url: str | None = None,
        kafka_bootstrap: str | None = None,
    ) -> None:
        self.home = home
        self.report = report
        self._external_postgres_url = postgres_url or os.environ.get("POSTGRES_URL")
        self._external_kafka = kafka_bootstrap or os.environ.get("KAFKA_BOOTSTRAP")
        self.postgres_admin_url = ""
        self.kafka_bootstrap = ""
        self.kafka_kind = ""
        self.warnings: list[str] = []
        self.guarded: list[SupervisedProcess] = []

    def start(self) -> None:
        """Start or reach both; raises StackError with what to do, after ending what it had started."""
        with ThreadPoolExecutor(1, thread_name_prefix="postgres") as pool:
            postgres = pool.submit(self._start_postgres)
            try:
                self._start_kafka()
            finally:
                # Whatever happened to Kafka, PostgreSQL is waited for, so that it can be ended.
                failure = postgres.exception()
        if failure is not None:
            raise failure
        for server in self.guarded:
            server.guard()

    def stop(self) -> None:
        """End what is ours; a foreign server is left alone."""
        for server in reversed(self.guarded):
            server.stop()
        self.guarded.clear()

    def describe(self) -> dict[str, Any]:
        """Return addresses and process ids for the state file (no password)."""
        return {
            "postgres": {"kind": "url" if not any(g.name == "postgres" for g in self.guarded) else "embedded"},
            "kafka": {"kind": self.kafka_kind, "bootstrap": self.kafka_bootstrap},
            "pids": {guard.name: guard.pid for guard in self.guarded},
            "warnings": self.warnings,
        }

    def _start_postgres(self) -> None:
        told = self._external_postgres_url
        if told:
            connect_admin(told).close()
            self.postgres_admin_url = told
            return
        self.report("PostgreSQL starts")
        server = EmbeddedPostgres(self.home.postgres)
        self.postgres_admin_url = server.start()
        self.guarded.append(SupervisedProcess("postgres", server, server.log))

    def _start_kafka(self) -> None:
        told = self._external_kafka
        if told:
            wait_until_it_answers(told, seconds=REACH_SECONDS)
            self.kafka_bootstrap, self.kafka_kind = told, "address"
            return
        server = self._choose_kafka()
        self.report(f"Kafka starts ({server.kind})")
        self.kafka_bootstrap = server.start()
        self.kafka_kind = server.kind
        self.guarded.append(SupervisedProcess("kafka", server, server.log))

    def _choose_kafka(self) -> LocalKafka | MemoryBroker:
        local = LocalKafka(self.home.kafka)
        try:
            self.report("Kafka's jars are looked for")
            local.prepare()
            return local
        except KafkaUnavailable as why:
            if os.environ.get("REQUIRE_INFRA") == "1":
                raise KafkaFailed(f"{why} (REQUIRE_INFRA=1 allows nothing in its place.)") from why
            missing = why
        docker = DockerKafka(self.home.root / "kafka-docker")
        try:
            docker.prepare()
            return docker
        except KafkaUnavailable:
            self.warnings.append(f"{missing} Until then: {FORGETS}")
            self.report(self.warnings[-1])
            return MemoryBroker(self.home.run)


def _succeeds(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=DOCKER_ASK_SECONDS, check=False).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False
