"""One act, one transaction: what is kept and what is said go together; the schema comes and goes with its data."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D
from uuid import UUID

import pytest

from chassis.errors import NotFound
from chassis.persistence import migrations
from schemas.forecast import DemandPublished, OverrideEntered
from schemas.types import By
from services.forecast import domain, operations
from tests.support.checked_service import CheckedService

ANA = By(subject="ana", role="sales")
MONDAY = date(2026, 3, 2)
KIT = domain.forecast_id("kit", "LYO")


def enter(tried: CheckedService, quantity: int = 10):
    return tried.do(lambda tx: operations.enter_baseline(tx, item="kit", site="LYO", weeks={MONDAY: D(quantity)}))


def override(tried: CheckedService, quantity: int, reason: str = "a tender"):
    return tried.do(
        lambda tx: operations.enter_override(
            tx,
            forecast_id=KIT,
            override_id=UUID(int=quantity),
            week_on=MONDAY,
            quantity=D(quantity),
            reason=reason,
            by=ANA,
        )
    )


def publish(tried: CheckedService):
    return tried.do(lambda tx: operations.publish_forecast(tx, forecast_id=KIT, by=ANA))


def test_a_published_forecast_is_kept_and_said_in_one_transaction(tried: CheckedService):
    enter(tried)
    override(tried, 50)
    publish(tried)
    entered, published = tried.emitted()
    assert isinstance(entered, OverrideEntered)
    assert isinstance(published, DemandPublished)
    assert [(w.quantity, w.baseline, w.override_reason) for w in published.weeks] == [(50, 10, "a tender")]
    [kept] = tried.rows("SELECT * FROM publications")
    assert (kept["published"], kept["by_subject"], len(kept["weeks"])) == (1, "ana", 1)


def test_an_override_never_overwrites_the_baseline(tried: CheckedService):
    enter(tried)
    override(tried, 50)
    override(tried, 60)
    assert [row["quantity"] for row in tried.rows("SELECT quantity FROM baselines")] == [10]
    assert len(tried.rows("SELECT * FROM overrides")) == 2


def test_a_refused_override_leaves_nothing_behind(tried: CheckedService):
    enter(tried)
    with pytest.raises(domain.ReasonMissing):
        override(tried, 50, reason=" ")
    assert tried.emitted() == []
    assert tried.rows("SELECT * FROM overrides") == []


def test_what_is_not_known_is_not_published(tried: CheckedService):
    with pytest.raises(NotFound):
        publish(tried)


def test_the_schema_goes_down_and_up_again_and_takes_the_same_data(fresh: CheckedService):
    enter(fresh)
    override(fresh, 50)
    publish(fresh)
    before = fresh.data()
    migrations.migrate("forecast", fresh.url, "base")
    assert fresh.data() == {}
    migrations.migrate("forecast", fresh.url, "head")
    fresh.at(fresh.now)
    enter(fresh)
    override(fresh, 50)
    publish(fresh)
    after = fresh.data()
    assert after.keys() == before.keys()
    for table in ("forecasts", "baselines", "overrides", "publications"):
        assert len(after[table]) == len(before[table])
