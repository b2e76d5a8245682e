"""`up`, `down`, `status` and `logs`: the stack on this machine."""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.errors import Interrupted, NotFound
from cli.output import JsonOption, WorldOption, emit, print_json, progress, say, table, warn
from cli.stack import daemon
from cli.stack.control import ask
from cli.stack.recipe import CONSOLE
from cli.stack.stack import Stack
from cli.stack.state import Home
from cli.stack.world_plan import LIVE

FOLLOW_SECONDS = 0.2
INTERRUPTED = "Interrupted before it was up: nothing is left running; `crossdock up` starts it again."
INFRASTRUCTURE_LOGS = {
    "postgres": "postgres/postgres.log",
    "kafka": "kafka/kafka.log",
    "supervisor": "run/daemon.log",
}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: crossdock up --detach --port 8700")(up)
    app.command(epilog="Example: crossdock down")(down)
    app.command(epilog="Example: crossdock status --json")(status)
    app.command(epilog="Example: crossdock logs logistics --follow --world demo")(logs)


def up(
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Come back when it is ready.")] = False,
    bare: Annotated[bool, typer.Option(help="Start PostgreSQL and Kafka, no world.")] = False,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Run this process of the world; repeat it for more.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="The console's port; a free one is taken where none is named."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Start PostgreSQL, Kafka and the world `live`, and keep them running until Ctrl-C."""
    home = Home.find()
    world = None if bare else LIVE
    ports = {CONSOLE: port} if port else None
    if detach:
        try:
            with progress("The stack starts", quiet=as_json) as report:
                ready = daemon.detach(home, report=report, world=world, ports=ports, only=only or None)
        except KeyboardInterrupt as why:
            raise Interrupted(INTERRUPTED) from why
        emit(ready, as_json=as_json, show=lambda: _addresses(ready, "`crossdock down` ends it."))
        return
    was_ready = False

    def on_ready(stack: Stack) -> None:
        nonlocal was_ready
        was_ready = True
        ready = stack.status()
        emit(ready, as_json=as_json, show=lambda: _addresses(ready, "Ctrl-C ends it."))

    try:
        report = (lambda _: None) if as_json else warn
        daemon.run(home, report=report, on_ready=on_ready, world=world, ports=ports, only=only or None)
    except KeyboardInterrupt as why:
        if not was_ready:
            raise Interrupted(INTERRUPTED) from why


def down(as_json: JsonOption = False) -> None:
    """End the stack of this checkout; what it stored stays."""
    with progress("The stack ends", quiet=as_json):
        ended = daemon.end(Home.find())
    words = "The stack has ended; `crossdock up` starts it with what it stored." if ended else "Nothing was running."
    emit({"ended": ended}, as_json=as_json, show=lambda: say(words))


def status(as_json: JsonOption = False) -> None:
    """Show how every process stands, each asked now."""
    found = ask(Home.find(), "status")
    emit(found, as_json=as_json, show=lambda: _status(found))


def logs(
    process: Annotated[
        str | None, typer.Argument(help="A process of the world, or postgres, kafka, supervisor.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the last lines.")] = 100,
    world: WorldOption = LIVE,
    as_json: JsonOption = False,
) -> None:
    """Show the last log lines of a process, or of all processes of a world."""
    files = _log_files(Home.find(), world, process)

    def show(name: str, line: str) -> None:
        if as_json:
            print_json({"process": name, "line": line})
        else:
            say(line if process else f"{name}: {line}")

    ends = {}
    for name, path in files.items():
        with path.open(errors="replace") as log:
            for line in deque(log, lines):
                show(name, line.rstrip("\n"))
            ends[name] = log.tell()
    while follow:
        for name, path in files.items():
            ends[name] = _new_lines(path, ends[name], lambda line, name=name: show(name, line))
        time.sleep(FOLLOW_SECONDS)


def _new_lines(path: Path, start: int, show: Any) -> int:
    """Show the whole lines after a position and return where they end; a log begun anew is read anew."""
    if path.stat().st_size < start:
        start = 0
    with path.open("rb") as log:
        log.seek(start)
        content = log.read()
    whole = content[: content.rfind(b"\n") + 1]
    for line in whole.decode(errors="replace").splitlines():
        show(line)
    return start + len(whole)


def _log_files(home: Home, world: str, process: str | None) -> dict[str, Path]:
    files = {path.stem: path for path in sorted(home.logs(world).glob("*.log"))}
    if process is None:
        if not files:
            raise NotFound(f"World {world} has no logs; `crossdock world list` shows the worlds that are.")
        return files
    files |= {name: home.root / part for name, part in INFRASTRUCTURE_LOGS.items() if (home.root / part).exists()}
    if process not in files:
        raise NotFound(
            f"There is no log of {process} in world {world}; there are {', '.join(sorted(files)) or 'none'}."
        )
    return {process: files[process]}


def _addresses(ready: dict[str, Any], ending: str) -> None:
    for warning in ready["warnings"]:
        warn(warning)
    for world in ready["worlds"]:
        if world["state"] == "stopped":
            continue
        rows = sorted(world["urls"].items(), key=lambda pair: (pair[0] != CONSOLE, pair[0]))
        table(("Service", "Address"), rows, title=f"World {world['world']}")
    say(f"Kafka {ready['kafka']['bootstrap']}, logs under {ready['home']}/worlds. {ending}")


def _status(status: dict[str, Any]) -> None:
    columns = ("World", "Process", "State", "Pid", "Restarts", "Port", "Trouble")
    rows: list[tuple[Any, ...]] = [
        ("", one["process"], one["state"], one["pid"], one["restarts"], "", one["trouble"])
        for one in status["infrastructure"]
    ]
    for world in status["worlds"]:
        if world["state"] == "stopped":
            rows.append((world["world"], "", "stopped", "", "", "", ""))
        rows += [
            (
                world["world"],
                one["process"],
                one["state"],
                one["pid"],
                one["restarts"],
                one["http"],
                one["trouble"],
            )
            for one in world["processes"]
        ]
    table(columns, rows)
    for warning in status["warnings"]:
        warn(warning)
