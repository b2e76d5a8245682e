"""What can be done here: keep functions, people, calendars, rosters and the ladder, and say so (FLOW 5.5)."""

from __future__ import annotations

from datetime import date, time

from chassis.persistence.database import Tx
from schemas.collaboration import Duty, Rung
from schemas.types import Function
from services.collaboration import domain, metrics, repository


def change_function(tx: Tx, *, code: Function, name: str) -> domain.FunctionEntry:
    """Make a function or change its name."""
    before = repository.find(tx, repository.functions, domain.function_id(code))
    function, events = domain.change_function(before, code=code, name=name, now=tx.now)
    repository.save(tx, repository.functions, function)
    tx.emit(events)
    return function


def change_person(tx: Tx, *, code: str, name: str, function: Function, zone: str, contact: str | None) -> domain.Person:
    """Make a person or change what is known of one; raises UnknownZone."""
    before = repository.find(tx, repository.people, domain.person_id(code))
    person, events = domain.change_person(
        before, code=code, name=name, function=function, zone=zone, contact=contact, now=tx.now
    )
    repository.save(tx, repository.people, person)
    tx.emit(events)
    return person


def change_calendar(
    tx: Tx, *, code: str, zone: str, weekdays: tuple[int, ...], opens: time, closes: time, holidays: tuple[date, ...]
) -> domain.Calendar:
    """Make a calendar or change it, and say so; what hangs on it elsewhere is armed again by whoever hears it."""
    before = repository.find(tx, repository.calendars, domain.calendar_id(code))
    calendar, events = domain.change_calendar(
        before, code=code, zone=zone, weekdays=weekdays, opens=opens, closes=closes, holidays=holidays, now=tx.now
    )
    repository.save(tx, repository.calendars, calendar)
    tx.emit(events)
    tx.count(metrics.rules_changed_total.labels("calendar"), len(events))
    return calendar


def change_roster(tx: Tx, *, function: Function, duties: tuple[Duty, ...]) -> domain.Roster:
    """Set all duties of a function, and say so; raises UnknownPerson, DutyEndsBeforeItStarts, OverlappingDuties."""
    before = repository.find(tx, repository.rosters, domain.roster_id(function))
    people = repository.registered(tx, (duty.person for duty in duties))
    roster, events = domain.change_roster(before, function=function, duties=duties, people=people, now=tx.now)
    repository.save(tx, repository.rosters, roster)
    tx.emit(events)
    tx.count(metrics.rules_changed_total.labels("roster"), len(events))
    return roster


def change_ladder(tx: Tx, *, code: str, calendar: str, rungs: tuple[Rung, ...], max_escalations: int) -> domain.Ladder:
    """Make the ladder or change it, and say so; raises UnknownCalendar, UnsoundLadder."""
    before = repository.find(tx, repository.ladders, domain.ladder_id(code))
    calendar_exists = repository.find(tx, repository.calendars, domain.calendar_id(calendar)) is not None
    ladder, events = domain.change_ladder(
        before,
        code=code,
        calendar=calendar,
        rungs=rungs,
        max_escalations=max_escalations,
        calendar_exists=calendar_exists,
        now=tx.now,
    )
    repository.save(tx, repository.ladders, ladder)
    tx.emit(events)
    tx.count(metrics.rules_changed_total.labels("ladder"), len(events))
    return ladder
