"""The batch loop's promises: once per reaction, order per subject, nothing lost, the pair at fault alone set aside."""

from __future__ import annotations

import time
from uuid import UUID

import psycopg
import pytest

from chassis.errors import Refusal
from chassis.messaging import dead_letters, kafka, redrive
from chassis.messaging.consumer import _UNREADABLE, Record, TooManyDead
from schemas.base import REGISTER
from schemas.envelope import encode
from schemas.inventory import ItemChanged
from tests.chassis import toy
from tests.support.service import START, House
from tests.support.stack import Infrastructure

A, B = UUID(int=1), UUID(int=2)


def changed(item: UUID, mark: str) -> ItemChanged:
    return ItemChanged(occurred_at=START, item_id=item, code=str(item), description=mark, unit="each")


def trail(house: House, item: UUID) -> str:
    rows = house.rows("SELECT trail FROM counters WHERE item_id = %s", [item])
    return str(rows[0]["trail"]) if rows else ""


def letters(house: House) -> list[tuple[str, str, bool]]:
    rows = house.rows(
        "SELECT reaction, cause, waiting FROM dead_letters WHERE resolved_at IS NULL ORDER BY dead_letter_id"
    )
    return [(r["reaction"], r["cause"], r["waiting"]) for r in rows]


def test_a_fact_is_answered_once_however_often_it_comes(toy_house: House) -> None:
    heard = toy_house.hear(changed(A, "a"))
    for _ in range(1000):
        toy_house.consumer.answer([pair for e in heard for pair in pairs_of(toy_house, e, 1)])
    assert trail(toy_house, A) == "a"
    assert len(toy_house.said()) == 1


def pairs_of(house: House, envelope: object, offset: int) -> list[object]:
    e = envelope
    record = Record("inventory.item", 0, offset, e.subject, e.type, encode(e), e)
    return [(record, reaction) for reaction in house.parts.reactions.by_event[e.type]]


def test_the_same_fact_twice_in_one_batch_is_answered_once(toy_house: House) -> None:
    envelope = toy_house.envelope(changed(A, "a"))
    toy_house.hear(envelope, envelope, envelope)
    assert trail(toy_house, A) == "a"


def test_a_batch_keeps_the_order_of_each_subject(toy_house: House) -> None:
    toy_house.hear(*[changed(A if n % 2 else B, str(n)) for n in range(10)])
    assert (trail(toy_house, A), trail(toy_house, B)) == ("13579", "02468")


def test_one_bad_fact_in_a_batch_of_many_is_dead_alone_and_its_sisters_are_done_once(toy_house: House) -> None:
    toy.faults["bad"] = ValueError
    toy_house.hear(
        *[changed(UUID(int=100 + n), "x") for n in range(40)],
        changed(A, "bad"),
        *[changed(UUID(int=200 + n), "y") for n in range(40)],
    )
    assert letters(toy_house) == [("when_item_changed_count_it", "ValueError", False)]
    assert toy_house.rows("SELECT count(*), max(heard) FROM counters") == [{"count": 80, "max": 1}]


def test_what_follows_a_dead_fact_waits_behind_it_and_is_redriven_in_order(toy_house: House) -> None:
    """FLOW 5.3: a redelivery stores nothing twice; order per subject survives death."""
    toy.faults["2"] = ValueError
    toy_house.hear(changed(A, "1"), changed(B, "b"))
    toy_house.hear(changed(A, "2"))
    later = toy_house.hear(changed(A, "3"), changed(A, "4"), changed(B, "c"))
    toy_house._offset -= 3
    toy_house.hear(*later)  # the same records again, as after a lost commit of offsets
    assert (trail(toy_house, A), trail(toy_house, B)) == ("1", "bc")
    assert [waiting for _, _, waiting in letters(toy_house)] == [False, True, True]

    (letter,) = toy_house.rows("SELECT * FROM dead_letters WHERE NOT waiting")
    still = redrive.redrive(toy_house.database, toy_house.parts.reactions, letter, driven=True)
    assert [r.outcome for r in still] == ["failed", "waiting", "waiting"]

    toy.faults.clear()
    done = redrive.redrive(toy_house.database, toy_house.parts.reactions, letter, driven=True)
    assert [r.outcome for r in done] == ["done", "done", "done"]
    assert trail(toy_house, A) == "1234"
    assert toy_house.rows("SELECT * FROM parked_subjects") == []
    toy_house.hear(changed(A, "5"))
    assert trail(toy_house, A) == "12345"
    assert redrive.redrive(toy_house.database, toy_house.parts.reactions, letter, driven=True) == [], (
        "twice has no second effect"
    )


def test_bytes_that_nobody_can_read_are_dead_at_once_and_park_nobody(toy_house: House) -> None:
    record = Record("inventory.item", 0, 5, str(A), "inventory.item.changed.v1", b"{not json", None, "not json")
    toy_house.consumer.answer([(record, _UNREADABLE)])
    assert letters(toy_house) == [("unreadable", "undecodable", False)]
    assert toy_house.rows("SELECT value FROM dead_letters") == [{"value": b"{not json"}]
    toy_house.hear(changed(A, "a"))
    assert trail(toy_house, A) == "a"


