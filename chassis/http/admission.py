"""At the very front: as many requests at work as their connections keep up with; the next is refused before it costs.

Whoever is let in queues for a connection; the bound keeps that queue short. Refused is without a thread, a token or the
body: a process that answers everybody late serves nobody.
"""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis import metrics
from chassis.errors import Refusal
from chassis.http.problems import RETRY_AFTER_SECONDS, document

IN_FLIGHT_PER_THREAD = 4  # at 1 to 2 ms an act, the last in the queue waits for less than 50 ms of work
BATCH_WEIGHT = 8
BODY_SECONDS_MAX = 10.0  # a body that trickles holds a place for no longer
_TOLD = "this process has as much work as it can do; nothing was done, repeat with the same Idempotency-Key"
_REFUSED = Response(
    json.dumps(document("overloaded", 503, _TOLD)), 503, {"Retry-After": str(RETRY_AFTER_SECONDS)}, "application/problem+json"
)  # fmt: skip


class Admission:
    """Lets at most so many requests in at once; a batch weighs more than one."""

    def __init__(self, app: ASGIApp, *, service: str, in_flight_max: int, threads_max: int) -> None:
        self._app, self._max, self._weight, self._threads = app, in_flight_max, 0, threads_max
        self._refused = metrics.http_refused_total.labels(service)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let in or refuse."""
        if scope["type"] != "http":
            # A thread needs a connection and nothing else: who waits, waits without one.
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(self._threads, "act"))
            await self._app(scope, receive, send)
            return
        weight = BATCH_WEIGHT if scope["path"].endswith(":batch") else 1
        if self._weight and self._weight + weight > self._max:
            self._refused.inc()
            await _REFUSED(scope, receive, send)
            return
        self._weight += weight
        try:
            await self._app(scope, _in_time(receive), send)
        finally:
            self._weight -= weight


def _in_time(receive: Receive) -> Receive:
    until = asyncio.get_running_loop().time() + BODY_SECONDS_MAX

    async def piece() -> Message:
        try:
            async with asyncio.timeout_at(until):
                return await receive()
        except TimeoutError as error:
            told = f"the body did not come within {BODY_SECONDS_MAX:.0f} s"
            raise Refusal(told, code="too-slow", status=408) from error

    return piece
