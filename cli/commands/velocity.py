"""`velocity`: the time from a disruption to a coordinated response, open cases included; and its specification."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.client import Client
from cli.commands import velocity_answers
from cli.commands.lookup import find_id, seconds
from cli.conformance import OURS, SHOWN_MAX, Judged, judge, program
from cli.errors import CommandFailed, NotFound
from cli.output import JsonOption, WorldOption, emit, progress, say, table
from cli.stack.world_plan import LIVE
from velocity import SPECIFICATION, Unreadable, answers, read
from velocity.conformance import golden_logs

Files = Annotated[list[Path], typer.Argument(help="JSON lines, also .gz; - is standard input.")]


def register(app: typer.Typer) -> None:
    """Add the command, which answers by itself, and its parts."""
    group = typer.Typer(
        help="Show decision velocity; check an implementation, compute it from a file.", rich_markup_mode=None
    )
    group.callback(
        invoke_without_command=True,
        epilog="Example: crossdock velocity --world demo, or crossdock velocity --case 5d59d4bc",
    )(velocity)
    group.command("check", epilog="Example: crossdock velocity check --program './ours --quiet'")(check)
    group.command("compute", epilog="Example: crossdock velocity compute events.jsonl --as-of 2026-03-09")(compute)
    velocity_answers.register(group)
    app.add_typer(group, name="velocity")


def velocity(
    context: typer.Context,
    world: WorldOption = LIVE,
    case: Annotated[str | None, typer.Option(help="Of this case: stream, SQL, phases.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only of this kind of cause.")] = None,
    severity: Annotated[str | None, typer.Option(help="Only of this severity.")] = None,
    as_of: Annotated[datetime | None, typer.Option(help="Only what was known then.")] = None,
    compare: Annotated[bool, typer.Option("--check", help="Compare stream and SQL for every case.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show decision velocity (lower is better): p50, p90, p95 by Kaplan-Meier, open and cleared cases censored."""
    if context.invoked_subcommand is not None:
        return
    with Client(world) as client:
        if compare:
            answer = client.get("scorecard", "/velocity/check")
            words = f"{answer['compared']} cases compared, {answer['differences']} differences."
            emit(answer, as_json=as_json, show=lambda: say(words))
            if answer["differences"]:
                raise CommandFailed("The stream and SQL disagree; --json lists the first differences.")
            return
        if case is not None:
            answer = client.get("scorecard", f"/velocity/cases/{find_id(client, 'cases', case)}")
            emit(answer, as_json=as_json, show=lambda: _one(answer))
            return
        query = {"kind": kind, "severity": severity, "as_of": as_of.isoformat() if as_of else None}
        answer = client.get("scorecard", "/velocity", {k: v for k, v in query.items() if v is not None})
    emit(answer, as_json=as_json, show=lambda: _many(answer, world))


