"""A response that a foreign log tells: its clock points with both times, no task and no deadline."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chassis.errors import Invalid
from schemas.exceptions import CaseOpened
from services.exceptions import domain
from services.exceptions.domain import ImportedFact, ImportedKind
from tests.exceptions.builders import DAY, LATER, NOW


def fact(kind: ImportedKind, at: Any = NOW, **more: Any) -> ImportedFact:
    return ImportedFact(**({"kind": kind, "occurred_at": at, "recorded_at": at} | more))


def imported(*facts: ImportedFact) -> tuple[domain.Case, list[domain.RecordedFact]]:
    return domain.import_case(source="desk", reference="INC1", headline="printer", severity="low", facts=facts)


HANDED = fact("handed-over", LATER, from_group="first line", to_group="network")


def test_a_foreign_case_has_its_clock_points_and_asks_nobody_for_anything() -> None:
    case, known = imported(fact("opened"), fact("acknowledged", LATER), HANDED, fact("implemented", NOW + DAY))
    assert (case.state, case.opened_at, case.acknowledged_at) == ("implemented", NOW, LATER)
    assert case.implemented_at == NOW + DAY
    assert (case.tasks, case.sites, case.due_at) == ((), (), None)
    opening = known[0].fact
    assert isinstance(opening, CaseOpened)
    assert (opening.recurrence, case.recurrence, case.cycle) == (0, 0, 1), "no case of this cause was before it"
    assert [type(one.fact).__name__ for one in known] == [
        "CaseOpened",
        "CaseAcknowledged",
        "CaseHandedOver",
        "CaseImplemented",
    ]
    assert [one.recorded_at for one in known] == [NOW, LATER, LATER, NOW + DAY]
    assert {one.fact.subject for one in known} == {str(case.case_id)}


def test_each_fact_keeps_the_time_at_which_it_became_known() -> None:
    _, known = imported(fact("opened"), fact("implemented", LATER, recorded_at=NOW + DAY))
    assert [(one.fact.occurred_at, one.recorded_at) for one in known] == [(NOW, NOW), (LATER, NOW + DAY)]


def test_what_is_not_implemented_stays_open_and_no_deadline_of_it_ever_passes() -> None:
    case, _ = imported(fact("opened"))
    assert (case.state, case.implemented_at) == ("open", None)
    assert [d.due_at.year for d in domain.deadlines_of(case).values()] == [9999]


def test_the_opening_is_told_first_even_where_the_acknowledgement_lies_before_it() -> None:
    case, known = imported(fact("acknowledged", NOW - timedelta(minutes=4)), fact("opened"))
    assert [type(one.fact).__name__ for one in known] == ["CaseOpened", "CaseAcknowledged"]
    assert case.acknowledged_at is not None
    assert case.acknowledged_at < case.opened_at


def test_the_same_record_is_the_same_case_and_that_of_another_source_is_not() -> None:
    assert domain.incident_of("desk", "INC1") == imported(fact("opened"))[0].cause
    assert domain.incident_of("other desk", "INC1") != domain.incident_of("desk", "INC1")


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ([fact("implemented")], "begins with its opening"),
        ([fact("opened"), fact("opened", LATER)], "is opened once"),
        ([fact("opened"), fact("implemented"), fact("implemented", LATER)], "is implemented once"),
        ([fact("opened"), fact("handed-over", from_group="one", to_group="one")], "two different groups"),
        ([fact("opened"), fact("handed-over", to_group="one")], "two different groups"),
    ],
)
def test_what_is_no_case_is_refused_with_what_was_expected(facts: list[ImportedFact], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        imported(*facts)
