"""A fact comes in, a case and its tasks come out; the same fact again changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.exceptions import domain
from services.exceptions.__main__ import parts
from tests.exceptions.builders import (
    CAUSE,
    calendar,
    delayed,
)
from tests.support.service import House, house

SEED = Path(__file__).parents[2] / "cli" / "seed" / "exceptions.yaml"
CASE = domain.case_id_of(CAUSE, 1)
OPENED = ["case.opened", "task.opened", "task.opened"]


def plant(opened: House, seed: Path = SEED) -> None:
    for request in yaml.safe_load(seed.read_text()):
        answer = opened.post(request["path"], request["body"], key=request["key"])
        assert answer.status_code == 201, answer.text


@pytest.fixture
def bare(fresh_database: Callable[[str], str]) -> Iterator[House]:
    with house(parts(), fresh_database("exceptions")) as opened:
        yield opened


@pytest.fixture
def exceptions(bare: House) -> House:
    plant(bare)
    bare.hear(calendar())
    return bare


def one_case(exceptions: House) -> dict[str, Any]:
    (row,) = exceptions.rows("SELECT * FROM cases")
    return row


def test_a_delay_opens_a_case_with_both_tasks_once(exceptions: House) -> None:
    """FLOW 1.1 and 1.2: the root signal opens the case; a redelivery finds what it made."""
    heard = exceptions.hear(delayed())
    said = exceptions.said()
    assert [e.type.split(".", 1)[1].rsplit(".", 1)[0] for e in said] == OPENED
    assert {e.causationid for e in said} == {heard[0].id}
    assert said[0].data.value_at_risk.amount == said[0].data.value_at_risk.amount.__class__("2000.50")
    assert [e.data.kind for e in said[1:]] == ["notify-customers", "find-alternative-source"]
    tables = ("cases", "tasks", "case_timeline", "timers", "causes")
    before = [exceptions.rows(f"SELECT * FROM {t} ORDER BY 1, 2") for t in tables]
    exceptions.hear(*heard)
    assert exceptions.said() == []
    assert before == [exceptions.rows(f"SELECT * FROM {t} ORDER BY 1, 2") for t in tables]
