"""What a forecast of an item at a site is: a baseline per week, overrides with their reasons, and publications; pure.

A baseline is never overwritten by an override: both are kept, and what is expected of a week is the latest
override that has not expired, or else the baseline.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from chassis.errors import Conflict, Invalid
from schemas.base import Event
from schemas.forecast import DemandPublished, OverrideEntered, WeekOfDemand
from schemas.types import By, subject_id

WEEKS_MAX = 260
REASON_LETTERS_MIN = 3


class NotAMonday(Invalid):
    """A week is named by its Monday."""

    code = "not-a-monday"


class NoWeeks(Invalid):
    """A forecast without a week says nothing."""

    code = "no-weeks"


class WeekNamedTwice(Invalid):
    """Which of the two is meant is not guessed."""

    code = "week-named-twice"


class TooManyWeeks(Invalid):
    """A forecast reaches further than anybody plans."""

    code = "too-many-weeks"


class ReasonMissing(Invalid):
    """An override without a reason explains nothing."""

    code = "reason-missing"


class WeekIsOver(Conflict):
    """Nobody changes what was expected of a week that is over."""

    code = "week-is-over"


class NoBaseline(Conflict):
    """The week has no baseline that an override could differ from."""

    code = "no-baseline"


class ExpiresInThePast(Invalid):
    """An override that has expired already changes nothing."""

    code = "expires-in-the-past"


class NothingToPublish(Conflict):
    """What was published last still stands."""

    code = "nothing-to-publish"


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the statistics expect of a week."""

    week_on: date
    quantity: Decimal
    occurred_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Override:
    """What a person expects of a week instead, and why."""

    override_id: UUID
    week_on: date
    before: Decimal
    after: Decimal
    reason: str
    by_subject: str
    by_role: str
    expires_on: date | None
    occurred_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Forecast:
    """The forecast of an item at a site; `published` counts what was published, `said` is the last of it."""

    forecast_id: UUID
    item: str
    site: str
    published: int
    said: tuple[WeekOfDemand, ...]
    published_at: datetime | None
    occurred_at: datetime
    recorded_at: datetime
    baselines: tuple[Baseline, ...] = ()
    overrides: tuple[Override, ...] = ()


def forecast_id(item: str, site: str) -> UUID:
    """Return the id that every service derives for the forecast of an item at a site."""
    return subject_id("forecast", "master", f"{item}@{site}")


