"""Questions: each statement sees what is committed when it runs, and the planner is told only inside its block."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

import pytest
from sqlalchemy import text

from tests.chassis import toy
from tests.support.service import ServiceUnderTest

A = UUID(int=5)


def test_settings_of_the_planner_hold_inside_their_block_and_not_after_it(toy_service: ServiceUnderTest) -> None:
    asked = text("SHOW enable_nestloop")
    with toy_service.database.reading() as read:
        with read.planned("enable_nestloop = off", "jit = off"):
            assert read.scalar(asked) == "off"
        assert read.scalar(asked) == "on"


def test_a_question_that_stays_open_sees_what_is_committed_after_it_began(toy_service: ServiceUnderTest) -> None:
    with toy_service.database.reading() as read:
        assert read.read(toy.store, A) is None
        toy_service.do(lambda tx: toy.count(tx, A, "x"))
        assert read.read(toy.store, A) == toy.Counter(A, heard=1, trail="x")


class Day(NamedTuple):
    name: str
    number: int


DAYS = "SELECT name, number FROM (VALUES ('Monday', 1), ('Tuesday', 2)) AS days(name, number) WHERE number >= :first"


def test_rows_are_returned_as_the_named_type(toy_service: ServiceUnderTest) -> None:
    with toy_service.database.reading() as read:
        assert read.all_as(Day, text(DAYS), {"first": 1}) == [Day("Monday", 1), Day("Tuesday", 2)]
        assert read.one_as(Day, text(DAYS), {"first": 2}) == Day("Tuesday", 2)
        assert read.one_as(Day, text(DAYS), {"first": 3}) is None


@pytest.mark.parametrize("columns", ["number, name", "name", "name, number, 1 AS week"])
def test_a_type_that_does_not_fit_the_query_is_refused_with_both_lists(
    toy_service: ServiceUnderTest, columns: str
) -> None:
    query = text(f"SELECT {columns} FROM (VALUES ('Monday', 1)) AS days(name, number)")
    message = f"the query returns the columns {columns.replace('1 AS ', '')}; Day has name, number"
    with toy_service.database.reading() as read:
        for run in (read.all_as, read.one_as):
            with pytest.raises(TypeError, match=f"^{message}$"):
                run(Day, query)
