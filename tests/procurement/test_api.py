"""The HTTP doors of procurement: who may, where, what is masked, and what a bad item does."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.procurement.builders import (
    CASE,
    ROUND,
    TASK,
    affected,
    option_of,
    price,
    task_opened,
    usd,
    with_suppliers,
)
from tests.support.service import ServiceUnderTest

ERP = {"roles": ["machine"], "source": "erp"}
ACME = {"roles": ["machine"], "supplier": "ACME"}
BODY: dict[str, Any] = {
    "reference": "P1",
    "supplier": "ACME",
    "destination": "Abidjan",
    "lines": [{"reference": "1", "item": "gloves", "quantity": "10", "needed_on": "2026-03-04", "price": price("5")}],
}


def item(number: int, **changes: Any) -> dict[str, Any]:
    return {"key": f"k{number}", **BODY, "reference": f"P{number}", **changes}


def line(reference: str) -> dict[str, Any]:
    return {**BODY["lines"][0], "reference": reference}


def send(opened: ServiceUnderTest, *items: dict[str, Any], source: str = "erp") -> list[dict[str, Any]]:
    answer = opened.post("/orders:batch", {"source": source, "items": items}, role="machine", claims=ERP)
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


# ── purchase orders ──────────────────────────────────────────────────────────────────────────────


def test_a_batch_of_500_with_three_bad_items_keeps_497(procurement: ServiceUnderTest) -> None:
    """FLOW 5.2: a bad item is refused alone, with its field and reason."""
    with_suppliers(procurement, "ACME")
    procurement.emitted()
    items = [item(n) for n in range(500)]
    items[3]["supplier"] = "Nobody"
    items[7]["lines"] = []
    items[9]["lines"] = [line("1"), line("1")]
    refused = {
        n: (r["status"], r["field"]) for n, r in enumerate(send(procurement, *items)) if r["status"] != "created"
    }
    assert refused == {3: ("refused", "supplier"), 7: ("refused", "lines"), 9: ("refused", "lines")}
    assert procurement.names() == ["order.placed"] * 497


def test_an_order_known_under_another_key_is_changed_and_its_lines_are_added(procurement: ServiceUnderTest) -> None:
    """FLOW 7.2: the second shipment of an order is a change, under a key of its own."""
    with_suppliers(procurement, "ACME")
    procurement.emitted()
    first = send(procurement, item(1))[0]
    again = send(procurement, {**item(1), "key": "k1@S2", "lines": [line("2")]})[0]
    assert first["id"] == again["id"]
    assert procurement.names() == ["order.placed", "order.changed"]
    shown = procurement.get(f"/orders/{first['id']}").json()
    assert [one["reference"] for one in shown["lines"]] == ["1", "2"]


def test_a_known_key_answers_unchanged_or_conflict_and_says_nothing(procurement: ServiceUnderTest) -> None:
    """FLOW 6.5: when it became known is no content."""
    with_suppliers(procurement, "ACME")
    send(procurement, item(1))
    procurement.emitted()
    assert send(procurement, item(1, known_at="2026-03-09T00:00:00Z"))[0]["status"] == "unchanged"
    assert send(procurement, item(1, destination="Lagos"))[0]["status"] == "conflict"
    assert procurement.names() == []


def test_a_source_may_not_speak_for_another(procurement: ServiceUnderTest) -> None:
    body = {"source": "tms", "items": [item(1)]}
    assert procurement.post("/orders:batch", body, role="machine", claims=ERP).status_code == 403
    assert procurement.post("/orders", {**BODY, "source": "tms"}, role="machine", claims=ERP).status_code == 403


def test_a_supplier_confirms_its_own_orders_and_no_others(procurement: ServiceUnderTest) -> None:
    with_suppliers(procurement, "ACME")
    made = procurement.post("/orders", BODY, role="procurement").json()
    said = {"lines": [{"reference": "1", "confirmed_on": "2026-03-05", "confirmed_quantity": "8"}]}
    path = f"/orders/{made['order_id']}/confirm"
    other = procurement.post(path, said, role="machine", claims={"roles": ["machine"], "supplier": "Other"})
    assert (other.status_code, other.json()["code"]) == (403, "outside-scope")
    assert procurement.post(path, said, role="machine", claims=ERP).status_code == 403, "nor does a source"
    assert procurement.post(path, said, role="machine", claims=ACME).status_code == 200
    shown = procurement.get(f"/orders/{made['order_id']}").json()["lines"][0]
    assert (shown["needed_on"], shown["confirmed_on"], shown["confirmed_quantity"]) == ("2026-03-04", "2026-03-05", "8")
    assert procurement.names()[-1] == "order.confirmed"


def test_a_suppliers_system_confirms_in_batches(procurement: ServiceUnderTest) -> None:
    with_suppliers(procurement, "ACME")
    send(procurement, item(1))
    confirmed = {
        "key": "c1",
        "order": "P1",
        "placed_by": "erp",
        "lines": [{"reference": "1", "confirmed_on": "2026-03-05"}],
    }
    unknown = {**confirmed, "key": "c2", "order": "P9"}
    body = {"source": "ACME", "items": [confirmed, unknown]}
    other = procurement.post("/confirmations:batch", body | {"source": "erp"}, role="machine", claims=ACME)
    assert (other.status_code, other.json()["field"]) == (403, "source")
    results = procurement.post("/confirmations:batch", body, role="machine", claims=ACME).json()["results"]
    assert [r["status"] for r in results] == ["created", "refused"]


def test_an_order_is_placed_once_and_changed_by_its_own_act(procurement: ServiceUnderTest) -> None:
    with_suppliers(procurement, "ACME")
    made = procurement.post("/orders", BODY, role="procurement").json()
    twice = procurement.post("/orders", BODY, role="procurement")
    assert (twice.status_code, twice.json()["code"]) == (409, "order-known")
    changed = procurement.post(f"/orders/{made['order_id']}/change", {"lines": [line("2")]}, role="procurement")
    assert changed.json()["lines"] == 2


def test_an_order_with_a_stranger_is_refused_and_names_the_field(procurement: ServiceUnderTest) -> None:
    refused = procurement.post("/orders", BODY, role="procurement")
    assert (refused.status_code, refused.json()["field"], refused.json()["code"]) == (
        422,
        "supplier",
        "unknown-supplier",
    )


# ── masks, scopes, pages ─────────────────────────────────────────────────────────────────────────


def test_prices_are_masked_and_said_to_be(procurement: ServiceUnderTest) -> None:
    with_suppliers(procurement, "Cheap", price=price("4"), freight=price("1"), lead_time_days=2)
    procurement.consume(task_opened())
    seen = procurement.get("/terms", role="procurement").json()
    assert (seen["items"][0]["price"], seen["masked"]) == ({"amount": "4.00", "currency": "USD"}, [])
    for role, masked in (
        ("sales", ["items[].freight", "items[].price"]),
        ("logistics", ["items[].price"]),
    ):
        hidden = procurement.get("/terms", role=role).json()
        assert (hidden["items"][0]["price"], hidden["masked"]) == (None, masked)
    options = procurement.get(f"/sourcings/{ROUND}", role="sales").json()
    assert options["lines"][0]["options"][0]["landed_cost"] is None
    assert options["masked"] == ["lines[].options[].landed_cost", "lines[].options[].price"]


def test_a_reader_sees_the_orders_and_rounds_of_its_sites_and_customers(procurement: ServiceUnderTest) -> None:
    """FLOW 4.3: lines out of scope are absent and counted."""
    with_suppliers(procurement, "ACME", "Cheap", price=price("4"))
    made = procurement.post("/orders", BODY, role="procurement").json()
    lines = affected("1"), affected("2", site="Lagos"), affected("3", customer="hospital"), affected("4", customer=None)
    procurement.consume(task_opened(*lines))
    lagos, clinic = {"sites": ["Lagos"]}, {"customers": ["clinic"], "sites": ["Abidjan"]}
    assert procurement.get("/orders", role="viewer", claims=lagos).json()["items"] == []
    assert procurement.get(f"/orders/{made['order_id']}", role="viewer", claims=lagos).status_code == 403
    shown = procurement.get(f"/sourcings/{ROUND}", role="viewer", claims=clinic).json()
    assert ([one["reference"] for one in shown["lines"]], shown["lines_out_of_scope"]) == (["1"], 3)
    (row,) = procurement.get("/sourcings", role="viewer", claims=lagos).json()["items"]
    assert (row["lines"], row["alternatives"]) == (1, 1)
    assert [c["line"] for c in procurement.get("/candidates", role="viewer", claims=lagos).json()["items"]] == ["2"]
    nowhere = {"sites": ["Oslo"]}
    nobody = {"customers": ["nobody"], "sites": "*"}
    assert procurement.get("/sourcings", role="viewer", claims=nobody).json()["items"] == []
    assert procurement.get(f"/sourcings/{ROUND}", role="viewer", claims=nobody).status_code == 403
    assert procurement.get("/sourcings", role="viewer", claims=nowhere).json()["items"] == []
    assert procurement.get(f"/sourcings/{ROUND}", role="viewer", claims=nowhere).status_code == 403
    assert procurement.get("/figures", role="viewer", claims=lagos).status_code == 403


def test_nobody_chooses_for_a_line_outside_the_own_scope(procurement: ServiceUnderTest) -> None:
    with_suppliers(procurement, "Cheap", price=price("4"), lead_time_days=2)
    procurement.consume(task_opened())
    body = {"alternative_id": option_of(procurement, "Cheap")["alternative_id"], "rationale": "cheapest"}
    path = f"/sourcings/{ROUND}/choose"
    assert procurement.post(path, body, role="procurement", claims={"sites": ["Lagos"]}).status_code == 403


def test_a_machine_reads_only_what_it_subscribed_to(procurement: ServiceUnderTest) -> None:
    with_suppliers(procurement, "ACME", "Other", price=price("4"))
    for supplier, reference in (("ACME", "P1"), ("Other", "P2")):
        procurement.post("/orders", {**BODY, "supplier": supplier, "reference": reference}, role="procurement")
    mine = {**ACME, "topics": ["procurement.supplier", "procurement.order"]}
    assert procurement.get("/suppliers", role="machine", claims=mine).status_code == 200
    assert procurement.get("/sourcings", role="machine", claims=mine).status_code == 403
    assert [o["reference"] for o in procurement.get("/orders", role="machine", claims=mine).json()["items"]] == ["P1"]
    assert [t["supplier"] for t in procurement.get("/terms", role="machine", claims=mine).json()["items"]] == ["ACME"]
    everything = {"roles": ["machine"], "topics": ["procurement.order"]}
    assert len(procurement.get("/orders", role="machine", claims=everything).json()["items"]) == 2


@pytest.mark.parametrize("path", ["/suppliers", "/terms", "/orders", "/sourcings", "/candidates"])
def test_lists_go_on_where_the_page_ended_and_a_foreign_cursor_is_refused(
    procurement: ServiceUnderTest, path: str
) -> None:
    with_suppliers(procurement, "A", "B", "C", price=price("4"))
    for number, supplier in enumerate("ABC"):
        procurement.post("/orders", {**BODY, "supplier": supplier, "reference": f"P{number}"}, role="procurement")
    procurement.consume(task_opened())
    for number in range(2):
        procurement.consume(task_opened().model_copy(update={"task_id": TASK.__class__(int=number), "case_id": CASE}))
    found: list[dict[str, Any]] = []
    cursor, pages = None, 0
    while pages == 0 or cursor:
        page = procurement.get(path, params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        found += page["items"]
        cursor, pages = page["next"], pages + 1
    whole = procurement.get(path, params={"limit": 500}).json()["items"]
    assert found == whole
    assert len(whole) == (9 if path == "/candidates" else 3)
    damaged = procurement.get(path, params={"cursor": "AAAA"})
    assert (damaged.status_code, damaged.json()["field"]) == (422, "cursor")


# ── choosing ─────────────────────────────────────────────────────────────────────────────────────


def test_procurement_chooses_within_the_limit_and_the_planning_lead_above_it(procurement: ServiceUnderTest) -> None:
    """FLOW 3.3: the task carries the money limit above which the choice needs the planning lead."""
    with_suppliers(procurement, "Cheap", price=price("4"), lead_time_days=2)
    procurement.consume(task_opened(limit=usd(399)))
    body = {"alternative_id": option_of(procurement, "Cheap")["alternative_id"], "rationale": "the only one in time"}
    path = f"/sourcings/{ROUND}/choose"
    for role, status in (("sales", 403), ("logistics", 403), ("viewer", 403), ("sre", 403), ("procurement", 403)):
        assert procurement.post(path, body, role=role).status_code == status, role
    assert procurement.post(path, body, role="procurement").json()["code"] == "above-limit"
    procurement.emitted()
    chosen = procurement.post(path, body, role="executive")
    assert (chosen.status_code, chosen.json()["state"], chosen.json()["remaining_lines"]) == (200, "decided", 0)
    placed, told = procurement.emitted()
    assert (placed.type, told.type) == ("procurement.order.placed.v1", "procurement.alternative.chosen.v1")
    assert (placed.data.alternative_id, placed.data.cause) == (told.data.alternative_id, told.data.cause)
    assert (told.data.by.role, told.data.landed_cost, told.causekind) == ("executive", usd(400), "act")
    (order,) = procurement.get("/orders").json()["items"]
    assert (order["supplier"], order["alternative_id"]) == ("Cheap", body["alternative_id"])


def test_several_lines_are_chosen_in_one_act_all_or_none(procurement: ServiceUnderTest) -> None:
    with_suppliers(procurement, "Cheap", price=price("4"), lead_time_days=2)
    procurement.consume(task_opened(affected("1"), affected("2"), affected("3", item="masks")))
    whole = procurement.get(f"/sourcings/{ROUND}").json()
    both = [one["options"][0]["alternative_id"] for one in whole["lines"][:2]]
    path = f"/sourcings/{ROUND}/choose"
    bad = procurement.post(path, {"alternative_ids": [both[0], str(ROUND)], "rationale": "cheapest"})
    assert (bad.status_code, bad.json()["code"]) == (404, "unknown-alternative")
    assert procurement.rows("SELECT * FROM decisions") == []
    done = procurement.post(path, {"alternative_ids": both, "rationale": "cheapest"}).json()
    assert (done["remaining_lines"], done["state"], len(done["orders"])) == (1, "open", 2)
    remaining = [e.data.remaining_lines for e in procurement.emitted() if e.type == "procurement.alternative.chosen.v1"]
    assert remaining == [2, 1]
    declined = procurement.post(
        f"/sourcings/{ROUND}/decline",
        {"line_id": whole["lines"][2]["line_id"], "reason": "nobody makes them"},
        role="procurement",
    )
    assert (declined.json()["state"], declined.json()["remaining_lines"]) == ("decided", 0)
    assert procurement.names() == ["alternative.declined"]


def test_an_infeasible_choice_is_refused_with_its_reasons(procurement: ServiceUnderTest) -> None:
    with_suppliers(procurement, "Late", price=price("4"), lead_time_days=90)
    procurement.consume(task_opened())
    option = option_of(procurement, "Late")
    assert not option["feasible"]
    body = {"alternative_id": option["alternative_id"], "rationale": "why not"}
    refused = procurement.post(f"/sourcings/{ROUND}/choose", body)
    assert (refused.status_code, refused.json()["code"]) == (409, "alternative-infeasible")
    assert "later than the delayed delivery itself" in refused.json()["detail"]


def test_a_choice_without_an_alternative_or_a_reason_is_refused(procurement: ServiceUnderTest) -> None:
    procurement.consume(task_opened())
    for body in ({"rationale": "cheapest"}, {"alternative_id": str(ROUND)}):
        assert procurement.post(f"/sourcings/{ROUND}/choose", body).status_code == 422
    assert (
        procurement.post(f"/sourcings/{CASE}/choose", {"alternative_id": str(ROUND), "rationale": "why"}).status_code
        == 404
    )


def test_the_round_of_a_case_is_found_by_case_task_cause_and_state(procurement: ServiceUnderTest) -> None:
    procurement.consume(task_opened())
    for question in ({"case": CASE}, {"task": TASK}, {"cause": affected().shipment_id}, {"state": "open"}):
        assert len(procurement.get("/sourcings", params=question).json()["items"]) == 1, question
    for question in ({"case": TASK}, {"task": CASE}, {"cause": CASE}, {"state": "closed"}):
        assert procurement.get("/sourcings", params=question).json()["items"] == [], question


def test_terms_come_in_batches_and_a_strangers_term_is_refused_alone(procurement: ServiceUnderTest) -> None:
    with_suppliers(procurement, "Cheap")
    term = {"supplier": "Cheap", "item": "gloves", "effective_from": "2026-03-01", "price": price("4")}
    items = [
        {"key": "1", **term},
        {"key": "2", **term, "supplier": "Nobody"},
        {"key": "3", **term, "lead_time_days": -1},
    ]
    body = {"source": "erp", "items": items}
    results = procurement.post("/terms:batch", body, role="procurement").json()["results"]
    assert [(r["status"], r["field"]) for r in results] == [
        ("created", None),
        ("refused", "supplier"),
        ("refused", "lead_time_days"),
    ]
    assert procurement.post("/terms:batch", body, role="machine", claims=ERP).status_code == 403, (
        "master data are a person's"
    )


def test_suppliers_come_in_batches(procurement: ServiceUnderTest) -> None:
    items = [{"key": str(n), "code": f"V  {n}", "name": f"V {n}"} for n in range(68)]
    results = procurement.post("/suppliers:batch", {"source": "scms", "items": items}, role="procurement").json()[
        "results"
    ]
    assert {r["status"] for r in results} == {"created"}
    shown = procurement.get("/suppliers", params={"limit": 100}).json()["items"]
    assert (len(shown), shown[0]["code"]) == (68, "V  0"), "a double space stays"
    assert (shown[0]["on_time_share"], shown[0]["receipts"]) == (None, 0)
    assert procurement.names() == ["supplier.changed"] * 68


def test_the_numbers_of_a_term_keep_their_meaning(procurement: ServiceUnderTest) -> None:
    with_suppliers(procurement, "Cheap", price=price("0.02"), minimum_quantity="1000", capacity_per_week="2.5")
    (term,) = procurement.get("/terms", params={"supplier": "Cheap", "item": "gloves", "kind": "agreed"}).json()[
        "items"
    ]
    assert Decimal(term["price"]["amount"]) == Decimal("0.02")
    assert (Decimal(term["minimum_quantity"]), Decimal(term["capacity_per_week"])) == (Decimal(1000), Decimal("2.5"))
