"""`login`: a token of the local stack's issuer for a demo role."""

from __future__ import annotations

from typing import Annotated

import httpx
import typer

from cli.client import Client, Tokens, understood
from cli.errors import Unreachable
from cli.output import JsonOption, WorldOption, emit, say
from cli.stack.recipe import CONSOLE
from cli.stack.state import Home
from cli.stack.worlds import LIVE

TIMEOUT_SECONDS = 10.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: crossdock login --as logistics --world demo")(login)


def login(
    role: Annotated[str, typer.Option("--as", help="sales, logistics, planning-lead, viewer, sre, …")],
    world: WorldOption = LIVE,
    as_json: JsonOption = False,
) -> None:
    """Log in to a world of the local stack as one of the demo roles."""
    home = Home.find()
    with Client(world, home=home) as client:
        url = f"{client.address(CONSOLE)}/issuer/token"
        try:
            answer = client.http.post(url, json={"as": role}, timeout=TIMEOUT_SECONDS)
        except httpx.TransportError as why:
            raise Unreachable(
                f"The console of world {world} does not answer at {url}: `crossdock up` starts the stack."
            ) from why
        given = understood(answer, CONSOLE)
    Tokens(home).keep(world, given["token"], role=role, expires_at=str(given["expires_at"]))
    told = {"world": world, "role": role, "expires_at": given["expires_at"]}
    words = f"Logged in to world {world} as {role} until {given['expires_at']}."
    emit(told, as_json=as_json, show=lambda: say(words))
