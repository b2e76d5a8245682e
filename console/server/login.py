"""The way in: by a one-use link, or through the organisation's provider where one is configured."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import RedirectResponse

from chassis.errors import Forbidden
from chassis.runtime import log
from console.server.guard import is_secure, own_origin
from console.server.oidc import CALLBACK, STATE_COOKIE, STATE_SECONDS, Provider
from console.server.session import NO_LOGIN, begin, place

UNSEEN = {"Cache-Control": "no-store"}


def add(app: FastAPI) -> None:
    """Add the routes of login."""
    settings = app.state.settings
    app.state.provider = Provider(settings) if settings.oidc_client_id else None

    @app.get("/login", status_code=303, openapi_extra=NO_LOGIN, response_class=RedirectResponse)
    def log_in(request: Request, ticket: str | None = None, to: Annotated[str | None, Query()] = None) -> Response:
        """Log in with a one-use ticket or at the provider, then redirect, so that no ticket stays in the address bar."""
        if ticket is not None:
            response = RedirectResponse(place(to), status_code=303, headers=UNSEEN)
            begin(request, response, request.app.state.tickets.redeem(ticket))
            log.get().info("session.begun", by="ticket")
            return response
        where, held = _provider(request).lead_out(_back(request), place(to))
        response = RedirectResponse(where, status_code=303, headers=UNSEEN)
        secure = is_secure(request, settings.public_url)
        response.set_cookie(
            STATE_COOKIE, held, max_age=STATE_SECONDS, httponly=True, samesite="lax", secure=secure, path=CALLBACK
        )
        return response

    @app.get(CALLBACK, status_code=303, openapi_extra=NO_LOGIN, response_class=RedirectResponse)
    def come_back(request: Request, state: str = "", code: str | None = None, error: str | None = None) -> Response:
        """End what was begun at the provider: exchange the code, check both tokens, set the session."""
        provider = _provider(request)
        if code is None:
            raise Forbidden(f"the login provider refused: {(error or 'no code')[:80]}", code="login-refused")
        token, to = provider.take_back(request.cookies.get(STATE_COOKIE), state, code, _back(request))
        request.app.state.verifier.actor_of(token)  # what no service would take is no session
        response = RedirectResponse(place(to), status_code=303, headers=UNSEEN)
        begin(request, response, token)
        response.delete_cookie(STATE_COOKIE, path=CALLBACK, httponly=True, samesite="lax")
        log.get().info("session.begun", by="provider")
        return response


def _provider(request: Request) -> Provider:
    provider: Provider | None = request.app.state.provider
    if provider is None:
        raise Forbidden("no login provider is configured here; use a login link, or `crossdock login --as ROLE`")
    return provider


def _back(request: Request) -> str:
    return own_origin(request, request.app.state.settings.public_url) + CALLBACK
