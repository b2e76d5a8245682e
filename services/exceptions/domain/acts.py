"""What people do with a case: acknowledge, take, pause, resume, decide, verify, reopen."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from chassis.errors import Conflict
from schemas.base import Event
from schemas.exceptions import (
    CaseAcknowledged,
    CaseDecided,
    CasePaused,
    CaseResumed,
    CaseTaken,
    CaseVerified,
)
from schemas.types import By
from services.exceptions.domain.case import (
    Case,
    WrongState,
    case_fields,
    deadline_fields,
    must_be_active,
    must_be_open,
)
from services.exceptions.domain.deadlines import recompute_deadlines
from services.exceptions.domain.lifecycle import reopen_case, withdraw_tasks
from services.exceptions.domain.people import Person, may_accept, may_close, may_decide
from services.exceptions.domain.rules import Due, Rulebook


class AlreadyDone(Conflict):
    """Somebody was first; the text says who or what."""

    code = "already-done"


def acknowledge_case(case: Case, *, person: Person, now: datetime) -> tuple[Case, list[Event]]:
    """Accept the case: the clock point *acknowledged*; raises Forbidden, WrongState, AlreadyDone."""
    by = may_accept(case, person)
    must_be_active(case)
    if case.acknowledged_at is not None:
        raise AlreadyDone(
            f"the case was acknowledged at {case.acknowledged_at.isoformat(timespec='seconds')}; take it to own it"
        )
    case = replace(case, acknowledged_at=now)
    return case, [CaseAcknowledged(**case_fields(case, now), by=by)]


def take_case(case: Case, *, person: Person, now: datetime) -> tuple[Case, list[Event]]:
    """Own the case, acknowledging it where nobody has; raises Forbidden, WrongState, AlreadyDone."""
    by = may_accept(case, person)
    must_be_active(case)
    if case.owner == by.subject:
        raise AlreadyDone("the case is yours already")
    events: list[Event] = []
    if case.acknowledged_at is None:
        case = replace(case, acknowledged_at=now)
        events.append(CaseAcknowledged(**case_fields(case, now), by=by))
    case = replace(case, owner=by.subject, owner_role=by.role)
    return case, [*events, CaseTaken(**case_fields(case, now), by=by)]


def pause_case(case: Case, *, person: Person, reason: str, now: datetime) -> tuple[Case, list[Event]]:
    """Let the deadlines stand still, for a reason; raises Forbidden, WrongState."""
    by = may_close(case, person)
    must_be_open(case)
    if case.paused_at is not None:
        raise WrongState(
            f"the case is paused since {case.paused_at.isoformat(timespec='seconds')}: {case.pause_reason}"
        )
    case = replace(case, paused_at=now, pause_reason=reason)
    return case, [CasePaused(**case_fields(case, now), by=by, reason=reason)]


def resume_case(case: Case, *, person: Person, due: Due | None, now: datetime) -> tuple[Case, list[Event]]:
    """Let the deadlines run again, later by the time they stood still; raises Forbidden, WrongState.

    With `due` they are counted by the calendar as it is known now: it may have changed meanwhile.
    """
    by = may_close(case, person)
    must_be_open(case)
    if case.paused_at is None:
        raise WrongState("the case is not paused; its deadlines run")
    case = _later_by(case, now - case.paused_at)
    case = case if due is None else recompute_deadlines(case, due=due)
    return case, [CaseResumed(**case_fields(case, now), **deadline_fields(case), by=by)]


def _later_by(case: Case, stood: timedelta) -> Case:
    """Return a paused case that goes on, its deadlines that were not missed later by the time they stood still."""
    tasks = tuple(
        replace(
            t,
            clock_from=t.clock_from + stood,
            commit_by=t.commit_by if t.commit_missed_at else t.commit_by + stood,
            complete_by=t.complete_by if t.complete_missed_at else t.complete_by + stood,
        )
        if t.is_live
        else t
        for t in case.tasks
    )
    chain = case.chain
    if chain is not None and chain.next_at is not None:
        chain = replace(chain, next_at=chain.next_at + stood)
    by_when = case.acknowledge_by if case.acknowledge_missed_at else case.acknowledge_by + stood
    return replace(
        case,
        paused_at=None,
        pause_reason=None,
        clock_from=case.clock_from + stood,
        acknowledge_by=by_when,
        tasks=tasks,
        chain=chain,
    )


def decide_case(
    case: Case, *, person: Person, choice: str, rationale: str | None, now: datetime
) -> tuple[Case, list[Event]]:
    """Choose the way out; the first choice decides; raises Forbidden, WrongState, AlreadyDone."""
    by = may_decide(case, person)
    must_be_open(case)
    if case.decided_at is not None:
        raise AlreadyDone(f"the case is decided: {case.choice}")
    return _decided(case, by=by, choice=choice, rationale=rationale, alternative_id=None, automatic=False, now=now)


def decide_by_choice(
    case: Case,
    *,
    by: By,
    choice: str,
    rationale: str | None,
    alternative_id: UUID | None,
    automatic: bool,
    now: datetime,
) -> tuple[Case, list[Event]]:
    """Let the chosen alternative, or that none is taken, be the decision, where there is none yet and the case is open."""
    if case.state != "open" or case.decided_at is not None:
        return case, []
    return _decided(
        case, by=by, choice=choice, rationale=rationale, alternative_id=alternative_id, automatic=automatic, now=now
    )


def _decided(
    case: Case,
    *,
    by: By,
    choice: str,
    rationale: str | None,
    alternative_id: UUID | None,
    automatic: bool,
    now: datetime,
) -> tuple[Case, list[Event]]:
    case = replace(case, decided_at=now, choice=choice)
    return case, [
        CaseDecided(
            **case_fields(case, now),
            by=by,
            choice=choice,
            rationale=rationale,
            alternative_id=alternative_id,
            automatic=automatic,
        )
    ]


def verify_case(case: Case, *, person: Person, outcome: str, now: datetime) -> tuple[Case, list[Event]]:
    """Close an implemented case whose effect was checked; what is still open is withdrawn; raises Forbidden, WrongState."""
    by = may_close(case, person)
    must_be_active(case)
    if case.state != "implemented":
        left = ", ".join(t.kind for t in case.tasks if t.required and not t.is_done)
        raise WrongState(f"the response is not implemented yet: {left} to be completed or waived")
    case, withdrawn = withdraw_tasks(case, reason="the case was verified", now=now)
    case = replace(case, state="closed", ending="verified", closed_at=now, chain=None)
    return case, [*withdrawn, CaseVerified(**case_fields(case, now), by=by, outcome=outcome)]


def reopen_case_by_person(
    case: Case, *, person: Person, reason: str, rules: Rulebook, now: datetime
) -> tuple[Case, list[Event]]:
    """Bring back an implemented or closed case with its tasks; raises Forbidden, WrongState."""
    by = may_close(case, person)
    if case.state == "open":
        raise WrongState("the case is open; there is nothing to reopen")
    return reopen_case(case, signal=None, reason=reason, by=by, rules=rules, now=now)
