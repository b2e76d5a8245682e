"""Login sessions: the cookie, its routes, and the sessions that were ended early."""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from chassis.errors import Forbidden, Invalid
from chassis.http.auth import Actor, Unauthenticated, Verifier
from chassis.runtime.clock import machine_now
from console.server.guard import cookie_of, is_secure
from console.server.issuer import BuiltInIssuer
from console.server.settings import ConsoleSettings
from console.server.tickets import Tickets
from schemas.access import ROLES

COOKIE_BYTES_MAX = 3_800  # browsers drop a cookie over 4,096 bytes without a word
# What each route asks of its reader, as the services' OpenAPI documents say it.
NO_LOGIN: dict[str, Any] = {"x-act": "log-in", "x-roles": ["nobody"], "x-machine": []}
ANYBODY: dict[str, Any] = {"x-act": "log-in", "x-roles": [*ROLES], "x-machine": []}


class Login(BaseModel):
    """Which demo role, and how its scope is narrowed."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    role: str = Field(alias="as")
    name: str | None = None
    sites: list[str] | None = None
    customers: list[str] | None = None
    source: str | None = None
    carrier: str | None = None
    supplier: str | None = None
    warehouse: str | None = None


class Session(BaseModel):
    """A login: the person, visible scope (`*`: everything), world and expiry (seconds since 1970)."""

    subject: str
    roles: list[str]
    sites: list[str] | Literal["*"]
    customers: list[str] | Literal["*"]
    world: str
    expires_at: float | None


class Ended:
    """Tokens whose session was ended before their time, until they end by themselves; only digests are kept."""

    def __init__(self) -> None:
        self._until: dict[bytes, float] = {}
        self._lock = threading.Lock()

    def end(self, token: str, until: float) -> None:
        """Let this token open nothing here any more."""
        now = machine_now().timestamp()
        with self._lock:
            self._until = {digest: ends for digest, ends in self._until.items() if ends > now}
            self._until[_digest(token)] = until

    def has(self, token: str) -> bool:
        """Say whether this token's session was ended."""
        return bool(self._until) and _digest(token) in self._until


def holds(app: FastAPI, token: str) -> bool:
    """Say whether a token that was taken before would be taken now."""
    verifier: Verifier = app.state.verifier
    return not app.state.ended.has(token) and verifier.has_key_of(token)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def token_of(request: Request, authorization: Annotated[str | None, Header()] = None) -> str:
    """Return the token of a request: a bearer's, or the session's cookie, which only the browser can read and send."""
    if authorization is None and (cookie := request.cookies.get(cookie_of(request.app.state.settings.world))):
        return cookie
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


Token = Annotated[str, Depends(token_of)]


def actor(request: Request, token: Token) -> Actor:
    """Return who asks; raises Unauthenticated, for a session that was ended too."""
    verifier: Verifier = request.app.state.verifier
    who = verifier.actor(f"Bearer {token}" if token else None)
    if not holds(request.app, token):
        raise Unauthenticated("this session was ended; log in again", code="session-ended")
    return who


Who = Annotated[Actor, Depends(actor)]


def begin(request: Request, response: Response, token: str) -> None:
    """Set the session's cookie. SameSite=Strict holds for a login through another site too: the page that it leads
    back to needs no session, and what the page asks for is asked by the page itself."""
    if len(token) > COOKIE_BYTES_MAX:
        raise Invalid(f"the token is larger than {COOKIE_BYTES_MAX:,} bytes, more than a browser keeps", status=413)
    settings: ConsoleSettings = request.app.state.settings
    secure = is_secure(request, settings.public_url)
    response.set_cookie(cookie_of(settings.world), token, httponly=True, samesite="strict", secure=secure, path="/")


def place(to: str | None) -> str:
    """Return where to lead somebody after login: a place of this server, never another one's."""
    plain = (to or "/").isprintable() and "\\" not in (to or "/")
    return to if to and plain and to.startswith("/") and not to.startswith("//") else "/"


