"""The process behind `crossdock up`: a stack and an orderly end on every signal.

`python -m cli.stack.daemon` is the detached form. It tells its parent on stdout, a line of JSON per step, how
it gets on, and lets go of stdout when it is ready.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from cli.stack import lock, spawn
from cli.stack.control import AnswerCutOff, NotRunning, ask
from cli.stack.stack import Stack
from cli.stack.state import CHECKOUT, Home, StackError, make_folder, read_json
from cli.stack.world_plan import LIVE, PortInUse

DOWN_SECONDS = 60.0
POLL_SECONDS = 0.05
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def one_interrupt() -> Iterator[None]:
    """Turn the first signal that asks for an end into KeyboardInterrupt; more do not break the end."""
    seen = threading.Event()

    def interrupt(_: int, __: FrameType | None) -> None:
        if not seen.is_set():
            seen.set()
            raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run(
    home: Home,
    *,
    report: Callable[[str], None],
    on_ready: Callable[[Stack], None],
    world: str | None = LIVE,
    ports: dict[str, int] | None = None,
    only: list[str] | None = None,
) -> None:
    """Run a stack until somebody asks for its end; cleans up before KeyboardInterrupt or StackError."""
    for process, port in (ports or {}).items():
        if not spawn.port_is_free(port):
            raise PortInUse(
                f"Port {port} is in use: choose another one for {process}, or none, and a free one is taken."
            )
    with one_interrupt(), Stack.start(home, report=report) as stack:
        try:
            if world is not None:
                whole = [spec.name for spec in stack.recipe.processes]
                stack.create_world(world, ports=ports, services=only or whole)
            on_ready(stack)
            threading.Event().wait()
        finally:
            report("The stack ends")


def end(home: Home) -> bool:
    """End the supervisor of a data folder and wait until it is gone; False when none ran."""
    if not lock.is_held(home):
        return False
    pid = (read_json(home.stack_file) or {}).get("pid")
    try:
        with contextlib.suppress(AnswerCutOff):  # ended before its answer was whole: the loop below sees it go
            ask(home, "down")
    except NotRunning:
        if pid is not None and spawn.alive(int(pid)):
            os.kill(int(pid), signal.SIGTERM)
    deadline = time.monotonic() + DOWN_SECONDS
    # Its lock goes a moment before the process does: gone means both.
    while lock.is_held(home) or (pid is not None and spawn.alive(int(pid))):
        if time.monotonic() > deadline:
            raise StackError(f"The stack does not end: see {home.run / 'daemon.log'}, or end its process by hand.")
        time.sleep(POLL_SECONDS)
    return True


def detach(
    home: Home,
    *,
    report: Callable[[str], None],
    world: str | None = LIVE,
    ports: dict[str, int] | None = None,
    only: list[str] | None = None,
) -> dict[str, Any]:
    """Start a supervisor that stays when we go, wait until it is ready and return its status."""
    make_folder(home.run)
    command = [sys.executable, "-m", "cli.stack.daemon", "--home", str(home.root)]
    command += ["--world", world] if world else []
    command += [f"--port={name}={port}" for name, port in (ports or {}).items()]
    command += [f"--only={name}" for name in only or []]
    with spawn.open_log(home.run / "daemon.log") as log:
        daemon = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=CHECKOUT,
            start_new_session=True,
        )
    assert daemon.stdout is not None
    try:
        for raw in daemon.stdout:
            line = json.loads(raw)
            if "error" in line:
                raise StackError(line["error"])
            if "ready" in line:
                return dict(line["ready"])
            report(line["step"])
        raise StackError(f"The supervisor ended before it was ready: see {home.run / 'daemon.log'}.")
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            daemon.terminate()
        daemon.wait()
        raise
    finally:
        daemon.stdout.close()


def main(arguments: list[str] | None = None) -> int:
    """Run detached: tell the parent how it goes, then serve until the end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--world")
    parser.add_argument("--port", action="append", default=[])
    parser.add_argument("--only", action="append")
    told = parser.parse_args(arguments)
    ports = {name: int(port) for name, port in (pair.split("=") for pair in told.port)}
    tell = _Parent()
    try:
        run(
            Home(told.home),
            report=lambda step: tell({"step": step}),
            on_ready=lambda stack: tell.last({"ready": stack.status()}),
            world=told.world,
            ports=ports,
            only=told.only,
        )
    except StackError as why:
        tell({"error": str(why)})
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


class _Parent:
    """The parent's end of our stdout, until we let go of it."""

    def __init__(self) -> None:
        self._listens = True
        self._turn = threading.Lock()

    def __call__(self, line: dict[str, Any]) -> None:
        with self._turn:
            out = sys.stdout if self._listens else sys.stderr
            try:
                out.write(json.dumps(line, default=str) + "\n")
                out.flush()
            except BrokenPipeError:
                self._listens = False

    def last(self, line: dict[str, Any]) -> None:
        self(line)
        self._listens = False
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
