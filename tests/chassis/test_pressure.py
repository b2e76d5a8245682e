"""Under pressure: what is let in is done, what is refused is refused at once and did nothing. Real HTTP, real PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from chassis import http
from chassis.http.admission import BATCH_WEIGHT, IN_FLIGHT_PER_THREAD, ROUND_SECONDS, Admission, TooLarge
from chassis.runtime.settings import ServiceSettings
from tests.chassis import toy
from tests.support.pressure import Answer, Clients
from tests.support.running import Running, running, tables
from tests.support.service import token

CLIENTS = 32
CALM_SECONDS, PRESSED_SECONDS = 2.0, 3.0
MANY_CLIENTS = 4 * IN_FLIGHT_PER_THREAD * ServiceSettings.model_fields["pool_connections_max"].default


@dataclass
class Api:
    """A process that serves the toy's API, and its database."""

    process: Running
    url: str

    def counted(self) -> dict[UUID, int]:
        """Return how often each subject was counted, as the database has it."""
        with psycopg.connect(self.url) as connection:
            return dict(connection.execute("SELECT item_id, heard FROM counters").fetchall())

    def refused(self) -> int:
        found = re.search(r"^http_refused_total\S* ([\d.e+]+)$", self.process.metrics(), re.MULTILINE)
        return int(float(found[1])) if found else 0


@pytest.fixture
def api(fresh_database: Callable[[str], str], tmp_path: Path) -> Iterator[Api]:
    url = fresh_database("toy")
    tables(url, toy.metadata)
    told = {"DATABASE_URL": url, "KAFKA_BOOTSTRAP": "127.0.0.1:1", "LOG_LEVEL": "error"}
    with running("tests.chassis.toy", "api", folder=tmp_path, told=told) as process:
        yield Api(process, url)


async def pressed(port: int) -> tuple[list[Answer], list[Answer]]:
    """Bring a normal load, then four times as many clients as are let in; how fast refusals are is measured by benchmarks/api.py."""
    clients = Clients(port, lambda subject: f"/counters/{subject}", token("sre"))
    await clients.one_after_the_other(CLIENTS, CALM_SECONDS)
    calm = clients.taken()
    await clients.one_after_the_other(MANY_CLIENTS, PRESSED_SECONDS)
    return calm, clients.taken()


@pytest.mark.timing
def test_what_is_too_much_is_refused_at_the_front_and_what_was_let_in_is_in_the_database(
    api: Api,
) -> None:
    calm, hard = asyncio.run(pressed(api.process.port))
    assert Counter(answer.status for answer in calm) == {201: len(calm)}, "a normal load is never refused"
    refused = [answer for answer in hard if answer.status == 503]
    accepted = [answer.subject for answer in (*calm, *hard) if answer.status == 201]
    assert len(refused) + len(accepted) == len(calm) + len(hard), Counter(answer.status for answer in hard)
    assert refused, "four times as many at once as are let in"
    assert {(answer.retry_after, answer.content_type) for answer in refused} == {("1", "application/problem+json")}
    assert api.counted() == dict.fromkeys(accepted, 1)
    assert api.refused() == len(refused)
    assert "http_seconds_count" in api.process.metrics(), "health and metrics answer under pressure"


async def _held(weights: list[str]) -> list[int]:
    """Send requests that all wait inside, in their order, to a door for two batches; returns their statuses."""
    inside, statuses = asyncio.Event(), list[int]()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await inside.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})

    door = Admission(app, service="toy", in_flight_max=2 * BATCH_WEIGHT, threads_max=2)

    async def ask(path: str) -> int:
        sent: list[dict[str, Any]] = []

        async def send(message: Any) -> None:
            sent.append(message)

        await door({"type": "http", "path": path, "headers": [(b"host", b"127.0.0.1")]}, _nothing, send)
        if sent[0]["status"] == 503:
            assert json.loads(sent[1]["body"])["code"] == "overloaded"
        return int(sent[0]["status"])

    tasks = [asyncio.create_task(ask(path)) for path in weights]
    await asyncio.sleep(0)
    inside.set()
    statuses += await asyncio.gather(*tasks)
    statuses.append(await ask("/again"))
    return statuses


