"""The same topic to the same readers with `sse-starlette`: `python -m benchmarks.rival_sse`.

It follows Kafka with our tail, verifies the same tokens and filters each fact by the reader's scope, with a queue per
reader.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import uvicorn
from fastapi import FastAPI, Header
from sse_starlette import EventSourceResponse, ServerSentEvent

from chassis.http.auth import Verifier
from chassis.messaging.tail import Seen, Tail
from chassis.runtime.process import OpsServer
from console.server import view
from console.server.app import TOPICS
from console.server.broadcaster import format_vector
from console.server.settings import ConsoleSettings
from schemas import catalogue  # noqa: F401 — every fact that the topic carries is known

QUEUE_MAX = 1_000
settings = ConsoleSettings()
verifier = Verifier(issuer=settings.auth_issuer, audience=settings.auth_audience, jwks=settings.auth_jwks)
tail = Tail(settings.kafka_bootstrap, settings.world, TOPICS, "rival")
queues: set[asyncio.Queue[tuple[str, Seen]]] = set()
ready = threading.Event()


def _follow(loop: asyncio.AbstractEventLoop) -> None:
    ends = tail.ends()
    ready.set()
    for seen in tail.follow(ends):
        if seen is not None:
            ends[seen.topic, seen.partition] = seen.next
            loop.call_soon_threadsafe(_tell, format_vector(ends), seen)


def _tell(place: str, seen: Seen) -> None:
    for queue in queues:
        queue.put_nowait((place, seen))


@asynccontextmanager
async def _life(_: FastAPI) -> AsyncIterator[None]:
    threading.Thread(target=_follow, args=(asyncio.get_running_loop(),), daemon=True).start()
    yield
    tail.stopped.set()


app = FastAPI(lifespan=_life)


@app.get("/stream")
async def stream(authorization: Annotated[str, Header()]) -> EventSourceResponse:
    """Follow."""
    who = verifier.actor(authorization)

    async def events() -> AsyncIterator[ServerSentEvent]:
        queue: asyncio.Queue[tuple[str, Seen]] = asyncio.Queue(QUEUE_MAX)
        queues.add(queue)
        try:
            yield ServerSentEvent(id="0", comment="here")
            while True:
                place, seen = await queue.get()
                if (data := view.visible_json(seen.envelope, who)) is not None:
                    yield ServerSentEvent(data.decode(), event=seen.envelope.type, id=place)
        finally:
            queues.discard(queue)

    return EventSourceResponse(events(), sep="\n")


if __name__ == "__main__":
    ops = OpsServer(settings, lambda: {"hub": ready.is_set()})
    ops.start()
    uvicorn.run(app, host=settings.http_host, port=settings.http_port, log_config=None, access_log=False)
