"""A batch answers item by item, whatever goes wrong in one: the others are kept (FLOW 5.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg.errors import CheckViolation, LockNotAvailable
from sqlalchemy import text

from chassis.errors import Conflict, Invalid
from chassis.persistence.database import ConcurrentChange, Tx
from chassis.persistence.failures import refusal_of
from schemas.types import Money
from tests.chassis import toy
from tests.support.service import ServiceUnderTest

ONE, TWO, THREE = UUID(int=1), UUID(int=2), UUID(int=3)


def saved(**changes: Any) -> Callable[[Tx, UUID], None]:
    """Save the counter with values that the database refuses when it is written."""

    def deed(tx: Tx, item_id: UUID) -> None:
        tx.save(toy.store, replace(tx.get(toy.store, item_id), **changes))

    return deed


def asked(statement: str) -> Callable[[Tx, UUID], Any]:
    """Run a statement in the middle of the item; what was saved before is written first."""
    return lambda tx, _: tx.rows(text(statement))


def raised(kind: type[Exception], words: str) -> Callable[[Tx, UUID], None]:
    def deed(tx: Tx, item_id: UUID) -> None:
        raise kind(words)

    return deed


def flushed_then(deed: Callable[[Tx, UUID], Any]) -> Callable[[Tx, UUID], None]:
    def both(tx: Tx, item_id: UUID) -> None:
        tx.rows(text("SELECT 1"))
        deed(tx, item_id)

    return both


DEEDS: dict[str, tuple[Callable[[Tx, UUID], Any], str, str]] = {
    "refusal": (raised(Invalid, "it is not so"), "refused", "it is not so"),
    "conflict": (raised(Conflict, "it is so already"), "conflict", "it is so already"),
    "refusal after a flush": (flushed_then(raised(Invalid, "it is not so")), "refused", "it is not so"),
    "check violation at the flush": (saved(heard=1313), "refused", "counters_heard_not_1313"),
    "unique violation at the flush": (saved(trail="only one"), "conflict", "uses the same reference"),
    "check violation in the middle": (flushed_then(saved(heard=1313)), "refused", "counters_heard_not_1313"),
    "missing value": (saved(heard=None), "refused", "heard has no value"),
    "number too large for its column": (saved(heard=2**40), "refused", "too large"),
    "unique violation of a statement": (
        asked("INSERT INTO signals SELECT * FROM signals LIMIT 1 RETURNING key"),
        "conflict",
        "another record has the same signal_id",
    ),
    "overflow of a statement": (asked("SELECT (10 ^ 30)::bigint"), "refused", "too large"),
    "invalid computed value": (
        lambda *_: Money(amount=Decimal("819.6428586"), currency="EUR"),
        "refused",
        "6 decimal places",
    ),
    "overflow of a date": (lambda tx, _: tx.now + timedelta(days=10**9), "refused", "leads too far"),
    "fault of ours": (raised(KeyError, "insides"), "refused", "unexpected failure"),
}


def item(key: str, item_id: UUID, then: str = "") -> dict[str, Any]:
    return {"key": key, "item_id": str(item_id), "then": then}


def post(service: ServiceUnderTest, *items: dict[str, Any], key: str | None = None) -> list[dict[str, Any]]:
    answer = service.post("/counters:batch", {"source": "erp", "items": list(items)}, role="sre", key=key)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["results"])


def counted(service: ServiceUnderTest) -> dict[UUID, int]:
    return {row["item_id"]: row["heard"] for row in service.rows("SELECT item_id, heard FROM counters")}


@pytest.fixture
def taken(toy_service: ServiceUnderTest) -> ServiceUnderTest:
    """The toy with a counter whose trail is taken and a signal that is known."""
    toy.deeds["take"] = saved(trail="only one")
    post(toy_service, item("taken", UUID(int=9), "take"))
    toy_service.emitted()
    return toy_service


@pytest.mark.parametrize("name", DEEDS)
def test_a_bad_item_is_refused_alone_and_the_good_ones_are_kept(taken: ServiceUnderTest, name: str) -> None:
    toy.deeds["fail"], status, words = DEEDS[name]
    results = post(taken, item("a", ONE), item("b", TWO, "fail"), item("c", THREE))
    assert [one["status"] for one in results] == ["created", status, "created"]
    assert words in results[1]["reason"]
    assert "insides" not in results[1]["reason"]
    assert counted(taken) == {ONE: 1, THREE: 1, UUID(int=9): 1}
    assert [said.subject for said in taken.emitted()] == [str(ONE), str(THREE)]
    assert [row["key"] for row in taken.rows("SELECT key FROM signals ORDER BY key")] == ["a", "c", "taken"]


@pytest.mark.parametrize("name", DEEDS)
def test_a_bad_item_can_be_corrected_under_its_own_key_and_good_ones_are_unchanged(
    taken: ServiceUnderTest, name: str
) -> None:
    toy.deeds["fail"] = DEEDS[name][0]
    batch = [item("a", ONE), item("b", TWO, "fail"), item("b", TWO), item("c", THREE)]
    assert [one["status"] for one in post(taken, *batch)][2:] == ["created", "created"]
    assert [one["status"] for one in post(taken, *batch[:1], *batch[2:])] == ["unchanged"] * 3
    assert counted(taken) == {ONE: 1, TWO: 1, THREE: 1, UUID(int=9): 1}


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_an_item_with_a_text_that_no_database_stores_is_refused_alone(taken: ServiceUnderTest, text: str) -> None:
    results = post(taken, item("a", ONE), item("b", TWO) | {"then": text}, item("c", THREE))
    assert [one["status"] for one in results] == ["created", "refused", "created"]
    assert (results[1]["key"], results[1]["field"]) == ("b", "then")


def test_every_item_may_be_bad(taken: ServiceUnderTest) -> None:
    names = list(DEEDS)
    toy.deeds.update({name: deed for name, (deed, _, _) in DEEDS.items()})
    results = post(taken, *(item(name, uuid4(), name) for name in names), item("good", ONE))
    assert [one["status"] for one in results] == [*(status for _, status, _ in DEEDS.values()), "created"]


def test_a_batch_with_a_bad_item_is_kept_under_its_idempotency_key(taken: ServiceUnderTest) -> None:
    toy.deeds["fail"] = saved(heard=1313)
    batch = item("a", ONE), item("b", TWO, "fail")
    assert post(taken, *batch, key="k") == post(taken, *batch, key="k")
    assert counted(taken)[ONE] == 1


@pytest.mark.parametrize(("error", "status"), [(LockNotAvailable, 503), (ConcurrentChange, 200)])
def test_a_busy_database_ends_the_batch_and_a_race_that_is_lost_to_the_end_is_told_to_its_item(
    taken: ServiceUnderTest, error: type[Exception], status: int
) -> None:
    """A lost race is run again four times; then the item alone is told to repeat."""
    toy.deeds["fail"] = raised(error, "busy")
    answer = taken.post("/counters:batch", {"source": "erp", "items": [item("b", TWO, "fail")]}, role="sre")
    assert answer.status_code == status
    if status == 200:
        (result,) = answer.json()["results"]
        assert (result["status"], "again" in result["reason"]) == ("conflict", True)


def test_a_batch_without_a_bad_item_is_written_once_without_a_savepoint(taken: ServiceUnderTest) -> None:
    seen: list[bool] = []
    toy.deeds["look"] = lambda tx, _: seen.append(tx.use_savepoints)
    post(taken, item("a", ONE, "look"), item("b", TWO, "look"))
    assert seen == [False, False]


def test_a_single_act_whose_rows_break_a_constraint_is_refused_in_words(toy_service: ServiceUnderTest) -> None:
    """A constraint that is broken is a refusal, not a failure of ours: 409 for a key that is taken, else 422."""
    with pytest.raises(CheckViolation) as broken, toy_service.tx() as tx:
        toy.count(tx, ONE, "h")
        saved(heard=1313)(tx, ONE)
    refusal = refusal_of(broken.value)
    assert refusal is not None
    assert (refusal.status, "counters_heard_not_1313" in refusal.detail) == (422, True)
