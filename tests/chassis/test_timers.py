"""Timers: once, in the order of their due times, and dead ones set aside."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
import pytest

from chassis.messaging import redrive
from chassis.scheduling.scheduler import Scheduler
from tests.chassis import toy
from tests.support.service import START, ServiceUnderTest, open_service, wait_until
from tests.support.stack import Infrastructure


def trail(service: ServiceUnderTest) -> str:
    rows = service.rows("SELECT trail FROM counters WHERE item_id = %s", [UUID(int=9)])
    return str(rows[0]["trail"]) if rows else ""


def test_timers_fire_in_the_order_of_their_due_times_each_once(toy_service: ServiceUnderTest) -> None:
    for minutes, subject in ((30, "c"), (10, "a"), (20, "b"), (900, "z")):
        toy_service.do(lambda tx, m=minutes, s=subject: toy.arm(tx, s, minutes=m))
    assert toy_service.advance(START + timedelta(hours=1)) == 3
    assert trail(toy_service) == "abc"
    assert toy_service.advance(START + timedelta(hours=2)) == 0


def test_arming_again_replaces_and_disarming_takes_back(toy_service: ServiceUnderTest) -> None:
    toy_service.do(lambda tx: toy.arm(tx, "a", minutes=10))
    toy_service.do(lambda tx: toy.arm(tx, "a", minutes=50))
    toy_service.do(lambda tx: toy.arm(tx, "b", minutes=10))
    toy_service.do(lambda tx: tx.disarm("toy-due", "b"))
    assert toy_service.advance(START + timedelta(minutes=30)) == 0
    assert toy_service.advance(START + timedelta(minutes=60)) == 1
    assert trail(toy_service) == "a"


def test_a_timer_disarmed_and_set_again_for_the_same_time_fires_once(toy_service: ServiceUnderTest) -> None:
    for _ in range(2):
        toy_service.do(lambda tx: toy.arm(tx, "a", minutes=10))
        toy_service.do(lambda tx: tx.disarm("toy-due", "a"))
    toy_service.do(lambda tx: toy.arm(tx, "a", minutes=10))
    assert toy_service.advance(START + timedelta(hours=1)) == 1


def test_two_processes_fire_one_timer_once(toy_service: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """FLOW 5.5: FOR UPDATE SKIP LOCKED, and the inbox key (timer, reaction)."""
    for n in range(40):
        toy_service.do(lambda tx, n=n: toy.arm(tx, f"t{n:02}.", minutes=1))
    toy_service.set_clock(START + timedelta(hours=1))
    monkeypatch.setattr("chassis.scheduling.scheduler.BATCH_MAX", 5)
    others = [Scheduler(toy_service.database, toy_service.parts.reactions, toy_service.settings) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        while sum(pool.map(lambda s: s.fire_due(), others)):
            pass
    assert sorted(trail(toy_service).split(".")[:-1]) == [f"t{n:02}" for n in range(40)]


def test_a_timer_whose_reaction_fails_is_set_aside_and_the_others_fire(toy_service: ServiceUnderTest) -> None:
    toy.faults["bad"] = ValueError
    for subject in ("a", "bad", "c"):
        toy_service.do(lambda tx, s=subject: toy.arm(tx, s, minutes=5))
    assert toy_service.advance(START + timedelta(hours=1)) == 3
    assert sorted(trail(toy_service)) == ["a", "c"]
    (letter,) = toy_service.rows("SELECT * FROM dead_letters")
    assert (letter["topic"], letter["cause"], letter["key"]) == ("timer", "ValueError", "bad")
    toy.faults.clear()
    done = redrive.redrive(toy_service.database, toy_service.parts.reactions, letter, driven=True)
    assert [d.outcome for d in done] == ["done"]
    assert sorted(trail(toy_service)) == sorted("acbad")


def test_inside_a_timer_the_time_is_its_due_instant(toy_service: ServiceUnderTest) -> None:
    """FLOW 6.2, and the fact that armed it is named (FLOW 4.2)."""
    act = UUID(int=77)
    with toy_service.tx(cause=act) as tx:
        toy.arm(tx, "a", minutes=10)
    seen: list[object] = []
    original = toy.reactions.at_timers["toy-due"]
    toy.reactions.at_timers["toy-due"] = lambda tx, timer: seen.append(
        (tx.now, tx.context.armed_by, tx.context.armed_kind)
    )
    try:
        toy_service.advance(START + timedelta(days=9))
    finally:
        toy.reactions.at_timers["toy-due"] = original
    assert seen == [(START + timedelta(minutes=10), act, "act")]


def test_a_database_that_is_away_ends_no_scheduler(fresh_database: Callable[[str], str], infra: Infrastructure) -> None:
    """It looks at what falls due next, too, while the database is away, and goes on when it is back."""
    url = fresh_database("toy")
    name = urlsplit(url).path.lstrip("/")
    with (
        open_service(toy.parts(), url, metadata=toy.metadata, clock="wall") as opened,
        psycopg.connect(infra.postgres_admin_url, autocommit=True) as admin,
        ThreadPoolExecutor(1) as pool,
    ):
        running = pool.submit(opened.scheduler.run)
        try:
            admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            for _ in range(3):
                admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
                opened.scheduler.woken.set()
                wait_until(lambda: not opened.scheduler.woken.is_set() or running.done())
            admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
            opened.do(lambda tx: toy.arm(tx, "a", minutes=0))
            wait_until(lambda: trail(opened) == "a")
            assert not running.done()
        finally:
            opened.scheduler.stopped.set()
            opened.scheduler.woken.set()
