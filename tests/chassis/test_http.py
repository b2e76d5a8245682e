"""The HTTP door's promises: committed before the answer, run again after a lost race, masked, problem details."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated
from uuid import UUID

import psycopg
import pytest
from fastapi import Request

from chassis import http
from chassis.errors import Invalid
from chassis.http import cursors, problem
from chassis.http.auth import actor_from
from chassis.http.batches import Unstorable
from chassis.http.masking import masked
from chassis.http.work import QueryContext
from chassis.persistence import database
from schemas.types import Money, Sensitive
from tests.chassis import toy
from tests.support.service import ServiceUnderTest

ITEM = "/counters/00000000-0000-0000-0000-000000000001"


def heard(service: ServiceUnderTest) -> int:
    rows = service.rows("SELECT heard FROM counters")
    return int(rows[0]["heard"]) if rows else 0


def test_a_commit_that_fails_is_not_answered_with_success(
    toy_service: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(tx: database.Tx) -> None:
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr(database.Tx, "flush", broken)
    answer = toy_service.post(ITEM, role="sre")
    assert (answer.status_code, answer.json()["code"]) == (500, "failed")
    assert "disk" not in answer.text
    monkeypatch.undo()
    assert heard(toy_service) == 0


def test_acts_that_race_for_one_aggregate_are_all_done_one_after_the_other(toy_service: ServiceUnderTest) -> None:
    """FLOW 5.1: a lost race, a deadlock and a serialization failure are run again."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: toy_service.post(ITEM, role="sre").status_code, range(40)))
    assert set(answers) == {201}
    assert heard(toy_service) == 40
    assert len(toy_service.emitted()) == 40


def test_one_key_used_by_many_at_once_is_one_act(toy_service: ServiceUnderTest) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: toy_service.post(ITEM, role="sre", key="k").status_code, range(24)))
    assert set(answers) == {201}
    assert heard(toy_service) == 1


def test_an_act_leaves_an_audit_row_that_its_facts_name_as_their_cause(toy_service: ServiceUnderTest) -> None:
    """FLOW 4.2: a cause names something that its owner can show."""
    toy_service.post(ITEM, role="sre")
    (said,) = toy_service.emitted()
    found = toy_service.post("/causes:resolve", {"ids": [said.causationid, said.id]}, role="viewer").json()["found"]
    assert {(f["kind"], f["what"]) for f in found} == {("act", "POST /counters/{item_id}"), ("event", said.type)}


def test_who_says_the_kind_of_a_cause_has_only_that_kind_looked_for(toy_service: ServiceUnderTest) -> None:
    """A week of facts is looked through for one by its id; acts, signals and timers are found by theirs."""
    toy_service.post(ITEM, role="sre")
    (said,) = toy_service.emitted()
    asked = {"ids": [said.causationid, said.id], "kind": "act"}
    (found,) = toy_service.post("/causes:resolve", asked, role="viewer").json()["found"]
    assert (found["kind"], found["id"]) == ("act", str(said.causationid))


def test_a_trace_goes_from_the_request_into_its_facts(toy_service: ServiceUnderTest) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    head = toy_service._head("sre", None) | {"traceparent": trace}
    toy_service.client.post(ITEM, headers=head)
    (said,) = toy_service.emitted()
    assert str(said.traceparent).split("-")[1] == trace.split("-")[1]
    assert str(said.traceparent) != trace


@pytest.mark.parametrize(("role", "status"), [("sre", 201), ("sales", 403), ("viewer", 403), ("planning-lead", 403)])
def test_an_act_is_for_the_roles_of_its_row(toy_service: ServiceUnderTest, role: str, status: int) -> None:
    assert toy_service.post(ITEM, role=role).status_code == status


def test_an_unknown_path_and_a_wrong_method_are_problems_too(toy_service: ServiceUnderTest) -> None:
    answer = toy_service.get("/nowhere")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert toy_service.get(ITEM).status_code == 405


@pytest.mark.parametrize("asked", ["/dead-letters?topic=a%00b", "/dead-letters?cause=a%00b&topic=x"])
def test_a_text_that_no_database_keeps_is_refused_in_words(toy_service: ServiceUnderTest, asked: str) -> None:
    """Anybody may type one into an address: it is no failure of ours."""
    answer = toy_service.get(asked, role="sre")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert "NUL" in answer.json()["detail"]


@pytest.mark.parametrize(("statement", "status"), [("SELECT (10 ^ 30)::bigint", 422), ("SELECT 1 / 0", 500)])
def test_a_value_that_no_column_keeps_is_refused_and_a_fault_of_ours_is_not(
    toy_service: ServiceUnderTest, statement: str, status: int
) -> None:
    with toy_service.database.reading() as read, pytest.raises(psycopg.DataError) as raised:
        read.sql(statement)
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": [], "app": toy_service.client.app.app})
    assert problem(request, raised.value).status_code == status


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_an_item_with_a_text_that_no_database_stores_is_known_by_its_key_alone(text: str) -> None:
    """Routes look into the items before they read them: nothing but the key of such an item is left to look into."""
    given = {
        "source": "erp",
        "items": [{"key": "good 😀 \\u0000"}, {"key": "bad", "lines": [{"item": text}]}, {"key": text}],
    }
    good, bad, nameless = http.RawBatch.model_validate(given).items
    assert good == {"key": "good 😀 \\u0000"} and not isinstance(good, Unstorable)
    assert isinstance(bad, Unstorable) and (bad, bad.field) == ({"key": "bad"}, "lines.0.item")
    assert isinstance(nameless, Unstorable) and (nameless, nameless.field) == ({"key": ""}, "key")


