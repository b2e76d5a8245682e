"""The console's server: its routes put together, and the live exception stream."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import State
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from chassis import http
from chassis.errors import Invalid, Refusal
from chassis.http.auth import Verifier
from chassis.http.keys import SigningKeys
from chassis.messaging.tail import Tail
from chassis.runtime import log
from console.server import about, broadcaster as broadcasters, forward, login, pages, session, system, view
from console.server.guard import SecuredApp
from console.server.session import Token, Who
from console.server.settings import ConsoleSettings
from console.server.stream import Reader, Stream
from schemas import catalogue  # noqa: F401 — every fact that the topic carries is known
from schemas.access import PERSONS

TOPICS = ("exceptions.case",)
RETRY_AFTER_SECONDS = 5
READERS: dict[str, Any] = {"x-act": "read", "x-roles": [*PERSONS], "x-machine": ["topics"], "x-topic": TOPICS[0]}


class TooManyReaders(Refusal):
    """The server has as many stream readers as `stream_clients_max` allows."""

    code, status = "too-many-readers", 503


class NotFollowing(Refusal):
    """The follower of Kafka has not begun, or has ended."""

    code, status = "not-following", 503


def create_app(settings: ConsoleSettings, broadcaster: broadcasters.Broadcaster) -> FastAPI:
    """Return the console server's application."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        broadcaster.start(asyncio.get_running_loop())
        ended = threading.Event()
        keys: SigningKeys = app.state.verifier.keys
        threading.Thread(target=keys.keep_fresh, args=(ended,), name="keys", daemon=True).start()
        app.state.catch_ups = asyncio.Semaphore(settings.stream_catch_ups_max)
        async with forward.client(settings.forward_seconds) as app.state.services:
            loops = [
                asyncio.create_task(_close_ended_sessions(app, settings.stream_check_seconds)),
                asyncio.create_task(_disconnect_stalled(app, settings.stream_stall_seconds)),
                asyncio.create_task(
                    _tick(broadcaster, min(settings.stream_heartbeat_seconds, settings.stream_check_seconds))
                ),
            ]
            for one in loops:
                one.add_done_callback(partial(_ended, broadcaster))
            yield
            for one in loops:
                one.cancel()
        ended.set()
        broadcaster.stop()

    app = SecuredApp(
        title="Crossdock console", version="1", docs_url=None, redoc_url=None, openapi_url=None, lifespan=life
    )
    app.state.service, app.state.settings, app.state.broadcaster, app.state.readers = (
        "console",
        settings,
        broadcaster,
        0,
    )
    app.state.streams, app.state.sending = {}, {}
    app.state.hosts = http.Hosts(settings.hosts, service="console")
    app.state.verifier = Verifier(
        issuer=settings.auth_issuer,
        audience=settings.auth_audience,
        jwks=settings.auth_jwks,
        reread_seconds=settings.stream_check_seconds,
    )
    for kind in (HTTPException, RequestValidationError, Refusal, Exception, 404, 405):
        app.add_exception_handler(kind, http.problem)
    session.add(app)
    login.add(app)
    about.add(app)
    system.add(app)
    forward.add(app)
    _stream(app)
    pages.add(app, Path(settings.web_folder) if settings.web_folder else pages.BUILT)
    return app


Many = Annotated[list[str] | None, Query()]


