"""What a response follows, kept as data: playbooks, thresholds, and the local copies of calendars, rosters and ladders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date as Day, datetime, time, timedelta
from decimal import Decimal
from typing import Literal

from chassis.errors import Invalid
from schemas.types import CauseKind, Currency, Function, Money, Severity, Tier

SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high", "critical")
TASKS_MAX = 20
RECURRENCE_DAYS = 7


class OtherCurrency(Invalid):
    """An amount is in another currency than the world's."""

    code = "other-currency"


@dataclass(frozen=True, slots=True)
class WorkingDuration:
    """How long something may take: working minutes, or until the end of the n-th working day after the start."""

    minutes: int | None = None
    days: int | None = None

    def tightened(self, percent: int) -> WorkingDuration:
        """Return the span for a graver case; whole days stay whole."""
        return self if self.minutes is None else WorkingDuration(minutes=self.minutes * percent // 100)


Due = Callable[
    [WorkingDuration, datetime], datetime
]  # when a span that starts at an instant ends, by the calendar at hand


@dataclass(frozen=True, slots=True)
class PlaybookTask:
    """One task that a cause asks for; a choice above `money_limit` needs the planning lead."""

    kind: str
    function: Function
    title: str
    commit_within: WorkingDuration
    complete_within: WorkingDuration
    required: bool = True
    money_limit: Money | None = None


@dataclass(frozen=True, slots=True)
class Playbook:
    """Cause kind → tasks; a version is never changed, a new one takes its place for the cases that open later."""

    kind: CauseKind
    number: int
    calendar: str
    ladder: str
    recurrence_days: int
    acknowledge_within: WorkingDuration
    tasks: tuple[PlaybookTask, ...]
    by_subject: str
    recorded_at: datetime

    @property
    def code(self) -> str:
        """Return the name under which a case says which playbook it follows."""
        return f"playbook/{self.kind}"


@dataclass(frozen=True, slots=True)
class MoneyStep:
    """From this amount at risk on, a case is at least this grave."""

    severity: Severity
    amount: Decimal


@dataclass(frozen=True, slots=True)
class TierStep:
    """With a customer of this tier, a case is at least this grave."""

    severity: Severity
    tier: Tier


@dataclass(frozen=True, slots=True)
class HoursStep:
    """With this many hours left until the need, or fewer, a case is at least this grave."""

    severity: Severity
    hours: int


@dataclass(frozen=True, slots=True)
class Tightening:
    """A case this grave has only so many percent of its playbook's minutes."""

    severity: Severity
    percent: int


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What makes a case grave, and how much less time a grave one has."""

    code: str
    number: int
    currency: Currency
    money: tuple[MoneyStep, ...]
    tiers: tuple[TierStep, ...]
    hours_left: tuple[HoursStep, ...]
    tightenings: tuple[Tightening, ...]
    by_subject: str
    recorded_at: datetime

    def severity(self, *, value: Money, tiers: frozenset[Tier], hours_left: float) -> Severity:
        """Return the gravest severity that one of the thresholds reaches; money in another currency reaches none."""
        reached: list[Severity] = ["low"]
        if value.currency == self.currency:
            reached += [step.severity for step in self.money if value.amount >= step.amount]
        reached += [step.severity for step in self.tiers if step.tier in tiers]
        reached += [step.severity for step in self.hours_left if hours_left <= step.hours]
        return max(reached, key=SEVERITIES.index)

    def percent(self, severity: Severity) -> int:
        """Return how much of the playbook's minutes a case of this severity has."""
        return next((t.percent for t in self.tightenings if t.severity == severity), 100)


@dataclass(frozen=True, slots=True)
class KnownCalendar:
    """A business calendar as collaboration published it."""

    code: str
    zone: str
    weekdays: tuple[int, ...]
    opens: time
    closes: time
    holidays: tuple[Day, ...]


@dataclass(frozen=True, slots=True)
class Duty:
    """One person's turn."""

    person: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class KnownRoster:
    """Who is on duty for a function, as collaboration published it."""

    function: Function
    duties: tuple[Duty, ...]

    def on_duty(self, now: datetime) -> tuple[str, ...]:
        """Return the persons whose turn it is."""
        return tuple(sorted({d.person for d in self.duties if d.starts_at <= now < d.ends_at}))


@dataclass(frozen=True, slots=True)
class LadderRung:
    """Who is told, and how many working minutes after the rung before; no role means the task's own function."""

    role: Function | None
    after_minutes: int


@dataclass(frozen=True, slots=True)
class KnownLadder:
    """The escalation ladder as collaboration published it."""

    code: str
    calendar: str
    rungs: tuple[LadderRung, ...]
    max_escalations: int


# Until a ladder is heard, a passed deadline still reaches somebody; such an escalation is counted (FLOW 5.5).
FALLBACK_RUNGS = (LadderRung(None, 0), LadderRung("planning-lead", 240), LadderRung("executive", 480))


def fallback_ladder(code: str) -> KnownLadder:
    """Return the ladder that stands in for one that was never heard."""
    return KnownLadder(code=code, calendar="", rungs=FALLBACK_RUNGS, max_escalations=len(FALLBACK_RUNGS))


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What the opening of a case goes by: its playbook, the thresholds, and the calendar turned into `due`."""

    playbook: Playbook
    thresholds: Thresholds
    due: Due
    calendar_known: bool = True

    @property
    def recurrence_window(self) -> timedelta:
        """Return how long after its end a case comes back instead of a new one opening."""
        return timedelta(days=self.playbook.recurrence_days)


def next_playbook(draft: Playbook, *, current: Playbook | None, world_currency: str) -> Playbook:
    """Return the next version of a playbook, or the current one when nothing changed.

    Raises Invalid where it can bind nobody, OtherCurrency for a limit that is not in the world's currency.
    """
    if not any(task.required for task in draft.tasks):
        raise Invalid(
            "a playbook needs at least one required task: without one no response is ever implemented", field="tasks"
        )
    if len(draft.tasks) > TASKS_MAX:
        raise Invalid(f"{len(draft.tasks)} tasks: a playbook has at most {TASKS_MAX}", field="tasks")
    kinds = [task.kind for task in draft.tasks]
    if len(set(kinds)) < len(kinds):
        raise Invalid("two tasks of a playbook have the same kind; a case has one task per kind", field="tasks")
    _check_spans(draft)
    for place, task in enumerate(draft.tasks):
        if task.money_limit is not None:
            must_be_in(task.money_limit.currency, world_currency, field=f"tasks.{place}.money_limit.currency")
    made = replace(draft, number=1 if current is None else current.number + 1)
    return current if current is not None and _same(made, current) else made


def _same(made: Playbook | Thresholds, current: Playbook | Thresholds) -> bool:
    """Say whether two versions say the same, whoever wrote them and when."""
    return (
        replace(made, number=current.number, by_subject=current.by_subject, recorded_at=current.recorded_at) == current
    )


def _check_spans(draft: Playbook) -> None:
    spans = [("acknowledge_within", draft.acknowledge_within)]
    for task in draft.tasks:
        spans += [
            (f"{task.kind}.commit_within", task.commit_within),
            (f"{task.kind}.complete_within", task.complete_within),
        ]
    for field, span in spans:
        if (span.minutes is None) == (span.days is None):
            raise Invalid(f"{field}: say either minutes or days", field=field)


def must_be_in(currency: str, world_currency: str, *, field: str) -> None:
    """Raise OtherCurrency where an amount is in another currency than the world's: there is no exchange rate to compare it by."""
    if currency != world_currency:
        raise OtherCurrency(
            f"the amount is in {currency}, and this world reports in {world_currency}: state it in {world_currency};"
            f" no exchange rate from {currency} is known",
            field=field,
        )


def next_thresholds(draft: Thresholds, *, current: Thresholds | None, world_currency: str) -> Thresholds:
    """Return the next version of the thresholds, or the current one when nothing changed; raises OtherCurrency."""
    must_be_in(draft.currency, world_currency, field="currency")
    made = replace(draft, number=1 if current is None else current.number + 1)
    return current if current is not None and _same(made, current) else made


Watched = Literal["acknowledge", "commit", "complete"]
