"""`why` and `impact`: walk from a fact back to what started it, and forward to all that followed."""

from __future__ import annotations

from collections import defaultdict
from typing import Annotated

import typer

from cli.causes import TASK, Walk, resolved
from cli.client import Client
from cli.commands.lookup import ago
from cli.errors import CommandFailed
from cli.output import JsonOption, WorldOption, emit, print_json, progress, say, table
from cli.stack.world_plan import LIVE

FactId = Annotated[str | None, typer.Argument(help="A fact's id, or a case's or task's.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: crossdock why 5d59d4bc-d137-5bd8-8072-62c9f87bf237, or crossdock why --all --json")(
        why
    )
    app.command(epilog="Example: crossdock impact 01a2091e-6dc1-7398-9eb4-ede124282ced")(impact)


def why(
    identity: FactId = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every task, back to what started it; reports orphans.")
    ] = False,
    world: WorldOption = LIVE,
    as_json: JsonOption = False,
) -> None:
    """Say why something happened: the chain back to the signal, the act or the timer."""
    with Client(world) as client:
        if everything:
            _why_all(client, as_json)
            return
        if identity is None:
            raise typer.BadParameter("name a fact, a case or a task, or say --all")
        fact = _fact_of(client, identity)
        found = client.get("scorecard", f"/causes/{fact}")
        root = found["root"]
        shown = resolved(client, root["service"], root["kind"], [root["id"]]) if root["id"] else []
    found["root"]["shown"] = shown[0] if shown else None
    rows = [(step["type"], ago(step["recorded_at"]), step["fact_id"]) for step in found["chain"]]
    rows += [(f"timer {one['id']}", "", "") for one in found["passed"]]
    words = (
        f"{root['kind']} {shown[0]['what']} {shown[0]['subject'] or ''}"
        if shown
        else f"{root['kind']} {root['id']}: nobody can show it"
    )
    emit(
        found,
        as_json=as_json,
        show=lambda: table(
            ("What", "When", "Fact"), [*rows, (words, ago(shown[0]["recorded_at"]) if shown else "", root["id"])]
        ),
    )


def _fact_of(client: Client, identity: str) -> str:
    """Return the fact that opened a case or a task, or the id itself, which is a fact's then."""
    for kind, opened in (("cases", "exceptions.case.opened.v1"), ("tasks", TASK)):
        answer = client.http.get(f"{client.address('exceptions')}/{kind}/{identity}", headers=client.headers())
        if answer.is_success:
            facts = client.get("scorecard", "/facts", {"type": opened, "subject": answer.json()["case_id"]})["items"]
            if facts:
                return str(facts[0]["fact_id"])
    return identity


def _why_all(client: Client, as_json: bool) -> None:
    """Walk level by level for all tasks at once; one JSON line per task, then the sum."""
    with progress("Every task is walked back", quiet=as_json) as report:
        walk = Walk(client, report)
        roots: defaultdict[str, int] = defaultdict(int)
        for task in walk.tasks():
            roots[task["root"]["what"]] += 1
            if as_json:
                print_json(task, line=True)
    orphans = walk.orphans()
    count = int(orphans["count"])
    summary = {"tasks": sum(roots.values()), "roots": dict(roots), "orphans": orphans}
    words = f"{summary['tasks']} tasks; they go back to {dict(roots)}; orphans: {count}."
    if as_json:
        print_json(summary, line=True)
    else:
        say(words)
    if count:
        raise CommandFailed(f"{count} facts have no cause that anybody can show.")


def impact(
    identity: Annotated[str, typer.Argument(help="A fact, an act, a signal or a timer.")],
    world: WorldOption = LIVE,
    as_json: JsonOption = False,
) -> None:
    """Show everything that followed from something."""
    with Client(world) as client:
        found = client.get("scorecard", f"/impacts/{identity}")
    rows = [(step["step"], step["type"], ago(step["recorded_at"]), step["fact_id"]) for step in found["items"]]
    emit(
        found,
        as_json=as_json,
        show=lambda: table(("Step", "What", "When", "Fact"), rows) if rows else say("Nothing followed from it."),
    )