def _stream(app: FastAPI) -> None:
    @app.get("/stream", openapi_extra=READERS)
    async def exception_stream(
        request: Request,
        who: Who,
        token: Token,
        type: Many = None,
        severity: Many = None,
        function: Many = None,
        case: Many = None,
        site: Many = None,
        customer: Many = None,
        start: Annotated[str, Query(alias="from")] = "now",
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> Response:
        """Follow cases and tasks as they change. `from`: now, beginning, or an event id; Last-Event-ID comes first."""
        who.may("read")
        who.must_subscribe(TOPICS[0])
        broadcaster: broadcasters.Broadcaster = request.app.state.broadcaster
        settings: ConsoleSettings = request.app.state.settings
        if app.state.readers >= settings.stream_clients_max:  # nothing waits between here and where it is counted
            return _later(request, TooManyReaders("as many readers as this server takes; another one may have room"))
        if not broadcaster.ready:
            return _later(request, NotFollowing("the stream does not follow Kafka now"))
        vector = _start_vector(broadcaster, last_event_id or start)
        asked = [tuple(many) if many else None for many in (type, severity, function, case, site, customer)]
        chosen = view.Filter(*asked) if any(asked) else view.EVERYTHING
        stream = Stream(
            broadcaster,
            Reader(who, vector, chosen, f"console.{id(request):x}"),
            heartbeat_seconds=settings.stream_heartbeat_seconds,
            catch_ups=request.app.state.catch_ups,
        )
        return EventStream(_tracked(app, stream, token), app.state)


class EventStream(StreamingResponse):
    """Server-sent events; a reader that receives nothing for some seconds is disconnected, to free its memory."""

    def __init__(self, content: AsyncGenerator[bytes, None], state: State) -> None:
        """Its reader is counted from now until the answer ends, however it ends."""
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(content, media_type="text/event-stream", headers=headers)
        self._pieces, self._state = content, state
        self._sending: dict[EventStream, float] = state.sending
        self._task: asyncio.Task[Any] | None = None
        self._is_disconnected = False
        state.readers += 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and give the reader's room back."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._state.readers -= 1

    def disconnect(self) -> None:
        """End: its reader takes nothing."""
        self._is_disconnected = True
        if self._task is not None:
            self._task.cancel()

    async def stream_response(self, send: Send) -> None:
        """Send as the base does; what is not taken at once is recorded with its time, for `_disconnect_stalled`."""
        self._task, loop = asyncio.current_task(), asyncio.get_running_loop()

        async def noted(message: Message) -> None:
            self._sending[self] = loop.time()
            await send(message)
            del self._sending[self]

        try:
            await super().stream_response(noted)
        except asyncio.CancelledError:
            if not self._is_disconnected:
                raise
            # An answer that is not completed makes the server close the connection.
            log.get().warning("stream.stalled")
            await self._pieces.aclose()
        finally:
            self._sending.pop(self, None)


def _later(request: Request, refusal: Refusal) -> Response:
    answer = http.problem(request, refusal)
    answer.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return answer


async def _tracked(app: FastAPI, stream: Stream, token: str) -> AsyncGenerator[bytes, None]:
    app.state.streams.setdefault(token, set()).add(stream)
    try:
        async for chunk in stream:
            yield chunk
    finally:
        app.state.streams[token].discard(stream)
        if not app.state.streams[token]:
            del app.state.streams[token]


def _ended(broadcaster: broadcasters.Broadcaster, loop: asyncio.Task[None]) -> None:
    """A loop that failed would leave ended sessions their streams, and nobody would know."""
    if not loop.cancelled() and (error := loop.exception()) is not None:
        broadcaster.fail(error)


async def _close_ended_sessions(app: FastAPI, seconds: float) -> None:
    """Close the streams of sessions that have ended; each session is checked once, not once per stream."""
    while True:
        await asyncio.sleep(seconds)  # nobody tells that an issuer withdrew a key
        open_ = list(app.state.streams)
        over = [token for token in open_ if not await run_in_threadpool(session.holds, app, token)]
        for stream in [stream for token in over for stream in app.state.streams.get(token, ())]:
            stream.close()


async def _disconnect_stalled(app: FastAPI, seconds: float) -> None:
    """Disconnect readers that have received nothing for `seconds`; one loop for all, no timer per message."""
    while True:
        await asyncio.sleep(seconds / 4)  # nobody tells that a reader takes nothing
        since = asyncio.get_running_loop().time() - seconds
        for response in [one for one, at in app.state.sending.items() if at < since]:
            response.disconnect()


async def _tick(broadcaster: broadcasters.Broadcaster, seconds: float) -> None:
    """Wake the readers for their heartbeats, and for the ends of their tokens."""
    while True:
        await asyncio.sleep(seconds)  # time passes without telling
        broadcaster.wake()


def _start_vector(broadcaster: broadcasters.Broadcaster, start: str) -> broadcasters.Vector:
    ends = broadcaster.current_ends()
    if start == "now":
        return ends
    if start == "beginning":
        return dict.fromkeys(ends, 0)
    try:
        asked = broadcasters.parse_vector(start)
    except ValueError as error:
        raise Invalid(
            f"{error}; expected `now`, `beginning` or the id of an event of this stream", field="from"
        ) from error
    unknown = set(asked) - set(ends)
    if unknown:
        raise Invalid(f"no partition {sorted(unknown)[0]} in this world's stream", field="from")
    return {place: min(asked.get(place, 0), end) for place, end in ends.items()}


def tail_of(settings: ConsoleSettings, client: str) -> Tail:
    """Return a follower of the stream's topics."""
    return Tail(settings.kafka_bootstrap, settings.world, TOPICS, client)
