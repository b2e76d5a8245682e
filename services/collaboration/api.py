"""HTTP in: functions, people, calendars, rosters and the ladder. Keeping them is the planning lead's act."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import AfterValidator, ConfigDict, Field

from chassis import http
from chassis.http import Body
from schemas.collaboration import Duty, Rung
from schemas.types import Code, Function, Instant, Sensitive, Text
from services.collaboration import domain, operations, queries

router = http.Router()
Limit = Annotated[int, Query(ge=1, le=http.PAGE_ITEMS_MAX)]


def _without_zone(value: time) -> time:
    if value.tzinfo is not None:
        raise ValueError("a time of day is written as 08:00; the calendar says its zone")
    return value


TimeOfDay = Annotated[time, AfterValidator(_without_zone)]


class FunctionBody(Body):
    code: Function
    name: Code


class PersonBody(Body):
    code: Code
    name: Code
    function: Function
    zone: Code = "UTC"
    contact: Text | None = None


class CalendarBody(Body):
    """`opens` equal to `closes` means the whole day; weekdays count from Monday = 0."""

    code: Code
    zone: Code
    weekdays: tuple[int, ...] = Field(max_length=7)
    opens: TimeOfDay = time(0)
    closes: TimeOfDay = time(0)
    holidays: tuple[date, ...] = ()


class DutyBody(Body):
    person: Code
    starts_at: Instant
    ends_at: Instant


class RosterBody(Body):
    """All duties of a function; what is left out is over."""

    function: Function
    duties: tuple[DutyBody, ...]


class RungBody(Body):
    """Who is told, and how many working minutes after the step before; no role means the task's own function."""

    role: Function | None = None
    after_minutes: int = Field(ge=0, le=1_000_000)


class LadderBody(Body):
    code: Code = "default"
    calendar: Code
    rungs: tuple[RungBody, ...]
    max_escalations: int = Field(ge=0, le=10)


