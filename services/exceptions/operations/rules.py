"""Playbooks and thresholds as versioned data, the calendars, rosters and ladders that were heard, and passed deadlines."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from chassis.persistence.database import Tx
from chassis.runtime import log
from chassis.scheduling import timers
from schemas.collaboration import CalendarChanged, LadderChanged, RosterChanged
from schemas.types import CauseKind
from services.exceptions import domain, metrics, queries, repository
from services.exceptions.operations.causes import open_waiting_cases
from services.exceptions.operations.keeping import calendar_of, due_by, record_case

CAUSE_KINDS: tuple[CauseKind, ...] = ("shipment-delay", "shortage")


def upsert_playbook(tx: Tx, *, draft: domain.Playbook) -> domain.Playbook:
    """Make the next version of a playbook, and open the cases that waited for it; raises Invalid, OtherCurrency."""
    repository.change_rules(tx)
    current = repository.find_playbook(tx, draft.kind)
    playbook = domain.next_playbook(draft, current=current, world_currency=tx.database.currency)
    if playbook != current:
        repository.save_playbook(tx, playbook)
        open_waiting_cases(tx, kinds=(draft.kind,))
    return playbook


def upsert_thresholds(tx: Tx, *, draft: domain.Thresholds) -> domain.Thresholds:
    """Make the next version of the thresholds, and open the cases that waited for them; raises OtherCurrency."""
    repository.change_rules(tx)
    current = repository.find_thresholds(tx)
    current_version = domain.next_thresholds(draft, current=current, world_currency=tx.database.currency)
    if current_version != current:
        repository.save_thresholds(tx, current_version)
        open_waiting_cases(tx, kinds=CAUSE_KINDS)
    return current_version


def upsert_calendar(tx: Tx, *, event: CalendarChanged) -> None:
    """Store a calendar, then recompute, re-arm and publish every deadline that uses it (FLOW 5.5).

    A calendar without working time is logged and not stored.
    """
    stored = domain.KnownCalendar(event.code, event.zone, event.weekdays, event.opens, event.closes, event.holidays)
    try:
        calendar_of(tx, stored=stored).add_working_minutes(tx.now, 1)
    except ValueError as error:
        detail = str(error)
        tx.after_commit(lambda: log.get().warning("calendar.unusable", calendar=event.code, detail=detail))
        return
    repository.save_calendar(tx, stored)
    due, _ = due_by(tx, code=event.code)
    for case_id in _cases_of_timers(timers.pending_with_rule(tx, event.code)):
        case = repository.get_case(tx, case_id)
        after, facts = domain.reschedule_tasks(case, due=due, now=tx.now)
        record_case(tx, before=case, case=after, facts=facts)
    for code in queries.ladders_with_calendar(tx, event.code):
        retime_rungs(tx, code=code)


def upsert_roster(tx: Tx, *, event: RosterChanged) -> None:
    """Remember who is on duty; it is read when a deadline passes."""
    duties = tuple(domain.Duty(d.person, d.starts_at, d.ends_at) for d in event.duties)
    repository.save_roster(tx, domain.KnownRoster(event.function, duties))


def upsert_ladder(tx: Tx, *, event: LadderChanged) -> None:
    """Remember a ladder, and time the rungs anew that wait on it (FLOW 5.5)."""
    rungs = tuple(domain.LadderRung(r.role, r.after_minutes) for r in event.rungs)
    repository.save_ladder(tx, domain.KnownLadder(event.code, event.calendar, rungs, event.max_escalations))
    retime_rungs(tx, code=event.code)


def retime_rungs(tx: Tx, *, code: str) -> None:
    """Time the waiting rungs of a ladder anew."""
    pending = timers.pending_with_rule(tx, domain.LADDER_KEY + code)
    ladder = repository.read_ladder(tx, code)
    if ladder is None or not pending:
        return
    due, _ = due_by(tx, code=ladder.calendar)
    for case_id in _cases_of_timers(pending):
        case = repository.get_case(tx, case_id)
        record_case(tx, before=case, case=domain.retime_rungs(case, ladder=ladder, due=due), facts=[])


def _cases_of_timers(pending: list[timers.Timer]) -> list[UUID]:
    return sorted({UUID(timer.detail["case_id"]) for timer in pending})


def escalate_case(tx: Tx, *, case_id: UUID, what: domain.Watched, task_id: UUID | None) -> domain.Case:
    """Tell that a deadline has passed, if what it asked for is still not there."""
    case = repository.get_case(tx, case_id)
    ladder, due = _ladder_of(tx, case)
    after, facts = domain.escalate_case(
        case, what=what, task_id=task_id, ladder=ladder, on_duty=_on_duty(tx), due=due, now=tx.now
    )
    outcome = "told" if facts else ("met" if after == case else "capped")
    tx.count(metrics.escalations.labels(what, outcome))
    return record_case(tx, before=case, case=after, facts=facts)


def escalate_to_next_level(tx: Tx, *, case_id: UUID) -> domain.Case:
    """Tell the next rung, while a missed deadline's matter is still open."""
    case = repository.get_case(tx, case_id)
    ladder, due = _ladder_of(tx, case)
    after, facts = domain.escalate_to_next_level(case, ladder=ladder, on_duty=_on_duty(tx), due=due, now=tx.now)
    tx.count(metrics.escalations.labels("rung", "told" if facts else ("met" if after == case else "capped")))
    return record_case(tx, before=case, case=after, facts=facts)


def _ladder_of(tx: Tx, case: domain.Case) -> tuple[domain.KnownLadder, domain.Due]:
    ladder = repository.read_ladder(tx, case.ladder)
    if ladder is None:
        ladder = domain.fallback_ladder(case.ladder)
        tx.count(metrics.ladders_unknown)
    due, _ = due_by(tx, code=ladder.calendar or case.calendar)
    return ladder, due


def _on_duty(tx: Tx) -> Callable[[str], tuple[str, ...]]:
    """Return who is on duty for a function now: the roster is read when the deadline passes (FLOW 5.5)."""

    def on_duty(function: str) -> tuple[str, ...]:
        roster = repository.read_roster(tx, function)
        return () if roster is None else roster.on_duty(tx.now)

    return on_duty
