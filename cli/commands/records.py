"""`replay scms` and `import scms`: the delivery records, brought in through the public APIs."""

from __future__ import annotations

import hashlib
import time
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from cli import replay_world
from cli.client import Client
from cli.errors import CommandFailed
from cli.exit_codes import ExitCode
from cli.figures import ask_figures
from cli.output import JsonOption, WorldOption, emit, err, progress, say, table, warn
from cli.replay import Replayed, bring_history, replay, script_of
from cli.roles import RoleTokens
from cli.service_client import RefusedItem, ServiceClient
from cli.stack.recipe import SERVICES
from cli.stack.state import Home
from cli.stack.world_plan import LIVE
from formats.dialect import WrongFile
from formats.scms import DeliveryFile, read_deliveries

SHOWN_MAX = 20
FileArgument = Annotated[Path, typer.Argument(help="The delivery records: CSV or tab-separated, plain or gzip.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    replays = typer.Typer(help="Replay history day by day into a driven world.", no_args_is_help=True)
    replays.command("scms", epilog="Example: crossdock replay scms deliveries.csv.gz --until 2011-06-30 --json")(
        replay_scms
    )
    app.add_typer(replays, name="replay")
    imports = typer.Typer(help="Bring a file into a running world as completed history.", no_args_is_help=True)
    imports.command("scms", epilog="Example: crossdock import scms deliveries.csv.gz --world live")(import_scms)
    app.add_typer(imports, name="import")


def replay_scms(
    file: FileArgument,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day that is told; later ones are not.")
    ] = None,
    into: Annotated[str | None, typer.Option(help="The driven world; a new one unless told.")] = None,
    as_json: JsonOption = False,
) -> int:
    """Replay delivery records day by day into a driven world; killed, the same command goes on."""
    started = time.monotonic()
    content, records = _read(file)
    last = until.date() if until else None
    home, digest = Home.find(), hashlib.sha256(content).hexdigest()
    said_until = last.isoformat() if last else None
    target = replay_world.choose(home, file_hash=digest, until=said_until, into=into, base="scms")
    with replay_world.held(home, target.world):
        replay_world.note(home, target.world, file_hash=digest, until=said_until, done=False)
        first = f"World {target.world} {'goes on' if target.goes_on else 'is made ready'}"
        with progress(first, quiet=as_json) as report:
            replay_world.open_world(home, target.world, report)
        with Client(target.world, home=home) as client:
            services = _service_client(client)
            try:
                done = _replay_with_progress(records, last, services, hidden=as_json)
                with progress("The figures are asked from their owners", quiet=as_json):
                    figures, routes = ask_figures(services)
            finally:
                services.close()
        replay_world.note(home, target.world, file_hash=digest, until=said_until, done=True)
    answer: dict[str, Any] = {"world": target.world, **figures}
    answer |= {"quarantined_rows": len(records.quarantined), "seconds": round(time.monotonic() - started, 1)}
    answer |= _counts(done, records, routes)
    emit(answer, as_json=as_json, show=lambda: _show(answer))
    _tell_rejected(records, done.refused)
    return int(ExitCode.REFUSED if done.refused else ExitCode.OK)


def import_scms(file: FileArgument, world: WorldOption = LIVE, as_json: JsonOption = False) -> int:
    """Bring delivery records into a running world as history: planned and received in one act, no case."""
    _, records = _read(file)
    with Client(world) as client:
        services = _service_client(client)
        try:
            with progress(f"{len(records.lines)} lines are told to world {world}", quiet=as_json):
                told = bring_history(records, services)
        finally:
            services.close()
    answer = {
        "world": world,
        "lines": len(records.lines),
        "created": told.created,
        "unchanged": told.unchanged,
        "refused": [asdict(one) for one in told.refused],
        "quarantined_rows": len(records.quarantined),
        "quarantined": [asdict(one) for one in records.quarantined],
    }
    words = f"{told.created} items are new in world {world}, {told.unchanged} were known, {len(told.refused)} refused."
    emit(answer, as_json=as_json, show=lambda: say(words))
    _tell_rejected(records, tuple(told.refused))
    return int(ExitCode.REFUSED if told.refused else ExitCode.OK)


def _read(file: Path) -> tuple[bytes, DeliveryFile]:
    try:
        content = file.read_bytes()
    except OSError as why:
        raise CommandFailed(
            f"The file {file} cannot be read ({why.strerror}): check its name and rights.", ExitCode.USAGE
        ) from why
    try:
        return content, read_deliveries(content)
    except WrongFile as why:
        raise CommandFailed(f"{file}: {why}", ExitCode.USAGE) from why


def _service_client(client: Client) -> ServiceClient:
    return ServiceClient(
        {name: url for name, url in client.addresses().items() if name in SERVICES}, RoleTokens(client)
    )


def _replay_with_progress(
    records: DeliveryFile, until: date | None, services: ServiceClient, *, hidden: bool
) -> Replayed:
    script = script_of(records, until)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} items"),
        TimeElapsedColumn(),
        console=err(),
        disable=hidden or not err().is_terminal,
    )
    with bar:
        task = bar.add_task("told", total=script.items)

        def show(at: datetime, items: int) -> None:
            bar.update(task, advance=items, description=f"told to {at.astimezone(UTC):%Y-%m-%d}")

        return replay(script, services, progress=show)


def _counts(done: Replayed, records: DeliveryFile, routes: dict[str, str]) -> dict[str, Any]:
    return {
        "told": {"created": done.created, "unchanged": done.unchanged},
        "refused": [asdict(one) for one in done.refused],
        "repeated_rows": len(records.repeated),
        "quarantined": [asdict(one) for one in records.quarantined],
        "stops": done.run.stops,
        "waits": done.run.waits,
        "retried": done.retried,
        "until": done.end.isoformat().replace("+00:00", "Z"),
        "routes": routes,
    }


def _show(answer: dict[str, Any]) -> None:
    hidden = {"routes", "quarantined", "refused", "told", "tasks"}
    rows = [(name, value) for name, value in answer.items() if name not in hidden]
    rows += [(f"tasks {kind}", number) for kind, number in answer["tasks"].items()]
    table(("Figure", "Value"), rows, title=f"World {answer['world']}")


def _tell_rejected(records: DeliveryFile, refused: tuple[RefusedItem, ...]) -> None:
    for one in records.quarantined[:SHOWN_MAX]:
        warn(f"row {one.row} was left out: {one.field} {one.value!r} {one.reason}")
    for item in refused[:SHOWN_MAX]:
        warn(f"{item.service}{item.path} refused {item.key}: {item.field} {item.reason}".rstrip())
    more = max(len(records.quarantined) - SHOWN_MAX, 0) + max(len(refused) - SHOWN_MAX, 0)
    if more:
        warn(f"and {more} more; --json lists them all")