class Kept(http.Response):
    """What is kept here, as it is shown."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class FunctionShown(Kept):
    code: str
    name: str
    occurred_at: datetime
    recorded_at: datetime


class PersonShown(Kept):
    code: str
    name: str
    function: str
    zone: str
    contact: Annotated[str | None, Sensitive("contact")] = None
    occurred_at: datetime
    recorded_at: datetime


class CalendarShown(Kept):
    calendar_id: UUID
    code: str
    zone: str
    weekdays: tuple[int, ...]
    opens: time
    closes: time
    holidays: tuple[date, ...]
    occurred_at: datetime
    recorded_at: datetime


class RosterShown(Kept):
    roster_id: UUID
    function: str
    duties: tuple[Duty, ...]
    occurred_at: datetime
    recorded_at: datetime


class LadderShown(Kept):
    ladder_id: UUID
    code: str
    calendar: str
    rungs: tuple[Rung, ...]
    max_escalations: int
    occurred_at: datetime
    recorded_at: datetime


class Figures(http.Response):
    functions: int
    people: int
    calendars: int
    rosters: int
    ladders: int


# ── acts ─────────────────────────────────────────────────────────────────────────────────────────


@router.act("/functions", may="keep-rules")
def change_function(body: FunctionBody, act: http.ActContext) -> FunctionShown:
    """Make a function or change its name."""
    return FunctionShown.model_validate(operations.change_function(act.tx, code=body.code, name=body.name))


@router.act("/people", may="keep-rules")
def change_person(body: PersonBody, act: http.ActContext) -> PersonShown:
    """Make a person or change what is known of one."""
    return PersonShown.model_validate(
        operations.change_person(
            act.tx, code=body.code, name=body.name, function=body.function, zone=body.zone, contact=body.contact
        )
    )


@router.act("/calendars", may="keep-rules")
def change_calendar(body: CalendarBody, act: http.ActContext) -> CalendarShown:
    """Make a business calendar or change it."""
    return CalendarShown.model_validate(
        operations.change_calendar(
            act.tx,
            code=body.code,
            zone=body.zone,
            weekdays=body.weekdays,
            opens=body.opens,
            closes=body.closes,
            holidays=body.holidays,
        )
    )


@router.act("/rosters", may="keep-rules")
def change_roster(body: RosterBody, act: http.ActContext) -> RosterShown:
    """Set all duties of a function."""
    duties = tuple(Duty(person=d.person, starts_at=d.starts_at, ends_at=d.ends_at) for d in body.duties)
    return RosterShown.model_validate(operations.change_roster(act.tx, function=body.function, duties=duties))


@router.act("/ladders", may="keep-rules")
def change_ladder(body: LadderBody, act: http.ActContext) -> LadderShown:
    """Make the escalation ladder or change it."""
    rungs = tuple(Rung(role=r.role, after_minutes=r.after_minutes) for r in body.rungs)
    return LadderShown.model_validate(
        operations.change_ladder(
            act.tx, code=body.code, calendar=body.calendar, rungs=rungs, max_escalations=body.max_escalations
        )
    )


# ── questions ────────────────────────────────────────────────────────────────────────────────────


@router.question("/functions")
def list_functions(ask: http.QueryContext, cursor: str | None = None, limit: Limit = 100) -> http.Page[FunctionShown]:
    """List functions by code."""
    rows = queries.functions_by_code(ask.read, after=_after(ask, cursor), limit=limit + 1)
    return http.Page[FunctionShown](
        **ask.page([FunctionShown.model_validate(r) for r in rows], lambda f: [f.code], limit)
    )


@router.question("/people")
def list_people(
    ask: http.QueryContext, function: Function | None = None, cursor: str | None = None, limit: Limit = 100
) -> http.Page[PersonShown]:
    """List people by code, of one function or of all."""
    rows = queries.people_by_code(ask.read, function=function, after=_after(ask, cursor, function), limit=limit + 1)
    return http.Page[PersonShown](
        **ask.page([PersonShown.model_validate(r) for r in rows], lambda p: [p.code], limit, function)
    )


@router.question("/calendars", topic="collaboration.calendar")
def list_calendars(
    ask: http.QueryContext, zone: str | None = None, cursor: str | None = None, limit: Limit = 100
) -> http.Page[CalendarShown]:
    """List calendars by code, of one zone or of all."""
    rows = queries.calendars_by_code(ask.read, zone=zone, after=_after(ask, cursor, zone), limit=limit + 1)
    return http.Page[CalendarShown](
        **ask.page([CalendarShown.model_validate(r) for r in rows], lambda c: [c.code], limit, zone)
    )


@router.question("/calendars/{code}", topic="collaboration.calendar")
def show_calendar(code: str, ask: http.QueryContext) -> CalendarShown:
    """Show one calendar."""
    return CalendarShown.model_validate(queries.calendar_of(ask.read, domain.calendar_id(code)))


@router.question("/rosters", topic="collaboration.roster")
def list_rosters(
    ask: http.QueryContext, function: Function | None = None, cursor: str | None = None, limit: Limit = 100
) -> http.Page[RosterShown]:
    """List rosters by function."""
    after = _after(ask, cursor, function)
    rows = queries.rosters_by_function(ask.read, function=function, after=after, limit=limit + 1)
    return http.Page[RosterShown](
        **ask.page([RosterShown.model_validate(r) for r in rows], lambda r: [r.function], limit, function)
    )


@router.question("/ladders", topic="collaboration.ladder")
def list_ladders(ask: http.QueryContext, cursor: str | None = None, limit: Limit = 100) -> http.Page[LadderShown]:
    """List ladders by code."""
    rows = queries.ladders_by_code(ask.read, after=_after(ask, cursor), limit=limit + 1)
    return http.Page[LadderShown](**ask.page([LadderShown.model_validate(r) for r in rows], lambda x: [x.code], limit))


@router.question("/figures")
def figures(ask: http.QueryContext) -> Figures:
    """Count what is kept."""
    return Figures.model_validate(queries.figures(ask.read))


def _after(ask: http.QueryContext, cursor: str | None, *question: object) -> str | None:
    after = ask.after(cursor, *question)
    return None if after is None else str(after[0])
