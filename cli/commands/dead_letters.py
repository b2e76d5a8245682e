"""`dead-letters`: what could not be handled, with its cause and its bytes; retry or drop it."""

from __future__ import annotations

import base64
from typing import Annotated, Any

import typer

from cli.client import Client
from cli.commands.lookup import ago, all_pages
from cli.errors import Refused
from cli.output import JsonOption, WorldOption, emit, say, table
from cli.stack.recipe import SERVICES
from cli.stack.world_plan import LIVE

ServiceOption = Annotated[str | None, typer.Option("--service", help="Only of this service; all where none is told.")]
Ids = Annotated[list[int] | None, typer.Argument(help="Numbers from `dead-letters list`.")]
Topic = Annotated[str | None, typer.Option(help="Only of this topic.")]
Reaction = Annotated[str | None, typer.Option(help="Only of this reaction.")]
CauseOption = Annotated[str | None, typer.Option(help="Only with this cause.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    dead = typer.Typer(
        help="Records that were set aside, and what to do with them.", no_args_is_help=True, rich_markup_mode=None
    )
    dead.command("list", epilog="Example: crossdock dead-letters list --service sales")(list_)
    dead.command("show", epilog="Example: crossdock dead-letters show --service sales 12")(show)
    dead.command("retry", epilog="Example: crossdock dead-letters retry --service sales 12 --dry-run")(retry)
    dead.command("drop", epilog="Example: crossdock dead-letters drop --service sales 12 --reason 'planted in a test'")(
        drop
    )
    app.add_typer(dead, name="dead-letters")


def list_(
    world: WorldOption = LIVE,
    service: ServiceOption = None,
    topic: Topic = None,
    reaction: Reaction = None,
    cause: CauseOption = None,
    limit: Annotated[int, typer.Option(help="At most this many of each service.", min=1)] = 100,
    as_json: JsonOption = False,
) -> None:
    """List what is set aside, oldest first."""
    items: list[dict[str, Any]] = []
    with Client(world) as client:
        running = client.addresses()
        for name in [service] if service else [s for s in SERVICES if s in running]:
            query = {"topic": topic, "reaction": reaction, "cause": cause}
            items += [{"service": name, **one} for one in all_pages(client, name, "/dead-letters", query, most=limit)]
    rows = [
        (
            d["service"],
            d["dead_letter_id"],
            d["topic"],
            d["key"][:8],
            d["reaction"],
            "waits" if d["waiting"] else d["cause"],
            ago(d["stored_at"]),
        )
        for d in items
    ]
    columns = ("Service", "Number", "Topic", "Subject", "Reaction", "Cause", "Since")
    emit(
        items,
        as_json=as_json,
        show=lambda: table(columns, rows) if rows else say(f"Nothing is set aside in world {world}."),
    )


def show(
    number: Annotated[int, typer.Argument(help="The number.")],
    service: Annotated[str, typer.Option("--service", help="Whose.")],
    world: WorldOption = LIVE,
    as_json: JsonOption = False,
) -> None:
    """Show one record with its cause and its original bytes."""
    with Client(world) as client:
        whole = client.get(service, f"/dead-letters/{number}")
    words = f"{whole['reaction']} on {whole['topic']}/{whole['partition']}@{whole['offset']}: {whole['cause']}\n{whole['detail']}\n"
    emit(
        whole,
        as_json=as_json,
        show=lambda: say(words + base64.b64decode(whole["value"] or "").decode(errors="replace")),
    )


def _pick(
    ids: list[int] | None, topic: str | None, reaction: str | None, cause: str | None, dry_run: bool
) -> dict[str, Any]:
    if not ids and not (topic or reaction or cause):
        raise Refused("Say which: numbers, or a filter by --topic, --reaction or --cause.")
    return {"ids": ids or None, "topic": topic, "reaction": reaction, "cause": cause, "dry_run": dry_run}


def retry(
    service: Annotated[str, typer.Option("--service", help="Whose.")],
    ids: Ids = None,
    topic: Topic = None,
    reaction: Reaction = None,
    cause: CauseOption = None,
    dry_run: DryRun = False,
    world: WorldOption = LIVE,
    as_json: JsonOption = False,
) -> None:
    """Run records again, each subject's in its order."""
    with Client(world) as client:
        results = client.post(service, "/dead-letters:retry", _pick(ids, topic, reaction, cause, dry_run))["results"]
    _results(results, as_json)


def drop(
    service: Annotated[str, typer.Option("--service", help="Whose.")],
    reason: Annotated[str, typer.Option(help="Why they are not needed.")],
    ids: Ids = None,
    topic: Topic = None,
    reaction: Reaction = None,
    cause: CauseOption = None,
    dry_run: DryRun = False,
    world: WorldOption = LIVE,
    as_json: JsonOption = False,
) -> None:
    """Give records up; they stay in the table with the reason."""
    with Client(world) as client:
        body = {**_pick(ids, topic, reaction, cause, dry_run), "reason": reason}
        results = client.post(service, "/dead-letters:drop", body)["results"]
    _results(results, as_json)


def _results(results: list[dict[str, Any]], as_json: bool) -> None:
    rows = [(r["dead_letter_id"], r["outcome"], r.get("detail", "")) for r in results]
    emit(
        results,
        as_json=as_json,
        show=lambda: table(("Number", "Outcome", "Detail"), rows) if rows else say("Nothing fits."),
    )
