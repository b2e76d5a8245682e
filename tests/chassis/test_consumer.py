"""The batch loop's promises: once per reaction, order per subject, nothing lost, the pair at fault alone set aside."""

from __future__ import annotations

import time
from uuid import UUID

import psycopg
import pytest

from chassis.errors import Refusal
from chassis.messaging import dead_letters, kafka, redrive
from chassis.messaging.consumer import _UNREADABLE, TooManyDead
from chassis.messaging.records import Record
from schemas.base import REGISTER
from schemas.envelope import encode
from schemas.inventory import ItemChanged
from tests.chassis import toy
from tests.support.service import START, ServiceUnderTest
from tests.support.stack import Infrastructure

A, B = UUID(int=1), UUID(int=2)


def changed(item: UUID, mark: str) -> ItemChanged:
    return ItemChanged(occurred_at=START, item_id=item, code=str(item), description=mark, unit="each")


def trail(service: ServiceUnderTest, item: UUID) -> str:
    rows = service.rows("SELECT trail FROM counters WHERE item_id = %s", [item])
    return str(rows[0]["trail"]) if rows else ""


def letters(service: ServiceUnderTest) -> list[tuple[str, str, bool]]:
    rows = service.rows(
        "SELECT reaction, cause, waiting FROM dead_letters WHERE resolved_at IS NULL ORDER BY dead_letter_id"
    )
    return [(r["reaction"], r["cause"], r["waiting"]) for r in rows]


def test_a_fact_is_answered_once_however_often_it_comes(toy_service: ServiceUnderTest) -> None:
    heard = toy_service.consume(changed(A, "a"))
    for _ in range(1000):
        toy_service.consumer.answer([pair for e in heard for pair in pairs_of(toy_service, e, 1)])
    assert trail(toy_service, A) == "a"
    assert len(toy_service.emitted()) == 1


def pairs_of(service: ServiceUnderTest, envelope: object, offset: int) -> list[object]:
    e = envelope
    record = Record("inventory.item", 0, offset, e.subject, e.type, encode(e), e)
    return [(record, reaction) for reaction in service.parts.reactions.by_event[e.type]]


def test_the_same_fact_twice_in_one_batch_is_answered_once(toy_service: ServiceUnderTest) -> None:
    envelope = toy_service.envelope(changed(A, "a"))
    toy_service.consume(envelope, envelope, envelope)
    assert trail(toy_service, A) == "a"


def test_a_batch_keeps_the_order_of_each_subject(toy_service: ServiceUnderTest) -> None:
    toy_service.consume(*[changed(A if n % 2 else B, str(n)) for n in range(10)])
    assert (trail(toy_service, A), trail(toy_service, B)) == ("13579", "02468")


def test_one_bad_fact_in_a_batch_of_many_is_dead_alone_and_its_sisters_are_done_once(
    toy_service: ServiceUnderTest,
) -> None:
    toy.faults["bad"] = ValueError
    toy_service.consume(
        *[changed(UUID(int=100 + n), "x") for n in range(40)],
        changed(A, "bad"),
        *[changed(UUID(int=200 + n), "y") for n in range(40)],
    )
    assert letters(toy_service) == [("when_item_changed_count_it", "ValueError", False)]
    assert toy_service.rows("SELECT count(*), max(heard) FROM counters") == [{"count": 80, "max": 1}]


