"""Facts of collaboration: when people work, who is on duty, and who is told next."""

from __future__ import annotations

from datetime import date, time
from typing import Annotated
from uuid import UUID

from pydantic import Field

from schemas.base import Event
from schemas.types import Code, Function, Instant, Word


class CalendarChanged(Event, name="collaboration.calendar.changed.v1", key="calendar_id"):
    """A business calendar was created or changed; weekdays count from Monday = 0, times are local to `zone`."""

    calendar_id: UUID
    code: Code
    zone: Code
    weekdays: tuple[Annotated[int, Field(ge=0, le=6)], ...]
    opens: time
    closes: time
    holidays: tuple[date, ...]


class Duty(Word):
    """One person's turn on a function's roster."""

    person: Code
    starts_at: Instant
    ends_at: Instant


class RosterChanged(Event, name="collaboration.roster.changed.v1", key="roster_id"):
    """The roster of a function was created or changed; `duties` contains all duties."""

    roster_id: UUID
    function: Function
    duties: tuple[Duty, ...]


class Rung(Word):
    """One step of an escalation: who is told, and how many working minutes after the step before."""

    role: Function | None = None  # none: the task's own function
    after_minutes: Annotated[int, Field(ge=0)]


class LadderChanged(Event, name="collaboration.ladder.changed.v1", key="ladder_id"):
    """The escalation ladder was created or changed; its first level is notified when a deadline passes."""

    ladder_id: UUID
    code: Code
    calendar: Code
    rungs: tuple[Rung, ...]
    max_escalations: Annotated[int, Field(ge=0, le=10)]