def built_in(settings: ConsoleSettings) -> BuiltInIssuer | None:
    """Return the built-in issuer where it was given a key."""
    if not settings.issuer_key:
        return None
    key_id = json.loads(Path(settings.auth_jwks).read_text(encoding="utf-8"))["keys"][0]["kid"]
    return BuiltInIssuer(
        issuer=settings.auth_issuer,
        audience=settings.auth_audience,
        key_file=settings.issuer_key,
        key_id=key_id,
        secret_file=settings.local_secret_file,
    )


def add(app: FastAPI) -> None:
    """Add the routes of login and session."""
    app.state.ended, app.state.tickets = Ended(), Tickets()
    app.state.issuer = built_in(app.state.settings)
    _issuer(app)
    _session(app)


Secret = Annotated[str | None, Header(alias="X-Local-Secret")]


def _read_login(request: Request, body: Login, secret: str | None) -> tuple[str, str]:
    issuer: BuiltInIssuer | None = request.app.state.issuer
    if issuer is None:
        raise Forbidden("there is no built-in issuer here; log in at your organisation's issuer")
    if not issuer.knows(secret) and not _has_session(request):
        raise Unauthenticated(
            "the built-in issuer serves the user who started the stack: `crossdock desk` prints a link that logs in; "
            "programs send X-Local-Secret, which `crossdock status --json` shows",
            code="local-secret-missing",
        )
    token, ends = issuer.token(body.role, body.model_dump(exclude={"role"}))
    return token, ends.isoformat()


def _has_session(request: Request) -> bool:
    """Tell whether the request carries the cookie of a valid session; the guard has checked its origin."""
    cookie = request.cookies.get(cookie_of(request.app.state.settings.world))
    if not cookie:
        return False
    actor(request, cookie)
    return True


def _issuer(app: FastAPI) -> None:
    @app.post("/issuer/token", openapi_extra=NO_LOGIN)
    def give_token(body: Login, request: Request, secret: Secret = None) -> dict[str, str]:
        """Give a token to the local user, who knows the secret, or to a session that changes its role."""
        token, ends = _read_login(request, body, secret)
        return {"token": token, "expires_at": ends}

    @app.post("/issuer/ticket", openapi_extra=NO_LOGIN)
    def give_ticket(body: Login, request: Request, secret: Secret = None) -> dict[str, str]:
        """Give a ticket for a link that logs in once: `/login?ticket=…`."""
        token, _ = _read_login(request, body, secret)
        return {"ticket": request.app.state.tickets.give(token)}


def _session(app: FastAPI) -> None:
    @app.post("/session", status_code=204, openapi_extra=ANYBODY)
    def open_session(request: Request, who: Who, authorization: Annotated[str, Header()]) -> Response:
        """Turn a bearer token into a session cookie; a page of another site can neither read nor send it."""
        response = Response(status_code=204)
        begin(request, response, authorization.partition(" ")[2].strip())
        return response

    @app.get("/session", openapi_extra=ANYBODY)
    def show_session(who: Who, response: Response, request: Request) -> Session:
        response.headers["Cache-Control"] = "no-store"
        return Session(
            subject=who.subject,
            roles=sorted(who.roles),
            sites=sorted(who.sites) if who.sites is not None else "*",
            customers=sorted(who.customers) if who.customers is not None else "*",
            world=request.app.state.settings.world,
            expires_at=who.expires_at,
        )

    @app.delete("/session", status_code=204, openapi_extra=ANYBODY)
    def end_session(request: Request, who: Who, token: Token) -> Response:
        """End the session: its token opens nothing here any more, and its streams are cut."""
        request.app.state.ended.end(token, who.expires_at or float("inf"))
        response = Response(status_code=204)
        response.delete_cookie(cookie_of(request.app.state.settings.world), path="/", httponly=True, samesite="strict")
        return response
