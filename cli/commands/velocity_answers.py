"""`velocity by`, `velocity phases`, `velocity overdue`: what people ask of many cases, as text with small plots."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from cli.client import Client
from cli.commands.lookup import ago, seconds
from cli.output import JsonOption, WorldOption, emit, say, table
from cli.stack.world_plan import LIVE

WIDTH = 20
FULL, LIGHT, MORE = "█", "░", "→"
EIGHTHS = " ▏▎▍▌▋▊▉"
NOT_KNOWN = "Value at risk is not told to the scorecard: what a function's last act cost is shown in time alone."


class By(StrEnum):
    """What the cases may be grouped by."""

    KIND = "kind"
    SEVERITY = "severity"
    FUNCTION = "function"
    WEEK = "week"
    PAIR = "pair"


Kind = Annotated[str | None, typer.Option(help="Only of this kind of cause.")]
Severity = Annotated[str | None, typer.Option(help="Only of this severity.")]
Since = Annotated[datetime | None, typer.Option(help="Only cases identified since then.")]


def register(group: typer.Typer) -> None:
    """Add the questions about many cases to the group `velocity`."""
    group.command("by", epilog="Example: crossdock velocity by severity --world demo")(by)
    group.command("phases", epilog="Example: crossdock velocity phases --kind shortage")(phases)
    group.command("overdue", epilog="Example: crossdock velocity overdue --severity critical --json")(overdue)


def by(
    what: Annotated[By, typer.Argument(help="kind, severity, function (last to act), week, or pair (hand-overs).")],
    world: WorldOption = LIVE,
    kind: Kind = None,
    severity: Severity = None,
    since: Since = None,
    as_of: Annotated[datetime | None, typer.Option(help="Only what was known then.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show p50 and p90 of each group as bars, open cases included; a function or pair with under five cases is hidden."""
    answer = _query(world, f"/velocity/by/{what.value}", kind, severity, since, as_of)
    emit(answer, as_json=as_json, show=lambda: _cells(answer))


def phases(
    world: WorldOption = LIVE,
    kind: Kind = None,
    severity: Severity = None,
    since: Since = None,
    as_json: JsonOption = False,
) -> None:
    """Show where the time goes: blind time beside the phases of the response."""
    answer = _query(world, "/velocity/phases", kind, severity, since)
    emit(answer, as_json=as_json, show=lambda: _phases(answer))


def overdue(
    world: WorldOption = LIVE,
    kind: Kind = None,
    severity: Severity = None,
    since: Since = None,
    as_json: JsonOption = False,
) -> None:
    """Show the open cases that have lasted longer than nine of ten took, the longest first."""
    answer = _query(world, "/velocity/overdue", kind, severity, since)
    emit(answer, as_json=as_json, show=lambda: _overdue(answer))


def _query(
    world: str, path: str, kind: str | None, severity: str | None, since: datetime | None, as_of: datetime | None = None
) -> dict[str, Any]:
    times = {"since": since, "as_of": as_of}
    query = {"kind": kind, "severity": severity, **{name: _utc(at) for name, at in times.items()}}
    with Client(world) as client:
        answer: dict[str, Any] = client.get(
            "scorecard", path, {name: value for name, value in query.items() if value is not None}
        )
    return answer


def _utc(at: datetime | None) -> str | None:
    """Return an instant as the API takes it; one without a zone is UTC."""
    return None if at is None else (at if at.tzinfo else at.replace(tzinfo=UTC)).isoformat()


def bar(middle: int | None, far: int | None, longest: int) -> str:
    """Return a bar that is full to the p50 and light to the p90; an arrow where the p90 is not reached."""
    if middle is None or not longest:
        return MORE if middle is None else ""
    eighths = round(middle / longest * WIDTH * 8)
    solid = FULL * (eighths // 8) + EIGHTHS[eighths % 8].strip()
    if far is None:
        return solid + MORE
    return solid + LIGHT * max(0, round(far / longest * WIDTH) - len(solid))


def _cells(answer: dict[str, Any]) -> None:
    items = answer["items"]
    if not items:
        say("No case fits: there is nothing to measure.")
        return
    longest = max((item["p90_us"] or item["p50_us"] or 0) for item in items)
    extra = {"function": "Last to act", "pair": "Hand-overs"}.get(answer["by"])
    heads = (
        answer["by"].capitalize(),
        "Cases",
        *([extra] if extra else []),
        "p50",
        "p90",
        f"In {seconds(answer['target_us'])}",
        "",
    )
    table(heads, [_row(item, extra is not None, longest) for item in items])
    say(f"{FULL} p50, {LIGHT} p90, {MORE} not reached; open and cleared cases are censored.")
    if answer["unknown"]:
        say(NOT_KNOWN)


def _row(item: dict[str, Any], extra: bool, longest: int) -> tuple[Any, ...]:
    name = item["cell"] if item["to"] is None else f"{item['cell']} to {item['to']}"
    more = (f"{item['share']:.1%}" if item["share"] is not None else item["handoffs"],) if extra else ()
    if item["hidden"]:
        return (name, item["n"], *more, "hidden", "hidden", "", "")
    within = "" if item["within_target"] is None else f"{item['within_target']:.0%}"
    plot = bar(item["p50_us"], item["p90_us"], longest)
    return (name, item["n"], *more, seconds(item["p50_us"]), seconds(item["p90_us"]), within, plot)


def _phases(answer: dict[str, Any]) -> None:
    spans = [answer["blind"], *answer["response"]]
    if not any(span["finished"] or span["standing"] for span in spans):
        say("No case fits: there is nothing to measure.")
        return
    longest = max(span["total_us"] for span in spans)
    table(
        ("Phase", "Ended", "Stand in it", "p50", "p90", "Of all time", ""),
        [
            (
                s["phase"],
                s["finished"],
                s["standing"],
                seconds(s["p50_us"]),
                seconds(s["p90_us"]),
                "" if s["share"] is None else f"{s['share']:.1%}",
                bar(s["total_us"], s["total_us"], longest),
            )
            for s in spans
        ],
    )
    say(f"Blind {seconds(answer['blind_us'])}, response {seconds(answer['response_us'])}, over all cases.")


def _overdue(answer: dict[str, Any]) -> None:
    if answer["p90_us"] is None:
        say("The p90 is not reached yet: no open case can be beyond it.")
        return
    say(f"{answer['count']} open cases have lasted longer than the p90, {seconds(answer['p90_us'])}.")
    if answer["items"]:
        longest = answer["items"][0]["elapsed_us"]
        table(
            ("Case", "Kind", "Severity", "Identified", "Open for", ""),
            [
                (
                    i["case_id"][:8],
                    i["cause_kind"],
                    i["severity"],
                    ago(i["identified_at"]),
                    seconds(i["elapsed_us"]),
                    bar(answer["p90_us"], i["elapsed_us"], longest),
                )
                for i in answer["items"]
            ],
        )
