"""Cases and tasks: see them, and answer them: `cases`, `case`, `tasks`, `ack`, `take`, `commit`, `done`, `refuse`, `waive`,
`hand-over`, `accept`, `return`, `assign`, `decide`, `verify`, `reopen`, `pause`, `resume`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli.client import Client
from cli.commands.lookup import ago, all_pages, find_id, money
from cli.output import JsonOption, WorldOption, emit, say, table
from cli.stack.world_plan import LIVE

CaseId = Annotated[str, typer.Argument(help="The case's id, or the start of it.")]
TaskId = Annotated[str, typer.Argument(help="The task's id, or the start of it.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, in words others can use.")]
LimitOption = Annotated[int, typer.Option(help="At most this many rows.", min=1)]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: crossdock cases --state open --sort value --world demo")(cases)
    app.command(epilog="Example: crossdock case 5d59d4bc")(case)
    app.command(epilog="Example: crossdock tasks --function sales --state open")(tasks)
    for name, help_, example, command in (
        ("ack", "Acknowledge a case: somebody accountable has seen it.", "ack 5d59d4bc", _case_act("acknowledge")),
        ("take", "Take a case: you own it now.", "take 5d59d4bc", _case_act("take")),
        ("resume", "Let a paused case's working-hours clock run again.", "resume 5d59d4bc", _case_act("resume")),
        (
            "pause",
            "Stop a case's working-hours clock.",
            "pause 5d59d4bc --reason 'port closed until Monday'",
            _case_reason("pause"),
        ),
        (
            "reopen",
            "Open a closed case again.",
            "reopen 5d59d4bc --reason 'the new date slipped'",
            _case_reason("reopen"),
        ),
        (
            "refuse",
            "Refuse a task; the planning lead decides.",
            "refuse 0238bdeb --reason 'not our customer'",
            _task_reason("refuse"),
        ),
        (
            "waive",
            "Waive a task that is not needed.",
            "waive 0238bdeb --reason 'nobody is affected'",
            _task_reason("waive"),
        ),
        (
            "return",
            "Give back a task that was handed over.",
            "return 0238bdeb --reason 'no access'",
            _task_reason("return"),
        ),
        ("accept", "Accept a task that was handed over.", "accept 0238bdeb", _task_act("accept")),
    ):
        app.command(name, help=help_, epilog=f"Example: crossdock {example}")(command)
    app.command("decide", epilog="Example: crossdock decide 5d59d4bc 'expedite by air'")(decide)
    app.command("verify", epilog="Example: crossdock verify 5d59d4bc 'arrived on the new date'")(verify)
    app.command("commit", epilog="Example: crossdock commit 0238bdeb --by 2026-03-05T17:00Z")(commit)
    app.command("done", epilog="Example: crossdock done 0238bdeb 'customers were called'")(done)
    app.command("hand-over", epilog="Example: crossdock hand-over 0238bdeb --to logistics --note 'needs a truck'")(
        hand_over
    )
    app.command("assign", epilog="Example: crossdock assign 0238bdeb --to sales --reason 'they know them'")(assign)


def cases(
    world: WorldOption = LIVE,
    state: Annotated[str | None, typer.Option(help="open, implemented or closed.")] = None,
    severity: Annotated[str | None, typer.Option(help="low, medium, high or critical.")] = None,
    site: Annotated[str | None, typer.Option(help="A site's code.")] = None,
    unowned: Annotated[bool, typer.Option("--unowned", help="Only those that nobody took.")] = False,
    breaching: Annotated[bool, typer.Option("--breaching", help="Only those past a deadline.")] = False,
    sort: Annotated[str, typer.Option(help="value, deadline or opened.")] = "value",
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List cases, the most money at risk first."""
    order = {"value": "value_at_risk", "deadline": "deadline", "opened": "opened_at"}.get(sort, sort)
    query = {"state": state, "severity": severity, "site": site, "sort": order}
    query |= {"unowned": "true" if unowned else None, "breaching": "true" if breaching else None}
    with Client(world) as client:
        items = all_pages(client, "exceptions", "/cases", query, most=limit)
    rows = [
        (
            c["case_id"][:8],
            c["severity"],
            c["state"],
            c["headline"],
            money(c["value_at_risk"]),
            c["owner"]["subject"] if c.get("owner") else "nobody",
            " · ".join(f"{t['function']} {t['state']}" for t in c["tasks"]),
            ago(c["opened_at"]),
        )
        for c in items
    ]
    columns = ("Case", "Severity", "State", "What", "At risk", "Owner", "Tasks", "Opened")
    empty = f"No case fits in world {world}: nothing waits for anybody."
    emit(items, as_json=as_json, show=lambda: table(columns, rows) if rows else say(empty))


def case(case_id: CaseId, world: WorldOption = LIVE, as_json: JsonOption = False) -> None:
    """Show one case: what is hurt, who moves next, and its timeline."""
    with Client(world) as client:
        whole = client.get("exceptions", f"/cases/{find_id(client, 'cases', case_id)}")
        timeline = all_pages(client, "exceptions", f"/cases/{whole['case_id']}/timeline", {}, most=500)
    emit({**whole, "timeline": timeline}, as_json=as_json, show=lambda: _show_case(whole, timeline))


