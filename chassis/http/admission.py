"""At the very front: as many requests at work as their connections keep up with; the next is refused before it costs.

Whoever is let in queues for a connection; the bound keeps that queue short. Refused is without a thread, a token or the
body: a process that answers everybody late serves nobody.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import uvicorn
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from chassis.errors import Refusal
from chassis.http.hosts import Hosts
from chassis.http.problems import RETRY_AFTER_SECONDS, document
from chassis.runtime import metrics

BODY_BYTES_MAX = 8_000_000
IN_FLIGHT_PER_THREAD = 4  # at 1 to 2 ms an act, the last in the queue waits for less than 50 ms of work
BATCH_WEIGHT = 8
BODY_SECONDS_MAX = 10.0  # a body that trickles holds a place for no longer
ROUND_SECONDS = 0.02  # a round of the loop that takes longer waits for a processor or for its threads
# The limit of concurrent requests × 0.8 after a slow event-loop tick in which requests were refused, + 0.25 after any other.
DECREASE_FACTOR, INCREASE_STEP = 0.8, 0.25
_TOLD = "this process has as much work as it can do; nothing was done, repeat with the same Idempotency-Key"
_REFUSED = Response(
    json.dumps(document("overloaded", 503, _TOLD)),
    503,
    {"Retry-After": str(RETRY_AFTER_SECONDS)},
    "application/problem+json",
)
_REFUSED_WHOLE = b"\r\n".join(
    [b"HTTP/1.1 503 Service Unavailable", *(b"%b: %b" % pair for pair in _REFUSED.raw_headers), b"", _REFUSED.body]
)


class TooLarge(Refusal):
    """A body over the limit."""

    code, status = "too-large", 413


class Admission:
    """Lets at most so many requests in at once, fewer while the loop comes late; a batch weighs more than one."""

    def __init__(
        self, app: ASGIApp, *, service: str, in_flight_max: int, threads_max: int, hosts: Iterable[str] = ()
    ) -> None:
        self.hosts = Hosts(hosts, service=service)
        self.app, self._max, self._allowed = app, float(in_flight_max), float(in_flight_max)
        self._weight, self._threads, self._looking, self._refuses = 0, threads_max, False, False
        self._refused = metrics.http_refused_total.labels(service)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let in or refuse."""
        if scope["type"] == "lifespan":
            # A thread needs a connection and nothing else: who waits, waits without one.
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(self._threads, "act"))
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif not self.hosts.takes(scope["headers"]):
            await self.hosts.refuse(scope, receive, send)
        elif weight := self.place(scope["path"]):
            await self.work(weight, scope, receive, send)
        else:
            await _REFUSED(scope, receive, send)

    def place(self, path: str) -> int:
        """Take a place for a request to this path; returns its weight, 0 where there is none."""
        if not self._looking:
            self._looking = True
            asyncio.get_running_loop().call_soon(self._look, time.monotonic())
        weight = BATCH_WEIGHT if path.endswith(":batch") else 1
        if self._weight and self._weight + weight > self._allowed:
            self._refuses = True
            self._refused.inc()
            return 0
        self._weight += weight
        return weight

    async def work(self, weight: int, scope: Scope, receive: Receive, send: Send) -> None:
        """Do what a request asks for, and give its place back."""
        try:
            await self.app(scope, _bounded(receive), send)
        finally:
            self._weight -= weight

    def _look(self, begun: float) -> None:
        """Let in fewer after a long round that had to refuse: whoever is refused waits for the loop with everybody else."""
        late = self._refuses and time.monotonic() - begun > ROUND_SECONDS
        self._allowed = (
            max(1.0, self._allowed * DECREASE_FACTOR) if late else min(self._max, self._allowed + INCREASE_STEP)
        )
        self._looking = self._refuses = False


class Door(HttpToolsProtocol):
    """The server's protocol, except that a refusal is written before its request has a task: a third of the work."""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        plain = cycle.keep_alive and cycle.scope["method"] != "HEAD" and not self.flow.write_paused
        if not plain or not isinstance(app, Admission) or not app.hosts.takes(cycle.scope["headers"]):
            super()._start_asgi_task(cycle, app)
        elif weight := app.place(cycle.scope["path"]):
            super()._start_asgi_task(cycle, partial(app.work, weight))
        else:
            cycle.response_complete = True
            self.transport.write(_REFUSED_WHOLE)
            self.loop.call_soon(cycle.on_response)  # later: it starts what waits behind, a thousand may


def server(app: Admission, **told: Any) -> uvicorn.Server:
    """Return what serves at this door; anything around the app, as uvicorn puts it there, would hide it from the door."""
    return uvicorn.Server(
        uvicorn.Config(app, http=Door, proxy_headers=False, log_config=None, access_log=False, **told)
    )


def _bounded(receive: Receive) -> Receive:
    until, read = asyncio.get_running_loop().time() + BODY_SECONDS_MAX, 0

    async def piece() -> Message:
        nonlocal read
        try:
            async with asyncio.timeout_at(until):
                message = await receive()
        except TimeoutError as error:
            raise Refusal(f"no body within {BODY_SECONDS_MAX:.0f} s", code="too-slow", status=408) from error
        read += len(message.get("body", b""))
        if read > BODY_BYTES_MAX:  # counted as it comes: not every body says how long it will be
            raise TooLarge(f"the body is larger than {BODY_BYTES_MAX:,} bytes; send smaller batches")
        return message

    return piece