def test_what_follows_a_dead_fact_waits_behind_it_and_is_redriven_in_order(toy_service: ServiceUnderTest) -> None:
    """FLOW 5.3: a redelivery stores nothing twice; order per subject survives death."""
    toy.faults["2"] = ValueError
    toy_service.consume(changed(A, "1"), changed(B, "b"))
    toy_service.consume(changed(A, "2"))
    later = toy_service.consume(changed(A, "3"), changed(A, "4"), changed(B, "c"))
    toy_service._offset -= 3
    toy_service.consume(*later)  # the same records again, as after a lost commit of offsets
    assert (trail(toy_service, A), trail(toy_service, B)) == ("1", "bc")
    assert [waiting for _, _, waiting in letters(toy_service)] == [False, True, True]

    (letter,) = toy_service.rows("SELECT * FROM dead_letters WHERE NOT waiting")
    still = redrive.redrive(toy_service.database, toy_service.parts.reactions, letter, driven=True)
    assert [r.outcome for r in still] == ["failed", "waiting", "waiting"]

    toy.faults.clear()
    done = redrive.redrive(toy_service.database, toy_service.parts.reactions, letter, driven=True)
    assert [r.outcome for r in done] == ["done", "done", "done"]
    assert trail(toy_service, A) == "1234"
    assert toy_service.rows("SELECT * FROM parked_subjects") == []
    toy_service.consume(changed(A, "5"))
    assert trail(toy_service, A) == "12345"
    assert redrive.redrive(toy_service.database, toy_service.parts.reactions, letter, driven=True) == [], (
        "twice has no second effect"
    )


def test_bytes_that_nobody_can_read_are_dead_at_once_and_park_nobody(toy_service: ServiceUnderTest) -> None:
    record = Record("inventory.item", 0, 5, str(A), "inventory.item.changed.v1", b"{not json", None, "not json")
    toy_service.consumer.answer([(record, _UNREADABLE)])
    assert letters(toy_service) == [("unreadable", "undecodable", False)]
    assert toy_service.rows("SELECT value FROM dead_letters") == [{"value": b"{not json"}]
    toy_service.consume(changed(A, "a"))
    assert trail(toy_service, A) == "a"


def test_a_refusal_is_not_tried_again(toy_service: ServiceUnderTest) -> None:
    tried: list[int] = []

    class No(Refusal):
        def __init__(self, text: str) -> None:
            tried.append(1)
            super().__init__(text)

    toy.faults["no"] = No
    toy_service.consume(changed(A, "no"))
    assert len(tried) <= 3, "once in the batch, once alone per reaction"
    assert letters(toy_service)[0][1] == "No"


def test_a_database_that_is_away_for_a_moment_kills_nothing(toy_service: ServiceUnderTest) -> None:
    class Away(psycopg.OperationalError):
        def __init__(self, text: str) -> None:
            toy.faults.clear()  # back at the next attempt
            super().__init__(text)

    toy.faults["a"] = Away
    toy_service.consume(changed(A, "a"))
    assert (trail(toy_service, A), letters(toy_service)) == ("a", [])


def test_too_many_dead_in_a_row_stop_the_consumer(toy_service: ServiceUnderTest) -> None:
    toy.faults["bad"] = ValueError
    toy_service.settings.dead_in_a_row_max = 3
    with pytest.raises(TooManyDead):
        toy_service.consume(*[changed(UUID(int=500 + n), "bad") for n in range(10)])
    assert len(letters(toy_service)) == 3


def test_a_reaction_that_hung_before_is_dead_at_once_and_nothing_else(toy_service: ServiceUnderTest) -> None:
    """FLOW 5.4: the watchdog's mark names one pair; after the restart that pair is dead, its sisters are done."""
    toy_service.rows("SELECT 1")
    with toy_service.tx() as tx:
        tx.cursor().execute(
            "INSERT INTO attempt_marks VALUES ('inventory.item', 0, 1, 'when_item_changed_count_it', now())"
        )
    toy_service.consume(changed(A, "a"), changed(B, "b"))
    assert (trail(toy_service, A), trail(toy_service, B)) == ("", "b")
    assert letters(toy_service) == [("when_item_changed_count_it", "hung", False)]
    assert toy_service.rows("SELECT * FROM attempt_marks") == []


