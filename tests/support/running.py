"""One process of a service under test, with ports of its own; it is ready when it says so."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from sqlalchemy import MetaData, create_engine

from cli.stack import spawn
from cli.stack.issuer import ISSUER
from tests.support.needs import CHECKOUT
from tests.support.service import PATIENCE_SECONDS, issuer, wait_until


@dataclass
class Running:
    """A process, where it listens, and what it wrote."""

    child: spawn.Popen
    port: int
    ops_port: int
    log: Path

    def metrics(self) -> str:
        """Return what Prometheus would scrape."""
        return httpx.get(f"http://127.0.0.1:{self.ops_port}/metrics", timeout=PATIENCE_SECONDS).text

    def ready(self) -> bool:
        """Ask whether it is; a process that has ended will never be."""
        if self.child.poll() is not None:
            raise AssertionError(f"ended with {self.child.returncode}: {self.log.read_text(errors='replace')[-2000:]}")
        try:
            return httpx.get(f"http://127.0.0.1:{self.ops_port}/ready").status_code == 200
        except httpx.TransportError:
            return False


def tables(url: str, metadata: MetaData) -> None:
    """Make the tables of a small service."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    metadata.create_all(engine)
    engine.dispose()


def start(module: str, *roles: str, folder: Path, told: Mapping[str, str]) -> Running:
    """Start a process; `told` is what its environment holds beside the ports and the issuer."""
    port, ops_port = spawn.free_port(), spawn.free_port()
    env = {
        **os.environ,
        "WORLD": "test",
        "AUTH_ISSUER": ISSUER,
        "AUTH_AUDIENCE": "crossdock.test",
        "CURSOR_SECRET": "only for tests",
        "AUTH_JWKS": str(issuer().jwks_file),
        "HTTP_PORT": str(port),
        "OPS_PORT": str(ops_port),
        **told,
    }
    log = folder / f"{'-'.join(roles)}-{port}.log"
    child = spawn.spawn([sys.executable, "-m", module, *roles], log=log, env=env, cwd=CHECKOUT)
    return Running(child, port, ops_port, log)


@contextmanager
def running(module: str, *roles: str, folder: Path, told: Mapping[str, str]) -> Iterator[Running]:
    """Run a process for as long as the block lasts."""
    process = start(module, *roles, folder=folder, told=told)
    try:
        wait_until(process.ready)
        yield process
    finally:
        spawn.stop(process.child)
