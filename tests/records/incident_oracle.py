"""The figures of the incident log, counted straight from the file: the yardstick for every backfill.

Plain Python over the csv module, fractions instead of floats. It shares no line with `cli/backfill`, `velocity` or any
service, on purpose: the same mistake made twice would agree with itself.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import groupby, pairwise
from pathlib import Path
from statistics import median
from typing import NamedTuple

Row = dict[str, str]
UNKNOWN = "?"


class Incident(NamedTuple):
    """What the rows of one incident say; what is written backwards counts from its own time on."""

    number: str
    opened: datetime
    acknowledged: datetime | None
    done: datetime | None
    handed_over: tuple[datetime, ...]


def read_rows(path: Path) -> list[Row]:
    """Read the file as published: gzip, comma, line feeds."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def first_incidents(rows: Iterable[Row], incidents: int) -> list[Row]:
    """Return the rows of the first so many incidents, in the order of the file."""
    kept: list[Row] = []
    seen: set[str] = set()
    for row in rows:
        if row["number"] not in seen and len(seen) == incidents:
            continue
        seen.add(row["number"])
        kept.append(row)
    return kept


def as_file(rows: list[Row]) -> bytes:
    """Write rows as a file like the published one."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return gzip.compress(text.getvalue().encode(), mtime=0)


def written(text: str) -> datetime | None:
    """Read `29/2/2016 01:16`."""
    return None if text == UNKNOWN else datetime.strptime(text, "%d/%m/%Y %H:%M")


def incidents(rows: Iterable[Row]) -> list[Incident]:
    """Return one entry per incident."""
    updates: dict[str, list[Row]] = {}
    for row in rows:
        updates.setdefault(row["number"], []).append(row)
    return [_incident(number, told) for number, told in updates.items()]


def _incident(number: str, told: list[Row]) -> Incident:
    opened = written(told[0]["opened_at"])
    assert opened is not None, number
    taken = [row for row in told if row["incident_state"] != "New"]
    done = written(told[-1]["resolved_at"]) or written(told[-1]["closed_at"])
    moved: list[datetime] = []
    for before, after in pairwise(told):
        groups = (before["assignment_group"], after["assignment_group"])
        at = written(after["sys_updated_at"])
        if UNKNOWN not in groups and groups[0] != groups[1] and at is not None:
            moved.append(at)
    return Incident(number, opened, written(taken[0]["sys_updated_at"]) if taken else None, done, tuple(moved))


def figures(rows: Iterable[Row], as_of: datetime = datetime.max) -> dict[str, float | int | None]:
    """Return what `crossdock backfill responses --json` must say, of all or of what was known at a time."""
    known = [one for one in incidents(rows) if one.opened <= as_of]
    closed = [_hours(one.opened, one.done) for one in known if one.done is not None and one.done <= as_of]
    waiting = [_hours(one.opened, as_of) for one in known if one.done is None or one.done > as_of]
    taken: list[Fraction] = []
    untaken: list[Fraction] = []
    for one in known:
        if one.acknowledged is not None and one.acknowledged <= as_of:
            taken.append(_hours(one.opened, one.acknowledged))
        else:  # it waited at least until it ended, or until now
            untaken.append(_hours(one.opened, min(one.done or as_of, as_of)))
    return {
        "cases": len(known),
        "open": len(waiting),
        "p50_hours": _told(_reached(closed, waiting, Fraction(50, 100))),
        "p90_hours": _told(_reached(closed, waiting, Fraction(90, 100))),
        "p95_hours": _told(_reached(closed, waiting, Fraction(95, 100))),
        "naive_p50_hours": _told(median(closed) if closed else None),
        "handoffs": sum(at <= as_of for one in known for at in one.handed_over),
        "acknowledge_p50_hours": _told(_reached(taken, untaken, Fraction(50, 100))),
        "findings": sum(hours < 0 for hours in taken),
    }


def _hours(since: datetime, until: datetime) -> Fraction:
    return Fraction((until - since) // timedelta(minutes=1), 60)


def _told(hours: Fraction | None) -> float | None:
    return None if hours is None else round(float(hours), 4)


def _reached(closed: list[Fraction], waiting: list[Fraction], share: Fraction) -> Fraction | None:
    """Return when so large a share had ended, by the product limit: an open case stands at risk until its last look."""
    ends = sorted([(hours, 1) for hours in closed] + [(hours, 0) for hours in waiting])
    at_risk, left = len(ends), Fraction(1)
    for hours, tied in groupby(ends, key=lambda end: end[0]):
        ended = [end for _, end in tied]
        left *= 1 - Fraction(sum(ended), at_risk)
        at_risk -= len(ended)
        if any(ended) and left <= 1 - share:
            return hours
    return None
