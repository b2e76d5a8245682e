"""Baselines, overrides with their reasons, publications; no I/O."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D
from uuid import UUID

import pytest

from schemas.types import By
from services.forecast import domain

NOW = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)  # a Wednesday
THIS_WEEK = date(2026, 3, 2)
ANA = By(subject="ana", role="planning-lead")


def week(n: int) -> date:
    return THIS_WEEK + timedelta(weeks=n)


def a_forecast(*quantities: int, before=None) -> domain.Forecast:
    weeks = {week(n): D(q) for n, q in enumerate(quantities)}
    return domain.enter_baseline(before, item="kit", site="LYO", weeks=weeks, now=NOW)[0]


def override(forecast, quantity: int, n: int = 1, *, now: datetime = NOW, number: int = 1, **changes):
    told = {"reason": "a tender", "by": ANA, "expires_on": None, "week_on": week(n)} | changes
    return domain.enter_override(forecast, override_id=UUID(int=number), quantity=D(quantity), now=now, **told)


def expected(forecast, now: datetime = NOW) -> list[D]:
    return [one.quantity for one in domain.expected_weeks(forecast, now.date())]


def test_a_baseline_is_entered_and_nobody_is_told_yet():
    forecast, said = domain.enter_baseline(None, item="kit", site="LYO", weeks={week(0): D(5)}, now=NOW)
    assert said == []
    assert forecast.forecast_id == domain.forecast_id("kit", "LYO")


def test_weeks_that_are_not_named_keep_their_baseline():
    forecast = a_forecast(10, 20, 30)
    forecast, _ = domain.enter_baseline(forecast, item="kit", site="LYO", weeks={week(1): D(25)}, now=NOW)
    assert expected(forecast) == [10, 25, 30]


def test_the_same_baseline_again_changes_nothing():
    forecast = a_forecast(10, 20)
    assert a_forecast(10, 20, before=forecast) is forecast


def test_a_week_is_named_by_its_monday():
    with pytest.raises(domain.NotAMonday, match="2026-03-03 is not a Monday"):
        domain.enter_baseline(None, item="kit", site="LYO", weeks={date(2026, 3, 3): D(5)}, now=NOW)


def test_a_week_named_twice_is_not_guessed():
    with pytest.raises(domain.WeekNamedTwice):
        domain.weeks_named_once([(week(0), D(1)), (week(0), D(2))])


def test_a_forecast_reaches_no_further_than_anybody_plans():
    with pytest.raises(domain.TooManyWeeks):
        a_forecast(*[1] * (domain.WEEKS_MAX + 1))
    with pytest.raises(domain.NoWeeks):
        a_forecast()


def test_an_override_says_before_and_after_by_whom_and_why_and_the_baseline_stays():
    forecast, [said] = override(a_forecast(10, 20), 50)
    assert (said.before, said.after, said.reason, said.by) == (20, 50, "a tender", ANA)
    assert [one.quantity for one in forecast.baselines] == [10, 20]
    assert expected(forecast) == [10, 50]


def test_a_new_baseline_leaves_the_override_standing():
    forecast, _ = override(a_forecast(10, 20), 50)
    forecast = a_forecast(10, 22, before=forecast)
    [_, second] = domain.expected_weeks(forecast, NOW.date())
    assert (second.quantity, second.baseline, second.override_reason) == (50, 22, "a tender")


def test_the_latest_override_stands_and_says_what_was_expected_before_it():
    forecast, _ = override(a_forecast(10, 20), 50)
    forecast, [said] = override(forecast, 35, now=NOW + timedelta(hours=1), number=2, reason="smaller tender")
    assert (said.before, expected(forecast)[1]) == (50, 35)
    assert len(forecast.overrides) == 2


def test_an_expired_override_gives_way_to_the_one_before_and_then_to_the_baseline():
    forecast, _ = override(a_forecast(10, 20), 50, expires_on=NOW.date() + timedelta(days=2))
    forecast, _ = override(
        forecast, 35, now=NOW + timedelta(hours=1), number=2, expires_on=NOW.date() + timedelta(days=1)
    )
    assert [expected(forecast, NOW + timedelta(days=d))[1] for d in range(4)] == [35, 35, 50, 20]


@pytest.mark.parametrize("reason", ["", "  ", "ok"])
def test_an_override_needs_a_reason(reason):
    with pytest.raises(domain.ReasonMissing):
        override(a_forecast(10, 20), 50, reason=reason)


def test_nobody_changes_what_was_expected_of_a_week_that_is_over():
    with pytest.raises(domain.WeekIsOver):
        override(a_forecast(10, 20), 50, n=-1)
    override(a_forecast(10, 20), 50, n=0)


def test_an_override_differs_from_a_baseline():
    with pytest.raises(domain.NoBaseline):
        override(a_forecast(10), 50, n=1)


def test_an_override_that_has_expired_already_is_refused():
    with pytest.raises(domain.ExpiresInThePast):
        override(a_forecast(10, 20), 50, expires_on=NOW.date() - timedelta(days=1))


def test_a_publication_says_this_week_and_the_following_ones_with_the_baseline_beside_them():
    forecast, _ = override(a_forecast(10, 20), 50)
    forecast, [said] = domain.publish_forecast(forecast, now=NOW)
    assert (said.version, forecast.published) == (1, 1)
    assert [(w.week_on, w.quantity, w.baseline) for w in said.weeks] == [(week(0), 10, 10), (week(1), 50, 20)]
    later = NOW + timedelta(weeks=1)
    _, [said] = domain.publish_forecast(forecast, now=later)
    assert (said.version, [w.week_on for w in said.weeks]) == (2, [week(1)])


def test_what_was_said_last_is_not_said_again():
    forecast, _ = domain.publish_forecast(a_forecast(10, 20), now=NOW)
    with pytest.raises(domain.NothingToPublish, match="version 1 still stands"):
        domain.publish_forecast(forecast, now=NOW)


def test_a_forecast_without_a_week_to_come_is_not_published():
    with pytest.raises(domain.NothingToPublish, match="no week of it is to come"):
        domain.publish_forecast(a_forecast(10), now=NOW + timedelta(weeks=2))
