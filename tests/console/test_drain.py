"""SIGTERM to the console's server: a reader that takes nothing holds the end up no more than one that reads."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path

import pytest

from tests.console.served import Cases, opened
from tests.support.running import running
from tests.support.service import wait_until

END_SECONDS_MAX = 5.0
LONG, MANY = "x" * 3900, 1500  # together more than any socket holds


def _connect(port: int, token: str) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", port))
    head = f"GET /stream?from=beginning HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n"
    connection.sendall(head.encode())
    return connection


def _waiting(connection: socket.socket) -> bool:
    """Say whether more lies ready than is taken."""
    return len(connection.recv(65536, socket.MSG_PEEK)) > 1000


@pytest.mark.timing
def test_a_reader_that_takes_nothing_does_not_hold_the_end_up(cases: Cases, tmp_path: Path) -> None:
    cases.say(*(opened(n, headline=LONG) for n in range(MANY)))
    told = {"WORLD": cases.world, "AUTH_AUDIENCE": f"crossdock.{cases.world}", "KAFKA_BOOTSTRAP": cases.bootstrap}
    with running("console.server", folder=tmp_path, told=told) as process:
        readers = [_connect(process.port, cases.token()) for _ in range(3)]
        for reader in readers:
            wait_until(lambda reader=reader: _waiting(reader))  # type: ignore[misc]  # a default binds it now
        begun = time.monotonic()
        os.kill(process.child.pid, signal.SIGTERM)
        assert process.child.wait(END_SECONDS_MAX) == 0, process.log.read_text()[-2000:]
        assert time.monotonic() - begun < END_SECONDS_MAX
        for reader in readers:
            reader.close()
