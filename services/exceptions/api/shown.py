"""What the doors show: cases, tasks and rules as a reader sees them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from chassis import http
from chassis.http.auth import Actor
from schemas.exceptions import AffectedCustomer, AffectedLine
from schemas.types import By, Money

# ── answers ──────────────────────────────────────────────────────────────────────────────────────


class TaskBrief(BaseModel):
    """A task as a chip beside its case."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    task_id: UUID
    kind: str
    function: str
    holder: str
    offered_to: str | None
    required: bool
    state: str
    commit_by: datetime
    complete_by: datetime
    committed_to: datetime | None


class TaskShown(http.Response):
    """A task with what came of it."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    task_id: UUID
    case_id: UUID
    kind: str
    function: str
    holder: str
    offered_to: str | None
    required: bool
    title: str
    state: str
    money_limit: Money | None
    opened_at: datetime
    commit_by: datetime
    complete_by: datetime
    committed_to: datetime | None
    committed_at: datetime | None
    done_at: datetime | None
    outcome: str | None
    acted_by: str | None
    commit_missed_at: datetime | None
    complete_missed_at: datetime | None


class TaskRow(TaskShown):
    """A task in a list, with the case it belongs to; `due_at` is the next of its two dates."""

    due_at: datetime
    headline: str
    severity: str
    case_state: str


class CaseRow(http.Response):
    """A case in a list, with one chip per task."""

    case_id: UUID
    version: int
    """Rises with each fact of the case; `If-Match` of an act takes it."""
    cause_kind: str
    cause_id: UUID
    recurrence: Annotated[
        int, Field(description="How many cases of the same cause there were before this one: 0 for the first.")
    ]
    state: str
    ending: str | None
    severity: str
    headline: str
    provisional: bool
    sites: tuple[str, ...]
    customers: tuple[str, ...]
    lines: int
    value_at_risk: Money
    needed_on: date
    opened_at: datetime
    owner: By | None
    acknowledged_at: datetime | None
    decided_at: datetime | None
    implemented_at: datetime | None
    closed_at: datetime | None
    paused_at: datetime | None
    due_at: datetime | None
    breaching: bool
    tasks: tuple[TaskBrief, ...]


class ShortageShown(BaseModel):
    """A shortage that follows from the cause."""

    stock_id: UUID
    item: str
    site: str
    short_on: date
    short_at: datetime
    quantity: Decimal
    value: Money | None


class ClockPoints(BaseModel):
    """The clock of a case: the points that are known so far."""

    cause_occurred_at: datetime
    identified_at: datetime
    tasked_at: datetime
    acknowledged_at: datetime | None
    decided_at: datetime | None
    committed_at: datetime | None
    implemented_at: datetime | None
    verified_at: datetime | None


class CaseWhole(CaseRow):
    """A case with what lies in the reader's scope of its lines and customers; the rest is counted."""

    previous_case_id: UUID | None
    playbook: str
    playbook_version: int
    calendar: str
    calendar_known: bool
    ladder: str
    acknowledge_by: datetime
    choice: str | None
    days_late: int | None
    settled_at: datetime | None
    pause_reason: str | None
    escalations: int
    rungs_told: tuple[str, ...]
    clock: ClockPoints
    affected_lines: tuple[AffectedLine, ...]
    lines_out_of_scope: int
    affected_customers: tuple[AffectedCustomer, ...]
    customers_out_of_scope: int
    impact_known: bool
    shortages: tuple[ShortageShown, ...]
    whole_tasks: tuple[TaskShown, ...]


class TimelineEntry(BaseModel):
    """One fact of a case: never changed."""

    position: int
    type: str
    fact: str
    task_id: UUID | None
    occurred_at: datetime
    recorded_at: datetime
    by_subject: str | None
    by_role: str | None
    content: dict[str, Any]
    caused_by: UUID
    caused_kind: str


class CaseMade(http.Response):
    """What an act left behind."""

    case_id: UUID
    state: str
    ending: str | None
    severity: str
    owner: By | None
    implemented_at: datetime | None
    due_at: datetime | None
    task: TaskShown | None = None


class CauseShown(http.Response):
    """The cases of a cause, the first one first; `waits` says that there is no playbook or no thresholds for it yet."""

    kind: str
    id: UUID
    waits: bool
    cases: tuple[CaseRow, ...]


class StreamFigures(http.Response):
    """What the cases in the reader's scope that are not closed add up to, by the world's time."""

    as_of: datetime
    open: int
    implemented: int
    unowned: int
    breaching: int
    by_severity: dict[str, int]
    value_at_risk: tuple[Money, ...]


class Figures(http.Response):
    """What this world's cases add up to."""

    cases: int
    cases_by_state: dict[str, int]
    cases_by_ending: dict[str, int]
    tasks: dict[str, int]
    tasks_by_state: dict[str, int]
    value_at_risk: tuple[Money, ...]
    duplicates: int
    duplicate_cases: int
    duplicate_tasks: int
    recurrences: int
    settled_late: int
    escalations: int


class PlaybookShown(http.Response):
    """A version of a playbook."""

    kind: str
    number: int
    calendar: str
    ladder: str
    recurrence_days: int
    acknowledge_within: dict[str, int | None]
    tasks: tuple[dict[str, Any], ...]
    by_subject: str
    recorded_at: datetime