def test_a_key_past_its_limit_is_refused_and_nothing_is_done(toy_service: ServiceUnderTest) -> None:
    """No index keeps a longer one."""
    head = toy_service._head("sre", None) | {"Idempotency-Key": "x" * 201}
    answer = toy_service.client.post(ITEM, headers=head)
    assert (answer.status_code, answer.json()["field"]) == (422, "Idempotency-Key")
    assert heard(toy_service) == 0


def test_a_body_past_its_limit_is_refused_whole(toy_service: ServiceUnderTest) -> None:
    answer = toy_service.client.post(
        ITEM, content=b"x" * (http.BODY_BYTES_MAX + 1), headers=toy_service._head("sre", None)
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


def test_a_driven_clock_moves_forward_only_and_only_by_the_sre(toy_service: ServiceUnderTest) -> None:
    """FLOW 6.2: it never goes back."""
    assert toy_service.post("/world/advance", {"to": "2026-05-01T00:00:00Z"}, role="planning-lead").status_code == 403
    assert toy_service.post("/world/advance", {"to": "2026-05-01T00:00:00Z"}, role="sre").json()["moved"] is True
    assert toy_service.post("/world/advance", {"to": "2026-04-01T00:00:00Z"}, role="sre").json() == {
        "masked": [],
        "moved": False,
        "now": "2026-05-01T00:00:00Z",
    }


class Option(http.Response):
    price: Annotated[Money | None, Sensitive("cost")] = None
    freight: Annotated[Money | None, Sensitive("freight")] = None
    parts: tuple[Option, ...] = ()


@pytest.mark.parametrize(
    ("role", "hidden"),
    [
        ("procurement", ()),
        ("planning-lead", ()),
        ("executive", ()),
        ("logistics", ("parts[].price", "price")),
        ("sales", ("freight", "parts[].freight", "parts[].price", "price")),
        ("viewer", ("freight", "parts[].freight", "parts[].price", "price")),
    ],
)
def test_a_field_the_reader_may_not_see_is_null_and_named(role: str, hidden: tuple[str, ...]) -> None:
    money = Money(amount=5, currency="USD")
    shown = masked(
        Option(price=money, freight=money, parts=(Option(price=money, freight=money),)),
        actor_from({"sub": "a", "roles": [role]}),
    )
    assert shown.masked == hidden
    assert (shown.price is None) == ("price" in hidden)
    assert (shown.parts[0].freight is None) == ("parts[].freight" in hidden)


def test_a_cursor_is_signed_and_bound_to_its_question() -> None:
    cursor = cursors.sign("secret", "list?open", ["2026-03-01", 7])
    assert cursors.read("secret", "list?open", cursor) == ["2026-03-01", 7]
    for secret, question, text in (
        ("secret", "list?closed", cursor),
        ("other", "list?open", cursor),
        ("secret", "list?open", cursor[:-2] + "xx"),
        ("secret", "list?open", "%%%"),
    ):
        with pytest.raises(Invalid):
            cursors.read(secret, question, text)


def test_dead_letters_are_listed_shown_retried_and_dropped_over_http(toy_service: ServiceUnderTest) -> None:
    from tests.chassis.test_consumer import A, changed, trail

    toy.faults["bad"] = ValueError
    toy_service.consume(changed(A, "bad"), changed(A, "x"))
    (dead, _waiting) = toy_service.get("/dead-letters", role="sre").json()["items"]
    assert (dead["cause"], dead["waiting"]) == ("ValueError", False)
    whole = toy_service.get(f"/dead-letters/{dead['dead_letter_id']}", role="sre").json()
    assert whole["value"]
    dry = toy_service.post("/dead-letters:retry", {"cause": "ValueError", "dry_run": True}, role="sre").json()[
        "results"
    ]
    assert dry == [{"dead_letter_id": dead["dead_letter_id"], "outcome": "would-run"}]
    toy.faults.clear()
    done = toy_service.post("/dead-letters:retry", {"cause": "ValueError"}, role="sre").json()["results"]
    assert [d["outcome"] for d in done] == ["done", "done"]
    assert trail(toy_service, UUID(int=1)) == "badx"
    assert toy_service.post("/dead-letters:drop", {}, role="sre").json()["field"] == "ids"
    assert toy_service.get("/dead-letters/999", role="sre").status_code == 404


def test_a_process_says_what_it_has_still_to_do(toy_service: ServiceUnderTest) -> None:
    """FLOW 6.3: pending outbox rows and the next due instant are part of the answer; only the sre may ask."""
    assert toy_service.get("/world/quiet", role="planning-lead").status_code == 403
    before = toy_service.get("/world/quiet", role="sre").json()
    assert (before["pending"], before["next_due"], before["positions"], before["ends"]) == (0, None, {}, {})
    toy_service.post(ITEM, role="sre")
    toy_service.do(lambda tx: toy.arm(tx, "a", minutes=10))
    after = toy_service.get("/world/quiet", role="sre", params={"wait_ms": 20}).json()
    assert after["pending"] == 1
    assert after["next_due"] is not None


def test_a_request_leaves_nothing_to_the_garbage_collector(toy_service: ServiceUnderTest) -> None:
    """At 600 requests/s its looks for circles stopped everything for 70 to 160 ms, every second or two."""
    toy_service.post(ITEM, role="sre", key="before")
    gc.collect()
    gc.disable()
    try:
        answers = [
            toy_service.post(ITEM, role="sre", key="k"),
            toy_service.post(ITEM, role="sre", key="k"),
            toy_service.get("/dead-letters", role="sre"),
            toy_service.get("/dead-letters", role="buyer"),
        ]
        left = [type(one).__name__ for one in gc.get_objects() if isinstance(one, QueryContext)]
    finally:
        gc.enable()
    assert [answer.status_code for answer in answers] == [201, 201, 200, 403]
    assert left == []
