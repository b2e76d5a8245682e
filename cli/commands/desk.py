"""`desk`: a link that opens the desk in the browser, logged in."""

from __future__ import annotations

import webbrowser
from typing import Annotated

import typer

from cli.client import Client
from cli.desk import ROLE, link
from cli.output import JsonOption, WorldOption, emit, say
from cli.stack.recipe import CONSOLE
from cli.stack.world_plan import LIVE


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: crossdock desk --world demo --as sales --open")(desk)


def desk(
    world: WorldOption = LIVE,
    role: Annotated[str, typer.Option("--as", help="sales, logistics, planning-lead, viewer, sre, …")] = ROLE,
    to: Annotated[str, typer.Option(help="The screen, such as /velocity or /cases/ID.")] = "/",
    open_: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Print a link that opens the desk, logged in as one of the demo roles: it works once, for five minutes."""
    with Client(world) as client:
        url = link(client.address(CONSOLE), role, to, home=client.home)
    if open_ and not webbrowser.open(url):
        say("No browser could be opened; open the link by hand.")
    emit({"world": world, "role": role, "url": url}, as_json=as_json, show=lambda: say(url))