def monday_of(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def weeks_named_once(weeks: Iterable[tuple[date, Decimal]]) -> dict[date, Decimal]:
    """Return quantities by week; raises WeekNamedTwice."""
    named: dict[date, Decimal] = {}
    for week_on, quantity in weeks:
        if week_on in named:
            raise WeekNamedTwice(f"the week of {week_on.isoformat()} is named twice", field="weeks")
        named[week_on] = quantity
    return named


def enter_baseline(
    before: Forecast | None, *, item: str, site: str, weeks: dict[date, Decimal], now: datetime
) -> tuple[Forecast, list[Event]]:
    """Enter the baseline of some weeks; a week that is not named keeps its own, overrides stay as they are.

    Raises NoWeeks, NotAMonday, TooManyWeeks. Nothing is said: others hear of it when it is published.
    """
    if not weeks:
        raise NoWeeks("name at least one week with its quantity", field="weeks")
    for week_on in weeks:
        _must_be_monday(week_on)
    by_week = {one.week_on: one for one in before.baselines} if before else {}
    for week_on, quantity in weeks.items():
        if week_on not in by_week or by_week[week_on].quantity != quantity:
            by_week[week_on] = Baseline(week_on, quantity, now, now)
    if len(by_week) > WEEKS_MAX:
        raise TooManyWeeks(f"{len(by_week)} weeks; at most {WEEKS_MAX} are kept", field="weeks")
    baselines = tuple(by_week[week_on] for week_on in sorted(by_week))
    if before is not None:
        same = baselines == before.baselines
        return (before if same else replace(before, baselines=baselines, occurred_at=now, recorded_at=now)), []
    return Forecast(forecast_id(item, site), item, site, 0, (), None, now, now, baselines), []


def enter_override(
    forecast: Forecast,
    *,
    override_id: UUID,
    week_on: date,
    quantity: Decimal,
    reason: str,
    by: By,
    expires_on: date | None,
    now: datetime,
) -> tuple[Forecast, list[Event]]:
    """Say what a person expects of a week instead; the baseline stays.

    Raises NotAMonday, WeekIsOver, NoBaseline, ReasonMissing, ExpiresInThePast.
    """
    today = now.date()
    _must_be_monday(week_on)
    if len(reason.strip()) < REASON_LETTERS_MIN:
        raise ReasonMissing("an override says why in a few words", field="reason")
    if week_on < monday_of(today):
        raise WeekIsOver(f"the week of {week_on.isoformat()} is over", field="week_on")
    if week_on not in {one.week_on for one in forecast.baselines}:
        raise NoBaseline(f"no baseline for the week of {week_on.isoformat()}; enter one first", field="week_on")
    if expires_on is not None and expires_on < today:
        raise ExpiresInThePast(f"expires_on {expires_on.isoformat()} is over", field="expires_on")
    before = expected_of(forecast, week_on, today)
    override = Override(
        override_id, week_on, before, quantity, reason.strip(), by.subject, by.role, expires_on, now, now
    )
    entered = OverrideEntered(
        forecast_id=forecast.forecast_id,
        item=forecast.item,
        site=forecast.site,
        week_on=week_on,
        before=before,
        after=quantity,
        reason=override.reason,
        by=by,
        expires_on=expires_on,
        occurred_at=now,
    )
    overrides = (*forecast.overrides, override)
    return replace(forecast, overrides=overrides, occurred_at=now, recorded_at=now), [entered]


def publish_forecast(forecast: Forecast, *, now: datetime) -> tuple[Forecast, list[Event]]:
    """Publish what is expected of this week and the following ones; it replaces the version before.

    Raises NothingToPublish when that is what was said last, or no week is to come.
    """
    weeks = expected_weeks(forecast, now.date())
    if weeks == forecast.said:
        stands = f"version {forecast.published} still stands" if forecast.published else "no week of it is to come"
        raise NothingToPublish(f"{forecast.item} at {forecast.site}: {stands}")
    after = replace(
        forecast, published=forecast.published + 1, said=weeks, published_at=now, occurred_at=now, recorded_at=now
    )
    demand_published = DemandPublished(
        forecast_id=after.forecast_id,
        item=after.item,
        site=after.site,
        version=after.published,
        weeks=weeks,
        occurred_at=now,
    )
    return after, [demand_published]


def expected_weeks(forecast: Forecast, today: date) -> tuple[WeekOfDemand, ...]:
    """Return what is expected of this week and the following ones, each with its baseline beside it."""
    weeks = []
    for baseline in forecast.baselines:
        if baseline.week_on < monday_of(today):
            continue
        override = standing_override(forecast, baseline.week_on, today)
        weeks.append(
            WeekOfDemand(
                week_on=baseline.week_on,
                quantity=override.after if override else baseline.quantity,
                baseline=baseline.quantity,
                override_reason=override.reason if override else None,
            )
        )
    return tuple(weeks)


def expected_of(forecast: Forecast, week_on: date, today: date) -> Decimal:
    """Return what is expected of a week: the override that stands, or else the baseline."""
    override = standing_override(forecast, week_on, today)
    if override is not None:
        return override.after
    return next((one.quantity for one in forecast.baselines if one.week_on == week_on), Decimal(0))


def standing_override(forecast: Forecast, week_on: date, today: date) -> Override | None:
    """Return the latest override of a week that has not expired, or None."""
    standing = [
        one
        for one in forecast.overrides
        if one.week_on == week_on and (one.expires_on is None or one.expires_on >= today)
    ]
    return max(standing, key=lambda one: (one.occurred_at, one.override_id), default=None)


def _must_be_monday(day: date) -> None:
    if day.weekday() != 0:
        raise NotAMonday(f"{day.isoformat()} is not a Monday; a week is named by its Monday", field="week_on")
