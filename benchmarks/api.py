"""Requests with a transaction each, batches of 500, and three times as many requests as one worker can take.

One API process and its relay; the load comes from this process over kept connections, each request written beforehand.
"""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar, cast
from uuid import UUID

import psycopg
import uvloop

from benchmarks import work
from benchmarks.figures import Figure
from chassis.http import BATCH_ITEMS_MAX
from chassis.ids import derived_id
from cli.stack import Stack, spawn
from cli.stack.issuer import ISSUER, audience

POSTS, POSTS_FULL, WARM_UP, CONNECTIONS = 4_000, 40_000, 200, 16
BATCHES, BATCHES_FULL, BATCH_CONNECTIONS = 60, 400, 2
TIMES, PRESSED_SECONDS, PRESSED_SECONDS_FULL, PRESSED_CONNECTIONS = 3.0, 5.0, 20.0, 600
START_SECONDS, ANSWERED_SECONDS_MAX = 60.0, 30.0  # what is not answered by then counts as not answered


T = TypeVar("T")


class Answer(NamedTuple):
    """What became of one request; `status` 0 where none came, or the connection was cut."""

    number: int
    status: int
    ms: float


class Line(asyncio.Protocol):
    """A keep-alive connection that carries one request at a time and uses little CPU."""

    def __init__(self) -> None:
        self._received = b""
        self._answered: asyncio.Future[tuple[int, bool]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(exc or ConnectionResetError("cut before its answer"))

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        head = head.lower()
        length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
        if end and len(body) >= length and self._answered is not None and not self._answered.done():
            self._received = body[length:]
            self._answered.set_result((int(head[9:12]), b"\r\nconnection: close" in head))

    async def ask(self, request: bytes) -> tuple[int, bool]:
        """Send a request; returns the status and whether the server closes the connection. Raises ConnectionError."""
        if self._transport.is_closing():
            raise ConnectionResetError("cut before its request")
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answered

    def close(self) -> None:
        """End the connection."""
        self._transport.close()


class Endpoint:
    """The served program's door, and requests written for it."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._head = f"Host: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"

    def post(self, path: str, body: object) -> bytes:
        """Write a request."""
        said = json.dumps(body).encode()
        return f"POST {path} HTTP/1.1\r\n{self._head}Content-Length: {len(said)}\r\n\r\n".encode() + said

    async def open(self) -> Line:
        """Open a connection, waiting for the program to start."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                _, line = await asyncio.get_running_loop().create_connection(Line, "127.0.0.1", self._port)
                return line
            except ConnectionError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.05)

    async def all(self, requests: Sequence[bytes], connections: int, per_second: float = 0) -> list[Answer]:
        """Send everything over so many connections, each one request at a time; at a pace where one is given."""
        answers: list[Answer] = []
        lines = await asyncio.gather(*(self.open() for _ in range(connections)))
        numbers, begun = iter(range(len(requests))), time.perf_counter()

        async def go_on(line: Line) -> None:
            for number in numbers:
                if per_second:
                    await asyncio.sleep(max(0.0, begun + number / per_second - time.perf_counter()))
                sent = time.perf_counter()
                try:
                    status, closes = await line.ask(requests[number])
                except ConnectionError:
                    status, closes = 0, True
                except asyncio.CancelledError:
                    answers.append(Answer(number, 0, (time.perf_counter() - sent) * 1000))
                    raise
                answers.append(Answer(number, status, (time.perf_counter() - sent) * 1000))
                if closes:
                    line.close()
                    line = await self.open()
            line.close()

        working = [asyncio.create_task(go_on(line)) for line in lines]
        patience = len(requests) / per_second + ANSWERED_SECONDS_MAX if per_second else None
        done, late = await asyncio.wait(working, timeout=patience)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        for task in done:
            task.result()
        return answers


