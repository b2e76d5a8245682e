"""Many readers of the exception stream from one process, compared with `sse-starlette` doing the same work.

This process connects all readers over raw sockets. Each case carries the time at which it was produced: the measured
latency is produce to receipt. Both servers follow the same topic and verify the same tokens.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from uuid import uuid5

import httpx
import uvloop

from benchmarks import work
from benchmarks.figures import Figure
from chassis.ids import time_ordered_id
from chassis.messaging import kafka, topics
from cli.stack import Stack, spawn
from cli.stack.issuer import ISSUER, audience
from schemas.envelope import encode, wrap
from schemas.exceptions import CaseOpened
from schemas.topics import BY_NAME
from schemas.types import Cause, Money

CLIENTS, IDLE, PER_SECOND, SECONDS, SECONDS_FULL = 1_000, 2_500, 20, 10, 60
CUT_CLIENTS, CUTS, CUT_EVENTS = 200, 20, 600
WORLD, TOPIC = "bench-sse", "exceptions.case"
P99_MS_MAX, IDLE_MB_MAX = 60, 250
READY_SECONDS_MAX, PATIENCE_SECONDS = 60.0, 60.0
OPENING_MAX = 50
SETTLE_SECONDS = 1.0
SPACE = time_ordered_id()
MARK = b'"headline":"'


def measure(stack: Stack, full: bool) -> Iterator[Figure]:
    """Serve a topic of cases to a crowd."""
    bootstrap = stack.infrastructure.kafka_bootstrap
    topics.apply(bootstrap, topics.wanted(WORLD, [BY_NAME[TOPIC]], partitions=3, replication=1))
    token = stack.issuer.token("viewer", world=WORLD)
    try:
        crowd: dict[str, list[float]] = {}
        for module in ("console.server", "benchmarks.rival_sse"):
            with _served(stack, module) as (port, _), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                crowd[module] = runner.run(_crowd(port, token, bootstrap, SECONDS_FULL if full else SECONDS))
        ours, theirs = crowd.values()
        for name, share, bar in (("p50", 0.5, None), ("p99", 0.99, P99_MS_MAX)):
            beside = {"sse-starlette": work.percentile(theirs, share)}
            yield Figure(f"sse.receipt_{name}", work.percentile(ours, share), "ms", at_most=bar, beside=beside)
        # The rival says nothing to an idle reader for 15 s, so that nobody can know when 2,500 of them are there.
        with _served(stack, "console.server") as (port, child):
            used = asyncio.run(_idle(port, token, child.pid))
        yield Figure("sse.idle_readers", used, "MB", at_most=IDLE_MB_MAX)
        with _served(stack, "console.server") as (port, _):
            yield Figure("sse.wrong_after_cuts", asyncio.run(_disconnect(port, token, bootstrap)), "readers", at_most=0)
    finally:
        topics.drop(bootstrap, WORLD)


@contextmanager
def _served(stack: Stack, module: str) -> Iterator[tuple[int, spawn.Popen]]:
    port, ops_port = spawn.free_port(), spawn.free_port()
    env = {
        **os.environ,
        "WORLD": WORLD,
        "AUTH_ISSUER": ISSUER,
        "AUTH_AUDIENCE": audience(WORLD),
        "CURSOR_SECRET": "bench",
        "AUTH_JWKS": str(stack.issuer.jwks_file),
        "KAFKA_BOOTSTRAP": stack.infrastructure.kafka_bootstrap,
        "HTTP_PORT": str(port),
        "OPS_PORT": str(ops_port),
        "STREAM_CLIENTS_MAX": str(2 * IDLE),
    }
    child = spawn.spawn([sys.executable, "-m", module], log=stack.home.root / f"{module}.log", env=env, cwd=Path.cwd())
    try:
        _until_ready(f"http://127.0.0.1:{ops_port}/ready")
        yield port, child
    finally:
        spawn.stop(child)


def _until_ready(url: str) -> None:
    deadline = time.monotonic() + READY_SECONDS_MAX
    while True:
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)


class Client:
    """One reader over a raw socket: the place it has reached, and what came."""

    def __init__(self, port: int, token: str) -> None:
        self._port, self._token = port, token
        self.last = ""
        self.ids: list[bytes] = []
        self.taken: list[float] = []
        self._writer: asyncio.StreamWriter | None = None

    async def open(self) -> asyncio.StreamReader:
        """Connect from the last id on; returns once the stream has begun."""
        reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        resume = f"Last-Event-ID: {self.last}\r\n" if self.last else ""
        head = f"GET /stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self._token}\r\n{resume}\r\n"
        self._writer.write(head.encode())
        said = await reader.readuntil(b"\r\n\r\n")
        if not said.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"a reader was refused: {said[:60]!r}")
        await self._message(reader)
        return reader

    async def read(self, reader: asyncio.StreamReader, count: int) -> None:
        """Take so many facts."""
        while len(self.ids) < count:
            await self._message(reader)

    async def _message(self, reader: asyncio.StreamReader) -> None:
        piece = await reader.readuntil(b"\n\n")
        now = time.time()
        while (at := piece.find(b"id: ")) < 0:
            piece = await reader.readuntil(b"\n\n")
        self.last = piece[at + 4 : piece.index(b"\n", at)].strip().decode()
        if (mark := piece.find(MARK)) >= 0:
            self.taken.append((now - float(piece[mark + len(MARK) : piece.index(b'"', mark + len(MARK))])) * 1000)
            own = piece.index(b'"id":"') + 6
            self.ids.append(piece[own : own + 36])

    def close(self) -> None:
        """Cut the connection, whatever is on its way."""
        if self._writer is not None:
            self._writer.transport.abort()


async def opened(port: int, token: str, count: int) -> list[tuple[Client, asyncio.StreamReader]]:
    """Open so many readers; each client holds its connection."""
    room = asyncio.Semaphore(OPENING_MAX)

    async def one() -> tuple[Client, asyncio.StreamReader]:
        async with room:
            client = Client(port, token)
            return client, await client.open()

    return list(await asyncio.gather(*(one() for _ in range(count))))


class Teller:
    """Says cases, one at a time."""

    def __init__(self, bootstrap: str) -> None:
        self._producer = kafka.producer(bootstrap, "bench")

    def say(self, number: int) -> None:
        """Say that a case was opened, with the moment of saying it."""
        fact = _case(number, repr(time.time()))
        self._producer.produce(
            f"{WORLD}.{TOPIC}", value=encode(fact), key=fact.subject, headers={kafka.TYPE_HEADER: fact.type}
        )
        self._producer.poll(0)

    def close(self) -> None:
        """Wait until all is said."""
        self._producer.flush(PATIENCE_SECONDS)


def _case(number: int, moment: str) -> Any:
    act, now = time_ordered_id(), datetime.now(UTC)
    fact = CaseOpened(
        occurred_at=now,
        case_id=uuid5(SPACE, str(number)),
        cause=Cause(kind="shipment-delay", id=uuid5(SPACE, f"{number}/c")),
        severity="high",
        sites=("Near",),
        customers=("Ours",),
        headline=moment,
        recurrence=0,
        cause_occurred_at=now,
        playbook="shipment-delay",
        playbook_version=1,
        value_at_risk=Money(amount=Decimal(10), currency="EUR"),
        lines=(),
    )
    return wrap(
        fact,
        id=time_ordered_id(),
        source="/crossdock/bench/exceptions",
        recorded_at=now,
        correlation_id=act,
        causation_id=act,
        cause_kind="act",
    )


class StreamClient(asyncio.Protocol):
    """One reader of a crowd: what came and when, read afterwards, so that reading costs the measured ones nothing."""

    def __init__(self, token: str, count: int, done: Callable[[], None]) -> None:
        self._head = f"GET /stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        self._left, self._done = count, done
        self._tail = b""
        self.started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.pieces: list[tuple[float, bytes]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._head)

    def data_received(self, data: bytes) -> None:
        """Keep what came, and when."""
        self.pieces.append((time.time(), data))
        if not self.started.done() and b"\r\n\r\n" in data:
            self.started.set_result(None)
        # A mark may lie across two pieces; the tail is shorter than one.
        self._left -= (self._tail + data).count(MARK)
        self._tail = data[-len(MARK) + 1 :]
        if self._left <= 0:
            self._left = sys.maxsize
            self._done()

    def taken(self) -> list[float]:
        """Return how long each fact took, in milliseconds."""
        found, rest = [], b""
        for at, data in self.pieces:
            rest += data
            while (mark := rest.find(MARK)) >= 0 and (end := rest.find(b'"', mark + len(MARK))) >= 0:
                found.append((at - float(rest[mark + len(MARK) : end])) * 1000)
                rest = rest[end:]
        return found


async def _crowd(port: int, token: str, bootstrap: str, seconds: int) -> list[float]:
    """Return how long each fact took to each reader, in milliseconds."""
    teller, count, over = Teller(bootstrap), PER_SECOND * seconds, asyncio.Event()
    finished = iter(range(1, CLIENTS + 1))

    def done() -> None:
        if next(finished) == CLIENTS:
            over.set()

    loop = asyncio.get_running_loop()
    takers: list[StreamClient] = []
    for _ in range(CLIENTS):
        _, taker = await loop.create_connection(lambda: StreamClient(token, count, done), "127.0.0.1", port)
        await taker.started
        takers.append(taker)
    await asyncio.sleep(SETTLE_SECONDS)  # a server may begin to follow after it has answered
    gc.disable()  # what it would collect is what is measured with
    begun = time.perf_counter()
    for number in range(count):
        teller.say(number)
        await asyncio.sleep(max(0.0, begun + (number + 1) / PER_SECOND - time.perf_counter()))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await over.wait()
    gc.enable()
    teller.close()
    for taker in takers:
        taker.transport.abort()
    return [ms for taker in takers for ms in taker.taken()[PER_SECOND:]]


async def _idle(port: int, token: str, pid: int) -> float:
    """Return the resident memory of a server with idle readers, in megabytes."""
    readers = await opened(port, token, IDLE)
    used = next(
        int(line.split()[1])
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
        if line.startswith("VmRSS")
    )
    for client, _ in readers:
        client.close()
    return used / 1000


async def _disconnect(port: int, token: str, bootstrap: str) -> float:
    """Return how many readers, cut at random moments, did not see exactly what one that was never cut saw."""
    chance = random.Random(7)
    (whole, stream), *_ = await opened(port, token, 1)
    cut = [client for client, _ in await opened(port, token, CUT_CLIENTS)]
    for client in cut:
        client.close()
    gone = [asyncio.create_task(_comes_and_goes(client, [chance.random() for _ in range(CUTS)])) for client in cut]
    undisturbed = asyncio.create_task(whole.read(stream, CUT_EVENTS))
    teller = Teller(bootstrap)
    for number in range(CUT_EVENTS):
        teller.say(number)
        await asyncio.sleep(1 / (2 * PER_SECOND))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.gather(undisturbed, *gone)
    teller.close()
    whole.close()
    return float(sum(client.ids != whole.ids for client in cut))


async def _comes_and_goes(client: Client, moments: list[float]) -> None:
    for moment in moments:
        reader = await client.open()
        try:
            async with asyncio.timeout(moment):
                await client.read(reader, CUT_EVENTS)
        except TimeoutError:
            pass
        client.close()
    await client.read(await client.open(), CUT_EVENTS)
    client.close()
