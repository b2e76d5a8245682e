"""What a page must know before anybody is logged in: the world, and how people log in."""

from __future__ import annotations

from typing import Literal

from fastapi import FastAPI, Request
from pydantic import BaseModel

from console.server.session import NO_LOGIN
from schemas.access import PERSONS


class About(BaseModel):
    """The world, and the way in: the organisation's provider, the demo roles of a local stack, or a link alone."""

    world: str
    currency: str  # the world's reporting currency
    login: Literal["provider", "roles", "link"]
    roles: tuple[str, ...] = ()


def add(app: FastAPI) -> None:
    """Add the route."""

    @app.get("/about", openapi_extra=NO_LOGIN)
    def about(request: Request) -> About:
        state = request.app.state
        world = {"world": state.settings.world, "currency": state.settings.world_currency}
        if state.provider is not None:
            return About(**world, login="provider")
        if state.issuer is not None:
            return About(**world, login="roles", roles=PERSONS)
        return About(**world, login="link")