def measure(stack: Stack, full: bool) -> Iterator[Figure]:
    """Find the rates, then ask for three times as much and count what was accepted."""
    with work.place(stack, "served") as made:
        port = spawn.free_port()
        where = replace(
            made,
            more={
                "HTTP_PORT": str(port),
                "AUTH_ISSUER": ISSUER,
                "AUTH_AUDIENCE": audience("served"),
                "AUTH_JWKS": str(stack.issuer.jwks_file),
            },
        )
        door = Endpoint(port, stack.issuer.token("inventory", world="served"))
        with work.running(where, [["benchmarks.served", "api"], ["benchmarks.served", "relay"]]):
            _run(door.all(_posts(door, "warm", WARM_UP), CONNECTIONS))
            rate, ms = _rate(_run(_timed(door, _posts(door, "post", POSTS_FULL if full else POSTS), CONNECTIONS)))
            yield Figure("api.posts", rate, "requests/s", at_least=800, ceiling="rows_by_1")
            yield Figure("api.posts_p99", work.percentile(ms, 0.99), "ms", at_most=50)
            batches = [_batch(door, n) for n in range(BATCHES_FULL if full else BATCHES)]
            batch_rate, _ = _rate(_run(_timed(door, batches, BATCH_CONNECTIONS)))
            yield Figure(
                "api.batch_items", batch_rate * BATCH_ITEMS_MAX, "items/s", at_least=8_000, ceiling="rows_by_500"
            )
            pace = rate * TIMES
            pressed = _posts(door, "pressed", int(pace * (PRESSED_SECONDS_FULL if full else PRESSED_SECONDS)))
            answers = _run(door.all(pressed, PRESSED_CONNECTIONS, pace))
        yield from _checked(where, answers)


def _run(work: Coroutine[None, None, T]) -> T:
    gc.disable()  # a pause of who measures would count as a late answer
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(work)
    finally:
        gc.enable()


async def _timed(endpoint: Endpoint, requests: Sequence[bytes], connections: int) -> tuple[list[Answer], float]:
    begun = time.perf_counter()
    return await endpoint.all(requests, connections), time.perf_counter() - begun


def _rate(timed: tuple[list[Answer], float]) -> tuple[float, list[float]]:
    answers, seconds = timed
    wrong = [answer for answer in answers if answer.status not in (200, 201)]
    assert not wrong, f"{len(wrong)} of {len(answers)} requests were not done: the first was answered {wrong[0].status}"
    return len(answers) / seconds, [answer.ms for answer in answers]


def _checked(where: work.Place, answers: Sequence[Answer]) -> Iterator[Figure]:
    refused = [answer.ms for answer in answers if answer.status in (429, 503)]
    accepted = [answer for answer in answers if answer.status in (200, 201)]
    with psycopg.connect(where.database_url) as connection:
        kept: set[UUID] = {row[0] for row in connection.execute("SELECT stock_id FROM tallies").fetchall()}
    yield Figure("api.pressed_refused", 100 * len(refused) / len(answers), "%")
    # Where nobody is refused, everybody waits instead: their wait stands for it.
    waits = refused if len(refused) > 1 else [answer.ms for answer in answers]
    yield Figure("api.pressed_refusal_p99", work.percentile(waits, 0.99), "ms", at_most=50)
    if len(accepted) > 1:
        yield Figure("api.pressed_accepted_p99", work.percentile([a.ms for a in accepted], 0.99), "ms")
    yield Figure("api.pressed_other_answers", len(answers) - len(refused) - len(accepted), "requests", at_most=0)
    lost = sum(derived_id("pressed", answer.number) not in kept for answer in accepted)
    yield Figure("api.accepted_and_lost", lost, "requests", at_most=0)


def _posts(endpoint: Endpoint, name: str, number: int) -> list[bytes]:
    return [endpoint.post("/tallies", {"stock_id": str(derived_id(name, n)), "on_hand": "1"}) for n in range(number)]


def _batch(endpoint: Endpoint, number: int) -> bytes:
    first = number * BATCH_ITEMS_MAX
    items = [
        {"key": str(n), "stock_id": str(derived_id("batch", n)), "on_hand": "1"}
        for n in range(first, first + BATCH_ITEMS_MAX)
    ]
    return endpoint.post("/tallies:batch", {"source": "bench", "items": items})