async def _nothing() -> Any:
    raise AssertionError("a request is judged before its body is read")


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (["/a:batch", "/b:batch", "/c"], [200, 200, 503]),
        (["/a:batch", *["/b"] * BATCH_WEIGHT, "/c", "/d:batch"], [200, *[200] * BATCH_WEIGHT, 503, 503]),
        ([*["/a"] * (BATCH_WEIGHT + 1), "/b:batch", "/c"], [*[200] * (BATCH_WEIGHT + 1), 503, 200]),
    ],
)
def test_a_batch_weighs_as_much_as_many_and_each_gives_its_place_back(asked: list[str], answered: list[int]) -> None:
    assert asyncio.run(_held(asked)) == [*answered, 200]


def test_one_request_is_let_in_however_much_it_weighs() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ZeroDivisionError("let in")

    with pytest.raises(ZeroDivisionError):
        asyncio.run(
            Admission(app, service="toy", in_flight_max=1, threads_max=2)(
                {"type": "http", "path": "/:batch", "headers": [(b"host", b"127.0.0.1")]}, _nothing, _nothing
            )
        )  # type: ignore[arg-type]  # nothing is sent


def test_a_body_that_does_not_come_gives_its_place_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow sender holds a place no longer than the limit says; shortened here, so that the test is short."""
    from chassis.errors import Refusal
    from chassis.http import admission

    monkeypatch.setattr(admission, "BODY_SECONDS_MAX", 0.05)
    told: list[Refusal] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        with pytest.raises(Refusal) as refused:
            await receive()
        told.append(refused.value)

    async def never() -> Any:
        await asyncio.Event().wait()

    asyncio.run(
        Admission(app, service="toy", in_flight_max=1, threads_max=2)(
            {"type": "http", "path": "/", "headers": [(b"host", b"127.0.0.1")]}, never, never
        )
    )  # type: ignore[arg-type]  # nothing is sent
    assert (told[0].status, told[0].code) == (408, "too-slow")


def test_a_body_that_does_not_say_its_length_is_refused_before_it_is_whole() -> None:
    """Whoever sends without end would fill the memory until the time for a body is over."""
    piece, taken = b"x" * 1_000_000, list[int]()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        with pytest.raises(TooLarge):
            for _ in range(20):
                taken.append(len((await receive())["body"]))

    async def endless() -> Any:
        return {"type": "http.request", "body": piece, "more_body": True}

    door = Admission(app, service="toy", in_flight_max=1, threads_max=2)
    asyncio.run(door({"type": "http", "path": "/", "headers": [(b"host", b"127.0.0.1")]}, endless, _nothing))
    assert sum(taken) == http.BODY_BYTES_MAX


class _Crowd:
    """Requests to a door that stay inside until they are let go."""

    def __init__(self, inside: int) -> None:
        self._inside, self._let_go, self._statuses = inside, asyncio.Event(), list[int]()
        self.door = Admission(self._stay, service="toy", in_flight_max=inside, threads_max=2)

    async def _stay(self, scope: Any, receive: Any, send: Any) -> None:
        await self._let_go.wait()

    async def _hear(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._statuses.append(message["status"])

    async def ask(self) -> None:
        await self.door({"type": "http", "path": "/", "headers": [(b"host", b"127.0.0.1")]}, _nothing, self._hear)

    async def comes(self, *, rounds: int = 0, seconds: float = 0) -> int:
        """Fill the door, refuse one more in each of so many rounds of the loop; returns how many were let in at first."""
        asking = [asyncio.create_task(self.ask()) for _ in range(self._inside)]
        await asyncio.sleep(0)
        let_in = self._inside - self._statuses.count(503)
        for _ in range(rounds):
            await self.ask()
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                pass  # holds the loop, as a machine does that has no processor for it
            await asyncio.sleep(0)
        self._let_go.set()
        await asyncio.gather(*asking)
        self._let_go.clear()
        self._statuses.clear()
        return let_in

    async def calm(self, rounds: int) -> None:
        self._let_go.set()
        for _ in range(rounds):
            await self.ask()
            await asyncio.sleep(0)
        self._let_go.clear()


@pytest.mark.timing
def test_fewer_are_let_in_while_the_loop_is_late_and_as_many_as_before_when_it_is_not() -> None:
    """Refusals wait for the loop as everybody does; a loop that comes late has let in too many."""

    async def course() -> list[int]:
        crowd = _Crowd(20)
        found = [await crowd.comes(rounds=20, seconds=2 * ROUND_SECONDS), await crowd.comes()]
        await crowd.calm(100)
        return [*found, await crowd.comes(rounds=20), await crowd.comes()]

    assert asyncio.run(course()) == [20, 1, 20, 20]
