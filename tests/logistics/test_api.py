"""The HTTP doors of logistics: who may, where, and what a bad item does."""

from __future__ import annotations

from typing import Any

from tests.support.service import ServiceUnderTest

BODY: dict[str, Any] = {
    "reference": "S1",
    "destination": "Abidjan",
    "promised_on": "2026-03-04",
    "carrier": "northline",
    "lines": [
        {
            "reference": "1",
            "item": "soap",
            "quantity": "5",
            "value": {"amount": "10", "currency": "USD"},
            "promised_on": "2026-03-04",
            "customer": "clinic",
            "order": "O1",
            "order_line": "1",
        }
    ],
}
ERP = {"roles": ["machine"], "source": "erp"}
CARRIER = {"roles": ["machine"], "carrier": "northline"}


def item(number: int, **changes: Any) -> dict[str, Any]:
    return {"key": f"k{number}", **BODY, "reference": f"B{number}", **changes}


def test_a_batch_of_500_with_four_bad_items_keeps_496(logistics: ServiceUnderTest) -> None:
    """FLOW 5.2: a bad item is refused alone, with its field and reason."""
    items = [item(n) for n in range(500)]
    items[3]["promised_on"] = "soon"
    items[7]["lines"] = []
    del items[9]["key"]
    items[11]["promised_on"] = "9999-12-31"  # its end lies past every calendar's
    results = logistics.post("/shipments:batch", {"source": "erp", "items": items}, role="machine", claims=ERP).json()[
        "results"
    ]
    refused = {n: r["field"] for n, r in enumerate(results) if r["status"] == "refused"}
    assert refused == {3: "promised_on", 7: "lines", 9: "key", 11: None}
    assert "leads too far" in results[11]["reason"]
    assert len(logistics.emitted()) == 496


def test_a_line_that_stands_twice_is_refused_in_words_and_alone(logistics: ServiceUnderTest) -> None:
    """N-3: it was a failure of ours, and took the good items of its batch with it."""
    twice = {**BODY, "lines": BODY["lines"] * 2}
    answer = logistics.post("/shipments", twice, role="logistics")
    assert (answer.status_code, answer.json()["field"]) == (422, "lines")
    assert "line '1' appears twice" in answer.json()["detail"]
    body = {"source": "erp", "items": [item(1), item(2, lines=twice["lines"]), item(3)]}
    results = logistics.post("/shipments:batch", body, role="machine", claims=ERP).json()["results"]
    assert [one["status"] for one in results] == ["created", "refused", "created"]
    assert (results[1]["field"], "appears twice" in results[1]["reason"]) == ("lines", True)
    assert len(logistics.emitted()) == 2


def test_a_known_key_answers_unchanged_or_conflict_and_moves_nothing(logistics: ServiceUnderTest) -> None:
    """FLOW 6.5: when it became known is no content."""
    send = lambda one: logistics.post(  # noqa: E731 — one call, three times
        "/shipments:batch", {"source": "erp", "items": [one]}, role="machine", claims=ERP
    ).json()["results"][0]
    assert send(item(1))["status"] == "created"
    assert send(item(1, known_at="2026-03-09T00:00:00Z"))["status"] == "unchanged"
    assert send(item(1, promised_on="2026-03-05"))["status"] == "conflict"
    assert len(logistics.emitted()) == 1


def test_the_same_idempotency_key_gives_the_same_answer_once(logistics: ServiceUnderTest) -> None:
    first = logistics.post("/shipments", BODY, role="logistics", key="a")
    again = logistics.post("/shipments", BODY, role="logistics", key="a")
    assert (first.status_code, again.status_code, first.json()) == (201, 201, again.json())
    other = logistics.post("/shipments", {**BODY, "reference": "S2"}, role="logistics", key="a")
    assert (other.status_code, other.json()["code"]) == (409, "key-reused")
    assert len(logistics.emitted()) == 1


