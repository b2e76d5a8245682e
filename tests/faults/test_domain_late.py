"""Work that flows again too late fails a trial, unless the trial is told to measure no time."""

from __future__ import annotations

import time
from argparse import Namespace

import pytest

from tests.faults import __main__ as command
from tests.faults.fault_injection import Course
from tests.faults.trials import Report, sum_of


@pytest.mark.parametrize(
    ("seconds", "fault", "untimed", "code"),
    [(12.5, "", False, 1), (12.5, "", True, 0), (12.5, "a fact was lost", True, 1), (3.0, "", False, 0)],
    ids=["late", "late on a busy machine", "a fault on a busy machine", "in time"],
)
def test_a_late_return_of_work_fails_unless_time_is_not_measured(
    seconds: float, fault: str, untimed: bool, code: int
) -> None:
    course = Course("PostgreSQL killed")
    course.flowed(seconds, 12.0)
    report = Report("short", 1, courses=[course], faults=[fault] if fault else [])
    assert ("LATE: PostgreSQL killed" in sum_of(report)) is (seconds > 12.0)
    assert command._sum_up([report], Namespace(untimed=untimed, json=False), time.monotonic()) == code
