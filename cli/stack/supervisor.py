"""Keep one process running: start it, start it again with back-off when it dies, count that, stop it."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from cli.stack import spawn
from cli.stack.state import StackError

BACK_OFF_FIRST_SECONDS = 0.2
BACK_OFF_LIMIT_SECONDS = 10.0
CALM_SECONDS = 30.0
READY_POLL_SECONDS = 0.04
READY_ASK_SECONDS = 2.0
DEATHS_BEFORE_READY = 4
STOPPERS = 16


class NotReady(StackError):
    """A process did not become ready."""


class Watched:
    """One process that is wanted, with the thread that keeps it there."""

    def __init__(self, name: str, launch: Callable[[], spawn.Popen], *, ready_url: str | None, log: Path) -> None:
        self.name = name
        self.ready_url = ready_url
        self.log = log
        self.restarts = 0
        self.deaths_in_a_row = 0
        self.last_exit: int | None = None
        self.trouble: str | None = None
        self._launch = launch
        self._child: spawn.Popen | None = None
        self._lock = threading.Lock()
        self._should_run = threading.Event()
        self._should_stop = threading.Event()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    @property
    def pid(self) -> int | None:
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    @property
    def state(self) -> str:
        """Say in a word how it stands: stopped, ready, starting or waiting (to be started again)."""
        if not self._should_run.is_set():
            return "stopped"
        if self.pid is None:
            return "waiting"
        return "ready" if is_ready(self.ready_url) else "starting"

    def start(self) -> None:
        """Want the process; it is started at once and again whenever it dies."""
        with self._lock:
            if self._should_run.is_set():
                return
            self._should_run.set()
            self._should_stop.clear()
            self.deaths_in_a_row = 0
            self._thread = threading.Thread(target=self._keep, name=f"keep-{self.name}", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Want it no longer: SIGTERM, and SIGKILL after a while; returns when it is gone."""
        with self._lock:
            if not self._should_run.is_set():
                return
            self._should_run.clear()
            self._should_stop.set()
            thread, self._thread = self._thread, None
        child = self._child
        if child is not None:
            self.last_exit = spawn.stop(child)
        if thread is not None:
            thread.join()
        # The keeper may have started one more between our two looks.
        if self._child is not None and self._child.poll() is None:
            self.last_exit = spawn.stop(self._child)

    def kill(self, sent: int = signal.SIGKILL) -> int:
        """Send a signal to the process as it is and return its id; whatever dies is started again."""
        pid = self.pid
        if pid is None:
            raise NotReady(f"{self.name} is not running.")
        os.kill(pid, sent)
        return pid

    def wait_until_ready(self, *, seconds: float, after_pid: int | None = None) -> None:
        """Wait for *ready* by asking; raises NotReady with the process's last words.

        With `after_pid` the process of that id does not count: a killed one may still answer for a moment.
        """
        deadline = time.monotonic() + seconds
        deaths = self.deaths_in_a_row
        while True:
            pid = self.pid
            if pid is not None and pid != after_pid and is_ready(self.ready_url):
                return
            if not self._should_run.is_set():
                raise NotReady(f"{self.name} was stopped.")
            if self.deaths_in_a_row >= deaths + DEATHS_BEFORE_READY or time.monotonic() > deadline:
                raise NotReady(f"{self.name} does not become ready: {self.last_words()}")
            self._should_stop.wait(READY_POLL_SECONDS)

    def last_words(self) -> str:
        """Return the last line of the log, with where to read more."""
        lines: list[str] = []
        with contextlib.suppress(OSError):
            lines = self.log.read_text(errors="replace").strip().splitlines()
        words = self.trouble or (lines[-1].strip()[-400:] if lines else "it said nothing")
        return f"{words} (more in {self.log})"

    def _keep(self) -> None:
        first = True
        while self._should_run.is_set():
            began = time.monotonic()
            try:
                self._child = self._launch()
                self.trouble = None
            except (StackError, OSError) as why:
                self.trouble = str(why)
            else:
                self.restarts += 0 if first else 1
                self.last_exit = self._child.wait()
            first = False
            if time.monotonic() - began > CALM_SECONDS:
                self.deaths_in_a_row = 0
            self._should_stop.wait(min(BACK_OFF_FIRST_SECONDS * 2**self.deaths_in_a_row, BACK_OFF_LIMIT_SECONDS))
            self.deaths_in_a_row = min(self.deaths_in_a_row + 1, 30)


def is_ready(url: str | None) -> bool:
    """Ask a process whether it is ready; one that has no address is ready when it runs."""
    if url is None:
        return True
    parts = urlsplit(url)
    line = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port or 80, timeout=READY_ASK_SECONDS)
    try:
        line.request("GET", parts.path or "/")
        return line.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        line.close()


class Stoppable(Protocol):
    """Whatever can be stopped."""

    def stop(self) -> None: ...


def stop_all(things: Iterable[Stoppable]) -> None:
    """Stop all of them at the same time and return when the last one is gone."""
    with ThreadPoolExecutor(STOPPERS, thread_name_prefix="stop") as pool:
        for done in [pool.submit(thing.stop) for thing in things]:
            done.result()


class Server(Protocol):
    """A server of the infrastructure: it knows how to start, tell whether it lives, and stop."""

    @property
    def pid(self) -> int | None: ...

    def start(self) -> str: ...

    def alive(self) -> bool: ...

    def stop(self) -> None: ...


class SupervisedProcess:
    """A server of the infrastructure that is started again, at its old address, when it dies."""

    def __init__(self, name: str, server: Server, log: Path) -> None:
        self.name = name
        self.server = server
        self.log = log
        self.restarts = 0
        self.trouble: str | None = None
        self._starting = False
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def pid(self) -> int | None:
        return self.server.pid if self.server.alive() else None

    @property
    def state(self) -> str:
        """Say in a word how it stands."""
        if self._starting:
            return "starting"
        return "ready" if self.server.alive() else "waiting"

    def guard(self) -> None:
        """Begin to watch a server that was started."""
        self._thread = threading.Thread(target=self._keep, name=f"guard-{self.name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Watch no longer and end the server."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        self.server.stop()

    def _keep(self) -> None:
        failures = 0
        while not self._ended.wait(BACK_OFF_FIRST_SECONDS):
            if self.server.alive():
                continue
            if self._ended.wait(min(BACK_OFF_FIRST_SECONDS * 2**failures, BACK_OFF_LIMIT_SECONDS)):
                return
            self._starting = True
            try:
                self.server.start()
                self.trouble, failures = None, 0
            except (StackError, OSError) as why:
                self.trouble, failures = str(why), min(failures + 1, 30)
            self._starting = False
            # Counted last: whoever sees the count sees a server that answers.
            self.restarts += 1 if failures == 0 else 0
