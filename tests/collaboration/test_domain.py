"""What collaboration keeps and what it refuses; no I/O."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from schemas.collaboration import Duty, Rung
from services.collaboration import domain

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def a_calendar(before=None, **changes):
    told = {
        "code": "weekdays",
        "zone": "UTC",
        "weekdays": (0, 1, 2, 3, 4),
        "opens": time(8),
        "closes": time(18),
        "holidays": (),
        "now": NOW,
    }
    return domain.change_calendar(before, **(told | changes))


def a_duty(person: str, start_hour: int, hours: int) -> Duty:
    starts_at = NOW + timedelta(hours=start_hour)
    return Duty(person=person, starts_at=starts_at, ends_at=starts_at + timedelta(hours=hours))


def a_roster(*duties: Duty, before=None, people=("ana", "ben")):
    return domain.change_roster(before, function="sales", duties=duties, people=frozenset(people), now=NOW)


def a_ladder(before=None, **changes):
    rungs = (Rung(after_minutes=0), Rung(role="planning-lead", after_minutes=240))
    told = {
        "code": "default",
        "calendar": "weekdays",
        "rungs": rungs,
        "max_escalations": 3,
        "calendar_exists": True,
        "now": NOW,
    }
    return domain.change_ladder(before, **(told | changes))


def test_a_new_calendar_is_published_with_its_hours():
    """FLOW 5.5: deadlines elsewhere hang on this fact."""
    calendar, [said] = a_calendar(holidays=(date(2026, 12, 25), date(2026, 1, 1), date(2026, 12, 25)))
    assert said.calendar_id == calendar.calendar_id == domain.calendar_id("weekdays")
    assert (said.weekdays, said.opens, said.closes) == ((0, 1, 2, 3, 4), time(8), time(18))
    assert said.holidays == (date(2026, 1, 1), date(2026, 12, 25))


def test_saying_the_same_calendar_again_changes_nothing_and_tells_nobody():
    calendar, _ = a_calendar()
    again, said = a_calendar(calendar, now=NOW + timedelta(days=1))
    assert again is calendar
    assert said == []


def test_a_changed_calendar_is_published_again():
    calendar, _ = a_calendar()
    changed, [said] = a_calendar(calendar, closes=time(17), now=NOW + timedelta(days=1))
    assert said.closes == changed.closes == time(17)


def test_equal_hours_mean_the_whole_day():
    calendar, _ = a_calendar(opens=time(0), closes=time(0))
    assert calendar.opens == calendar.closes


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "Europe", "../etc/passwd", "UTC+25"])
def test_a_zone_that_is_no_iana_name_is_refused(zone):
    with pytest.raises(domain.UnknownZone, match="IANA"):
        a_calendar(zone=zone)


def test_hours_that_close_before_they_open_are_refused():
    with pytest.raises(domain.ClosesBeforeOpens, match="closes at 07:00, before it opens at 08:00"):
        a_calendar(closes=time(7))


@pytest.mark.parametrize("weekdays", [(), (7,), (-1, 0)])
def test_a_week_without_a_real_working_day_is_refused(weekdays):
    with pytest.raises(domain.NoWeekdays):
        a_calendar(weekdays=weekdays)


def test_a_roster_is_published_whole_and_in_order():
    roster, [said] = a_roster(a_duty("ben", 8, 8), a_duty("ana", 0, 8))
    assert [duty.person for duty in said.duties] == ["ana", "ben"]
    assert said.roster_id == roster.roster_id == domain.roster_id("sales")


def test_a_roster_may_be_empty_and_then_the_functions_role_is_told():
    """FLOW 5.5: an empty roster means the function's role."""
    _, [said] = a_roster()
    assert said.duties == ()


def test_duties_that_follow_each_other_without_a_gap_do_not_overlap():
    a_roster(a_duty("ana", 0, 8), a_duty("ben", 8, 8))


def test_overlapping_duties_are_refused_with_both_turns():
    with pytest.raises(domain.OverlappingDuties, match=r"ana .* and of ben .* overlap"):
        a_roster(a_duty("ana", 0, 8), a_duty("ben", 7, 8))


def test_a_duty_that_ends_before_it_starts_is_refused():
    with pytest.raises(domain.DutyEndsBeforeItStarts):
        a_roster(a_duty("ana", 0, 0))


def test_a_duty_of_somebody_unknown_is_refused():
    with pytest.raises(domain.UnknownPerson, match="'zoe' is not registered"):
        a_roster(a_duty("zoe", 0, 8))


def test_a_ladder_is_published_with_its_rungs():
    """FLOW 5.5: escalations elsewhere climb this ladder."""
    _, [said] = a_ladder()
    assert [(rung.role, rung.after_minutes) for rung in said.rungs] == [(None, 0), ("planning-lead", 240)]
    assert said.max_escalations == 3


def test_a_ladder_in_an_unknown_calendar_is_refused():
    with pytest.raises(domain.UnknownCalendar):
        a_ladder(calendar_exists=False)


@pytest.mark.parametrize("rungs", [(), (Rung(after_minutes=0), Rung(after_minutes=10))])
def test_a_ladder_without_rungs_or_with_a_role_twice_is_refused(rungs):
    with pytest.raises(domain.UnsoundLadder):
        a_ladder(rungs=rungs)


def test_a_persons_zone_must_be_an_iana_name():
    with pytest.raises(domain.UnknownZone):
        domain.change_person(None, code="ana", name="Ana", function="sales", zone="here", contact=None, now=NOW)
