"""The real PostgreSQL of the stack: it starts, keeps, closes databases to each other and ends with us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from cli.stack import postgres, spawn
from tests.support.needs import CHECKOUT
from tests.support.service import wait_until
from tests.support.stack import Infrastructure

pytestmark = pytest.mark.postgres


def test_it_is_postgresql_18_with_fsync_on(infra: Infrastructure) -> None:
    with psycopg.connect(infra.postgres_admin_url) as admin:
        assert admin.execute("SHOW server_version_num").fetchone()[0].startswith("18")
        assert admin.execute("SHOW fsync").fetchone() == ("on",)
        assert admin.execute("SHOW max_connections").fetchone() == ("600",)


def test_no_service_can_open_the_database_of_another(infra: Infrastructure) -> None:
    sales, logistics = infra.database("sales", world="a-b"), infra.database("logistics", world="a-b")
    assert "/a_b_sales?" in sales
    with psycopg.connect(sales) as connection:
        assert connection.execute("SELECT current_user, current_database()").fetchone() == (
            "a_b_sales",
            "a_b_sales",
        )
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(sales.replace("/a_b_sales?", "/a_b_logistics?"))
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(logistics.replace("//a_b_logistics:", "//a_b_sales:"))
    infra.drop_database(sales)
    infra.drop_database(logistics)


def test_a_dropped_database_takes_its_role_with_it(infra: Infrastructure, fresh_database: Callable[[str], str]) -> None:
    url = infra.database("sales")
    with psycopg.connect(url) as held:
        infra.drop_database(url)
        with pytest.raises(psycopg.OperationalError):
            held.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    assert fresh_database("sales") != url


def test_what_was_committed_is_there_after_a_restart_in_a_folder_with_a_long_closed_path(
    tmp_path: Path,
) -> None:
    closed = tmp_path / ("closed" * 20)
    closed.mkdir(mode=0o700)
    server = postgres.EmbeddedPostgres(closed / "postgres")
    try:
        url = postgres.create_database(server.start(), "demo_sales")
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept (n int)")
            connection.execute("INSERT INTO kept VALUES (7)")
        socket = postgres.socket_of(url)
        server.stop()
        assert socket and not Path(socket).exists()
        server.start()
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT n FROM kept").fetchone() == (7,)
    finally:
        server.stop()


STARTS_AND_WAITS = """
import sys, threading
from pathlib import Path
from cli.stack.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
server.start()
print(server.pid, flush=True)
threading.Event().wait()
"""


def test_the_server_ends_when_its_supervisor_is_killed_and_starts_again(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    supervisor = subprocess.Popen(
        [sys.executable, "-c", STARTS_AND_WAITS, str(folder)], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    )
    assert supervisor.stdout is not None
    pid = int(supervisor.stdout.readline())
    assert spawn.alive(pid)
    os.kill(supervisor.pid, signal.SIGKILL)
    supervisor.wait()
    supervisor.stdout.close()
    wait_until(lambda: not spawn.alive(pid))
    again = postgres.EmbeddedPostgres(folder)
    try:
        psycopg.connect(again.start()).close()
    finally:
        again.stop()


def test_a_note_of_a_server_that_is_gone_does_not_stop_a_start(tmp_path: Path) -> None:
    server = postgres.EmbeddedPostgres(tmp_path / "postgres")
    try:
        server.start()
        note = (server.data / "postmaster.pid").read_text()
        server.stop()
        # Process ids come back: this one is ours, and no PostgreSQL.
        (server.data / "postmaster.pid").write_text(note.replace(note.splitlines()[0], str(os.getpid()), 1))
        psycopg.connect(server.start()).close()
    finally:
        server.stop()


def test_a_server_that_cannot_be_reached_is_told_in_a_sentence() -> None:
    with pytest.raises(postgres.PostgresFailed, match="POSTGRES_URL"):
        postgres.connect_admin("postgresql://a:b@127.0.0.1:1/postgres")
