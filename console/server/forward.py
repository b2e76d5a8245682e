"""Forwards calls of pages to services with the reader's token: the service authorizes, the console adds nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import unquote

import httpx
from fastapi import FastAPI, Request, Response

from chassis.errors import Invalid, NotFound, Refusal
from chassis.http import BODY_BYTES_MAX
from chassis.runtime import log
from console.server.session import ANYBODY, Token, Who

ASK_HEADERS = (
    "accept",
    "accept-language",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "traceparent",
)
ANSWER_HEADERS = ("content-type", "etag", "location", "retry-after", "cache-control", "www-authenticate")
ANSWER_BYTES_MAX = 16_000_000
CONNECTIONS_MAX = 64
CONNECT_SECONDS_MAX = 2.0


class ServiceDown(Refusal):
    """A service cannot be reached, or broke off."""

    code, status = "service-down", 502


class ServiceSlow(Refusal):
    """A service did not answer in time; whether it acted is not known."""

    code, status = "service-slow", 503


class TooLarge(Refusal):
    """A body is larger than what is passed on."""

    code, status = "too-large", 413


@asynccontextmanager
async def client(seconds: float) -> AsyncIterator[httpx.AsyncClient]:
    """Open the connections to the services; nothing of this machine's environment or of cookies goes along."""
    limits = httpx.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX)
    timeout = httpx.Timeout(seconds, connect=CONNECT_SECONDS_MAX)
    async with httpx.AsyncClient(limits=limits, timeout=timeout, trust_env=False, follow_redirects=False) as made:
        yield made


def add(app: FastAPI) -> None:
    """Add the route to the services."""

    @app.get("/api/{service}/{path:path}", openapi_extra=ANYBODY)
    @app.post("/api/{service}/{path:path}", openapi_extra=ANYBODY)
    async def forward(service: str, request: Request, who: Who, token: Token) -> Response:
        """Ask a service as the reader. A service that is down answers within the limit, and by its name."""
        settings = request.app.state.settings
        if service not in settings.services_urls:
            raise NotFound("no such service; there are " + ", ".join(sorted(settings.services_urls)))
        url = httpx.URL(settings.services_urls[service]).copy_with(raw_path=_target(request, service))
        content = await _body(request)
        headers = {name: request.headers[name] for name in ASK_HEADERS if name in request.headers}
        headers |= {"authorization": f"Bearer {token}", "accept-encoding": "identity"}
        asked = request.app.state.services.build_request(request.method, url, headers=headers, content=content)
        try:
            async with asyncio.timeout(settings.forward_seconds):
                return await _answered(request.app.state.services, asked, service)
        except (TimeoutError, httpx.TimeoutException) as error:
            log.get().warning("forward.slow", to=service, detail=type(error).__name__)
            raise ServiceSlow(
                f"{service} did not answer within {settings.forward_seconds:g} s; an act may have been done: repeat it with the same Idempotency-Key"
            ) from error
        except httpx.HTTPError as error:
            log.get().warning("forward.failed", to=service, detail=type(error).__name__)
            raise ServiceDown(f"{service} is down or broke off; what is shown of it may be old") from error


def _target(request: Request, service: str) -> bytes:
    """Return path and query as the reader wrote them; raises Invalid where they lead elsewhere than they say."""
    whole: bytes = request.scope["raw_path"]
    raw = whole.split(b"?")[0].removeprefix(f"/api/{service}".encode())
    plain = unquote(raw.decode("ascii", "replace"))
    if not raw.startswith(b"/") or not plain.isprintable() or {".", ".."} & set(plain.replace("\\", "/").split("/")):
        raise Invalid("the path has no `.` or `..` and no unprintable sign", field="path")
    query: bytes = request.scope["query_string"]
    return raw + (b"?" + query if query else b"")


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_BYTES_MAX:
            raise TooLarge(f"the body is larger than {BODY_BYTES_MAX:,} bytes; send smaller batches")
    return bytes(body)


async def _answered(services: httpx.AsyncClient, request: httpx.Request, service: str) -> Response:
    answer = await services.send(request, stream=True)
    try:
        body = bytearray()
        async for piece in answer.aiter_bytes():
            body += piece
            if len(body) > ANSWER_BYTES_MAX:
                raise ServiceDown(f"{service} answered more than {ANSWER_BYTES_MAX:,} bytes; ask for a smaller page")
    finally:
        await answer.aclose()
    headers = {name: answer.headers[name] for name in ANSWER_HEADERS if name in answer.headers}
    headers.setdefault("cache-control", "no-store")
    return Response(bytes(body), answer.status_code, headers)
