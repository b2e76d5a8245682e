"""Acts inside transactions: races for one cause, lost updates, and the schema's way down and up again."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import psycopg
import pytest

from chassis.ids import time_ordered_id
from chassis.persistence import migrations
from chassis.persistence.database import ConcurrentChange, Context, Tx
from services.exceptions import domain, operations
from services.exceptions.__main__ import parts
from tests.exceptions.builders import (
    BUYER,
    CAUSE,
    LEAD,
    SALES,
    delayed,
    extended,
    impact,
    playbook,
    recovered,
    shortage,
    thresholds,
)
from tests.support.service import ServiceUnderTest, open_service

CASE = domain.case_id_of(CAUSE, 1)


@pytest.fixture
def exceptions(new_exceptions: ServiceUnderTest) -> ServiceUnderTest:
    new_exceptions.do(lambda tx: operations.upsert_thresholds(tx, draft=thresholds()))
    new_exceptions.do(lambda tx: operations.upsert_playbook(tx, draft=playbook()))
    return new_exceptions


def together(exceptions: ServiceUnderTest, *works: Callable[[Tx], Any]) -> None:
    """Run each work in a transaction and a thread of its own; all have done their reading before any commits."""
    barrier = Barrier(len(works), timeout=60)

    def run(work: Callable[[Tx], Any]) -> None:
        first = True

        def meet(tx: Tx) -> None:
            nonlocal first
            work(tx)
            if first:
                first = False
                barrier.wait()

        act_id = time_ordered_id()
        exceptions.database.run(meet, lambda now: Context(act_id, act_id, "act", now))

    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(run, work) for work in works]:
            done.result(timeout=60)


def test_two_processes_and_one_cause_make_one_case(exceptions: ServiceUnderTest) -> None:
    """FLOW 1.2: the causes row is created by whoever comes first; the other one extends what is there."""
    together(
        exceptions,
        lambda tx: operations.open_case(tx, event=delayed(days=1)),
        lambda tx: operations.open_case(tx, event=extended(days=2)),
    )
    assert exceptions.names() == ["case.opened", "task.opened", "task.opened", "case.extended"]
    assert exceptions.rows("SELECT case_id FROM cases") == [{"case_id": CASE}]
    assert exceptions.rows("SELECT count(*) AS n FROM tasks") == [{"n": 2}]


def test_an_impact_and_its_delay_at_the_same_time_meet_in_one_case(exceptions: ServiceUnderTest) -> None:
    """FLOW 1.2: consequences travel on other topics and may arrive before, after, or just now."""
    together(
        exceptions,
        lambda tx: operations.reassess_impact(tx, event=impact()),
        lambda tx: operations.open_case(tx, event=delayed()),
        lambda tx: operations.apply_predicted_shortage(tx, event=shortage(cause=CAUSE)),
    )
    assert sorted(exceptions.names()) == [
        "case.opened",
        "case.reassessed",
        "case.reassessed",
        "task.opened",
        "task.opened",
    ]
    (case,) = exceptions.rows("SELECT impact_version, jsonb_array_length(shortages) AS shortages FROM cases")
    assert case == {"impact_version": 1, "shortages": 1}


def test_two_people_finish_the_last_two_tasks_and_the_case_is_implemented_once(exceptions: ServiceUnderTest) -> None:
    """FLOW 2.2: the quorum is counted under the lock of the case."""
    exceptions.do(lambda tx: operations.open_case(tx, event=delayed()))
    exceptions.emitted()

    def finish(kind: str, person: domain.Person) -> Callable[[], None]:
        def work() -> None:
            task_id = domain.task_id_of(CASE, kind)
            act_id = time_ordered_id()
            exceptions.database.run(
                lambda tx: operations.complete_task(tx, task_id=task_id, person=person, outcome="done so"),
                lambda now: Context(act_id, act_id, "act", now),
            )

        return work

    with ThreadPoolExecutor(2) as pool:
        for done in [
            pool.submit(finish("notify-customers", SALES)),
            pool.submit(finish("find-alternative-source", BUYER)),
        ]:
            done.result(timeout=60)
    assert exceptions.names() == ["task.completed", "task.completed", "case.implemented"]


def test_a_signal_never_waits_for_rules_that_came_at_the_same_moment(exceptions: ServiceUnderTest) -> None:
    """A signal that finds no playbook and the playbook that comes just then cannot miss each other."""
    told = shortage()
    together(
        exceptions,
        lambda tx: operations.open_case(tx, event=delayed()),
        lambda tx: operations.open_case(tx, event=delayed(shipment="S2")),
    )
    exceptions.emitted()
    with ThreadPoolExecutor(2) as pool:
        act_id = time_ordered_id()

        def run(work: Callable[[Tx], Any]) -> Any:
            return exceptions.database.run(work, lambda now: Context(act_id, act_id, "act", now))

        both = [
            pool.submit(run, lambda tx: operations.open_case(tx, event=told)),
            pool.submit(run, lambda tx: operations.upsert_playbook(tx, draft=playbook("shortage"))),
        ]
        for done in both:
            done.result(timeout=60)
    assert exceptions.names() == ["case.opened", "task.opened", "task.opened"]
    assert exceptions.rows("SELECT count(*) AS waiting FROM causes WHERE jsonb_typeof(signal) = 'object'") == [
        {"waiting": 0}
    ]


def test_a_playbook_that_comes_twice_at_once_is_one_version(exceptions: ServiceUnderTest) -> None:
    draft = playbook(recurrence_days=30)
    with ThreadPoolExecutor(2) as pool:
        act_id = time_ordered_id()
        runs = [
            pool.submit(
                exceptions.database.run,
                lambda tx: operations.upsert_playbook(tx, draft=draft).number,
                lambda now: Context(act_id, act_id, "act", now),
            )
            for _ in range(2)
        ]
        assert [run.result(timeout=60) for run in runs] == [2, 2]


def test_an_act_on_a_stale_case_is_run_again_and_not_lost(exceptions: ServiceUnderTest) -> None:
    exceptions.do(lambda tx: operations.open_case(tx, event=delayed()))
    with pytest.raises(ConcurrentChange), exceptions.tx() as tx:
        operations.take_case(tx, case_id=CASE, person=LEAD)
        tx.cursor().execute("UPDATE cases SET version = version + 1 WHERE case_id = %s", [CASE])
    assert exceptions.rows("SELECT owner FROM cases") == [{"owner": None}]


def test_what_is_read_is_what_was_kept(exceptions: ServiceUnderTest) -> None:
    """Every field of a case survives its row: lines, money, the chain, spans."""
    exceptions.do(lambda tx: operations.open_case(tx, event=delayed()))
    exceptions.do(lambda tx: operations.reassess_impact(tx, event=impact()))
    exceptions.do(lambda tx: operations.apply_predicted_shortage(tx, event=shortage(cause=CAUSE)))
    kept = exceptions.do(lambda tx: operations.escalate_case(tx, case_id=CASE, what="acknowledge", task_id=None))
    assert exceptions.do(lambda tx: operations.get_case(tx, case_id=CASE)) == kept
    assert kept.chain
    assert kept.shortages
    assert kept.affected


def test_the_schema_goes_down_and_up_again_with_data(fresh_database: Callable[[str], str]) -> None:
    url = fresh_database("exceptions")
    for _ in range(2):
        with open_service(parts(), url) as opened:
            opened.do(lambda tx: operations.upsert_thresholds(tx, draft=thresholds()))
            opened.do(lambda tx: operations.upsert_playbook(tx, draft=playbook()))
            opened.do(lambda tx: operations.open_case(tx, event=delayed()))
            assert len(opened.rows("SELECT 1 FROM cases")) == 1
        migrations.migrate("exceptions", url, "base")


def test_a_case_of_an_older_release_keeps_its_id_and_what_its_opening_said(
    fresh_database: Callable[[str], str],
) -> None:
    """Before 0.1.0 the opening of a first case said 1; the next case of the cause goes on from there."""
    url = fresh_database("exceptions")
    with open_service(parts(), url) as opened:
        opened.do(lambda tx: operations.upsert_thresholds(tx, draft=thresholds()))
        opened.do(lambda tx: operations.upsert_playbook(tx, draft=playbook(recurrence_days=0)))
        opened.do(lambda tx: operations.open_case(tx, event=delayed()))
    migrations.migrate("exceptions", url, "-2")
    with psycopg.connect(url) as old:
        assert old.execute("SELECT c.recurrence, k.recurrence FROM cases c, causes k").fetchall() == [(1, 1)]
    with open_service(parts(), url) as opened:
        assert opened.rows("SELECT cycle, recurrence FROM cases") == [{"cycle": 1, "recurrence": 1}]
        opened.consume(recovered())
        opened.set_clock(opened.now() + timedelta(days=1))
        opened.consume(delayed())
        later = opened.rows("SELECT case_id, cycle, recurrence FROM cases WHERE state = 'open'")
        assert later == [{"case_id": domain.case_id_of(CAUSE, 2), "cycle": 2, "recurrence": 1}]
        assert opened.get("/figures").json()["recurrences"] == 1
