"""The doors of inventory: items, sites, entries, projections; who may, and what is refused with which words."""

from __future__ import annotations

import pytest

from tests.support.checked_service import CheckedService

KIT = {"code": "kit", "description": "A test kit", "unit": "pack"}
LYON = {"code": "LYO", "name": "Lyon", "country": "FR", "zone": "Europe/Paris", "calendar": "weekdays"}


def with_masters(tried: CheckedService) -> CheckedService:
    tried.post("/items", KIT, by="inventory")
    tried.post("/sites", LYON, by="inventory")
    tried.emitted()
    return tried


def entry(kind: str, quantity: object, **more: object) -> dict[str, object]:
    return {"item": "kit", "site": "LYO", "kind": kind, "quantity": quantity, **more}


def test_an_item_is_registered_and_published_once(tried: CheckedService):
    tried.post("/items", KIT, by="inventory", expect=201)
    tried.post("/items", KIT, by="inventory")
    [said] = tried.emitted()
    assert (said.code, said.unit) == ("kit", "pack")
    tried.post("/items", KIT | {"unit": "box"}, by="inventory")
    [changed] = tried.emitted()
    assert changed.unit == "box"


def test_a_site_is_registered_and_published_with_its_zone_and_calendar(tried: CheckedService):
    tried.post("/sites", LYON, by="inventory", expect=201)
    [said] = tried.emitted()
    assert (said.zone, said.calendar) == ("Europe/Paris", "weekdays")
    problem = tried.post("/sites", LYON | {"zone": "Lyon"}, by="inventory", expect=422)
    assert (problem["code"], problem["field"]) == ("unknown-zone", "zone")


def test_a_batch_keeps_the_good_items_and_refuses_the_bad_ones_alone(tried: CheckedService):
    """FLOW 5.2: one bad item of a batch is refused with its field, the others are kept."""
    good = [{"key": f"s{n}", "code": f"S{n}", "zone": "UTC"} for n in range(3)]
    bad = {"key": "bad", "code": "BAD", "zone": "Atlantis"}
    results = tried.batch("/sites:batch", good[0], bad, *good[1:], by="inventory")
    assert [r["status"] for r in results] == ["created", "refused", "created", "created"]
    assert results[1]["field"] == "zone"
    assert len(tried.emitted()) == 3
    again = tried.batch("/sites:batch", good[0], good[1] | {"zone": "Europe/Rome"}, by="inventory")
    assert [r["status"] for r in again] == ["unchanged", "conflict"]
    assert tried.emitted() == []


def test_only_inventory_and_machines_keep_stock_items_and_sites(tried: CheckedService):
    for path in ("/items", "/sites", "/stock-entries", "/items:batch", "/sites:batch", "/stock-entries:batch"):
        for role in ("sales", "logistics", "procurement", "planning-lead", "executive", "sre", "viewer"):
            tried.post(path, {}, by=role, expect=403)
        tried.post(path, {}, by="machine", claims={"carrier": "northline"}, expect=403)


WAREHOUSE = {"warehouse": "LYO"}


def test_a_machine_of_a_warehouse_writes_the_stock_of_its_own_site_only(tried: CheckedService):
    """H4: its claim names one site; scope alone, which may be everything, lets it write nowhere."""
    with_masters(tried)
    tried.post("/sites", LYON | {"code": "Lagos"}, by="inventory")
    assert tried.post("/stock-entries", entry("opening", 5), by="machine", claims=WAREHOUSE)["on_hand"] == "5"
    there = entry("opening", 5) | {"site": "Lagos"}
    assert tried.post("/stock-entries", there, by="machine", claims=WAREHOUSE, expect=403)["code"] == "outside-scope"
    batch = {"source": "LYO", "items": [{"key": "1", **entry("receipt", 1)}, {"key": "2", **there}]}
    results = tried.post("/stock-entries:batch", batch, by="machine", claims=WAREHOUSE)["results"]
    assert [one["status"] for one in results] == ["created", "refused"]
    other = tried.post("/stock-entries:batch", batch | {"source": "erp"}, by="machine", claims=WAREHOUSE, expect=403)
    assert other["field"] == "source"
    tried.post("/stock-entries", entry("receipt", 1), by="machine", claims={"source": "erp"}, expect=403)


def test_a_machine_of_a_warehouse_changes_its_own_site_and_registers_none(tried: CheckedService):
    tried.post("/sites", LYON, by="machine", claims=WAREHOUSE, expect=403)
    tried.post("/sites", LYON, by="inventory")
    tried.post("/sites", LYON | {"code": "Lagos"}, by="inventory")
    assert tried.post("/sites", LYON | {"name": "East"}, by="machine", claims=WAREHOUSE)["name"] == "East"
    tried.post("/sites", LYON | {"code": "Lagos"}, by="machine", claims=WAREHOUSE, expect=403)


def test_items_and_sites_are_changed_by_persons_and_by_the_source_that_registered_them(tried: CheckedService):
    kit = {"code": "kit", "unit_value": {"amount": "5.00", "currency": "EUR"}}
    for path, body in (("/items", kit), ("/sites", LYON)):
        tried.post(path, body, by="machine", claims={"source": "erp"})
        tried.post(path, body, by="machine", claims={"source": "tms"}, expect=403)
        tried.post(path, body, by="inventory")
        tried.post(path, body, by="machine", claims={"source": "erp"})
        taken = {"source": "tms", "items": [{"key": "1", **body}]}
        (result,) = tried.post(f"{path}:batch", taken, by="machine", claims={"source": "tms"})["results"]
        assert (result["status"], "own source" in result["reason"]) == ("refused", True)
    tried.post("/items", kit | {"code": "glove"}, by="inventory")
    tried.post("/items", kit | {"code": "glove"}, by="machine", claims={"source": "erp"}, expect=403)
    tried.post("/items", kit, by="machine", claims=WAREHOUSE, expect=403)


