"""`backfill responses`: another system's response log, measured in a world of its own."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from cli import replay_world
from cli.backfill import importing, world
from cli.backfill.maps import LoadedMap, in_zone, load_map
from cli.backfill.reading import ResponseLog, read_responses
from cli.backfill.world import stamp
from cli.client import Client
from cli.errors import CommandFailed
from cli.exit_codes import ExitCode
from cli.output import JsonOption, emit, err, progress, say, table, warn
from cli.roles import RoleTokens
from cli.service_client import ImportResult, ServiceClient
from cli.stack.recipe import SERVICES
from cli.stack.state import Home
from formats.dialect import WrongFile

SHOWN_MAX = 20
EXAMPLE = "Example: crossdock backfill responses incidents.csv.gz --map servicenow --as-of 2016-05-01 --json"
WORDS = {
    "cases": "Cases",
    "open": "Open",
    "p50_hours": "p50, hours, open cases counted",
    "p90_hours": "p90, hours",
    "p95_hours": "p95, hours",
    "naive_p50_hours": "Median of the closed alone, hours",
    "handoffs": "Hand-overs",
    "acknowledge_p50_hours": "Acknowledged, median, hours",
    "findings": "Acknowledged before the opening",
}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    backfill = typer.Typer(help="Measure what another system recorded.", no_args_is_help=True)
    backfill.command("responses", epilog=EXAMPLE)(backfill_responses)
    app.add_typer(backfill, name="backfill")


def backfill_responses(
    file: Annotated[Path, typer.Argument(help="The response log: CSV or tab-separated, plain or gzip.")],
    mapped: Annotated[str, typer.Option("--map", help="A shipped map (servicenow), or a YAML file of your own.")],
    into: Annotated[
        str | None, typer.Option("--world", help="The driven world; one of the log's own unless told.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(help="Figures of what was known then; without a zone, in that of the map.")
    ] = None,
    as_json: JsonOption = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read the file, say what would be told, tell nobody.")
    ] = False,
) -> int:
    """Bring a foreign response log into a world of its own and measure it; the same file again changes nothing."""
    loaded = load_map(mapped)
    content, log = _read(file, loaded)
    at = None if as_of is None else _instant(as_of, loaded)
    told = ImportResult()
    if dry_run:
        _show_dry(log, as_json=as_json)
    else:
        told, answer = _brought(log, loaded, world.digest_of(content, loaded.content), into, at, hidden=as_json)
        emit(answer, as_json=as_json, show=lambda: _show(answer))
    for one in log.left_out[:SHOWN_MAX]:
        warn(str(one))
    for item in told.refused[:SHOWN_MAX]:
        warn(f"the service refused {item.key}: {item.field} {item.reason}".rstrip())
    if (more := len(log.left_out) + len(told.refused)) > SHOWN_MAX:
        warn(f"{more} cases were not taken in all; --dry-run --json lists those that the file spoils")
    return int(ExitCode.REFUSED if log.left_out or told.refused else ExitCode.OK)


def _read(file: Path, loaded: LoadedMap) -> tuple[bytes, ResponseLog]:
    try:
        content = file.read_bytes()
    except OSError as why:
        raise CommandFailed(
            f"The file {file} cannot be read ({why.strerror}): check its name and rights.", ExitCode.USAGE
        ) from why
    try:
        return content, read_responses(content, loaded.responses)
    except WrongFile as why:
        raise CommandFailed(f"{file}: {why}", ExitCode.USAGE) from why


def _instant(text: str, loaded: LoadedMap) -> datetime:
    try:
        told = datetime.fromisoformat(text)
        return in_zone(told, loaded.responses.timezone) if told.tzinfo is None else told
    except ValueError as why:
        raise CommandFailed(f"--as-of {text!r} is no time such as 2016-05-01T00:00: {why}.", ExitCode.USAGE) from why


def _brought(
    log: ResponseLog, loaded: LoadedMap, digest: str, into: str | None, as_of: datetime | None, *, hidden: bool
) -> tuple[ImportResult, dict[str, Any]]:
    home = Home.find()
    name = world.choose(home, digest=digest, named=into)
    with replay_world.held(home, name):
        world.note(home, name, digest=digest)
        with progress(f"World {name} is made ready", quiet=hidden) as report:
            replay_world.open_world(home, name, report, services=world.PROCESSES, seed="none")
        with Client(name, home=home) as client:
            urls = {one: url for one, url in client.addresses().items() if one in SERVICES}
            services = ServiceClient(urls, RoleTokens(client))
            try:
                told = _import_with_progress(log, services, source=loaded.responses.source, hidden=hidden)
                answer = importing.ask_velocity(services, as_of=as_of)
            finally:
                services.close()
    if not hidden:
        say(f"World {name}: {told.created} cases are new, {told.unchanged} were known.")
    return told, answer


def _import_with_progress(log: ResponseLog, services: ServiceClient, *, source: str, hidden: bool) -> ImportResult:
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} cases"),
        TimeElapsedColumn(),
        console=err(),
        disable=hidden or not err().is_terminal,
    )
    with bar:
        task = bar.add_task("told", total=len(log.cases))
        return importing.bring(log, services, source=source, progress=lambda cases: bar.update(task, advance=cases))


def _show(answer: dict[str, Any]) -> None:
    table(("Figure", "Value"), [(WORDS[name], value) for name, value in answer.items()])
    honest, naive = answer["p50_hours"], answer["naive_p50_hours"]
    if answer["open"] and honest and naive:
        say(f"The closed cases alone look {100 * (1 - naive / honest):.0f} % faster than all of them are.")


def _show_dry(log: ResponseLog, *, as_json: bool) -> None:
    answer = {
        "cases": len(log.cases),
        "rows": log.rows,
        "facts": importing.counts(log.cases),
        "end": stamp(log.end),
        "left_out": [asdict(one) for one in log.left_out],
    }
    words = (
        f"{len(log.cases)} cases of {log.rows} rows would be told, {len(log.left_out)} are left out; nobody was told."
    )
    emit(answer, as_json=as_json, show=lambda: say(words))
