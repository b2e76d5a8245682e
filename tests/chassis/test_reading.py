"""Questions: each statement sees what is committed when it runs, and the planner is told only inside its block."""

from __future__ import annotations

from uuid import UUID

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
