"""A line for which no way out is taken: the task ends by a person's word, not never."""

from __future__ import annotations

from schemas.procurement import AlternativeDeclined
from tests.exceptions.builders import CAUSE, chosen, delayed
from tests.exceptions.test_reactions import CASE, bare, exceptions, one_case
from tests.support.service import ServiceUnderTest

__all__ = ["bare", "exceptions"]  # fixtures


def declined(remaining: int) -> AlternativeDeclined:
    choice = chosen(CASE)
    return AlternativeDeclined(
        occurred_at=choice.occurred_at,
        sourcing_id=choice.sourcing_id,
        case_id=CASE,
        task_id=choice.task_id,
        cause=CAUSE,
        line_id=choice.line_id,
        by=choice.by,
        reason="nobody else makes it",
        remaining_lines=remaining,
    )


def test_the_last_declined_line_completes_the_task_after_a_choice(exceptions: ServiceUnderTest) -> None:
    """FLOW 2.4: nobody waits for a source that does not exist."""
    exceptions.consume(delayed(), chosen(CASE, remaining=1))
    exceptions.emitted()
    exceptions.consume(declined(remaining=0))
    assert exceptions.names() == ["task.completed"]
    assert one_case(exceptions)["choice"] == "other supplier: Nordic", "the choice before stays the decision"


def test_where_every_line_is_declined_that_is_the_decision(exceptions: ServiceUnderTest) -> None:
    exceptions.consume(delayed())
    exceptions.emitted()
    exceptions.consume(declined(remaining=1))
    assert exceptions.names() == []
    (heard,) = exceptions.consume(declined(remaining=0))
    assert exceptions.names() == ["case.decided", "task.completed"]
    assert one_case(exceptions)["choice"] == "no other source is taken"
    exceptions.consume(heard)
    assert exceptions.names() == []
