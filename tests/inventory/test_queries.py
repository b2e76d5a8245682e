"""Lists are filtered, sorted and paged by a cursor that belongs to its question."""

from __future__ import annotations

from tests.support.checked_service import CheckedService


def pages(tried: CheckedService, path: str, field: str, limit: int, **filters: str) -> list[str]:
    seen: list[str] = []
    cursor = None
    while True:
        page = tried.get(path, limit=limit, cursor=cursor, **filters)
        seen += [row[field] for row in page["items"]]
        cursor = page["next"]
        if cursor is None:
            return seen


def with_stock(tried: CheckedService) -> None:
    codes = ["b", "d", "a", "c", "e"]
    tried.batch("/items:batch", *({"key": code, "code": code} for code in codes), by="inventory")
    tried.batch("/sites:batch", *({"key": s, "code": s, "country": s[0]} for s in ("X1", "Y1")), by="inventory")
    entries = [
        {"key": f"{item}{site}", "item": item, "site": site, "kind": "opening", "quantity": 1}
        for item in codes
        for site in ("Y1", "X1")
    ]
    tried.batch("/stock-entries:batch", *entries, by="inventory")


def test_lists_come_in_their_order_page_by_page(tried: CheckedService):
    with_stock(tried)
    assert pages(tried, "/items", "code", 2) == ["a", "b", "c", "d", "e"]
    assert pages(tried, "/sites", "code", 1) == ["X1", "Y1"]
    assert pages(tried, "/stock", "site", 3) == ["X1"] * 5 + ["Y1"] * 5
    assert pages(tried, "/stock", "item", 2, site="Y1") == ["a", "b", "c", "d", "e"]
    assert pages(tried, "/stock-entries", "item", 3, site="X1") == ["b", "d", "a", "c", "e"]


def test_lists_are_filtered(tried: CheckedService):
    with_stock(tried)
    assert pages(tried, "/sites", "code", 10, country="Y") == ["Y1"]
    assert pages(tried, "/items", "code", 10, code="c") == ["c"]
    assert pages(tried, "/stock-entries", "item", 10, kind="count") == []
    assert pages(tried, "/shortages", "item", 10, state="predicted") == []


def test_shortages_come_the_earliest_first(tried: CheckedService):
    with_stock(tried)
    for item, quantity in (("a", 5), ("b", 7), ("c", 2)):
        body = {"item": item, "site": "X1", "kind": "adjustment", "quantity": -quantity, "reason": "broken"}
        tried.post("/stock-entries", body, by="inventory")
    assert sorted(pages(tried, "/shortages", "item", 2)) == ["a", "b", "c"]


def test_a_cursor_of_another_list_is_refused(tried: CheckedService):
    with_stock(tried)
    cursor = tried.get("/items", limit=1)["next"]
    assert tried.get("/sites", limit=1, cursor=cursor, expect=422)["field"] == "cursor"
