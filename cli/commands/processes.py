"""`processes`: how every process of a world stands, as the desk's System screen shows it."""

from __future__ import annotations

from typing import Any

import typer

from cli.client import Client
from cli.output import JsonOption, WorldOption, emit, table
from cli.stack.recipe import CONSOLE
from cli.stack.world_plan import LIVE


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: crossdock processes --world demo")(processes)


def processes(world: WorldOption = LIVE, as_json: JsonOption = False) -> None:
    """Show each process of a world: ready or not, its lag, what it has not published yet, what it set aside."""
    with Client(world) as client:
        found = client.get(CONSOLE, "/processes")
    columns = ("Process", "State", "Lag", "To publish", "Oldest, s", "Set aside", "Timers overdue")
    rows = [
        (
            p["name"],
            _state(p),
            _whole(p["lag_events"]),
            _whole(p["outbox_pending_events"]),
            _whole(p["outbox_oldest_seconds"]),
            _whole(p["dead_letters"]),
            _whole(p["timers_overdue"]),
        )
        for p in found["processes"]
    ]
    emit(found, as_json=as_json, show=lambda: table(columns, rows))


def _state(process: dict[str, Any]) -> str:
    if not process["up"]:
        return "down"
    waiting = [part for part, is_ready in process["parts"].items() if not is_ready]
    return "ready" if process["ready"] else f"not ready: {', '.join(waiting)}"


def _whole(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"
