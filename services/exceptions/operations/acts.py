"""What people do with cases and tasks: one function per act."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from chassis.errors import Conflict, NotFound
from chassis.persistence.database import Tx
from schemas.types import Function
from services.exceptions import domain, queries, repository
from services.exceptions.domain import Person
from services.exceptions.operations.keeping import due_by, record_case, rulebook


class LaterCase(Conflict):
    """The cause has a later case; that one is worked on."""

    code = "later-case"


class NoRules(Conflict):
    """The playbook or the thresholds are missing."""

    code = "no-rules"


def get_case(tx: Tx, *, case_id: UUID) -> domain.Case:
    """Return a case, locked; raises NotFound."""
    return repository.get_case(tx, case_id)


def get_case_of_task(tx: Tx, *, task_id: UUID) -> domain.Case:
    """Return the case that a task belongs to, locked; raises NotFound."""
    return repository.get_case(tx, queries.case_of_task(tx, task_id))


def acknowledge_case(tx: Tx, *, case_id: UUID, person: Person) -> domain.Case:
    """Accept a case; raises NotFound, Forbidden, WrongState, AlreadyDone."""
    case = repository.get_case(tx, case_id)
    after, facts = domain.acknowledge_case(case, person=person, now=tx.now)
    return record_case(tx, before=case, case=after, facts=facts)


def take_case(tx: Tx, *, case_id: UUID, person: Person) -> domain.Case:
    """Own a case; raises NotFound, Forbidden, WrongState, AlreadyDone."""
    case = repository.get_case(tx, case_id)
    after, facts = domain.take_case(case, person=person, now=tx.now)
    return record_case(tx, before=case, case=after, facts=facts)


def pause_case(tx: Tx, *, case_id: UUID, person: Person, reason: str) -> domain.Case:
    """Let a case's deadlines stand still; raises NotFound, Forbidden, WrongState."""
    case = repository.get_case(tx, case_id)
    after, facts = domain.pause_case(case, person=person, reason=reason, now=tx.now)
    return record_case(tx, before=case, case=after, facts=facts)


def resume_case(tx: Tx, *, case_id: UUID, person: Person) -> domain.Case:
    """Let a case's deadlines run again, by the calendar as it is known now; raises NotFound, Forbidden, WrongState."""
    case = repository.get_case(tx, case_id)
    due, is_known = due_by(tx, code=case.calendar)
    after, facts = domain.resume_case(case, person=person, due=due if is_known else None, now=tx.now)
    return record_case(tx, before=case, case=after, facts=facts)


def decide_case(tx: Tx, *, case_id: UUID, person: Person, choice: str, rationale: str | None = None) -> domain.Case:
    """Choose the way out; raises NotFound, Forbidden, WrongState, AlreadyDone."""
    case = repository.get_case(tx, case_id)
    after, facts = domain.decide_case(case, person=person, choice=choice, rationale=rationale, now=tx.now)
    return record_case(tx, before=case, case=after, facts=facts)


def verify_case(tx: Tx, *, case_id: UUID, person: Person, outcome: str) -> domain.Case:
    """Close an implemented case whose effect was checked; raises NotFound, Forbidden, WrongState."""
    case = repository.get_case(tx, case_id)
    after, facts = domain.verify_case(case, person=person, outcome=outcome, now=tx.now)
    return record_case(tx, before=case, case=after, facts=facts)


def reopen_case(tx: Tx, *, case_id: UUID, person: Person, reason: str) -> domain.Case:
    """Bring back an implemented or closed case; raises NotFound, Forbidden, WrongState, LaterCase.

    The cause is locked before the case, as its signals do, so that a signal and a person cannot both bring it back.
    """
    seen = repository.read_case(tx, case_id)
    if seen is None:
        raise NotFound(f"no case {case_id} is known here; check the id, or list cases")
    record = repository.find_cause(tx, domain.cause_id_of(seen.cause))
    if record is not None and record.case_id != case_id:
        raise LaterCase(f"a later case of the same cause is there: {record.case_id}; reopen that one")
    case = repository.get_case(tx, case_id)
    rules = rulebook(tx, kind=case.cause_kind, calendar=case.calendar)
    if rules is None:
        raise NoRules(f"no playbook or no thresholds for {case.cause_kind}; the planning lead brings them first")
    after, facts = domain.reopen_case_by_person(case, person=person, reason=reason, rules=rules, now=tx.now)
    return record_case(tx, before=case, case=after, facts=facts)


