"""What is kept for how long, and tables that are kept by day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from pydantic import ValidationError

from chassis.ids import time_ordered_id
from chassis.messaging import inbox
from chassis.persistence import partitions
from chassis.runtime import housekeeping
from chassis.runtime.clock import machine_now
from chassis.runtime.settings import ServiceSettings
from tests.support.service import ServiceUnderTest

TIMER = UUID(int=5)
DAYS_OF_INBOX = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'inbox_2%' ORDER BY 1"


def id_of(instant: datetime) -> UUID:
    """Return a UUIDv7 made at another time."""
    return UUID(int=(int(instant.timestamp() * 1000) << 80) | (time_ordered_id().int & ((1 << 80) - 1)))


def tidied(service: ServiceUnderTest, now: datetime) -> dict[str, int]:
    with psycopg.connect(service.settings.database_url, autocommit=True) as connection:
        return housekeeping.tidy(connection, now)


def test_answers_live_48_hours_and_inbox_rows_outlive_facts(toy_service: ServiceUnderTest) -> None:
    """FLOW 6.1: retention follows the machine's clock, and an inbox row's day is the day in its UUIDv7."""
    told = housekeeping.Retention.of(toy_service.settings)
    assert told == housekeeping.Retention()
    assert told.inbox > told.facts and told.answers == timedelta(hours=48)
    toy_service.post("/counters/00000000-0000-0000-0000-000000000001", role="sre", key="a")
    now = machine_now()
    recent, old = time_ordered_id(), id_of(now - timedelta(days=15))
    with toy_service.tx() as tx:
        claims = [(recent, "r"), (old, "r"), (TIMER, "at toy-due")]
        assert inbox.claim(tx, claims) == set(claims)
        tx.cursor().execute("UPDATE outbox SET published_at = now()")
    assert tidied(toy_service, now) == {"inbox_days": 1}
    assert tidied(toy_service, now + timedelta(hours=49)) == {"idempotency_keys": 1}
    assert tidied(toy_service, now + timedelta(days=8))["outbox_days"] >= 1
    assert toy_service.rows("SELECT 1 FROM outbox") == []
    assert {row["event_id"] for row in toy_service.rows("SELECT event_id FROM inbox")} == {recent, TIMER}


def test_a_process_keeps_rows_as_long_as_it_is_told(toy_service: ServiceUnderTest) -> None:
    """A world that is kept for an upgrade trial tells 100 years; nothing of it expires."""
    toy_service.post("/counters/00000000-0000-0000-0000-000000000001", role="sre", key="a")
    with toy_service.tx() as tx:
        tx.cursor().execute("UPDATE outbox SET published_at = now()")
    century = 36_500.0
    told = {"answers_kept_hours": century * 24, "facts_kept_days": century, "inbox_kept_days": century + 1}
    kept = housekeeping.Retention.of(toy_service.settings.model_copy(update=told))
    later = machine_now() + timedelta(days=365 * 99)
    with psycopg.connect(toy_service.settings.database_url, autocommit=True) as connection:
        assert housekeeping.tidy(connection, later, kept) == {}
    assert toy_service.rows("SELECT 1 FROM outbox") and toy_service.rows("SELECT 1 FROM idempotency_keys")
    assert tidied(toy_service, later)["idempotency_keys"] == 1


def test_claims_that_would_expire_before_facts_stop_the_start(toy_service: ServiceUnderTest) -> None:
    with pytest.raises(ValidationError, match="INBOX_KEPT_DAYS must be longer than FACTS_KEPT_DAYS"):
        ServiceSettings(**toy_service.settings.model_dump() | {"facts_kept_days": 14, "inbox_kept_days": 14})


def test_a_fact_that_is_told_again_after_midnight_meets_its_first_claim(toy_service: ServiceUnderTest) -> None:
    """The day is the one in the id, whatever the clock of the reader says."""
    late = datetime(2026, 11, 23, 23, 59, 59, 999_000, tzinfo=UTC)
    assert partitions.made_on(id_of(late)) == date(2026, 11, 23)
    assert partitions.made_on(id_of(late + timedelta(milliseconds=1))) == date(2026, 11, 24)
    assert partitions.made_on(TIMER) == partitions.UNDATED
    claim = (id_of(late), "r")
    with toy_service.tx() as tx:
        assert inbox.claim(tx, [claim]) == {claim}
    with toy_service.tx() as tx:
        assert inbox.claim(tx, [claim]) == set()


def test_a_day_that_was_dropped_under_a_process_that_knew_it_is_made_again(toy_service: ServiceUnderTest) -> None:
    now = machine_now()
    first, second = id_of(now - timedelta(days=20)), id_of(now - timedelta(days=20))
    with toy_service.tx() as tx:
        inbox.claim(tx, [(first, "r")])
    assert tidied(toy_service, now) == {"inbox_days": 1}
    with pytest.raises(psycopg.errors.CheckViolation), toy_service.tx() as tx:
        inbox.claim(tx, [(second, "r")])
    with toy_service.tx() as tx:  # as the consumer tries again
        assert inbox.claim(tx, [(second, "r")]) == {(second, "r")}


def test_a_day_with_a_fact_that_waits_for_the_broker_stays(toy_service: ServiceUnderTest) -> None:
    toy_service.post("/counters/00000000-0000-0000-0000-000000000001", role="sre", key="a")
    assert "outbox_days" not in tidied(toy_service, machine_now() + timedelta(days=30))
    assert len(toy_service.rows("SELECT 1 FROM outbox")) == 1


def test_dropping_a_day_holds_nobody_up_and_what_was_begun_is_finished_later(
    toy_service: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "LOCK_TIMEOUT", "200ms")
    now = machine_now()
    with toy_service.tx() as tx:
        inbox.claim(tx, [(id_of(now - timedelta(days=20)), "r")])
    with toy_service.tx() as writer:
        inbox.claim(writer, [(time_ordered_id(), "r")])
        with pytest.raises(psycopg.errors.LockNotAvailable):
            tidied(toy_service, now)  # the writer may still look at the old day
        with toy_service.tx() as another:
            inbox.claim(another, [(time_ordered_id(), "r")])
    before = {row["relname"] for row in toy_service.rows(DAYS_OF_INBOX)}
    assert tidied(toy_service, now) == {"inbox_days": 1}
    gone = before - {row["relname"] for row in toy_service.rows(DAYS_OF_INBOX)}
    assert gone == {f"inbox_{now - timedelta(days=20):%Y_%m_%d}"}
