"""Draw what a backfilled world said week by week: the honest median beside that of the closed cases alone.

    crossdock login --as planning-lead --world backfill
    python -m tools.draw_backfill backfill docs/backfill.svg --since 2016-03-13 --until 2016-07-31

Every point is an answer of `GET /velocity?as_of=`; nothing is computed here.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from cli.client import Client

US_PER_HOUR = 3_600_000_000
WIDTH, HEIGHT, LEFT, RIGHT, TOP, FOOT = 720, 340, 50, 20, 40, 40
TICK_HOURS = 20
STYLE = "text{font:12px sans-serif;fill:#333}line,polyline{fill:none}"


class Week(NamedTuple):
    """What was said as of the beginning of a day."""

    day: date
    open: int
    honest: float | None
    naive: float | None


def ask(client: Client, days: Iterable[date]) -> Iterator[Week]:
    """Return the world's own answers."""
    for day in days:
        said = client.get("scorecard", "/velocity", {"kind": "incident", "as_of": f"{day}T00:00:00Z"})
        yield Week(day, said["open"], _hours(said["p50_us"]), _hours(said["naive_p50_us"]))


def _hours(us: int | None) -> float | None:
    return None if us is None else us / US_PER_HOUR


def draw(weeks: list[Week]) -> str:
    """Return the plot as SVG."""
    highest = max(hours for week in weeks for hours in (week.honest, week.naive) if hours is not None)
    top = (int(highest) // TICK_HOURS + 1) * TICK_HOURS
    span = max(1, (weeks[-1].day - weeks[0].day).days)

    def at(day: date, hours: float) -> tuple[float, float]:
        across = LEFT + (WIDTH - LEFT - RIGHT) * (day - weeks[0].day).days / span
        return round(across, 1), round(HEIGHT - FOOT - (HEIGHT - FOOT - TOP) * hours / top, 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"><style>{STYLE}</style>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
    ]
    for hours in range(0, top + 1, TICK_HOURS):
        _, y = at(weeks[0].day, hours)
        parts.append(f'<line x1="{LEFT}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{hours}</text>')
    for week in weeks[::4]:
        x, _ = at(week.day, 0)
        parts.append(f'<text x="{x}" y="{HEIGHT - FOOT + 18}" text-anchor="middle">{week.day}</text>')
    parts += _line(weeks, at, lambda week: week.honest, "#1b6ca8", "open cases counted", TOP - 22)
    parts += _line(weeks, at, lambda week: week.naive, "#c0392b", "closed cases alone", TOP - 6)
    return "\n".join([*parts, f'<text x="4" y="{TOP - 22}">hours</text>', "</svg>", ""])


def _line(
    weeks: list[Week], at: Callable[[date, float], tuple[float, float]], of: Callable[[Week], float | None],
    colour: str, name: str, legend: int,
) -> list[str]:  # fmt: skip
    points = [at(week.day, hours) for week in weeks if (hours := of(week)) is not None]
    return [
        f'<polyline stroke="{colour}" stroke-width="2" points="{" ".join(f"{x},{y}" for x, y in points)}"/>',
        f'<text x="{WIDTH - RIGHT}" y="{legend}" text-anchor="end" style="fill:{colour}">{name}</text>',
    ]


def main() -> int:
    """Ask the world and write the plot."""
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("world")
    wanted.add_argument("file", type=Path)
    wanted.add_argument("--since", type=date.fromisoformat, required=True)
    wanted.add_argument("--until", type=date.fromisoformat, required=True)
    told = wanted.parse_args()
    days = [told.since + timedelta(weeks=week) for week in range((told.until - told.since).days // 7 + 1)]
    with Client(told.world) as client:
        weeks = list(ask(client, days))
    told.file.write_text(draw(weeks), encoding="utf-8")
    for week in weeks:
        print(f"{week.day}  open {week.open}  honest {week.honest}  naive {week.naive}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