# ── tasks ────────────────────────────────────────────────────────────────────────────────────────


def commit_task(
    tx: Tx, *, task_id: UUID, person: Person, committed_to: datetime, note: str | None = None
) -> domain.Case:
    """Accept a task with a date; raises NotFound, Forbidden, Invalid, WrongState, AlreadyDone."""
    case = get_case_of_task(tx, task_id=task_id)
    after, facts = domain.commit_task(
        case, task_id=task_id, person=person, committed_to=committed_to, note=note, now=tx.now
    )
    return record_case(tx, before=case, case=after, facts=facts)


def complete_task(tx: Tx, *, task_id: UUID, person: Person, outcome: str) -> domain.Case:
    """Say that a function's part is done; raises NotFound, Forbidden, WrongState, AlreadyDone."""
    case = get_case_of_task(tx, task_id=task_id)
    after, facts = domain.complete_task(case, task_id=task_id, person=person, outcome=outcome, now=tx.now)
    return record_case(tx, before=case, case=after, facts=facts)


def refuse_task(tx: Tx, *, task_id: UUID, person: Person, reason: str) -> domain.Case:
    """Say no; the planning lead decides what becomes of the task; raises NotFound, Forbidden, WrongState, AlreadyDone."""
    case = get_case_of_task(tx, task_id=task_id)
    after, facts = domain.refuse_task(case, task_id=task_id, person=person, reason=reason, now=tx.now)
    return record_case(tx, before=case, case=after, facts=facts)


def waive_task(tx: Tx, *, task_id: UUID, person: Person, reason: str) -> domain.Case:
    """Say that a task is not needed; raises NotFound, Forbidden, WrongState, AlreadyDone."""
    case = get_case_of_task(tx, task_id=task_id)
    after, facts = domain.waive_task(case, task_id=task_id, person=person, reason=reason, now=tx.now)
    return record_case(tx, before=case, case=after, facts=facts)


def hand_over_task(tx: Tx, *, task_id: UUID, person: Person, to_function: Function, note: str) -> domain.Case:
    """Offer a task to another function; raises NotFound, Forbidden, Invalid, WrongState, AlreadyDone."""
    case = get_case_of_task(tx, task_id=task_id)
    after, facts = domain.hand_over_task(
        case, task_id=task_id, person=person, to_function=to_function, note=note, now=tx.now
    )
    return record_case(tx, before=case, case=after, facts=facts)


def accept_handover(tx: Tx, *, task_id: UUID, person: Person) -> domain.Case:
    """Take over a task that was offered; raises NotFound, Forbidden, WrongState, AlreadyDone."""
    case = get_case_of_task(tx, task_id=task_id)
    due, _ = due_by(tx, code=case.calendar)
    after, facts = domain.accept_handover(case, task_id=task_id, person=person, due=due, now=tx.now)
    return record_case(tx, before=case, case=after, facts=facts)


def return_handover(tx: Tx, *, task_id: UUID, person: Person, reason: str) -> domain.Case:
    """Give a task back that was offered; raises NotFound, Forbidden, WrongState, AlreadyDone."""
    case = get_case_of_task(tx, task_id=task_id)
    after, facts = domain.return_handover(case, task_id=task_id, person=person, reason=reason, now=tx.now)
    return record_case(tx, before=case, case=after, facts=facts)


def assign_task(tx: Tx, *, task_id: UUID, person: Person, to_function: Function, reason: str) -> domain.Case:
    """Give a refused task to a function; raises NotFound, Forbidden, WrongState, AlreadyDone."""
    case = get_case_of_task(tx, task_id=task_id)
    due, _ = due_by(tx, code=case.calendar)
    after, facts = domain.assign_task(
        case, task_id=task_id, person=person, to_function=to_function, reason=reason, due=due, now=tx.now
    )
    return record_case(tx, before=case, case=after, facts=facts)
