"""`velocity`: how long a disruption takes to become a coordinated response, open cases counted."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from cli.client import Client
from cli.commands.shown import found, seconds
from cli.errors import CommandFailed
from cli.output import JsonOption, WorldOption, emit, say, table
from cli.stack.worlds import LIVE


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: crossdock velocity --world demo, or crossdock velocity --case 5d59d4bc")(velocity)


def velocity(
    world: WorldOption = LIVE,
    case: Annotated[str | None, typer.Option(help="Of this case: stream, SQL, phases.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only of this kind of cause.")] = None,
    severity: Annotated[str | None, typer.Option(help="Only of this severity.")] = None,
    as_of: Annotated[datetime | None, typer.Option(help="Only what was known then.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Compare stream and SQL for every case.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show decision velocity (lower is better): p50, p90, p95 by Kaplan-Meier, open and cleared cases censored."""
    with Client(world) as client:
        if check:
            answer = client.get("scorecard", "/velocity/check")
            words = f"{answer['compared']} cases compared, {answer['differences']} differences."
            emit(answer, as_json=as_json, show=lambda: say(words))
            if answer["differences"]:
                raise CommandFailed("The stream and SQL disagree; --json lists the first differences.")
            return
        if case is not None:
            answer = client.get("scorecard", f"/velocity/cases/{found(client, 'cases', case)}")
            emit(answer, as_json=as_json, show=lambda: _one(answer))
            return
        query = {"kind": kind, "severity": severity, "as_of": as_of.isoformat() if as_of else None}
        answer = client.get("scorecard", "/velocity", {k: v for k, v in query.items() if v is not None})
    emit(answer, as_json=as_json, show=lambda: _many(answer, world))


def _many(answer: dict[str, Any], world: str) -> None:
    if not answer["n"]:
        say(f"No case was opened in world {world} yet: there is nothing to measure.")
        return
    counted = (
        f"{answer['n']} cases: {answer['implemented']} implemented, {answer['open']} open, {answer['cleared']} cleared"
    )
    table(
        ("p50", "p90", "p95", "Of"),
        [(seconds(answer["p50_us"]), seconds(answer["p90_us"]), seconds(answer["p95_us"]), counted)],
    )


def _one(answer: dict[str, Any]) -> None:
    stream, recomputed = answer["stream"], answer["recomputed"]
    rows = [
        (
            "decision velocity",
            seconds(stream["decision_us"]) if stream else "not heard",
            seconds(recomputed["decision_us"]),
        )
    ]
    by_phase = {p["phase"]: p for p in (stream["phases"] if stream else [])}
    for phase in recomputed["phases"]:
        read = by_phase.get(phase["phase"])
        rows.append(
            (
                phase["phase"] + (" (open)" if phase["open"] else ""),
                seconds(read["duration_us"]) if read else "",
                seconds(phase["duration_us"]),
            )
        )
    table(("Phase", "Stream", "SQL"), rows)
    say("They agree." if answer["agree"] else "They do not agree.")
