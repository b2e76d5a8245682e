"""The figures of the incident log, counted straight from the file: the yardstick for every backfill.

Plain Python over the csv module. It shares no line with `cli/backfill`, `velocity` or any service, on purpose: the same
mistake made twice would agree with itself. The curve is taken case by case, not by a formula over counts.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

Row = dict[str, str]
Incidents = dict[str, list[Row]]


def read_incidents(path: Path) -> Incidents:
    """Read the file as published: gzip, comma, line feeds; the rows of each incident in their order."""
    found: Incidents = {}
    with gzip.open(path, "rt", encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            found.setdefault(row["number"], []).append(row)
    return found


def moment(text: str) -> datetime | None:
    """Read `29/2/2016 01:16`; a question mark is None."""
    if text == "?":
        return None
    day, clock = text.split(" ")
    date, month, year = (int(part) for part in day.split("/"))
    hour, minute = (int(part) for part in clock.split(":"))
    return datetime(year, month, date, hour, minute)


def opened(rows: Sequence[Row]) -> datetime:
    """When the incident was identified."""
    return moment(rows[0]["opened_at"])  # type: ignore[return-value]  # never missing in this file


def ended(rows: Sequence[Row]) -> datetime:
    """When the response was implemented: `resolved_at` of the last row, else its `closed_at`."""
    last = rows[-1]
    return moment(last["resolved_at"]) or moment(last["closed_at"])  # type: ignore[return-value]  # one is there


def acknowledged(rows: Sequence[Row]) -> datetime | None:
    """When the first row that is not New was written."""
    for row in rows:
        if row["incident_state"] != "New":
            return moment(row["sys_updated_at"])
    return None


def handoffs(rows: Sequence[Row]) -> list[datetime]:
    """When a row named another known group than the row before it."""
    times = []
    for place in range(1, len(rows)):
        groups = rows[place - 1]["assignment_group"], rows[place]["assignment_group"]
        if "?" not in groups and groups[0] != groups[1]:
            times.append(moment(rows[place]["sys_updated_at"]))
    return times  # type: ignore[return-value]  # every row says when it was written


def figures(incidents: Iterable[Sequence[Row]], as_of: datetime | None = None) -> dict[str, Any]:
    """Return what is known as of a time; without one, at the end."""
    known = [rows for rows in incidents if as_of is None or opened(rows) <= as_of]
    lasted: list[tuple[timedelta, bool]] = []
    for rows in known:
        over = as_of is None or ended(rows) <= as_of
        lasted.append(((ended(rows) if over else as_of) - opened(rows), over))  # type: ignore[operator]  # as above
    waited: list[tuple[timedelta, bool]] = []  # who is not acknowledged has waited at least until now
    for rows in known:
        at = acknowledged(rows)
        told = at is not None and (as_of is None or at <= as_of)
        waited.append(((at if told else as_of) - opened(rows), told))  # type: ignore[operator]  # all are told at the end
    passed = [at for rows in known for at in handoffs(rows) if as_of is None or at <= as_of]
    return {
        "cases": len(known),
        "open": sum(not over for _, over in lasted),
        "p50_hours": _hours(_quantile(lasted, Fraction(1, 2))),
        "p90_hours": _hours(_quantile(lasted, Fraction(1, 10))),
        "p95_hours": _hours(_quantile(lasted, Fraction(1, 20))),
        "naive_p50_hours": _hours(_middle([time for time, over in lasted if over])),
        "handoffs": len(passed),
        "acknowledge_p50_hours": _hours(_quantile(waited, Fraction(1, 2))),
        "findings": sum(told and time < timedelta() for time, told in waited),
    }


def _quantile(lasted: Sequence[tuple[timedelta, bool]], left: Fraction) -> timedelta | None:
    """Return when no more than `left` of the cases are still open: product over times, the open ones leave unseen."""
    at_risk, survive = len(lasted), Fraction(1)
    ends: dict[timedelta, list[bool]] = {}
    for time, over in lasted:
        ends.setdefault(time, []).append(over)
    for time in sorted(ends):
        survive *= 1 - Fraction(sum(ends[time]), at_risk)
        at_risk -= len(ends[time])
        if survive <= left:
            return time
    return None


def _middle(times: list[timedelta]) -> timedelta | None:
    if not times:
        return None
    times.sort()
    return (times[(len(times) - 1) // 2] + times[len(times) // 2]) / 2


def _hours(time: timedelta | None) -> float | None:
    return None if time is None else round(time / timedelta(hours=1), 4)