def _show_case(whole: dict[str, Any], timeline: list[dict[str, Any]]) -> None:
    say(f"{whole['headline']}   [{whole['severity']}, {whole['state']}]")
    say(
        f"At risk {money(whole['value_at_risk'])} · owner {(whole.get('owner') or {}).get('subject', 'nobody')} · {whole['case_id']}"
    )
    tasks_ = [
        (t["task_id"][:8], t["function"], t["kind"], t["state"], t.get("committed_to") or "", t["complete_by"])
        for t in whole["tasks"]
    ]
    table(("Task", "Function", "Kind", "State", "Committed to", "Due"), tasks_)
    table(
        ("When", "What"),
        [(e["occurred_at"], e.get("type", "").removeprefix("exceptions.").rsplit(".", 1)[0]) for e in timeline],
    )


def tasks(
    world: WorldOption = LIVE,
    function: Annotated[str | None, typer.Option(help="Whose tasks: sales, logistics, inventory, procurement.")] = None,
    state: Annotated[str | None, typer.Option(help="open, committed, refused, completed, waived or withdrawn.")] = None,
    kind: Annotated[str | None, typer.Option(help="Such as notify-customers.")] = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List tasks."""
    with Client(world) as client:
        items = all_pages(
            client, "exceptions", "/tasks", {"function": function, "state": state, "kind": kind}, most=limit
        )
    rows = [(t["task_id"][:8], t["case_id"][:8], t["function"], t["kind"], t["state"], t["complete_by"]) for t in items]
    empty = f"No task fits in world {world}."
    columns = ("Task", "Case", "Function", "Kind", "State", "Due")
    emit(items, as_json=as_json, show=lambda: table(columns, rows) if rows else say(empty))


# ── acts ─────────────────────────────────────────────────────────────────────────────────────────


def _do(world: str, kind: str, identity: str, act: str, body: dict[str, Any], as_json: bool) -> None:
    with Client(world) as client:
        whole = find_id(client, kind, identity)
        answer = client.post("exceptions", f"/{kind}/{whole}/{act}", body)
    emit(
        answer,
        as_json=as_json,
        show=lambda: say(f"{kind[:-1].capitalize()} {whole[:8]}: {act.replace('-', ' ')} — done."),
    )


def _case_act(act: str) -> Callable[..., None]:
    def command(case_id: CaseId, world: WorldOption = LIVE, as_json: JsonOption = False) -> None:
        _do(world, "cases", case_id, act, {}, as_json)

    return command


def _case_reason(act: str) -> Callable[..., None]:
    def command(case_id: CaseId, reason: ReasonOption, world: WorldOption = LIVE, as_json: JsonOption = False) -> None:
        _do(world, "cases", case_id, act, {"reason": reason}, as_json)

    return command


def _task_act(act: str) -> Callable[..., None]:
    def command(task_id: TaskId, world: WorldOption = LIVE, as_json: JsonOption = False) -> None:
        _do(world, "tasks", task_id, act, {}, as_json)

    return command


def _task_reason(act: str) -> Callable[..., None]:
    def command(task_id: TaskId, reason: ReasonOption, world: WorldOption = LIVE, as_json: JsonOption = False) -> None:
        _do(world, "tasks", task_id, act, {"reason": reason}, as_json)

    return command


def decide(
    case_id: CaseId,
    choice: Annotated[str, typer.Argument(help="The way out, in words.")],
    rationale: Annotated[str | None, typer.Option(help="Why this one.")] = None,
    world: WorldOption = LIVE,
    as_json: JsonOption = False,
) -> None:
    """Decide a case."""
    _do(world, "cases", case_id, "decide", {"choice": choice, "rationale": rationale}, as_json)


def verify(
    case_id: CaseId,
    outcome: Annotated[str, typer.Argument(help="What came of the response.")],
    world: WorldOption = LIVE,
    as_json: JsonOption = False,
) -> None:
    """Verify an implemented case: its effect was checked, and it closes."""
    _do(world, "cases", case_id, "verify", {"outcome": outcome}, as_json)


def commit(
    task_id: TaskId,
    by: Annotated[
        datetime,
        typer.Option("--by", help="Until when, UTC.", formats=["%Y-%m-%dT%H:%MZ", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"]),
    ],
    note: Annotated[str | None, typer.Option(help="What others should know.")] = None,
    world: WorldOption = LIVE,
    as_json: JsonOption = False,
) -> None:
    """Commit to a task with a date."""
    _do(world, "tasks", task_id, "commit", {"committed_to": by.replace(tzinfo=UTC).isoformat(), "note": note}, as_json)


def done(
    task_id: TaskId,
    outcome: Annotated[str, typer.Argument(help="What was done.")],
    world: WorldOption = LIVE,
    as_json: JsonOption = False,
) -> None:
    """Complete a task."""
    _do(world, "tasks", task_id, "complete", {"outcome": outcome}, as_json)


def hand_over(
    task_id: TaskId,
    to: Annotated[str, typer.Option("--to", help="The function that is asked.")],
    note: Annotated[str, typer.Option("--note", help="What they need to know.")],
    world: WorldOption = LIVE,
    as_json: JsonOption = False,
) -> None:
    """Offer a task to another function; you own it until they accept."""
    _do(world, "tasks", task_id, "hand-over", {"to_function": to, "note": note}, as_json)


def assign(
    task_id: TaskId,
    to: Annotated[str, typer.Option("--to", help="The function that does it.")],
    reason: ReasonOption,
    world: WorldOption = LIVE,
    as_json: JsonOption = False,
) -> None:
    """Assign a refused task (planning lead)."""
    _do(world, "tasks", task_id, "assign", {"to_function": to, "reason": reason}, as_json)
