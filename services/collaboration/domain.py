"""What functions, people, calendars, rosters and the ladder are, and how they may change; pure.

Deadlines and escalations elsewhere follow these facts (FLOW 5.5), so what cannot work is refused here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from itertools import pairwise
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chassis.errors import Invalid
from schemas.base import Event
from schemas.collaboration import CalendarChanged, Duty, LadderChanged, RosterChanged, Rung
from schemas.types import Function, subject_id

HOLIDAYS_MAX = 4000
DUTIES_MAX = 2000
RUNGS_MAX = 10


class UnknownZone(Invalid):
    """The zone is not an IANA name."""

    code = "unknown-zone"


class ClosesBeforeOpens(Invalid):
    """Working hours end before they start."""

    code = "closes-before-opens"


class NoWeekdays(Invalid):
    """A calendar without a working day: no deadline could ever be counted in it."""

    code = "no-weekdays"


class TooMany(Invalid):
    """A list is longer than anything that can be meant."""

    code = "too-many"


class DutyEndsBeforeItStarts(Invalid):
    """A duty that ends at or before its start."""

    code = "duty-ends-before-it-starts"


class OverlappingDuties(Invalid):
    """Two people would be on duty for one function at the same time."""

    code = "overlapping-duties"


class UnknownPerson(Invalid):
    """A duty names somebody who is not registered."""

    code = "unknown-person"


class UnknownCalendar(Invalid):
    """A ladder counts its minutes in a calendar that is not kept here."""

    code = "unknown-calendar"


class UnsoundLadder(Invalid):
    """A ladder without rungs, or one that tells the same role twice."""

    code = "unsound-ladder"


@dataclass(frozen=True, slots=True)
class FunctionEntry:
    """One of the functions that work together, with its name for people."""

    function_id: UUID
    code: Function
    name: str
    occurred_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works for a function; `contact` is not for everybody."""

    person_id: UUID
    code: str
    name: str
    function: Function
    zone: str
    contact: str | None
    occurred_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Calendar:
    """When people work: weekdays from Monday = 0, times local to `zone`; equal times mean the whole day."""

    calendar_id: UUID
    code: str
    zone: str
    weekdays: tuple[int, ...]
    opens: time
    closes: time
    holidays: tuple[date, ...]
    occurred_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Roster:
    """Who is on duty for a function, turn by turn; nobody means the function's role."""

    roster_id: UUID
    function: Function
    duties: tuple[Duty, ...]
    occurred_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Ladder:
    """Who is told next when a deadline passes, and how many working minutes after the step before."""

    ladder_id: UUID
    code: str
    calendar: str
    rungs: tuple[Rung, ...]
    max_escalations: int
    occurred_at: datetime
    recorded_at: datetime


def function_id(code: str) -> UUID:
    """Return the id of a function."""
    return subject_id("function", "master", code)


def person_id(code: str) -> UUID:
    """Return the id of a person."""
    return subject_id("person", "master", code)


def calendar_id(code: str) -> UUID:
    """Return the id that every service derives for a calendar."""
    return subject_id("calendar", "master", code)


def roster_id(function: str) -> UUID:
    """Return the id that every service derives for a function's roster."""
    return subject_id("roster", "master", function)


def ladder_id(code: str) -> UUID:
    """Return the id that every service derives for a ladder."""
    return subject_id("ladder", "master", code)


T = TypeVar("T", FunctionEntry, Person, Calendar, Roster, Ladder)


def _unless_unchanged(before: T | None, now: T) -> T:
    """Return what was kept before when nothing but the time differs, so that saying it again changes nothing."""
    if before is not None and replace(now, occurred_at=before.occurred_at, recorded_at=before.recorded_at) == before:
        return before
    return now


def change_function(
    before: FunctionEntry | None, *, code: Function, name: str, now: datetime
) -> tuple[FunctionEntry, list[Event]]:
    """Make a function or change its name."""
    return _unless_unchanged(before, FunctionEntry(function_id(code), code, name, now, now)), []


def change_person(
    before: Person | None, *, code: str, name: str, function: Function, zone: str, contact: str | None, now: datetime
) -> tuple[Person, list[Event]]:
    """Make a person or change what is known of one; raises UnknownZone."""
    must_be_zone(zone)
    return _unless_unchanged(before, Person(person_id(code), code, name, function, zone, contact, now, now)), []