def check(
    programs: Annotated[list[str] | None, typer.Option("--program", help="Another program, as a command line.")] = None,
    at_once: Annotated[bool, typer.Option(help="Run it once for all logs, an empty line between two.")] = False,
    only: Annotated[str | None, typer.Option(help="Only golden logs whose name holds this.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Run the golden logs of the specification: the pure module, the stream's fold and SQL, or another program."""
    logs = [log for log in golden_logs() if only is None or only in log.name]
    if not logs:
        raise NotFound(f"No golden log is called {only}: leave --only out to run all.")
    commands = {words: program(words) for words in programs} if programs else OURS
    results: dict[str, list[Judged]] = {}
    with progress(f"{len(logs)} golden logs", quiet=as_json) as step:
        for name, command in commands.items():
            step(name)
            results[name] = judge(command, logs, at_once=at_once or not programs)
    failed = sum(bool(one.differences) for judged in results.values() for one in judged)
    shown = {
        "specification": SPECIFICATION,
        "logs": len(logs),
        "programs": [
            {
                "program": name,
                "passed": sum(not one.differences for one in judged),
                "failed": [{"log": one.log, "differences": list(one.differences)} for one in judged if one.differences],
            }
            for name, judged in results.items()
        ],
    }
    emit(shown, as_json=as_json, show=lambda: _show_check(shown))
    if failed:
        raise CommandFailed(
            f"{failed} golden logs were answered otherwise; velocity/golden/NAME/arithmetic.md says how."
        )


def compute(
    files: Files,
    as_of: Annotated[str | None, typer.Option(help="Only what was recorded by then (RFC 3339, UTC).")] = None,
    world: Annotated[str | None, typer.Option(help="The world in the events' sources; live where not told.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Compute every answer of the specification from files of events, without any server."""
    try:
        asked = {"as_of": _instant(as_of), "world": world}
        options = json.dumps({"options": {name: value for name, value in asked.items() if value is not None}})
        answer = answers(read(chain(_lines(files), [options])))
    except Unreadable as why:
        raise CommandFailed(f"The log cannot be read: {why}.") from why
    emit(answer, as_json=as_json, show=lambda: _show_answer(answer))


def _instant(text: str | None) -> str | None:
    """Return an instant with its zone, UTC where it names none; raises CommandFailed."""
    try:
        found = None if text is None else datetime.fromisoformat(text)
    except ValueError as why:
        raise CommandFailed(f"--as-of is no instant: {why}.") from why
    return None if found is None else (found if found.tzinfo else found.replace(tzinfo=UTC)).isoformat()


def _lines(files: list[Path]) -> Iterator[str]:
    for path in files:
        if str(path) == "-":
            yield from sys.stdin
            continue
        try:
            with (
                gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file
            ):
                yield from file
        except OSError as why:
            raise NotFound(f"{path} cannot be read: {why.strerror or why}.") from why


def _show_check(result: dict[str, Any]) -> None:
    table(("Program", "Passed", "Of"), [(one["program"], one["passed"], result["logs"]) for one in result["programs"]])
    for one in result["programs"]:
        for log in one["failed"]:
            say(f"{one['program']}, {log['log']}:")
            for difference in log["differences"][:SHOWN_MAX]:
                say(f"  {difference}")


def _show_answer(answer: dict[str, Any]) -> None:
    if not answer["cases"]:
        say("No case of this world was opened in the log: there is nothing to measure.")
        return
    counted = f"{answer['cases']} cases: {answer['implemented']} implemented, {answer['open']} open, {answer['cleared']} cleared"
    say(f"As of {answer['as_of']}, {counted}.")
    table(
        ("", "Reached after", "95 % band"),
        [
            (name, seconds(answer[f"{name}_us"]), " to ".join(seconds(us) for us in answer["bands"][name]))
            for name in ("p50", "p90", "p95")
        ],
    )
    rest = [
        ("mean up to the longest", answer["restricted_mean_us"]),
        ("acknowledged, p50", answer["acknowledge_p50_us"]),
    ]
    table(
        ("", ""),
        [
            (name, seconds(us))
            for name, us in [*rest, ("implemented ones only, p50 (too good)", answer["naive_p50_us"])]
        ],
    )
    table(
        ("Week", "Cases", "p50", "As known then"),
        [
            (week["week"], week["cases"], seconds(week["p50_us"]), seconds(week["then"]["p50_us"]))
            for week in answer["weeks"]
        ],
    )
    if answer["functions"]:
        table(
            ("Last to act", "Cases", "Share"),
            [(f["function"], f["last"], f"{f['share']:.1%}") for f in answer["functions"]],
        )
    if answer["pairs"]:
        table(
            ("From", "To", "Hand-overs", "p50 of its cases"),
            [
                (p["from"], p["to"], p["handoffs"], "hidden" if p["hidden"] else seconds(p["p50_us"]))
                for p in answer["pairs"]
            ],
        )
    counts = {name.replace("_", " "): count for name, count in answer["findings"].items() if count}
    say("Findings: " + (", ".join(f"{count} {name}" for name, count in counts.items()) or "none") + ".")


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
