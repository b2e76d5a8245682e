"""How a case is kept: the aggregate, its facts, its timeline and its timers change together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from chassis.persistence.database import Tx
from chassis.runtime import metrics as chassis_metrics
from chassis.scheduling.calendars import Calendar
from schemas.base import Event
from services.exceptions import domain, metrics, repository

_DAYS_SEARCHED_MAX = 3660


def record_case(tx: Tx, *, before: domain.Case | None, case: domain.Case, facts: Sequence[Event]) -> domain.Case:
    """Save a case, say its facts, write its timeline and set the timers that it asks for; returns it as kept."""
    case = domain.with_next_deadline(case)
    repository.save_case(tx, case)
    tx.emit(facts)
    for fact in facts:
        repository.add_to_timeline(tx, fact)
        tx.count(metrics.acts.labels(fact.event_name))
    timers = domain.deadlines_of(case)
    pending = {} if before is None else domain.deadlines_of(before)
    for name, subject in pending.keys() - timers.keys():
        tx.disarm(name, subject)
    for (name, subject), deadline in timers.items():
        if pending.get((name, subject)) != deadline:
            tx.arm(
                name,
                subject,
                due_at=deadline.due_at,
                rule=deadline.rule,
                rule_key=deadline.rule_key,
                detail=deadline.detail,
            )
    return case


def rulebook(tx: Tx, *, kind: str, calendar: str | None = None) -> domain.Rulebook | None:
    """Return what a cause kind's cases go by now, or None while its playbook or the thresholds are missing."""
    repository.read_rules(tx, kind, calendar)
    playbook, thresholds = repository.read_playbook(tx, kind), repository.read_thresholds(tx)
    if playbook is None or thresholds is None:
        playbook, thresholds = repository.hold_rules(tx, kind)
    if playbook is None or thresholds is None:
        return None
    due, calendar_known = due_by(tx, code=calendar or playbook.calendar)
    return domain.Rulebook(playbook=playbook, thresholds=thresholds, due=due, calendar_known=calendar_known)


def due_by(tx: Tx, *, code: str) -> tuple[domain.Due, bool]:
    """Return how spans end by a calendar, and whether it is known; an unknown one is UTC and seven days (FLOW 5.5)."""
    stored = repository.read_calendar(tx, code)
    if stored is None:
        tx.count(chassis_metrics.calendars_unknown_total.labels(tx.database.service))
        calendar = Calendar(code=code)
    else:
        calendar = calendar_of(tx, stored=stored)

    def due(span: domain.WorkingDuration, start: datetime) -> datetime:
        if span.days is None:
            return calendar.add_working_minutes(start, span.minutes or 0)
        return _end_of_working_day(calendar, start, span.days)

    return due, stored is not None


def calendar_of(tx: Tx, *, stored: domain.KnownCalendar) -> Calendar:
    """Return the chassis' calendar of one that was heard."""
    return Calendar(
        code=stored.code,
        zone=stored.zone,
        weekdays=stored.weekdays,
        opens=stored.opens,
        closes=stored.closes,
        holidays=frozenset(stored.holidays),
    )


def _end_of_working_day(calendar: Calendar, start: datetime, days: int) -> datetime:
    day, left = calendar.local_day(start), days
    for _ in range(_DAYS_SEARCHED_MAX):
        if left == 0:
            return calendar.end_of_day(day)
        day += timedelta(days=1)
        left -= calendar.works_on(day)
    raise ValueError(f"calendar {calendar.code!r} has no {days} working days in ten years")