def change_calendar(
    before: Calendar | None,
    *,
    code: str,
    zone: str,
    weekdays: tuple[int, ...],
    opens: time,
    closes: time,
    holidays: tuple[date, ...],
    now: datetime,
) -> tuple[Calendar, list[Event]]:
    """Make a calendar or change it; raises UnknownZone, NoWeekdays, ClosesBeforeOpens, TooMany."""
    must_be_zone(zone)
    if not weekdays:
        raise NoWeekdays("a calendar needs at least one working day; weekdays count from Monday = 0", field="weekdays")
    if wrong := [day for day in weekdays if not 0 <= day <= 6]:
        raise NoWeekdays(f"weekday {wrong[0]}: expected 0 (Monday) to 6 (Sunday)", field="weekdays")
    if closes < opens:
        raise ClosesBeforeOpens(
            f"closes at {closes:%H:%M}, before it opens at {opens:%H:%M}; equal times mean the whole day",
            field="closes",
        )
    if len(holidays) > HOLIDAYS_MAX:
        raise TooMany(f"{len(holidays)} holidays; at most {HOLIDAYS_MAX} are kept", field="holidays")
    calendar = Calendar(
        calendar_id(code),
        code,
        zone,
        tuple(sorted(set(weekdays))),
        opens,
        closes,
        tuple(sorted(set(holidays))),
        now,
        now,
    )
    if (current := _unless_unchanged(before, calendar)) is before:
        return current, []
    event = CalendarChanged(
        calendar_id=current.calendar_id,
        code=current.code,
        zone=current.zone,
        weekdays=current.weekdays,
        opens=current.opens,
        closes=current.closes,
        holidays=current.holidays,
        occurred_at=now,
    )
    return current, [event]


def change_roster(
    before: Roster | None, *, function: Function, duties: tuple[Duty, ...], people: frozenset[str], now: datetime
) -> tuple[Roster, list[Event]]:
    """Set all duties of a function; `people` are the registered ones among those named.

    Raises UnknownPerson, DutyEndsBeforeItStarts, OverlappingDuties, TooMany.
    """
    if len(duties) > DUTIES_MAX:
        raise TooMany(f"{len(duties)} duties; at most {DUTIES_MAX} are kept, leave out what is over", field="duties")
    in_order = tuple(sorted(duties, key=lambda duty: (duty.starts_at, duty.ends_at, duty.person)))
    for duty in in_order:
        if duty.person not in people:
            raise UnknownPerson(f"{duty.person!r} is not registered; add the person first", field="duties")
        if duty.ends_at <= duty.starts_at:
            raise DutyEndsBeforeItStarts(f"the duty of {_turn(duty)} ends before it starts", field="duties")
    for one, other in pairwise(in_order):
        if other.starts_at < one.ends_at:
            raise OverlappingDuties(f"the duties of {_turn(one)} and of {_turn(other)} overlap", field="duties")
    roster = Roster(roster_id(function), function, in_order, now, now)
    if (current := _unless_unchanged(before, roster)) is before:
        return current, []
    event = RosterChanged(
        roster_id=current.roster_id, function=current.function, duties=current.duties, occurred_at=now
    )
    return current, [event]


def change_ladder(
    before: Ladder | None,
    *,
    code: str,
    calendar: str,
    rungs: tuple[Rung, ...],
    max_escalations: int,
    calendar_exists: bool,
    now: datetime,
) -> tuple[Ladder, list[Event]]:
    """Make a ladder or change it; raises UnknownCalendar, UnsoundLadder."""
    if not calendar_exists:
        raise UnknownCalendar(f"calendar {calendar!r} is not kept here; make it first", field="calendar")
    if not 1 <= len(rungs) <= RUNGS_MAX:
        raise UnsoundLadder(f"{len(rungs)} rungs; expected 1 to {RUNGS_MAX}", field="rungs")
    roles = [rung.role for rung in rungs]
    if len(set(roles)) < len(roles):
        raise UnsoundLadder("two rungs tell the same role; each rung is another one", field="rungs")
    ladder = Ladder(ladder_id(code), code, calendar, rungs, max_escalations, now, now)
    if (current := _unless_unchanged(before, ladder)) is before:
        return current, []
    event = LadderChanged(
        ladder_id=current.ladder_id,
        code=current.code,
        calendar=current.calendar,
        rungs=current.rungs,
        max_escalations=current.max_escalations,
        occurred_at=now,
    )
    return current, [event]


def must_be_zone(zone: str) -> None:
    """Raise UnknownZone unless this is the name of an IANA time zone."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownZone(f"{zone!r} is not an IANA time zone such as Europe/Paris or UTC", field="zone") from error


def _turn(duty: Duty) -> str:
    starts, ends = duty.starts_at.astimezone(UTC), duty.ends_at.astimezone(UTC)
    return f"{duty.person} ({starts:%Y-%m-%d %H:%M} to {ends:%Y-%m-%d %H:%M} UTC)"