def test_a_carrier_speaks_of_its_own_shipments_only(logistics: ServiceUnderTest) -> None:
    made = logistics.post("/shipments", BODY, role="logistics").json()["shipment_id"]
    said = {"expected_at": "2026-03-07T00:00:00Z", "reason": "customs"}
    path = f"/shipments/{made}/expected-arrival"
    other = logistics.post(path, said, role="machine", claims={"roles": ["machine"], "carrier": "southline"})
    assert (other.status_code, other.json()["code"]) == (403, "outside-scope")
    assert logistics.post(path, said, role="machine", claims=CARRIER).json()["state"] == "delayed"


def test_a_source_may_not_speak_for_another(logistics: ServiceUnderTest) -> None:
    answer = logistics.post("/shipments:batch", {"source": "tms", "items": [item(1)]}, role="machine", claims=ERP)
    assert (answer.status_code, answer.json()["field"]) == (403, "source")


def test_a_machine_without_a_source_speaks_in_the_name_of_its_carrier(logistics: ServiceUnderTest) -> None:
    """M1: a record under another source's key would take that source's own record's place."""
    made = logistics.post("/shipments", {**BODY, "source": "erp", "carrier": "northline"}, role="logistics")
    assert made.status_code == 201, made.text
    told = {
        "key": "1",
        "shipment": BODY["reference"],
        "planned_by": "erp",
        "kind": "departed",
        "occurred_at": "2026-03-02T08:00:00Z",
    }
    carrier = {"carrier": "northline"}
    answer = logistics.post("/milestones:batch", {"source": "erp", "items": [told]}, role="machine", claims=carrier)
    assert (answer.status_code, answer.json()["field"]) == (403, "source")
    answer = logistics.post(
        "/milestones:batch", {"source": "northline", "items": [told]}, role="machine", claims=carrier
    )
    assert [one["status"] for one in answer.json()["results"]] == ["created"]


def test_a_reader_sees_its_sites_and_the_lines_of_its_customers(logistics: ServiceUnderTest) -> None:
    body = {**BODY, "lines": [*BODY["lines"], {**BODY["lines"][0], "reference": "2", "customer": "hospital"}]}
    made = logistics.post("/shipments", body, role="logistics").json()["shipment_id"]
    shown = logistics.get(f"/shipments/{made}", role="viewer", claims={"customers": ["clinic"]}).json()
    assert ([line["customer"] for line in shown["lines"]], shown["lines_out_of_scope"]) == (["clinic"], 1)
    assert logistics.get(f"/shipments/{made}", role="viewer", claims={"sites": ["Lagos"]}).status_code == 403
    assert logistics.get("/shipments", role="viewer", claims={"sites": ["Lagos"]}).json()["items"] == []


def test_a_shipment_that_names_no_customer_is_not_for_readers_of_some_customers(logistics: ServiceUnderTest) -> None:
    """FLOW 4.3: the list and the shipment itself agree."""
    body = {**BODY, "lines": [{**BODY["lines"][0], "customer": None}]}
    made = logistics.post("/shipments", body, role="logistics").json()["shipment_id"]
    for claims, seen in (({"customers": ["clinic"]}, False), ({"customers": "*"}, True)):
        assert (logistics.get(f"/shipments/{made}", role="viewer", claims=claims).status_code == 200) is seen
        assert bool(logistics.get("/shipments", role="viewer", claims=claims).json()["items"]) is seen


def test_a_wrong_request_names_the_field(logistics: ServiceUnderTest) -> None:
    answer = logistics.post("/shipments", {**BODY, "promised_on": "tomorrow"}, role="logistics")
    assert (answer.status_code, answer.json()["field"]) == (422, "promised_on")
    assert answer.headers["content-type"] == "application/problem+json"
    unknown = logistics.post("/shipments", {**BODY, "colour": "red"}, role="logistics").json()
    assert unknown["field"] == "colour"


def test_an_import_is_for_the_planning_lead(logistics: ServiceUnderTest) -> None:
    batch = {"source": "scms", "items": [item(1, received_on="2026-03-20")]}
    assert logistics.post("/shipments:import", batch, role="logistics").status_code == 403
    assert logistics.post("/shipments:import", batch, role="planning-lead").json()["results"][0]["status"] == "created"
