"""The yardstick of the incident log itself: it must give the known figures before anything is measured with it."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction

import pytest

from cli.backfill.maps import load_map
from cli.backfill.reading import read_responses
from tests.records import incident_oracle as oracle
from tests.support.records import INCIDENTS, shared_file

pytestmark = pytest.mark.records

FIRST_OF_MAY = datetime(2016, 5, 1)


@pytest.fixture(scope="module")
def rows() -> list[oracle.Row]:
    return oracle.read_rows(shared_file(INCIDENTS))


def test_as_of_the_first_of_may_the_closed_alone_look_forty_percent_too_good(rows: list[oracle.Row]) -> None:
    figures = oracle.figures(rows, FIRST_OF_MAY)
    assert figures == {
        "cases": 17136, "open": 1340, "p50_hours": 45.9, "p90_hours": 400.75, "p95_hours": 701.7167,
        "naive_p50_hours": 27.7583, "handoffs": 11783, "acknowledge_p50_hours": 0.3833, "findings": 2,
    }  # fmt: skip


def test_at_the_end_the_naive_figure_and_the_honest_one_are_the_same(rows: list[oracle.Row]) -> None:
    figures = oracle.figures(rows)
    assert figures == {
        "cases": 17136, "open": 0, "p50_hours": 46.1167, "p90_hours": 393.3167, "p95_hours": 738.0333,
        "naive_p50_hours": 46.1167, "handoffs": 12465, "acknowledge_p50_hours": 0.3833, "findings": 2,
    }  # fmt: skip


def test_the_command_reads_of_every_incident_what_the_yardstick_reads(rows: list[oracle.Row]) -> None:
    log = read_responses(shared_file(INCIDENTS).read_bytes(), load_map("servicenow").responses)
    assert (log.left_out, log.rows) == ((), len(rows))
    read: list[oracle.Incident] = []
    for case in log.cases:
        at = {fact.kind: fact.occurred_at.replace(tzinfo=None) for fact in case.facts}
        moved = tuple(fact.occurred_at.replace(tzinfo=None) for fact in case.facts if fact.kind == "handed-over")
        read.append(
            oracle.Incident(case.key, at["opened"], at.get("acknowledged"), at.get("implemented"), moved)
        )  # fmt: skip
    assert read == oracle.incidents(rows)
    # Written when it happened, on whichever row it stands: this is what makes the figures of a past day come out.
    assert all(fact.recorded_at == fact.occurred_at for case in log.cases for fact in case.facts)


@pytest.mark.pure
@pytest.mark.parametrize(
    ("closed", "waiting", "reached"),
    [
        ([1, 2, 3, 4], [], 2),  # exactly half ended at 2
        ([1, 3], [2, 4], 3),  # one of four, then one of the two still at risk
        ([2], [2], 2),  # open at the time of an ending: still at risk in it
        ([1], [2, 3], None),  # never half
    ],
)
def test_an_open_case_counts_until_its_last_look(closed: list[int], waiting: list[int], reached: int | None) -> None:
    found = oracle._reached([Fraction(c) for c in closed], [Fraction(w) for w in waiting], Fraction(1, 2))
    assert found == (None if reached is None else Fraction(reached))
