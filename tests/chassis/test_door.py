"""The server's door under HTTP as clients speak it: a refusal in the middle of a connection disturbs nothing that follows."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from chassis import http
from cli.stack.spawn import free_port
from tests.support.service import PATIENCE_SECONDS, wait_until


@pytest.fixture
def full_door() -> Iterator[_Full]:
    """A served door with one place."""
    full = _Full()
    with full.served():
        yield full


class _Full:
    """One request stays inside until it is let go; whatever else comes is refused."""

    def __init__(self) -> None:
        self.let_go, self.inside, self.port = threading.Event(), threading.Event(), free_port()

    async def _stay(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            self.inside.set()
            await asyncio.to_thread(self.let_go.wait, PATIENCE_SECONDS)
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body"})

    @contextmanager
    def served(self) -> Iterator[None]:
        door = http.Admission(self._stay, service="toy", in_flight_max=1, threads_max=2)
        server = http.server(door, port=self.port, lifespan="off", timeout_graceful_shutdown=1)
        thread = threading.Thread(target=server.run)
        thread.start()
        wait_until(lambda: server.started)
        try:
            yield
        finally:
            self.let_go.set()
            server.should_exit = True
            thread.join()

    @contextmanager
    def taken(self) -> Iterator[Connection]:
        """Take the only place, and give the connection that holds it."""
        with closing(self.connection()) as first:
            first.send(_request("GET", "/first"))
            assert self.inside.wait(PATIENCE_SECONDS)
            yield first

    def connection(self) -> Connection:
        return Connection(self.port)


class Connection:
    """A client that says bytes and reads what comes back."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)

    def send(self, said: bytes) -> None:
        self._socket.sendall(said)

    def reads(self, statuses: int) -> bytes:
        """Return all that came once so many answers are whole."""
        heard = b""
        while heard.count(b"HTTP/1.1 ") < statuses or not _is_whole(heard):
            if not (piece := self._socket.recv(65_536)):
                break
            heard += piece
        return heard

    def gives_up_after(self, seconds: float) -> None:
        self._socket.settimeout(seconds)

    def close(self) -> None:
        self._socket.close()


def _is_whole(heard: bytes) -> bool:
    head, end, body = heard[heard.rfind(b"HTTP/1.1 ") :].partition(b"\r\n\r\n")
    return bool(end) and len(body) >= int(re.search(rb"content-length: (\d+)", head)[1])  # type: ignore[index]  # each says it


def _request(method: str, path: str, *more: str, body: bytes = b"") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}", *more]
    return "\r\n".join([*lines, "", ""]).encode() + body


def test_a_refusal_keeps_its_connection_and_what_follows_is_read_from_its_start(full_door: _Full) -> None:
    with full_door.taken() as first, closing(full_door.connection()) as second:
        for _ in range(2):
            second.send(_request("POST", "/more", body=b"x" * 200_000))
            head, _, body = second.reads(1).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n")
            assert json.loads(body)["code"] == "overloaded"
        full_door.let_go.set()
        assert first.reads(1).startswith(b"HTTP/1.1 200")
        second.send(_request("GET", "/again"))
        assert second.reads(1).startswith(b"HTTP/1.1 200"), "there is a place again"


def test_what_waits_behind_a_request_of_its_own_connection_is_answered_in_its_order(full_door: _Full) -> None:
    """A thousand of them: each refusal starts the next, and none does it on the stack of the one before."""
    behind = 1_000
    with full_door.taken() as first, closing(full_door.connection()) as other:
        first.send(_request("GET", "/b") * behind)
        full_door.let_go.set()
        heard = first.reads(1 + behind)
        assert re.findall(rb"HTTP/1.1 (\d+)", heard)[0] == b"200"
        assert len(re.findall(rb"HTTP/1.1 (200|503)", heard)) == 1 + behind
        other.send(_request("GET", "/still"))
        assert other.reads(1).startswith(b"HTTP/1.1 200")


def test_who_asks_and_never_reads_is_heard_no_further(full_door: _Full) -> None:
    """What it is told would stay in memory: the door stops reading where the connection takes no more."""
    asked = _request("GET", "/more", "X-Pad: " + "x" * 200) * 100
    with full_door.taken(), closing(full_door.connection()) as deaf, pytest.raises(TimeoutError):
        deaf.gives_up_after(3)
        for _ in range(1_000):
            deaf.send(asked)


def test_a_refusal_of_a_head_has_no_body_and_one_that_closes_says_so(full_door: _Full) -> None:
    with full_door.taken(), closing(full_door.connection()) as asks, closing(full_door.connection()) as last:
        asks.send(_request("HEAD", "/head") + _request("POST", "/more"))
        head, _, rest = asks.reads(2).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503")
        assert rest.startswith(b"HTTP/1.1 503")
        last.send(_request("GET", "/last", "Connection: close"))
        heard = last.reads(2)
        assert b"connection: close" in heard
        assert heard.count(b"HTTP/1.1 ") == 1