def test_a_refusal_is_not_tried_again(toy_house: House) -> None:
    tried: list[int] = []

    class No(Refusal):
        def __init__(self, text: str) -> None:
            tried.append(1)
            super().__init__(text)

    toy.faults["no"] = No
    toy_house.hear(changed(A, "no"))
    assert len(tried) <= 3, "once in the batch, once alone per reaction"
    assert letters(toy_house)[0][1] == "No"


def test_a_database_that_is_away_for_a_moment_kills_nothing(toy_house: House) -> None:
    class Away(psycopg.OperationalError):
        def __init__(self, text: str) -> None:
            toy.faults.clear()  # back at the next attempt
            super().__init__(text)

    toy.faults["a"] = Away
    toy_house.hear(changed(A, "a"))
    assert (trail(toy_house, A), letters(toy_house)) == ("a", [])


def test_too_many_dead_in_a_row_stop_the_consumer(toy_house: House) -> None:
    toy.faults["bad"] = ValueError
    toy_house.settings.dead_in_a_row_max = 3
    with pytest.raises(TooManyDead):
        toy_house.hear(*[changed(UUID(int=500 + n), "bad") for n in range(10)])
    assert len(letters(toy_house)) == 3


def test_a_reaction_that_hung_before_is_dead_at_once_and_nothing_else(toy_house: House) -> None:
    """FLOW 5.4: the watchdog's mark names one pair; after the restart that pair is dead, its sisters are done."""
    toy_house.rows("SELECT 1")
    with toy_house.tx() as tx:
        tx.cursor().execute(
            "INSERT INTO attempt_marks VALUES ('inventory.item', 0, 1, 'when_item_changed_count_it', now())"
        )
    toy_house.hear(changed(A, "a"), changed(B, "b"))
    assert (trail(toy_house, A), trail(toy_house, B)) == ("", "b")
    assert letters(toy_house) == [("when_item_changed_count_it", "hung", False)]
    assert toy_house.rows("SELECT * FROM attempt_marks") == []


