"""`watch`: the live exception stream in the terminal; resumes after a lost connection without gap or duplicate."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer
from rich.text import Text

from cli.client import Client
from cli.commands.lookup import ago
from cli.errors import Refused, Unreachable
from cli.live.events import parse_events
from cli.live.screen import Screen
from cli.output import JsonOption, WorldOption, err, out, print_json, visible, warn
from cli.stack.recipe import CONSOLE
from cli.stack.world_plan import LIVE

BACK_OFF_SECONDS = 0.5
TRIES_MAX = 120
COLOURS = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "dim"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: crossdock watch --severity high --severity critical --world demo")(watch)


def watch(
    world: WorldOption = LIVE,
    start: Annotated[str, typer.Option("--from", help="now, beginning, or the id of an event to go on after.")] = "now",
    type_: Annotated[
        list[str] | None, typer.Option("--type", help="Only facts whose name starts so, such as exceptions.task.")
    ] = None,
    severity: Annotated[list[str] | None, typer.Option(help="Only these severities.")] = None,
    function: Annotated[list[str] | None, typer.Option(help="Only tasks of these functions, and cases.")] = None,
    case: Annotated[list[str] | None, typer.Option(help="Only these cases.")] = None,
    site: Annotated[list[str] | None, typer.Option(help="Only these sites.")] = None,
    customer: Annotated[list[str] | None, typer.Option(help="Only these customers.")] = None,
    most: Annotated[int | None, typer.Option("--most", help="End after this many facts.", min=1)] = None,
    lines: Annotated[bool, typer.Option("--lines", help="One line per fact, not a screen.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Follow cases and tasks as they change: a screen that updates in place, or one line per fact where it is piped.

    With --json one line per fact, with the id to go on from.
    """
    query = {
        "type": type_,
        "severity": severity,
        "function": function,
        "case": case,
        "site": site,
        "customer": customer,
    }
    asked = {name: value for name, value in query.items() if value}
    last, seen, tries = start, 0, 0
    if out().is_terminal and not (as_json or lines or most or start != "now"):
        narrow = {"severity": severity, "function": function, "case_id": case, "site": site, "customer": customer}
        with Client(world) as client:
            Screen(client, asked, {name: _one(name, value) for name, value in narrow.items() if value}).run(out())
        return
    with Client(world) as client:
        while True:
            try:
                with client.stream(CONSOLE, "/stream", params={**asked, "from": last}, headers={}) as answer:
                    if not seen and not as_json:
                        err().print(f"Following world {world}; Ctrl-C ends.", style="dim", markup=False)
                    for identity, fact in parse_events(answer.iter_lines()):
                        last, tries = identity or last, 0
                        if fact is None:
                            continue
                        _show(fact, last, as_json)
                        seen += 1
                        if most is not None and seen >= most:
                            return
            except Unreachable:
                tries += 1
                if tries > TRIES_MAX:
                    raise
            if not as_json:
                warn("The stream broke off; going on from where it stood.")
            time.sleep(BACK_OFF_SECONDS)


def _one(name: str, values: list[str]) -> str | list[str]:
    """Return what a list is narrowed by: one word, where the service takes one."""
    if name == "case_id":
        return values
    if len(values) > 1:
        raise Refused(f"The screen is narrowed by one {name}; --lines takes several.")
    return values[0]


def _show(fact: dict[str, Any], identity: str, as_json: bool) -> None:
    if as_json:
        print_json({"id": identity, "fact": fact}, line=True)
        return
    data = fact["data"]
    what = fact["type"].removeprefix("exceptions.").rsplit(".", 1)[0]
    words = (
        data.get("headline")
        or data.get("title")
        or data.get("reason")
        or data.get("choice")
        or data.get("outcome")
        or ""
    )
    who = f"{data['function']} " if "function" in data else ""
    severity = data["severity"]
    coloured = (f"{severity:<8}", COLOURS.get(severity, ""))
    said = visible(f"  {data['case_id'][:8]}  {what:<22} {who}{words}")
    out().print(Text.assemble(f"{ago(fact['time'])}  ", coloured, said))
