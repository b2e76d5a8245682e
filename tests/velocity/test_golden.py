"""The pure module answers every golden log as a person worked it out, in any order and however often a line comes."""

from __future__ import annotations

import json
import random
import re
from uuid import UUID

import pytest

from tests.layers.small_tree import ROOT
from velocity import Unreadable, answers, read
from velocity.conformance import GoldenLog, differences, golden_logs

LOGS = golden_logs()


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.name)
def test_a_golden_log_is_answered_as_a_person_worked_it_out(log: GoldenLog) -> None:
    """In any order of arrival and with every fact twice."""
    lines = log.events.splitlines()
    assert list(differences(log.expected, answers(read(lines)))) == []
    random.Random(log.name).shuffle(lines)
    assert list(differences(log.expected, answers(read([*lines, *lines])))) == []


def test_there_are_enough_and_each_says_how_a_person_gets_it() -> None:
    """Each expected answer carries the arithmetic that leads to it."""
    assert len(LOGS) >= 40
    assert all(log.arithmetic.startswith("# ") and len(log.arithmetic.splitlines()) > 2 for log in LOGS)


def test_every_golden_log_stands_in_the_specification_and_every_number_there_is_one() -> None:
    """Every rule has an example in the text that is also a golden log."""
    words = (ROOT / "docs" / "decision-velocity.md").read_text(encoding="utf-8")
    named = {number for group in re.findall(r"\[([\d,\s]+)\]", words) for number in re.findall(r"\d{3}", group)}
    assert named == {log.name[:3] for log in LOGS}


def test_every_line_is_a_cloud_event() -> None:
    """CloudEvents 1.0: what must be there is there."""
    for log in LOGS:
        for event in (json.loads(line) for line in log.events.splitlines()):
            assert "options" in event or {"specversion", "id", "source", "type", "time", "data"} <= set(event)


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {}),
        ([1, 2], [1]),
        ([1], [2]),
        (None, 0),
        (0, None),
        (0.5, 0.6),
        (True, 1),
        (0, False),
        ({"measures": [{"phases": {"task": 1}}]}, {"measures": [{"phases": {"task": 1, "verify": 0}}]}),
    ],
)
def test_a_wrong_answer_is_seen(expected: object, answer: object) -> None:
    """A judge that lets everything pass proves nothing."""
    assert list(differences(expected, answer))


def test_more_than_was_expected_passes() -> None:
    """An answer may say more than a golden log is about."""
    assert list(differences({"a": [{"b": 1}], "x": 0.1}, {"a": [{"b": 1, "c": 2}], "x": 0.1000000001, "d": 3})) == []


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '{"source": "/x"}',
        '{"source": "/x", "type": "exceptions.case.opened.v1"}',
        '{"type": "exceptions.task.completed.v1"}',
        '{"type": "collaboration.calendar.changed.v1", "source": "/x"}',
    ],
)
def test_a_line_that_is_no_event_is_named(line: str) -> None:
    """Silence is not success."""
    with pytest.raises(Unreadable, match="1"):
        answers(read([line]))


@pytest.mark.parametrize("field", ["case_id", "task_id", "function", "required"])
def test_a_fact_that_the_specification_names_must_have_what_it_needs(field: str) -> None:
    """Row by row of section 1; other facts may lack the same fields."""
    data = {"case_id": f"{UUID(int=1)}", "task_id": f"{UUID(int=2)}", "function": "sales", "required": True}
    event = {"id": f"{UUID(int=3)}", "source": "/x", "time": "2026-03-02T08:00:00Z", "data": data}
    del data[field]
    with pytest.raises(Unreadable, match=field):
        read([json.dumps(event | {"type": "exceptions.task.committed.v1"})])
    told = read([json.dumps(event | {"type": "exceptions.case.escalated.v1"})]).events
    assert len(told) == (field != "case_id")
