"""`login`: a token of the local stack's issuer for a demo role."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.client import Client, Tokens
from cli.desk import issue
from cli.output import JsonOption, WorldOption, emit, say
from cli.stack.recipe import CONSOLE
from cli.stack.state import Home
from cli.stack.world_plan import LIVE


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
        given = issue(client.address(CONSOLE), "token", role, home)
    Tokens(home).keep(world, given["token"], role=role, expires_at=str(given["expires_at"]))
    told = {"world": world, "role": role, "expires_at": given["expires_at"]}
    words = f"Logged in to world {world} as {role} until {given['expires_at']}."
    emit(told, as_json=as_json, show=lambda: say(words))
