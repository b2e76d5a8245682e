"""Working-hours time of a case: the calendar of the function that holds it, less pauses and what the clock leaves out.

Intervals are half-open pairs of microseconds, sorted and apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from velocity.case import HANDOFF_KINDS, Case, ClockFact, instant, micros
from velocity.event_log import Calendar
from velocity.measure import Clock, Measure, clock_of

Interval = tuple[int, int]
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Working:
    """What a case took in working hours, and for how long it was paused, for which reasons."""

    working_us: int
    paused: Mapping[str, int]
    endless: bool  # a pause had not ended when the case did
    unknown_calendar: bool  # a function that held the case has no calendar in the log


def working(case: Case, measured: Measure, calendars: Mapping[str, Calendar]) -> Working:
    """Return the working-hours time from identified to implemented, or to where the clock stands."""
    facts = sorted(case.facts.values(), key=lambda f: (f.occurred_us, f.order))
    clock = clock_of(case, measured.identified_us)
    window = (measured.identified_us, _end(measured, clock))
    running = subtract([window], clock.breaks)
    pauses, endless = _pauses(facts, window[1])
    worked, unknown = 0, False
    for holder, since, until in _holders(facts, window):
        held = intersect(subtract(running, [pause[:2] for pause in pauses]), [(since, until)])
        calendar = calendars.get(holder)
        if calendar is None:
            unknown = True
            worked += length(held)
        else:
            worked += length(intersect(held, open_hours(calendar, since, until)))
    paused: dict[str, int] = {}
    for start, end, reason in pauses:
        if lasted := length(intersect(running, [(start, end)])):
            paused[reason] = paused.get(reason, 0) + lasted
    return Working(worked, paused, endless, unknown)


def _end(measured: Measure, clock: Clock) -> int:
    """Return the instant at which the clock shows T6, or the elapsed time of a case without it."""
    elapsed = measured.elapsed_us if measured.decision_us is None else measured.decision_us
    end = measured.identified_us + elapsed
    for stopped, again in clock.breaks:
        if stopped < end:
            end += again - stopped
    return end


def _holders(facts: list[ClockFact], window: Interval) -> list[tuple[str, int, int]]:
    """Return who held the case from when to when: the first required task's function, then each taker."""
    first_task = min((f for f in facts if f.kind == "task.opened" and f.required), key=lambda f: f.order, default=None)
    holder, since = "" if first_task is None else first_task.function, window[0]
    held = []
    for fact in facts:
        if fact.kind in HANDOFF_KINDS:
            again = min(max(fact.occurred_us, since), window[1])
            held.append((holder, since, again))
            holder, since = fact.more[1], again
    return [one for one in [*held, (holder, since, window[1])] if one[1] < one[2]]


def _pauses(facts: list[ClockFact], end: int) -> tuple[list[tuple[int, int, str]], bool]:
    """Return the pauses before the end with their reasons; a pause within a pause changes nothing."""
    pauses: list[tuple[int, int, str]] = []
    since: ClockFact | None = None
    for fact in facts:
        if fact.occurred_us >= end:
            break
        if fact.kind == "case.paused" and since is None:
            since = fact
        elif fact.kind == "case.resumed" and since is not None:
            pauses.append((since.occurred_us, fact.occurred_us, since.more[0]))
            since = None
    if since is not None:
        pauses.append((since.occurred_us, end, since.more[0]))
    return pauses, since is not None


def open_hours(calendar: Calendar, since: int, until: int) -> list[Interval]:
    """Return when the calendar is open between two instants; a day that it does not name is not worked."""
    day = instant(since).astimezone(calendar.zone).date() - DAY
    last = instant(until).astimezone(calendar.zone).date()
    hours = []
    while day <= last:
        if day.weekday() in calendar.weekdays and day not in calendar.holidays:
            closing = day if calendar.closes > calendar.opens else day + DAY
            hours.append((_local(day, calendar.opens, calendar), _local(closing, calendar.closes, calendar)))
        day += DAY
    return intersect(hours, [(since, until)])


def _local(day: date, at: time, calendar: Calendar) -> int:
    """Return the instant of a local time; one that exists twice or not at all is read in standard time."""
    both = [datetime.combine(day, at, calendar.zone).replace(fold=fold).astimezone(UTC) for fold in (0, 1)]
    return micros(max(both))


def intersect(ones: Iterable[Interval], others: Iterable[Interval]) -> list[Interval]:
    """Return what lies in both."""
    others = list(others)
    met = [(max(a, c), min(b, d)) for a, b in ones for c, d in others]
    return [(a, b) for a, b in met if a < b]


def subtract(ones: Iterable[Interval], others: Iterable[Interval]) -> list[Interval]:
    """Return what lies in the ones and in none of the others."""
    left = list(ones)
    for c, d in others:
        left = [(x, y) for a, b in left for x, y in ((a, min(b, c)), (max(a, d), b)) if x < y]
    return left


def length(intervals: Iterable[Interval]) -> int:
    """Return how long intervals are together."""
    return sum(b - a for a, b in intervals)
