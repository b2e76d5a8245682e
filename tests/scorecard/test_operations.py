"""The acts of the scorecard by themselves: they keep, and they say nothing."""

from __future__ import annotations

from services.scorecard import operations
from tests.scorecard.logs import Log
from tests.scorecard.test_reactions import measures
from tests.support.service import House


def test_a_reading_is_replaced_by_one_that_knows_more_only(scorecard: House) -> None:
    """FLOW 4.4."""
    told = [envelope.data for envelope in measures(Log("one").implemented_after(3))]
    kept = [scorecard.do(lambda tx, e=event: operations.store_reading(tx, event=e)) for event in (*told, *told[::-1])]
    assert [reading.facts for reading in kept] == [1, 2, 3, 4, 4, 4, 4, 4]
    assert scorecard.said() == []


def test_keeping_a_fact_twice_keeps_one(scorecard: House) -> None:
    """FLOW 4.2."""
    fact = Log("two").opened().envelopes[0]
    for _ in range(2):
        scorecard.do(lambda tx: operations.keep_case_fact(tx, fact=fact))
        scorecard.do(lambda tx: operations.record_cause(tx, fact=fact))
    assert scorecard.rows("SELECT count(*) AS n FROM case_facts")[0]["n"] == 1
    assert scorecard.rows("SELECT count(*) AS n FROM facts")[0]["n"] == 1
