"""What the doors take: the bodies of acts."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field, model_validator

from chassis.http import Body
from schemas.types import CauseKind, Code, Currency, Function, Instant, Money, Paragraphs, Reason, Severity, Text, Tier

MINUTES_MAX, DAYS_MAX = 527_040, 366
Filled = Annotated[str, Field(min_length=3, max_length=4000), Paragraphs()]


class Nothing(Body):
    """An act that needs no words."""


class GiveReason(Body):
    """Why."""

    reason: Reason


class DecideCase(Body):
    """The way out, in words."""

    choice: Filled
    rationale: Text | None = None


class GiveOutcome(Body):
    """What came of it."""

    outcome: Filled


class CommitTask(Body):
    """The date that a function commits to."""

    committed_to: Instant
    note: Text | None = None


class HandOverTask(Body):
    """To whom, and what they need to know."""

    to_function: Function
    note: Filled


class AssignTask(Body):
    """To whom a refused task goes, and why."""

    to_function: Function
    reason: Reason


class SpanBody(Body):
    """How long something may take: working minutes, or until the end of the n-th working day after."""

    minutes: Annotated[int, Field(ge=0, le=MINUTES_MAX)] | None = None
    days: Annotated[int, Field(ge=0, le=DAYS_MAX)] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> SpanBody:
        if (self.minutes is None) == (self.days is None):
            raise ValueError("say either minutes or days")
        return self


class PlaybookTaskBody(Body):
    """One task that a cause asks for."""

    kind: Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*$", max_length=60)]
    function: Function
    title: Filled
    commit_within: SpanBody
    complete_within: SpanBody
    required: bool = True
    money_limit: Money | None = None


class KeepPlaybook(Body):
    """The next version of a cause kind's playbook."""

    kind: CauseKind
    calendar: Code
    ladder: Code
    recurrence_days: Annotated[int, Field(ge=0, le=DAYS_MAX)] = 7
    acknowledge_within: SpanBody
    tasks: Annotated[list[PlaybookTaskBody], Field(min_length=1, max_length=20)]


class MoneyStepBody(Body):
    severity: Severity
    amount: Annotated[Decimal, Field(ge=0, max_digits=20, decimal_places=2)]


class TierStepBody(Body):
    severity: Severity
    tier: Tier


class HoursStepBody(Body):
    severity: Severity
    hours: int


class TighteningBody(Body):
    severity: Severity
    percent: Annotated[int, Field(ge=1, le=100)]


class KeepThresholds(Body):
    """The next version of what makes a case grave."""

    currency: Currency
    money: Annotated[list[MoneyStepBody], Field(max_length=20)] = []  # noqa: RUF012 — pydantic copies the default
    tiers: Annotated[list[TierStepBody], Field(max_length=20)] = []  # noqa: RUF012 — pydantic copies the default
    hours_left: Annotated[list[HoursStepBody], Field(max_length=20)] = []  # noqa: RUF012 — pydantic copies the default
    tightenings: Annotated[list[TighteningBody], Field(max_length=4)] = []  # noqa: RUF012 — pydantic copies the default
