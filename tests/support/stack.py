"""One real PostgreSQL and one real Kafka for a whole test session, each started when first asked for. There
is no fall-back here: a test that needs one of them fails where it cannot start (LAYERS 4.14)."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from cli.stack import postgres, spawn
from cli.stack.kafka import LocalKafka, wait_until_it_answers
from cli.stack.state import Home

WAIT_SECONDS = 20.0


class Infrastructure:
    """The session's PostgreSQL and Kafka; everything lies in a temporary folder and goes with it."""

    replication = 1

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="xd-tests-"))
        self._number = itertools.count(1)
        self._postgres: postgres.EmbeddedPostgres | None = None
        self._kafka: LocalKafka | None = None
        self._bootstrap: str | None = None
        self._made: list[str] = []

    @property
    def postgres_admin_url(self) -> str:
        """The URL of an administrator; starts PostgreSQL the first time."""
        told = os.environ.get("POSTGRES_URL")
        if told:
            return told
        if self._postgres is None:
            server = postgres.EmbeddedPostgres(self.home / "postgres")
            server.start()
            self._postgres = server
        return self._postgres.admin_url

    def kill_postgres(self) -> None:
        """Kill the session's own server with all its processes, as a machine that loses its power does."""
        if self._postgres is None or self._postgres.pid is None:
            raise RuntimeError("the session's PostgreSQL is not our own process: unset POSTGRES_URL for this test")
        postmaster = self._postgres.pid
        killed = [postmaster, *children_of(postmaster)]
        for pid in killed:
            spawn.kill_group(pid)
        while self._postgres.alive() or any(spawn.alive(pid) for pid in killed):
            pass

    def start_postgres(self) -> None:
        """Start the killed server again, at its old address."""
        assert self._postgres is not None
        before = self._postgres.admin_url
        self._postgres.start()
        if self._postgres.admin_url != before:
            raise RuntimeError(f"PostgreSQL came back at {self._postgres.admin_url} and was at {before}")

    @property
    def kafka_bootstrap(self) -> str:
        """The bootstrap address; starts Kafka the first time."""
        if self._bootstrap is None:
            told = os.environ.get("KAFKA_BOOTSTRAP")
            if told:
                wait_until_it_answers(told, seconds=WAIT_SECONDS)
                self._bootstrap = told
            else:
                self._kafka = LocalKafka(self.home / "kafka", libs=self.kafka_libs)
                self._bootstrap = self._kafka.start()
        return self._bootstrap

    def kafka_pid(self) -> int:
        """The process id of the session's own broker; a test that stops it for a moment cannot use a foreign one."""
        pid = self._kafka.pid if self._kafka is not None else None
        if pid is None:
            raise RuntimeError("the session's Kafka is not our own process: unset KAFKA_BOOTSTRAP for this test")
        return pid

    @property
    def kafka_libs(self) -> Path:
        """Where the jars are: the checkout's folder and not the session's, so that Maven runs once."""
        return Path(os.environ.get("CROSSDOCK_KAFKA_LIBS") or Home.find().kafka / "libs")

    def world(self) -> str:
        """Name a world that no other test of this session has."""
        return f"t{os.getpid()}-{next(self._number)}"

    def database(self, service: str, *, world: str | None = None) -> str:
        """Make a fresh, empty database of a service and return its URL."""
        name = postgres.database_name(world or self.world(), service)
        url = postgres.create_database(self.postgres_admin_url, name)
        self._made.append(name)
        return url

    def drop_database(self, url: str) -> None:
        """Drop the database that this URL names, cutting whoever is connected."""
        name = urlsplit(url).path.lstrip("/")
        postgres.drop_database(self.postgres_admin_url, name)
        self._made.remove(name)

    def close(self) -> None:
        """Drop what was made on a foreign server, end our own ones, remove the folder."""
        if os.environ.get("POSTGRES_URL"):
            for name in self._made:
                postgres.drop_database(self.postgres_admin_url, name)
        if self._kafka is not None:
            self._kafka.stop()
        if self._postgres is not None:
            self._postgres.stop()
        shutil.rmtree(self.home, ignore_errors=True)


def children_of(pid: int) -> list[int]:
    """Name the processes that a process started."""
    return [
        int(child)
        for told in Path(f"/proc/{pid}/task").glob("*/children")
        for child in told.read_text(encoding="ascii").split()
    ]
