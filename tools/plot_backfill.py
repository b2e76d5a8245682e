"""Draw what a backfill world says week by week: `python -m tools.plot_backfill backfill --since 2016-05-01`.

Two lines over the same cases: the median with the open cases counted, and that of the closed ones alone. Asked from the
running world by as-of answers, written as SVG; the log itself is nowhere in it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cli.backfill.importing import ask_velocity
from cli.client import Client
from cli.roles import RoleTokens
from cli.service_client import ServiceClient
from cli.stack.recipe import SERVICES

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 300, 56, 110, 34, 44
GRID_HOURS = 10
OUT = Path(__file__).resolve().parent.parent / "docs" / "backfill.svg"


class Week(NamedTuple):
    """What was known on one day."""

    day: datetime
    honest: float
    naive: float


def ask(world: str, since: datetime, weeks: int) -> list[Week]:
    """Ask for the figures as of each week."""
    found = []
    with Client(world) as client:
        doors = ServiceClient({n: u for n, u in client.addresses().items() if n in SERVICES}, RoleTokens(client))
        try:
            for number in range(weeks):
                day = since + timedelta(weeks=number)
                said = ask_velocity(doors, as_of=day)
                found.append(Week(day, said["p50_hours"], said["naive_p50_hours"]))
        finally:
            doors.close()
    return found


def draw(weeks: Sequence[Week]) -> str:
    """Return the plot."""
    top = (max(max(w.honest, w.naive) for w in weeks) // GRID_HOURS + 1) * GRID_HOURS

    def x(number: float) -> float:
        return round(LEFT + number * (WIDTH - LEFT - RIGHT) / (len(weeks) - 1), 1)

    def y(hours: float) -> float:
        return round(HEIGHT - BOTTOM - hours * (HEIGHT - TOP - BOTTOM) / top, 1)

    def line(name: str, colour: str, values: Sequence[float]) -> str:
        points = " ".join(f"{x(number)},{y(value)}" for number, value in enumerate(values))
        last_y = y(values[-1]) + (4 if name[0] == "o" else 18)
        first_y = y(values[0]) + (-8 if name[0] == "o" else 18)
        ends = f'<text x="{x(len(values) - 1) + 8}" y="{last_y}" fill="{colour}">{name}</text>'
        first = f'<text x="{x(0) + 6}" y="{first_y}" fill="{colour}">{values[0]:.1f} h</text>'
        return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>{first}{ends}'

    grid = "".join(
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(h)}" y2="{y(h)}" stroke="#ddd"/>'
        f'<text x="{LEFT - 8}" y="{y(h) + 4}" text-anchor="end" fill="#555">{h:.0f} h</text>'
        for h in range(0, int(top) + 1, GRID_HOURS)
    )
    days = "".join(
        f'<text x="{x(number)}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle" fill="#555">'
        f"{weeks[number].day:%d %b}</text>"
        for number in range(0, len(weeks), 4)
    )
    title = "Median response, asked week by week about the same cases"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        ' font-family="sans-serif" font-size="12">'
        '<rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="{LEFT}" y="18" font-size="14">{title}</text>{grid}{days}'
        f"{line('open counted', '#0b6e4f', [w.honest for w in weeks])}"
        f"{line('closed alone', '#b3261e', [w.naive for w in weeks])}"
        f'<text x="{LEFT}" y="{HEIGHT - 6}" fill="#555">day on which it was asked</text></svg>\n'
    )


def main(arguments: list[str] | None = None) -> int:
    """Ask and draw; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("world")
    parser.add_argument("--since", required=True)
    parser.add_argument("--weeks", type=int, default=13)
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args(arguments)
    weeks = ask(asked.world, datetime.fromisoformat(asked.since).replace(tzinfo=UTC), asked.weeks)
    asked.out.write_text(draw(weeks), encoding="utf-8")
    for week in weeks:
        print(f"{week.day:%Y-%m-%d}  open counted {week.honest:8.2f} h  closed alone {week.naive:8.2f} h")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
