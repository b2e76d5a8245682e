"""What can be asked of exceptions; read-only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    case,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Numeric, Text

from chassis.errors import NotFound
from chassis.http.auth import Actor
from chassis.persistence.database import ReadTx
from services.exceptions.tables import (
    case_timeline,
    cases,
    causes,
    known_ladders,
    playbook_versions,
    playbooks,
    tasks,
    thresholds,
    thresholds_versions,
)

WAITING_MAX = 500
SORTS = ("value_at_risk", "deadline", "opened_at")
FAR = datetime.fromisoformat("9999-01-01T00:00:00+00:00")  # a case without a deadline comes after all that have one
LIVE = ("open", "committed", "refused")

_DUE = func.coalesce(cases.c.due_at, literal(FAR))
TASK_DUE = case(
    (tasks.c.state == "open", func.least(tasks.c.commit_by, tasks.c.complete_by)), else_=tasks.c.complete_by
)
VERSION = (
    select(func.coalesce(func.max(case_timeline.c.position), 0))
    .where(case_timeline.c.case_id == cases.c.case_id)
    .scalar_subquery()
    .label("seen_version")
)
# What a row of a list shows, with its tasks, in one query: a whole case is twice as many columns and its longest lists.
_ROW = (
    *(
        cases.c[name]
        for name in (
            "case_id", "cause_kind", "cause_subject_id", "recurrence", "state", "ending", "severity", "headline", "provisional",
            "sites", "customers", "value_at_risk_currency", "needed_on", "opened_at", "owner", "owner_role",
            "acknowledged_at", "decided_at", "implemented_at", "closed_at", "paused_at", "due_at",
        )
    ),
    func.jsonb_array_length(cases.c.lines).label("line_count"),
    VERSION,
    literal_column(
        "(SELECT coalesce(jsonb_agg(to_jsonb(brief) - 'place' ORDER BY place), '[]') FROM (SELECT task_id, kind, function, holder,"
        " offered_to, required, state, commit_by, complete_by, committed_to, place FROM tasks WHERE tasks.case_id = cases.case_id) AS brief)",
        JSONB,
    ).label("briefs"),
)  # fmt: skip


# The money at risk of the lines that lie in a reader's scope, each once, and, for readers of all customers, of the
# shortages there that no line covers (FLOW 1.4); at most the largest amount that Money holds. Lines that name no customer are not for readers of some customers.
_VALUE_IN_SCOPE = """
SELECT least(coalesce(sum(amount), 0), 99999999999999.999999) AS amount FROM (
    SELECT DISTINCT ON (line->>'line_id') (line#>>'{value,amount}')::numeric AS amount FROM jsonb_array_elements(cases.lines) AS line
    WHERE (CAST(:sites AS text[]) IS NULL OR line->>'site' = ANY(CAST(:sites AS text[])))
      AND (CAST(:customers AS text[]) IS NULL OR line->>'customer' = ANY(CAST(:customers AS text[])))
      AND line#>>'{value,currency}' = cases.value_at_risk_currency
    UNION ALL
    SELECT (shortage#>>'{value,amount}')::numeric FROM jsonb_array_elements(cases.shortages) AS shortage
    WHERE CAST(:customers AS text[]) IS NULL AND shortage->>'site' = ANY(CAST(:sites AS text[]))
      AND shortage#>>'{value,currency}' = cases.value_at_risk_currency
      AND NOT EXISTS (
          SELECT 1 FROM jsonb_array_elements(cases.lines) AS line
          WHERE line->>'item' = shortage->>'item' AND line->>'site' = shortage->>'site'
      )
) AS seen
"""


@dataclass(frozen=True)
class CaseFilters:
    """What a list of cases may be narrowed by; None narrows nothing."""

    state: str | None = None
    severity: str | None = None
    cause_kind: str | None = None
    cause_id: UUID | None = None
    function: str | None = None
    owner: str | None = None
    unowned: bool | None = None
    breaching: bool | None = None
    site: str | None = None
    customer: str | None = None
    opened_after: datetime | None = None
    case_ids: tuple[UUID, ...] | None = None


@dataclass(frozen=True)
class TaskFilters:
    """What a list of tasks may be narrowed by; `function` means whoever holds it or was offered it."""

    function: str | None = None
    state: str | None = None
    kind: str | None = None
    case_id: UUID | None = None
    due_before: datetime | None = None


def world_now(read: ReadTx) -> datetime:
    """Return the world's time."""
    return read.database.world_now(read._connection)


def in_scope(query: Select[*tuple[Any, ...]], actor: Actor) -> Select[*tuple[Any, ...]]:
    """Narrow a query on cases to those with a site and a customer that the reader may see (FLOW 4.3)."""
    if actor.sites is not None:
        query = query.where(_has_any(cases.c.sites, actor.sites))
    if actor.customers is not None:
        query = query.where(_has_any(cases.c.customers, actor.customers))
    return query


def _value_in_scope(actor: Actor) -> ColumnElement[Any]:
    """Return the money at risk of what a reader may see of a case; `seen_value` of a row."""
    if actor.sees_all:
        return cases.c.value_at_risk_amount
    scope = {"sites": actor.sites, "customers": actor.customers}
    parameters = {name: None if names is None else sorted(names) for name, names in scope.items()}
    return text(_VALUE_IN_SCOPE).bindparams(**parameters).columns(amount=Numeric).scalar_subquery()


def _has_any(column: ColumnElement[Any], words: frozenset[str]) -> ColumnElement[bool]:
    return column.op("?|")(literal(sorted(words), ARRAY(Text)))


def _case_filters(filters: CaseFilters, actor: Actor, now: datetime) -> list[ColumnElement[bool]]:
    named: list[ColumnElement[bool]] = [
        column == value
        for column, value in (
            (cases.c.state, filters.state), (cases.c.severity, filters.severity), (cases.c.cause_kind, filters.cause_kind),
            (cases.c.cause_subject_id, filters.cause_id), (cases.c.owner, filters.owner),
        )
        if value is not None
    ]  # fmt: skip
    if filters.unowned is not None:
        named.append(cases.c.owner.is_(None) if filters.unowned else cases.c.owner.is_not(None))
    if filters.breaching is not None:
        passed = and_(cases.c.state == "open", cases.c.due_at <= now)
        named.append(passed if filters.breaching else func.coalesce(passed, False).is_(False))
    if filters.site is not None:
        named.append(_has_any(cases.c.sites, _narrowed(filters.site, actor.sites)))
    if filters.customer is not None:
        named.append(_has_any(cases.c.customers, _narrowed(filters.customer, actor.customers)))
    if filters.case_ids is not None:
        named.append(cases.c.case_id.in_(filters.case_ids))
    if filters.opened_after is not None:
        named.append(cases.c.opened_at > filters.opened_after)
    if filters.function is not None:
        person = or_(tasks.c.holder == filters.function, tasks.c.offered_to == filters.function)
        named.append(select(1).where(tasks.c.case_id == cases.c.case_id, tasks.c.state.in_(LIVE), person).exists())
    return named


def _narrowed(person: str, scope: frozenset[str] | None) -> frozenset[str]:
    """Return what a reader may filter by: a site or customer outside the scope finds nothing, whoever else is affected."""
    return frozenset([person]) if scope is None else scope & {person}


def cases_by(
    read: ReadTx, actor: Actor, *, filters: CaseFilters, sort: str, now: datetime, after: list[Any] | None, limit: int
) -> Sequence[Row[Any]]:
    """Return cases in scope that fit, with their tasks: most money at risk first, earliest deadline first, or newest first."""
    value = _value_in_scope(actor)
    passed = func.coalesce(cases.c.due_at <= now, False).label("passed")
    query = select(*_ROW, passed, value.label("seen_value")).where(*_case_filters(filters, actor, now))
    if sort == "deadline":
        query = query.order_by(_DUE, cases.c.case_id)
        if after is not None:
            place = (literal(datetime.fromisoformat(after[0])), literal(UUID(after[1])))
            query = query.where(tuple_(_DUE, cases.c.case_id) > tuple_(*place))
    else:
        column: ColumnElement[Any] = cases.c.opened_at if sort == "opened_at" else value
        query = query.order_by(column.desc(), cases.c.case_id.desc())
        if after is not None:
            last: Any = datetime.fromisoformat(after[0]) if sort == "opened_at" else Decimal(after[0])
            query = query.where(tuple_(column, cases.c.case_id) < tuple_(literal(last), literal(UUID(after[1]))))
    return read.rows(in_scope(query, actor).limit(limit))


def tasks_of(read: ReadTx, case_id: UUID) -> Sequence[Row[Any]]:
    """Return the tasks of a case in the order of their playbook."""
    return read.rows(select(tasks).where(tasks.c.case_id == case_id).order_by(tasks.c.place))


def case_whole(read: ReadTx, actor: Actor, case_id: UUID, now: datetime) -> Row[Any]:
    """Return one case; raises NotFound, and OutsideScope where the reader may not see it."""
    passed = func.coalesce(cases.c.due_at <= now, False).label("passed")
    value = _value_in_scope(actor).label("seen_value")
    found = read.row(select(cases, VERSION, passed, value).where(cases.c.case_id == case_id))
    if found is None:
        raise NotFound(f"no case {case_id} is known here; check the id, or list cases")
    actor.must_see_any(sites=found.sites, customers=found.customers)
    return found


def timeline(read: ReadTx, case_id: UUID, *, after: int, limit: int) -> Sequence[Row[Any]]:
    """Return the facts of a case in the order they were said."""
    query = select(case_timeline).where(case_timeline.c.case_id == case_id, case_timeline.c.position > after)
    return read.rows(query.order_by(case_timeline.c.position).limit(limit))


def tasks_by_due(
    read: ReadTx, actor: Actor, *, filters: TaskFilters, after: list[Any] | None, limit: int
) -> Sequence[Row[Any]]:
    """Return tasks of cases in scope that fit, the earliest due first."""
    query = (
        select(tasks, TASK_DUE.label("due_at"), cases.c.headline, cases.c.severity, cases.c.state.label("case_state"))
        .join(cases, cases.c.case_id == tasks.c.case_id)
        .order_by(TASK_DUE, tasks.c.task_id)
        .limit(limit)
    )
    for column, value in (
        (tasks.c.state, filters.state),
        (tasks.c.kind, filters.kind),
        (tasks.c.case_id, filters.case_id),
    ):
        if value is not None:
            query = query.where(column == value)
    if filters.function is not None:
        query = query.where(or_(tasks.c.holder == filters.function, tasks.c.offered_to == filters.function))
    if filters.due_before is not None:
        query = query.where(filters.due_before > TASK_DUE)
    if after is not None:
        place = (literal(datetime.fromisoformat(after[0])), literal(UUID(after[1])))
        query = query.where(tuple_(TASK_DUE, tasks.c.task_id) > tuple_(*place))
    return read.rows(in_scope(query, actor))


def case_of_task(read: ReadTx, task_id: UUID) -> UUID:
    """Return the id of the case that a task belongs to; raises NotFound."""
    found = read.scalar(select(tasks.c.case_id).where(tasks.c.task_id == task_id))
    if found is None:
        raise NotFound(f"no task {task_id} is known here; check the id, or list tasks")
    case_id: UUID = found
    return case_id


def cases_of_cause(read: ReadTx, actor: Actor, *, kind: str, cause_id: UUID) -> Sequence[Row[Any]]:
    """Return the cases of a cause that the reader may see, the first one first."""
    query = select(*_ROW, _value_in_scope(actor).label("seen_value")).where(
        cases.c.cause_kind == kind, cases.c.cause_subject_id == cause_id
    )
    return read.rows(in_scope(query, actor).order_by(cases.c.cycle))


def cause_waits(read: ReadTx, *, kind: str, cause_id: UUID) -> bool | None:
    """Say whether a cause waits for a playbook or thresholds; None where the cause is not known."""
    waits = func.coalesce(func.jsonb_typeof(causes.c.signal) == "object", False)
    found = read.row(select(waits).where(causes.c.kind == kind, causes.c.subject_id == cause_id))
    return None if found is None else bool(found[0])


def waiting_causes(read: ReadTx, kind: str) -> list[UUID]:
    """Return causes of a kind whose signal waits for rules, the oldest first."""
    query = (
        select(causes.c.cause_id)
        .where(causes.c.kind == kind, text("jsonb_typeof(signal) = 'object'"))
        .order_by(causes.c.recorded_at, causes.c.cause_id)
        .limit(WAITING_MAX)
    )
    return [row.cause_id for row in read.rows(query)]


def ladders_with_calendar(read: ReadTx, calendar: str) -> list[str]:
    """Return the ladders that count their rungs by a calendar."""
    query = select(known_ladders.c.code).where(known_ladders.c.calendar == calendar).order_by(known_ladders.c.code)
    return [row.code for row in read.rows(query)]


def current_playbooks(read: ReadTx) -> Sequence[Row[Any]]:
    """Return the current playbook of each cause kind."""
    return read.rows(select(playbooks).order_by(playbooks.c.kind))


def versions_of_playbook(read: ReadTx, kind: str) -> Sequence[Row[Any]]:
    """Return every version of a cause kind's playbook, the newest first."""
    query = select(playbook_versions).where(playbook_versions.c.kind == kind)
    return read.rows(query.order_by(playbook_versions.c.number.desc()))


def current_thresholds(read: ReadTx) -> Row[Any]:
    """Return the current thresholds; raises NotFound."""
    found = read.row(select(thresholds))
    if found is None:
        raise NotFound("no thresholds are set in this world; the planning lead sets them")
    return found


def versions_of_thresholds(read: ReadTx) -> Sequence[Row[Any]]:
    """Return every version of the thresholds, the newest first."""
    return read.rows(select(thresholds_versions).order_by(thresholds_versions.c.number.desc()))


def response_figures(read: ReadTx) -> dict[str, Any]:
    """Return what this world's cases add up to; a recurrence is no duplicate, a second case of the same one is."""
    states = _counts(read, cases.c.state)
    endings = _counts(read, cases.c.ending)
    kinds = _counts(read, tasks.c.kind)
    task_states = _counts(read, tasks.c.state)
    currency, amount = cases.c.value_at_risk_currency, func.sum(cases.c.value_at_risk_amount).label("amount")
    money = read.rows(select(currency.label("currency"), amount).group_by(currency).order_by(currency))
    extra_cases = _beyond_one(read, cases, cases.c.cause_kind, cases.c.cause_subject_id, cases.c.cycle)
    extra_tasks = _beyond_one(read, tasks, tasks.c.case_id, tasks.c.kind)
    again = read.scalar(select(func.count()).select_from(cases).where(cases.c.cycle > 1))
    settled = read.scalar(select(func.count()).select_from(cases).where(cases.c.settled_at.is_not(None)))
    escalations = read.scalar(select(func.coalesce(func.sum(cases.c.escalations), 0)))
    return {
        "cases": sum(states.values()), "cases_by_state": states, "cases_by_ending": endings, "tasks": kinds, "tasks_by_state": task_states,
        "value_at_risk": [dict(row._mapping) for row in money], "duplicate_cases": extra_cases,
        "duplicate_tasks": extra_tasks, "recurrences": again, "settled_late": settled, "escalations": escalations,
    }  # fmt: skip


def _counts(read: ReadTx, column: ColumnElement[Any]) -> dict[str, int]:
    query = select(column.label("what"), func.count().label("number")).where(column.is_not(None)).group_by(column)
    return {row.what: row.number for row in read.rows(query.order_by(column))}


def _beyond_one(read: ReadTx, table: Any, *columns: ColumnElement[Any]) -> int:
    counted = select((func.count() - 1).label("extra")).select_from(table).where(true()).group_by(*columns).subquery()
    return int(read.scalar(select(func.coalesce(func.sum(counted.c.extra), 0))) or 0)


def _standing(now: datetime) -> tuple[ColumnElement[Any], ...]:
    """Return how many cases are open, implemented, owned by nobody, past a deadline."""
    is_open = cases.c.state == "open"
    return (
        func.count().filter(is_open).label("open"),
        func.count().filter(cases.c.state == "implemented").label("implemented"),
        func.count().filter(is_open, cases.c.owner.is_(None)).label("unowned"),
        func.count().filter(is_open, cases.c.due_at <= now).label("breaching"),
    )


def standing_cases(read: ReadTx, now: datetime) -> Row[Any]:
    """Return how the cases that are being worked on stand: how many, past a deadline, owned by nobody, and since when."""
    unowned = cases.c.state == "open", cases.c.owner.is_(None)
    since = func.min(cases.c.opened_at).filter(*unowned).label("unowned_since")
    found = read.row(select(*_standing(now), since).where(cases.c.state != "closed"))
    assert found is not None, "a count without groups has one row"
    return found


def stream_figures(read: ReadTx, actor: Actor, now: datetime) -> dict[str, Any]:
    """Return how the cases in scope stand that are not closed, and what the open ones put at risk, per currency."""
    is_open, severity, currency = cases.c.state == "open", cases.c.severity, cases.c.value_at_risk_currency
    counts = select(*_standing(now)).where(cases.c.state != "closed")
    counted = read.row(in_scope(counts, actor))
    assert counted is not None, "a count without groups has one row"
    grouped = in_scope(select(severity, func.count().label("number")).where(is_open).group_by(severity), actor)
    money = in_scope(
        select(currency.label("currency"), func.sum(_value_in_scope(actor)).label("amount"))
        .where(is_open)
        .group_by(currency)
        .order_by(currency),
        actor,
    )
    return {
        **counted._mapping, "by_severity": {row.severity: row.number for row in read.rows(grouped)},
        "value_at_risk": [dict(row._mapping) for row in read.rows(money)],
    }  # fmt: skip