def test_a_batch_is_cut_around_the_fact_that_raises_and_done_again_once(
    toy_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[str]()

    class Asked(dict[str, type[Exception]]):
        def __contains__(self, mark: object) -> bool:
            asked.append(str(mark))
            return super().__contains__(mark)

    monkeypatch.setattr(toy, "faults", Asked(bad=ValueError))
    toy_house.hear(*[changed(UUID(int=100 + n), "bad" if n == 17 else "x") for n in range(40)])
    assert (asked.count("x"), asked.count("bad")) == (17 + 39, 1 + 3)
    assert len(letters(toy_house)) == 1


def hang_at(house: House, offset: int) -> None:
    """Leave the mark that a watchdog leaves."""
    with house.tx() as tx:
        mark = "INSERT INTO attempt_marks VALUES ('inventory.item', 0, %s, 'when_item_changed_count_it', now())"
        tx.cursor().execute(mark, [offset])


def test_what_follows_a_hung_fact_in_its_batch_waits_behind_it(toy_house: House) -> None:
    hang_at(toy_house, 1)
    toy_house.hear(changed(A, "1"), changed(B, "b"), changed(A, "2"))
    assert (trail(toy_house, A), trail(toy_house, B)) == ("", "b")
    count = "when_item_changed_count_it"
    assert letters(toy_house) == [(count, "hung", False), (count, "parked", True)]
    (letter,) = toy_house.rows("SELECT * FROM dead_letters WHERE NOT waiting")
    redrive.redrive(toy_house.database, toy_house.parts.reactions, letter, driven=True)
    assert trail(toy_house, A) == "12"


def test_a_mark_that_another_process_left_is_known_to_who_gets_its_partitions(
    toy_house: House, infra: Infrastructure
) -> None:
    toy_house.hear(changed(B, "b"))
    hang_at(toy_house, 2)
    lone = kafka.lone_consumer(infra.kafka_bootstrap, "test")
    toy_house.consumer._on_assign(lone, [])
    lone.close()
    toy_house.hear(changed(A, "a"))
    assert letters(toy_house) == [("when_item_changed_count_it", "hung", False)]


@pytest.mark.timing
def test_facts_that_raise_hold_the_others_up_for_a_moment_only(toy_house: House) -> None:
    toy.faults["bad"] = ValueError
    batch = [changed(UUID(int=100 + n), "bad" if n % 2 else "x") for n in range(40)]
    begun = time.monotonic()
    toy_house.hear(*batch)
    assert time.monotonic() - begun < 20 * 0.2, "each of 20 is tried three times"
    assert len(letters(toy_house)) == 20


def test_inside_a_reaction_of_a_driven_world_the_time_is_that_of_the_fact(toy_house: House) -> None:
    """FLOW 6.2."""
    envelope = toy_house.envelope(changed(A, "a"))
    toy_house.set_clock(START.replace(year=2027))
    toy_house.hear(envelope)
    (said,) = toy_house.said()
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
def test_a_key_and_a_name_that_are_no_text_stop_nobody(toy_house: House, name: bytes) -> None:
    value = b"\x00\xff{"
    toy_house.consumer.answer(toy_house.consumer._pairs(message(name, value, key=b"\x00\xff")))
    assert toy_house.rows("SELECT value, key FROM dead_letters") == [{"value": value, "key": "\ufffd\ufffd"}]
    toy_house.hear(changed(A, "a"))
    assert trail(toy_house, A) == "a"


@pytest.mark.parametrize("year", ["9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00"])
def test_an_instant_outside_of_every_calendar_is_a_dead_letter(toy_house: House, year: str) -> None:
    """It can be written with a zone, and not without: turned into UTC it ended the consumer, again after each start."""
    fact = toy_house.envelope(changed(A, "a"))
    value = encode(fact).replace(fact.time.strftime("%Y-%m-%dT%H:%M:%SZ").encode(), year.encode())
    assert year.encode() in value
    toy_house.consumer.answer(toy_house.consumer._pairs(message("inventory.item.changed.v1", value)))
    (letter,) = toy_house.rows("SELECT value, cause, detail FROM dead_letters")
    assert (letter["value"], letter["cause"]) == (value, "undecodable")
    assert "years 1 to 9999" in letter["detail"]


@pytest.mark.parametrize("nested", [b"[" * 100_000, b'{"a":' * 100_000])
def test_what_is_nested_without_end_is_a_dead_letter(toy_house: House, nested: bytes) -> None:
    toy_house.consumer.answer(toy_house.consumer._pairs(message("inventory.item.changed.v1", nested)))
    assert toy_house.rows("SELECT value FROM dead_letters") == [{"value": nested}]


def test_a_reason_that_is_no_text_is_kept_as_far_as_it_is(toy_house: House) -> None:
    toy.faults["half\0"] = ValueError
    toy_house.hear(changed(A, "half\0"))
    assert toy_house.rows("SELECT detail FROM dead_letters") == [{"detail": "half\ufffd"}]


def test_a_redrive_of_what_nobody_can_do_yet_keeps_its_cause(toy_house: House) -> None:
    """An operator picks by cause, and more than once."""
    unknown = encode(toy_house.envelope(changed(A, "a"))).replace(b"changed.v1", b"changed.v9")
    bad = [("inventory.item.changed.v9", unknown), ("inventory.item.changed.v1", b"{")]
    for number, (name, value) in enumerate(bad):
        heard = message(name, value, key=str(number).encode(), offset=number)
        toy_house.consumer.answer(toy_house.consumer._pairs(heard))
    with toy_house.tx() as tx:
        dead_letters.set_aside(
            tx.cursor(), (5, "inventory.site", "s", "inventory.site.changed.v1", "{}", START), detail="large"
        )
    for _ in range(2):
        for letter in toy_house.rows("SELECT * FROM dead_letters ORDER BY dead_letter_id"):
            (one,) = redrive.redrive(toy_house.database, toy_house.parts.reactions, letter, driven=True)
            assert one.outcome == "failed"
        assert [cause for _, cause, _ in letters(toy_house)] == ["unknown", "undecodable", "too-large"]


def test_a_fact_that_no_release_of_ours_knows_is_kept_and_parks_nobody(toy_house: House) -> None:
    value = encode(toy_house.envelope(changed(A, "a"))).replace(b"changed.v1", b"changed.v9")
    pairs = toy_house.consumer._pairs(message("inventory.item.changed.v9", value))
    toy_house.consumer.answer(pairs)
    assert letters(toy_house) == [("unreadable", "unknown", False)]
    assert toy_house.rows("SELECT value FROM dead_letters") == [{"value": value}]
    toy_house.hear(changed(A, "b"))
    assert trail(toy_house, A) == "b"


def test_a_fact_that_is_registered_and_heard_by_nobody_is_ignored(toy_house: House) -> None:
    unheard = next(name for name in REGISTER if name not in toy_house.parts.reactions.by_event)
    assert toy_house.consumer._pairs(message(unheard, b"{}")) == []


def test_a_fact_that_an_earlier_release_did_not_know_is_answered_by_redrive_once(toy_house: House) -> None:
    envelope = toy_house.envelope(changed(A, "a"))
    record = Record("inventory.item", 0, 5, str(A), "inventory.item.changed.v1", encode(envelope), None, "unknown")
    toy_house.consumer.answer([(record, _UNREADABLE)])
    (letter,) = toy_house.rows("SELECT * FROM dead_letters")
    for outcomes in (["done"], []):
        done = redrive.redrive(toy_house.database, toy_house.parts.reactions, letter, driven=True)
        assert [one.outcome for one in done] == outcomes
    assert trail(toy_house, A) == "a"
