"""The acts of the scorecard by themselves: they keep, and they say nothing."""

from __future__ import annotations

from collections.abc import Callable

import psycopg

from chassis.persistence import migrations
from services.scorecard import operations
from services.scorecard.__main__ import parts
from tests.scorecard.logs import Log
from tests.scorecard.test_reactions import measures
from tests.support.service import ServiceUnderTest, open_service


def test_a_reading_is_replaced_by_one_that_knows_more_only(scorecard: ServiceUnderTest) -> None:
    """FLOW 4.4."""
    told = [envelope.data for envelope in measures(Log("one").implemented_after(3))]
    kept = [scorecard.do(lambda tx, e=event: operations.store_reading(tx, event=e)) for event in (*told, *told[::-1])]
    assert [reading.facts for reading in kept] == [1, 2, 3, 4, 4, 4, 4, 4]
    assert scorecard.emitted() == []


def test_keeping_a_fact_twice_keeps_one(scorecard: ServiceUnderTest) -> None:
    """FLOW 4.2."""
    fact = Log("two").opened().envelopes[0]
    for _ in range(2):
        scorecard.do(lambda tx: operations.store_case_fact(tx, fact=fact))
        scorecard.do(lambda tx: operations.record_cause(tx, fact=fact))
    assert scorecard.rows("SELECT count(*) AS n FROM case_facts")[0]["n"] == 1
    assert scorecard.rows("SELECT count(*) AS n FROM facts")[0]["n"] == 1


def test_the_schema_goes_up_down_and_up_again_with_data(fresh_database: Callable[[str], str]) -> None:
    url = fresh_database("scorecard")
    log = Log("kept").implemented_after(2)
    with open_service(parts(), url) as scorecard:
        scorecard.consume(*log.envelopes, *measures(log))
        assert scorecard.get("/velocity").json()["n"] == 1
    migrations.migrate("scorecard", url, "base")
    with psycopg.connect(url) as connection:
        left = connection.execute(
            "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            " AND relname <> 'alembic_version'"
        ).fetchone()
        assert left == (0,)
    with open_service(parts(), url) as scorecard:
        scorecard.consume(*log.envelopes, *measures(log))
        assert scorecard.get("/velocity/check", params={"quiet": True}).json()["differences"] == 0