class ThresholdsShown(http.Response):
    """A version of the thresholds."""

    code: str
    number: int
    currency: str
    money: tuple[dict[str, Any], ...]
    tiers: tuple[dict[str, Any], ...]
    hours_left: tuple[dict[str, Any], ...]
    tightenings: tuple[dict[str, Any], ...]
    by_subject: str
    recorded_at: datetime


class Versions(http.Response):
    """Every version, the newest first."""

    versions: tuple[dict[str, Any], ...]


SUMS = ("value_at_risk",)
"""Fields of a case's facts that are sums over all its lines."""


# ── rows become answers ──────────────────────────────────────────────────────────────────────────


def money(row: Any, name: str) -> Money | None:
    """Return the money of two columns, or None."""
    amount = getattr(row, f"{name}_amount")
    return None if amount is None else Money(amount=amount, currency=getattr(row, f"{name}_currency"))


def seen_words(words: list[str], scope: frozenset[str] | None) -> tuple[str, ...]:
    """Return the sites or customers that a reader may see."""
    return tuple(w for w in words if scope is None or w in scope)


def timeline_entry(row: Any, *, whole: bool) -> TimelineEntry:
    """Return a fact of a row of the timeline; its sums are for readers who may see the `whole` case."""
    entry = TimelineEntry(**{name: getattr(row, name) for name in TimelineEntry.model_fields})
    content = {name: value for name, value in entry.content.items() if whole or name not in SUMS}
    return entry.model_copy(update={"content": content})


def owner_of(case: Any) -> By | None:
    """Return who owns a case, and in which role, or None."""
    return None if case.owner is None else By(subject=case.owner, role=case.owner_role)


def task_shown(row: Any) -> TaskShown:
    """Return a task of a row."""
    return TaskShown(**_fields(TaskShown, row), money_limit=money(row, "money_limit"))


def task_row(row: Any) -> TaskRow:
    """Return a task of a row of a list."""
    return TaskRow(**_fields(TaskRow, row), money_limit=money(row, "money_limit"))


def case_row(row: Any, actor: Actor) -> CaseRow:
    """Return a case of a row of a list."""
    return CaseRow(**_row_fields(row, row.line_count, row.briefs, actor))


def _row_fields(row: Any, lines: int, tasks: list[Any], actor: Actor) -> dict[str, Any]:
    skipped = {"version", "cause_id", "lines", "value_at_risk", "tasks", "breaching", "sites", "customers", "owner"}
    return _fields(CaseRow, row, skipped) | {
        "version": row.seen_version,
        "cause_id": row.cause_subject_id,
        "lines": lines,
        "value_at_risk": Money(amount=row.seen_value, currency=row.value_at_risk_currency),
        "owner": owner_of(row),
        "sites": seen_words(row.sites, actor.sites),
        "customers": seen_words(row.customers, actor.customers),
        "breaching": row.state == "open" and bool(getattr(row, "passed", False)),
        "tasks": tuple(TaskBrief.model_validate(t) for t in tasks),
    }


def case_whole(row: Any, tasks: list[Any], actor: Actor) -> CaseWhole:
    """Return a whole case; lines and customers outside the reader's scope are absent and counted (FLOW 4.3)."""
    lines = [AffectedLine.model_validate(line) for line in row.lines]
    customers = [AffectedCustomer.model_validate(c) for c in row.affected]
    seen = tuple(line for line in lines if actor.sees(site=line.site, customer=line.customer))
    theirs = tuple(c for c in customers if actor.sees(customer=c.customer))
    required = [t for t in tasks if t.required]
    commits = [t.committed_at or t.done_at for t in required if t.committed_at or t.state in ("completed", "waived")]
    skipped = {
        "clock",
        "affected_lines",
        "lines_out_of_scope",
        "affected_customers",
        "customers_out_of_scope",
        "impact_known",
        "shortages",
        "whole_tasks",
        "rungs_told",
    }
    rest = {name: getattr(row, name) for name in CaseWhole.model_fields.keys() - CaseRow.model_fields.keys() - skipped}
    return CaseWhole(
        **_row_fields(row, len(lines), tasks, actor),
        **rest,
        rungs_told=tuple(row.escalated_to),
        affected_lines=seen,
        lines_out_of_scope=len(lines) - len(seen),
        affected_customers=theirs,
        customers_out_of_scope=len(customers) - len(theirs),
        impact_known=row.impact_version > 0,
        shortages=tuple(ShortageShown.model_validate(s) for s in row.shortages if actor.sees(site=s["site"])),
        whole_tasks=tuple(task_shown(t) for t in tasks),
        clock=ClockPoints(
            cause_occurred_at=row.cause_occurred_at,
            identified_at=row.opened_at,
            acknowledged_at=row.acknowledged_at,
            tasked_at=max((t.opened_at for t in tasks), default=row.opened_at),
            decided_at=row.decided_at,
            committed_at=max(commits) if required and len(commits) == len(required) else None,
            implemented_at=row.implemented_at,
            verified_at=row.closed_at if row.ending == "verified" else None,
        ),
    )


def _fields(kind: type[BaseModel], row: Any, skipped: set[str] = frozenset()) -> dict[str, Any]:  # type: ignore[assignment]  # an empty set
    without = {*skipped, "masked", "money_limit"}
    return {name: getattr(row, name) for name in kind.model_fields if name not in without}
