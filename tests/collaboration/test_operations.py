"""One act, one transaction: what is kept and what is said go together; the schema comes and goes with its data."""

from __future__ import annotations

from datetime import time

import pytest

from chassis.persistence import migrations
from schemas.collaboration import CalendarChanged
from services.collaboration import domain, operations
from tests.support.checked_service import CheckedService


def make_calendar(tried: CheckedService, **changes):
    told = {"code": "weekdays", "zone": "UTC", "weekdays": (0, 1), "opens": time(8), "closes": time(18), "holidays": ()}
    return tried.do(lambda tx: operations.change_calendar(tx, **(told | changes)))


def test_a__and_said_in_one_transaction(tried: CheckedService):
    make_calendar(tried)
    [said] = tried.emitted()
    assert isinstance(said, CalendarChanged)
    assert said.occurred_at == tried.now
    [row] = tried.rows("SELECT * FROM calendars")
    assert (row["weekdays"], row["opens"], row["recorded_at"]) == ([0, 1], time(8), tried.now)


def test_the_same_calendar_again_says_nothing(tried: CheckedService):
    make_calendar(tried)
    make_calendar(tried)
    assert len(tried.emitted()) == 1


def test_a_refused_change_leaves_nothing_behind(tried: CheckedService):
    with pytest.raises(domain.UnknownZone):
        make_calendar(tried, zone="nowhere")
    assert tried.emitted() == []
    assert tried.rows("SELECT * FROM calendars") == []


def test_the_schema_goes_down_and_up_again_and_takes_the_same_data(fresh: CheckedService):
    make_calendar(fresh)
    before = fresh.data()
    migrations.migrate("collaboration", fresh.url, "base")
    assert fresh.data() == {}
    migrations.migrate("collaboration", fresh.url, "head")
    fresh.at(fresh.now)
    make_calendar(fresh)
    after = fresh.data()
    assert after.keys() == before.keys()
    assert after["calendars"] == before["calendars"]