def test_a_machine_of_a_warehouse_reads_its_own_stock(tried: CheckedService):
    with_masters(tried)
    tried.post("/sites", LYON | {"code": "Lagos"}, by="inventory")
    for site in ("LYO", "Lagos"):
        tried.post("/stock-entries", entry("opening", 5) | {"site": site}, by="inventory")
    claims = WAREHOUSE | {"topics": ["inventory.stock", "inventory.site"]}
    for path in ("/stock", "/stock-entries"):
        assert [one["site"] for one in tried.get(path, by="machine", claims=claims)["items"]] == ["LYO"]
    assert [one["code"] for one in tried.get("/sites", by="machine", claims=claims)["items"]] == ["LYO"]
    answer = tried.service.get("/projections?item=kit&site=Lagos", role="machine", claims=claims)
    assert answer.status_code == 403


def test_entries_move_the_balance_and_a_count_writes_the_difference(tried: CheckedService):
    with_masters(tried)
    for kind, quantity, on_hand in (
        ("opening", 100, "100"),
        ("receipt", 20, "120"),
        ("issue", 50, "70"),
        ("count", 65, "65"),
    ):
        assert tried.post("/stock-entries", entry(kind, quantity), by="inventory")["on_hand"] == on_hand
    adjusted = tried.post("/stock-entries", entry("adjustment", -5, reason="broken"), by="inventory")
    assert adjusted["on_hand"] == "60"
    entries = tried.get("/stock-entries", item="kit")["items"]
    assert [e["quantity"] for e in entries] == ["100", "20", "-50", "-5", "-5"]
    assert entries[3]["counted"] == "65"
    assert {e["by_role"] for e in entries} == {"inventory"}
    assert [fact.on_hand for fact in tried.emitted()] == [100, 120, 70, 65, 60]


@pytest.mark.parametrize(
    ("told", "status", "code"),
    [
        (entry("receipt", 5), 409, "not-opened"),
        (entry("opening", -1), 422, "unfit-quantity"),
        (entry("opening", 5, item="ghost"), 422, "unknown-item"),
        (entry("opening", 5, site="ATL"), 422, "unknown-site"),
        (entry("opening", 5, occurred_at="2099-01-01T00:00:00Z"), 422, "entry-in-the-future"),
        (entry("theft", 5), 422, "invalid"),
    ],
)
def test_an_entry_that_cannot_be_is_refused_and_leaves_nothing(tried: CheckedService, told, status, code):
    with_masters(tried)
    assert tried.post("/stock-entries", told, by="inventory", expect=status)["code"] == code
    assert tried.emitted() == []
    assert tried.get("/figures")["stock_entries"] == 0


def test_a_batch_of_entries_is_taken_in_its_order_and_bad_ones_alone_are_refused(tried: CheckedService):
    with_masters(tried)
    results = tried.batch(
        "/stock-entries:batch",
        {"key": "1", **entry("opening", 10)},
        {"key": "2", **entry("opening", 10)},
        {"key": "3", **entry("issue", 4)},
        {"key": "4", **entry("adjustment", 1)},
        by="inventory",
    )
    assert [r["status"] for r in results] == ["created", "conflict", "created", "refused"]
    assert tried.get("/stock")["items"][0]["on_hand"] == "6"


def test_an_item_site_without_an_opening_balance_is_shown_as_unknown(tried: CheckedService):
    """FLOW 3.4: no opening balance, no projection."""
    with_masters(tried)
    answer = tried.get("/projections", item="kit", site="LYO")
    assert (answer["state"], answer["days"], answer["on_hand"]) == ("unknown", [], None)
    assert tried.get("/available-to-promise", item="kit", site="LYO")["state"] == "unknown"
    assert tried.get("/projections", item="ghost", site="LYO", expect=404)["field"] == "item"


def test_a_projection_is_asked_for_so_many_days(tried: CheckedService):
    with_masters(tried)
    tried.post("/stock-entries", entry("opening", 10), by="inventory")
    answer = tried.get("/projections", item="kit", site="LYO", days=3)
    assert [day["projected"] for day in answer["days"]] == ["10", "10", "10"]
    assert answer["days"][0]["day"] == "2026-03-02"
    assert len(tried.get("/projections", item="kit", site="LYO")["days"]) == 42
    assert tried.get("/available-to-promise", item="kit", site="LYO")["buckets"][0]["available"] == "10"


def test_nobody_sees_a_site_outside_the_scope(tried: CheckedService):
    with_masters(tried)
    tried.post("/sites", LYON | {"code": "MAR"}, by="inventory")
    for site in ("LYO", "MAR"):
        tried.post("/stock-entries", entry("opening", 10, site=site), by="inventory")
    mine = {"sites": ["MAR"]}
    for path, field in (("/sites", "code"), ("/stock", "site"), ("/stock-entries", "site")):
        assert {row[field] for row in tried.get(path, by="viewer", claims=mine)["items"]} == {"MAR"}
    tried.get("/projections", item="kit", site="LYO", by="viewer", claims=mine, expect=403)
    tried.get("/available-to-promise", item="kit", site="LYO", by="viewer", claims=mine, expect=403)
    tried.get("/figures", by="viewer", claims=mine, expect=403)
    tried.post("/stock-entries", entry("count", 1), by="inventory", claims=mine, expect=403)
    [refused] = tried.batch("/stock-entries:batch", {"key": "1", **entry("count", 1)}, by="inventory", claims=mine)
    assert refused["status"] == "refused"
