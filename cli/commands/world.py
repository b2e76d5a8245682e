"""`world create`, `world list`, `world drop`: isolated copies of the system."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.errors import Interrupted, NotFound
from cli.output import JsonOption, emit, progress, say, table
from cli.stack import daemon, lock
from cli.stack.control import NotRunning, ask
from cli.stack.state import Home, read_json
from cli.stack.world_plan import stored_currency, world_names

NameArgument = Annotated[str, typer.Argument(help="Small letters, digits, hyphens.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    world = typer.Typer(help="Make, list and drop worlds.", no_args_is_help=True, rich_markup_mode=None)
    world.command(epilog="Example: crossdock world create drill --clock 2025-01-01T00:00:00Zx60")(create)
    world.command("list", epilog="Example: crossdock world list --json")(list_worlds)
    world.command(epilog="Example: crossdock world drop drill")(drop)
    app.add_typer(world, name="world")


def create(
    name: NameArgument,
    clock: Annotated[
        str, typer.Option(help="`wall`, `driven`, or an instant and a speed such as 2025-01-01T00:00:00Zx60.")
    ] = "wall",
    only: Annotated[list[str] | None, typer.Option("--only", help="Run this process; repeat it for more.")] = None,
    split: Annotated[
        list[str] | None,
        typer.Option("--split", help="Run this service as one process per role, as in production."),
    ] = None,
    seed: Annotated[
        str | None,
        typer.Option(help="`everyday`, `replay` (what a driven world gets unless told) or `none`."),
    ] = None,
    currency: Annotated[
        str | None,
        typer.Option(help="The reporting currency, such as EUR: that of the seed (EUR, a replay's USD) unless told."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a world (or start a kept one) and come back when all of it is ready."""
    home = Home.find()
    with progress(f"World {name} is made", quiet=as_json) as report:
        started = not lock.is_held(home)
        if started:
            daemon.detach(home, report=report, world=None)
        try:
            made = ask(
                home,
                "create-world",
                report,
                name=name,
                clock=clock,
                services=only or None,
                split=split or None,
                seed=seed,
                currency=currency,
            )
        except BaseException as why:
            if started:
                daemon.end(home)
            elif isinstance(why, KeyboardInterrupt):
                raise Interrupted(
                    f"Interrupted, but the supervisor finishes world {name}: "
                    f"`crossdock world drop {name}` takes it back."
                ) from why
            raise
    rows = sorted(made["urls"].items())
    emit(made, as_json=as_json, show=lambda: table(("Service", "Address"), rows, title=f"World {name}"))


def list_worlds(as_json: JsonOption = False) -> None:
    """List the worlds of this checkout and whether they run."""
    home = Home.find()
    try:
        running = {one["world"]: one for one in ask(home, "status")["worlds"]}
    except NotRunning:
        running = {}
    found: list[dict[str, Any]] = []
    for name in sorted({*world_names(home), *running}):
        kept = read_json(home.world_file(name)) or {}
        state = running.get(name, {}).get("state", "stopped")
        found.append(
            {
                "world": name,
                "clock": kept.get("clock"),
                "currency": stored_currency(name, kept),
                "state": state,
                "urls": kept.get("urls", {}),
            }
        )
    rows = [(one["world"], one["clock"], one["currency"], one["state"]) for one in found]
    emit(found, as_json=as_json, show=lambda: table(("World", "Clock", "Currency", "State"), rows))


def drop(
    name: NameArgument,
    as_json: JsonOption = False,
) -> None:
    """Drop a world with its databases, topics and files."""
    home = Home.find()
    if name not in world_names(home):
        raise NotFound(f"There is no world {name}; `crossdock world list` shows those that are.")
    with progress(f"World {name} is dropped", quiet=as_json) as report:
        started = not lock.is_held(home)
        if started:
            daemon.detach(home, report=report, world=None)
        try:
            ask(home, "drop-world", report, name=name)
        finally:
            if started:
                daemon.end(home)
    emit({"dropped": name}, as_json=as_json, show=lambda: say(f"World {name} is gone."))