def test_a_batch_is_cut_around_the_fact_that_raises_and_done_again_once(
    toy_service: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[str]()

    class Asked(dict[str, type[Exception]]):
        def __contains__(self, mark: object) -> bool:
            asked.append(str(mark))
            return super().__contains__(mark)

    monkeypatch.setattr(toy, "faults", Asked(bad=ValueError))
    toy_service.consume(*[changed(UUID(int=100 + n), "bad" if n == 17 else "x") for n in range(40)])
    assert (asked.count("x"), asked.count("bad")) == (17 + 39, 1 + 3)
    assert len(letters(toy_service)) == 1


def hang_at(service: ServiceUnderTest, offset: int) -> None:
    """Leave the mark that a watchdog leaves."""
    with service.tx() as tx:
        mark = "INSERT INTO attempt_marks VALUES ('inventory.item', 0, %s, 'when_item_changed_count_it', now())"
        tx.cursor().execute(mark, [offset])


def test_what_follows_a_hung_fact_in_its_batch_waits_behind_it(toy_service: ServiceUnderTest) -> None:
    hang_at(toy_service, 1)
    toy_service.consume(changed(A, "1"), changed(B, "b"), changed(A, "2"))
    assert (trail(toy_service, A), trail(toy_service, B)) == ("", "b")
    count = "when_item_changed_count_it"
    assert letters(toy_service) == [(count, "hung", False), (count, "parked", True)]
    (letter,) = toy_service.rows("SELECT * FROM dead_letters WHERE NOT waiting")
    redrive.redrive(toy_service.database, toy_service.parts.reactions, letter, driven=True)
    assert trail(toy_service, A) == "12"


def test_a_mark_that_another_process_left_is_known_to_who_gets_its_partitions(
    toy_service: ServiceUnderTest, infra: Infrastructure
) -> None:
    toy_service.consume(changed(B, "b"))
    hang_at(toy_service, 2)
    lone = kafka.lone_consumer(infra.kafka_bootstrap, "test")
    toy_service.consumer._on_assign(lone, [])
    lone.close()
    toy_service.consume(changed(A, "a"))
    assert letters(toy_service) == [("when_item_changed_count_it", "hung", False)]


@pytest.mark.timing
def test_facts_that_raise_hold_the_others_up_for_a_moment_only(toy_service: ServiceUnderTest) -> None:
    toy.faults["bad"] = ValueError
    batch = [changed(UUID(int=100 + n), "bad" if n % 2 else "x") for n in range(40)]
    begun = time.monotonic()
    toy_service.consume(*batch)
    assert time.monotonic() - begun < 20 * 0.2, "each of 20 is tried three times"
    assert len(letters(toy_service)) == 20


def test_inside_a_reaction_of_a_driven_world_the_time_is_that_of_the_fact(toy_service: ServiceUnderTest) -> None:
    """FLOW 6.2."""
    envelope = toy_service.envelope(changed(A, "a"))
    toy_service.set_clock(START.replace(year=2027))
    toy_service.consume(envelope)
    (said,) = toy_service.emitted()
    assert said.recordedtime == START
    assert (said.causationid, said.causekind, said.correlationid) == (envelope.id, "event", envelope.correlationid)


def message(name: str | bytes, value: bytes, key: bytes = str(A).encode(), offset: int = 9) -> object:
    """Return a record as Kafka's client gives it."""
    return kafka.Message(
        topic="test.inventory.item",
        partition=0,
        offset=offset,
        key=key,
        value=value,
        headers=[(kafka.TYPE_HEADER, name.encode() if isinstance(name, str) else name)],
    )


@pytest.mark.parametrize("name", [b"\xff\x00", b"inventory.item.changed.v1"])
def test_a_key_and_a_name_that_are_no_text_stop_nobody(toy_service: ServiceUnderTest, name: bytes) -> None:
    value = b"\x00\xff{"
    toy_service.consumer.answer(toy_service.consumer._pairs(message(name, value, key=b"\x00\xff")))
    assert toy_service.rows("SELECT value, key FROM dead_letters") == [{"value": value, "key": "\ufffd\ufffd"}]
    toy_service.consume(changed(A, "a"))
    assert trail(toy_service, A) == "a"


@pytest.mark.parametrize("year", ["9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00"])
def test_an_instant_outside_of_every_calendar_is_a_dead_letter(toy_service: ServiceUnderTest, year: str) -> None:
    """It can be written with a zone, and not without: turned into UTC it ended the consumer, again after each start."""
    fact = toy_service.envelope(changed(A, "a"))
    value = encode(fact).replace(fact.time.strftime("%Y-%m-%dT%H:%M:%SZ").encode(), year.encode())
    assert year.encode() in value
    toy_service.consumer.answer(toy_service.consumer._pairs(message("inventory.item.changed.v1", value)))
    (letter,) = toy_service.rows("SELECT value, cause, detail FROM dead_letters")
    assert (letter["value"], letter["cause"]) == (value, "undecodable")
    assert "years 1 to 9999" in letter["detail"]


@pytest.mark.parametrize("nested", [b"[" * 100_000, b'{"a":' * 100_000])
def test_what_is_nested_without_end_is_a_dead_letter(toy_service: ServiceUnderTest, nested: bytes) -> None:
    toy_service.consumer.answer(toy_service.consumer._pairs(message("inventory.item.changed.v1", nested)))
    assert toy_service.rows("SELECT value FROM dead_letters") == [{"value": nested}]


def test_a_reason_that_is_no_text_is_kept_as_far_as_it_is(toy_service: ServiceUnderTest) -> None:
    toy.faults["half\0"] = ValueError
    toy_service.consume(changed(A, "half\0"))
    assert toy_service.rows("SELECT detail FROM dead_letters") == [{"detail": "half\ufffd"}]


def test_a_redrive_of_what_nobody_can_do_yet_keeps_its_cause(toy_service: ServiceUnderTest) -> None:
    """An operator picks by cause, and more than once."""
    unknown = encode(toy_service.envelope(changed(A, "a"))).replace(b"changed.v1", b"changed.v9")
    bad = [("inventory.item.changed.v9", unknown), ("inventory.item.changed.v1", b"{")]
    for number, (name, value) in enumerate(bad):
        heard = message(name, value, key=str(number).encode(), offset=number)
        toy_service.consumer.answer(toy_service.consumer._pairs(heard))
    with toy_service.tx() as tx:
        dead_letters.set_aside(
            tx.cursor(), (5, "inventory.site", "s", "inventory.site.changed.v1", "{}", START), detail="large"
        )
    for _ in range(2):
        for letter in toy_service.rows("SELECT * FROM dead_letters ORDER BY dead_letter_id"):
            (one,) = redrive.redrive(toy_service.database, toy_service.parts.reactions, letter, driven=True)
            assert one.outcome == "failed"
        assert [cause for _, cause, _ in letters(toy_service)] == ["unknown", "undecodable", "too-large"]


def test_a_fact_that_no_release_of_ours_knows_is_kept_and_parks_nobody(toy_service: ServiceUnderTest) -> None:
    value = encode(toy_service.envelope(changed(A, "a"))).replace(b"changed.v1", b"changed.v9")
    pairs = toy_service.consumer._pairs(message("inventory.item.changed.v9", value))
    toy_service.consumer.answer(pairs)
    assert letters(toy_service) == [("unreadable", "unknown", False)]
    assert toy_service.rows("SELECT value FROM dead_letters") == [{"value": value}]
    toy_service.consume(changed(A, "b"))
    assert trail(toy_service, A) == "b"


def test_a_fact_that_is_registered_and_heard_by_nobody_is_ignored(toy_service: ServiceUnderTest) -> None:
    unheard = next(name for name in REGISTER if name not in toy_service.parts.reactions.by_event)
    assert toy_service.consumer._pairs(message(unheard, b"{}")) == []


def test_a_fact_that_an_earlier_release_did_not_know_is_answered_by_redrive_once(toy_service: ServiceUnderTest) -> None:
    envelope = toy_service.envelope(changed(A, "a"))
    record = Record("inventory.item", 0, 5, str(A), "inventory.item.changed.v1", encode(envelope), None, "unknown")
    toy_service.consumer.answer([(record, _UNREADABLE)])
    (letter,) = toy_service.rows("SELECT * FROM dead_letters")
    for outcomes in (["done"], []):
        done = redrive.redrive(toy_service.database, toy_service.parts.reactions, letter, driven=True)
        assert [one.outcome for one in done] == outcomes
    assert trail(toy_service, A) == "a"
