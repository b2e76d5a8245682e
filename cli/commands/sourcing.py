"""Ways out and what customers are told: `options`, `choose`, `decline`, `notices`, `approve`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.client import Client
from cli.commands.lookup import all_pages, find_id, money
from cli.errors import NotFound
from cli.output import JsonOption, WorldOption, emit, say, table
from cli.stack.world_plan import LIVE

CaseId = Annotated[str, typer.Argument(help="The case's id, or the start of it.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: crossdock options 5d59d4bc --world demo")(options)
    app.command(epilog="Example: crossdock choose 5d59d4bc e1b0… --rationale 'arrives in time'")(choose)
    app.command(epilog="Example: crossdock decline 5d59d4bc --line 7c21… --reason 'nobody can deliver'")(decline)
    app.command(epilog="Example: crossdock notices --state drafted")(notices)
    app.command(epilog="Example: crossdock approve 27a44fdc")(approve)


def _round(client: Client, case_id: str) -> dict[str, Any]:
    case = find_id(client, "cases", case_id)
    rounds = client.get("procurement", "/sourcings", {"case": case})["items"]
    if not rounds:
        raise NotFound(f"Procurement has no round for case {case[:8]}: its playbook may not ask for another source.")
    whole: dict[str, Any] = client.get("procurement", f"/sourcings/{rounds[0]['sourcing_id']}")
    return whole


def options(case_id: CaseId, world: WorldOption = LIVE, as_json: JsonOption = False) -> None:
    """Show the ranked ways out of a case, those that cannot work too, with the reason."""
    with Client(world) as client:
        whole = _round(client, case_id)
    rows = [
        (
            line["item"],
            o["rank"],
            o["supplier"],
            "yes" if o["feasible"] else "no",
            money(o["landed_cost"]),
            o["arrives_on"],
            o["on_time_share"],
            "; ".join(o["reasons"]),
            o["alternative_id"],
        )
        for line in whole["lines"]
        for o in line["options"]
    ]
    columns = ("Item", "Rank", "Supplier", "Can", "Landed cost", "Arrives", "On time", "Reasons", "Alternative")
    empty = "Nobody else has a term for these items: there is no other source."
    emit(whole, as_json=as_json, show=lambda: table(columns, rows) if rows else say(empty))


def choose(
    case_id: CaseId,
    alternatives: Annotated[list[str], typer.Argument(help="One alternative per line, by id or the start of it.")],
    rationale: Annotated[str, typer.Option(help="The trade-off, in words.")],
    world: WorldOption = LIVE,
    as_json: JsonOption = False,
) -> None:
    """Choose ways out; their orders are placed at once."""
    with Client(world) as client:
        whole = _round(client, case_id)
        known = [o["alternative_id"] for line in whole["lines"] for o in line["options"]]
        picked = []
        for start in alternatives:
            fits = [one for one in known if one.startswith(start)]
            if len(fits) != 1:
                raise NotFound(
                    f"{len(fits)} alternatives of this case start with {start}: `crossdock options {case_id}` lists them."
                )
            picked += fits
        body = {"alternative_ids": picked, "rationale": rationale}
        answer = client.post("procurement", f"/sourcings/{whole['sourcing_id']}/choose", body)
    emit(answer, as_json=as_json, show=lambda: say(f"{len(picked)} chosen; the orders are placed."))


def decline(
    case_id: CaseId,
    line: Annotated[str, typer.Option(help="The line's id, or the start of it.")],
    reason: Annotated[str, typer.Option(help="Why no way out is taken.")],
    world: WorldOption = LIVE,
    as_json: JsonOption = False,
) -> None:
    """Say that no way out is taken for a line."""
    with Client(world) as client:
        whole = _round(client, case_id)
        fits = [one["line_id"] for one in whole["lines"] if one["line_id"].startswith(line)]
        if len(fits) != 1:
            raise NotFound(
                f"{len(fits)} lines of this case start with {line}: `crossdock options {case_id} --json` lists them."
            )
        answer = client.post(
            "procurement", f"/sourcings/{whole['sourcing_id']}/decline", {"line_id": fits[0], "reason": reason}
        )
    emit(answer, as_json=as_json, show=lambda: say("Declined."))


def notices(
    world: WorldOption = LIVE,
    case: Annotated[str | None, typer.Option(help="Only of this case.")] = None,
    state: Annotated[str | None, typer.Option(help="drafted, approved, sent, failed, superseded or withdrawn.")] = None,
    limit: Annotated[int, typer.Option(help="At most this many rows.", min=1)] = 50,
    as_json: JsonOption = False,
) -> None:
    """List what customers were told, or would be."""
    with Client(world) as client:
        case_id = find_id(client, "cases", case) if case else None
        items = all_pages(client, "sales", "/notices", {"case": case_id, "state": state}, most=limit)
    rows = [
        (n["notice_id"][:8], n["case_id"][:8], n["customer"], n["state"], n["revision"], n["sent_at"], n["reason"])
        for n in items
    ]
    columns = ("Notice", "Case", "Customer", "State", "Revision", "Sent", "Reason")
    emit(
        items, as_json=as_json, show=lambda: table(columns, rows) if rows else say(f"No notice fits in world {world}.")
    )


def approve(
    notice_id: Annotated[str, typer.Argument(help="The notice's id, or the start of it.")],
    world: WorldOption = LIVE,
    show: Annotated[bool, typer.Option("--dry-run", help="Only show the words that the customer would read.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Approve a drafted notice: its promises are revised, and it goes."""
    with Client(world) as client:
        whole = find_id(client, "notices", notice_id, service="sales")
        if show:
            drafted = client.get("sales", f"/notices/{whole}")
            emit(drafted, as_json=as_json, show=lambda: say(drafted["text"]))
            return
        answer = client.post("sales", f"/notices/{whole}/approve", {})
    emit(answer, as_json=as_json, show=lambda: say(f"Notice {whole[:8]} to {answer['customer']} is approved and goes."))
