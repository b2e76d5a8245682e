"""What stands before every route: security headers on each answer, and a refusal of what another site sends."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Receive, Scope, Send

from chassis import http
from chassis.errors import Forbidden

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
HSTS = "max-age=31536000"
SAFE = ("GET", "HEAD")
# A page of another site may lead a person to a page or back from the issuer; it may load and send nothing.
CLOSED = ("/api/", "/stream", "/session", "/issuer/")


def cookie_of(world: str) -> str:
    """Return the name of a world's session cookie: a browser sends the cookies of a host to each of its ports."""
    return f"crossdock_session_{world}"


class SecuredApp(FastAPI):
    """A FastAPI application behind the guard; failures that no handler foresaw carry the headers too."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        scope.setdefault("app", self)
        hosts: http.Hosts = self.state.hosts
        public_url: str = self.state.settings.public_url
        request = Request(scope, receive)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add(MutableHeaders(scope=message), secure=_scheme(request, public_url) == "https")
            await send(message)

        if not hosts.takes(scope["headers"]):
            await hosts.refuse(scope, receive, with_headers)
            return
        reason = refused(
            request.method,
            request.url.path,
            request.headers,
            own_origin(request, public_url),
            cookie_of(self.state.settings.world) in request.cookies,
        )
        if reason is not None:
            await http.problem(request, Forbidden(reason, code="cross-site"))(scope, receive, with_headers)
        else:
            await super().__call__(scope, receive, with_headers)


def refused(method: str, path: str, headers: Headers | Mapping[str, str], own: str, by_cookie: bool) -> str | None:
    """Say why a request is taken for another site's, or None. A browser says where a request comes from; a program does not.

    What changes something needs our own Origin wherever a browser speaks or a cookie is sent: neither header is not enough.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if origin is not None and origin != own:
        return "a page of another site may send nothing here"
    if method not in SAFE:
        if site not in (None, "same-origin"):
            return "a page of another site may send nothing here"
        if by_cookie and origin is None:
            return "a session's cookie changes nothing without the Origin of this server's own pages; programs send a bearer token"
        return None
    if site in ("cross-site", "same-site"):
        led = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
        ticket = path == "/login"  # a link of another site logs nobody in as somebody else
        if not led or ticket or path.startswith(CLOSED):
            return "a page of another site may load nothing from here"
    return None


def own_origin(request: Request, public_url: str) -> str:
    """Return the origin that this server's own pages have."""
    if public_url:
        told = urlsplit(public_url)
        return f"{told.scheme}://{told.netloc}"
    return f"{request.url.scheme}://{request.headers.get('host', '')}"


def is_secure(request: Request, public_url: str) -> bool:
    """Say whether browsers reach this server by TLS, so that cookies are for TLS only."""
    return _scheme(request, public_url) == "https"


def _scheme(request: Request, public_url: str) -> str:
    return urlsplit(public_url).scheme if public_url else request.url.scheme


def _add(headers: MutableHeaders, *, secure: bool) -> None:
    for name, value in HEADERS.items():
        headers[name] = value
    if secure:
        headers["Strict-Transport-Security"] = HSTS
