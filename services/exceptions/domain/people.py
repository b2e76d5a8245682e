"""Who acts on a case or a task, and what they may do to this one (ACCESS 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from chassis.errors import Forbidden
from schemas.types import By, Function
from services.exceptions.domain.case import Case, Task

WORKERS: tuple[Function, ...] = ("sales", "logistics", "inventory", "procurement")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a name and the roles of their token."""

    subject: str
    roles: frozenset[str]

    def acts_as(self, *preferred: str) -> By | None:
        """Return the first of these roles that the person has, with their name."""
        role = next((r for r in preferred if r in self.roles), None)
        return None if role is None else By(subject=self.subject, role=role)


def may_accept(case: Case, person: Person) -> By:
    """Return as whom a person acknowledges or takes a case; an executive only one that was escalated to them."""
    escalated = ("executive",) if "executive" in case.escalated_to else ()
    by = person.acts_as("planning-lead", *escalated, *WORKERS)
    if by is None:
        raise Forbidden(
            "an executive acknowledges or takes a case once it was escalated to them; until then it is for the four"
            " functions and the planning lead"
        )
    return by


def may_work(task: Task, person: Person) -> By:
    """Return as whom a person works on a task: its function (or the one it was handed to), or the planning lead."""
    by = person.acts_as(task.holder, "planning-lead")
    if by is None:
        raise Forbidden(f"this task is {task.holder}'s now; they or the planning lead act on it")
    return by


def may_answer_handover(task: Task, person: Person) -> By:
    """Return as whom a person accepts or returns a handover: the function handed to, or the planning lead."""
    offered = () if task.offered_to is None else (task.offered_to,)
    by = person.acts_as(*offered, "planning-lead")
    if by is None:
        raise Forbidden(f"this task was offered to {task.offered_to or 'nobody'}; they or the planning lead answer")
    return by


def may_decide(case: Case, person: Person) -> By:
    """Return as whom a person decides a case: its owner, the planning lead or an executive."""
    return _owner_or(case, person, "planning-lead", "executive")


def may_close(case: Case, person: Person) -> By:
    """Return as whom a person verifies, reopens, pauses or resumes a case: the planning lead or its owner."""
    return _owner_or(case, person, "planning-lead")


def may_assign(person: Person) -> By:
    """Return as whom a person assigns a refused task: the planning lead (FLOW 2.3)."""
    by = person.acts_as("planning-lead")
    if by is None:
        raise Forbidden("a refused task is assigned by the planning lead")
    return by


def _owner_or(case: Case, person: Person, *roles: Function) -> By:
    by = person.acts_as(*roles)
    if by is None and case.owner == person.subject:
        by = person.acts_as(cast(str, case.owner_role), *sorted(person.roles))
    if by is None:
        raise Forbidden(
            f"this is for the case's owner ({case.owner or 'nobody yet: take it first'}) or {', '.join(roles)}"
        )
    return by
