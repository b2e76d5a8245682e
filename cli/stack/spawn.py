"""Start and stop child processes that cannot outlive us: each is told by the kernel when we die, even by
`kill -9`, leads a session of its own (so that Ctrl-C reaches us alone) and writes to one log file."""

from __future__ import annotations

import contextlib
import ctypes
import os
import queue
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import IO, Any

from cli.stack.state import FolderUnusable, unusable

LOG_LIMIT_BYTES = 20_000_000
STOP_SECONDS = 12.0
PORT_TRIES = 200
LOWEST_PORT = 20_000
_PR_SET_PDEATHSIG = 1

Popen = subprocess.Popen[bytes]


STARTS_WAITING_MAX = 100


class _Spawner:
    """One thread that starts every child.

    The kernel sends a child its death signal when the *thread* that started it ends, so a child started
    by a short-lived thread would die with that thread. This one lives as long as the process.
    """

    def __init__(self) -> None:
        self._requests: queue.Queue[tuple[Callable[[], Popen], Future[Popen]]] = queue.Queue(STARTS_WAITING_MAX)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self, action: Callable[[], Popen]) -> Popen:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="spawner", daemon=True)
                self._thread.start()
        answer: Future[Popen] = Future()
        self._requests.put((action, answer))
        return answer.result()

    def _work(self) -> None:
        while True:
            action, answer = self._requests.get()
            try:
                answer.set_result(action())
            except Exception as why:  # noqa: BLE001  (handed to the caller, who raises it)
                answer.set_exception(why)


_spawner = _Spawner()


def _die_with_parent(death_signal: int) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def in_child() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return in_child


def open_log(path: Path) -> IO[bytes]:
    """Open a log for appending; one that has grown past the limit is put aside once."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
            path.replace(path.with_suffix(path.suffix + ".1"))
        return path.open("ab")
    except OSError as why:
        raise FolderUnusable(unusable(path.parent, why)) from why


def spawn(
    command: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    death_signal: int = signal.SIGKILL,
    stdout: int | None = None,
) -> Popen:
    """Start a process that dies with us; its output goes to the log (or its stdout to a pipe)."""
    in_child = _die_with_parent(death_signal)

    def action() -> Popen:
        with open_log(log) as out:
            options: dict[str, Any] = {"preexec_fn": in_child} if in_child else {}
            return subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=out if stdout is None else stdout,
                stderr=out,
                env=dict(env) if env is not None else None,
                cwd=cwd,
                start_new_session=True,
                **options,
            )

    return _spawner.start(action)


def stop(child: Popen, *, first: int = signal.SIGTERM, seconds: float = STOP_SECONDS) -> int:
    """Ask the process to end, insist with SIGKILL on its whole group when it does not; returns its code."""
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            child.send_signal(first)
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            kill_group(child.pid)
    return child.wait()


def kill_group(pid: int) -> None:
    """Kill the process and what it started; gone already is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def alive(pid: int) -> bool:
    """Tell whether a process of that id runs (a zombie does not)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether we could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _highest_port() -> int:
    with contextlib.suppress(OSError, ValueError):
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    return 32_768


_given: set[int] = set()
_given_lock = threading.Lock()
_held: dict[int, socket.socket] = {}


def free_port() -> int:
    """Pick a free loopback port that neither this process nor another one of ours gave to somebody else.

    The port lies below the range the system hands to outgoing connections: a process that is restarted
    on its old port must not find somebody's connection there.
    """
    highest = _highest_port()
    with _given_lock:
        for _ in range(PORT_TRIES if highest > LOWEST_PORT + PORT_TRIES else 0):
            port = LOWEST_PORT + secrets.randbelow(highest - LOWEST_PORT)
            if port not in _given and hold_port(port):
                _given.add(port)
                return port
        with socket.socket() as chosen_by_system:
            chosen_by_system.bind(("127.0.0.1", 0))
            port = int(chosen_by_system.getsockname()[1])
        _given.add(port)
        return port


def release_port(port: int) -> None:
    """Let others pick a port again, once its process has ended."""
    with _given_lock:
        _given.discard(port)
        if (holder := _held.pop(port, None)) is not None:
            holder.close()


def hold_port(port: int) -> bool:
    """Bind a loopback port without listening, until it is released or this process ends; False when it is taken.

    Processes start to listen seconds after their ports were picked. On Linux a server that sets SO_REUSEADDR, as all
    of ours do, listens beside the held socket, while another process that tries to hold the port is refused.
    """
    holder = socket.socket()
    try:
        holder.bind(("127.0.0.1", port))
    except OSError:
        holder.close()
        return False
    if sys.platform == "linux":
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _held[port] = holder
    else:
        holder.close()
    return True
