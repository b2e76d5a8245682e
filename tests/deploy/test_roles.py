"""`deploy/postgres/roles.sql` on a real PostgreSQL: each service reaches its own database and no other."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator

import psycopg
import pytest

from cli.stack import postgres
from cli.stack.recipe import SERVICES
from tests.layers.small_tree import ROOT
from tools.deployment import password, role

FILE = ROOT / "deploy/postgres/roles.sql"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an administrator of a server of its own: roles are a server's, not a database's."""
    own = postgres.EmbeddedPostgres(tmp_path_factory.mktemp("postgres"))
    own.start()
    try:
        yield own.admin_url
    finally:
        own.stop()


@pytest.fixture(scope="module")
def made(server: str) -> str:
    passwords = {password(name): f"it's {name}" for name in SERVICES}
    command = [str(postgres.binaries() / "psql"), "--no-psqlrc", "--quiet", server, "--file", str(FILE)]
    done = subprocess.run(
        command, env={**os.environ, **passwords}, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return server


def url(server: str, service: str, database: str) -> str:
    return postgres.url_for(server, database=database, role=role(service), password=f"it's {service}")


def connects(server: str, service: str, database: str) -> bool:
    try:
        psycopg.connect(url(server, service, database)).close()
    except psycopg.OperationalError as refused:
        assert "permission denied for database" in str(refused)
        return False
    return True


@pytest.mark.postgres
def test_each_role_reaches_its_own_database_and_no_other(made: str) -> None:
    databases = [*map(role, SERVICES), "postgres"]
    reached = {name: [d for d in databases if connects(made, name, d)] for name in SERVICES}
    assert reached == {name: [role(name)] for name in SERVICES}


@pytest.mark.postgres
def test_a_role_may_make_its_tables_and_is_nobody_else(made: str) -> None:
    with psycopg.connect(url(made, "sales", role("sales"))) as connection:
        connection.execute("CREATE TABLE one (x int)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE ROLE other")


def test_the_file_names_the_services_and_holds_no_password() -> None:
    text = FILE.read_text(encoding="utf-8")
    assert set(re.findall(r"CREATE DATABASE live_(\w+)", text)) == set(SERVICES)
    assert set(re.findall(r"PASSWORD (\S+);", text)) == {":'password'"}
