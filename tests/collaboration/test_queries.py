"""Lists: filtered, sorted, and paged by a cursor that belongs to its question."""

from __future__ import annotations

from tests.support.checked_service import CheckedService


def add_people(tried: CheckedService, *codes: str, function: str = "sales") -> None:
    for code in codes:
        body = {"code": code, "name": code.title(), "function": function, "zone": "Europe/Paris"}
        tried.post("/people", body)


def test_people_come_in_the_order_of_their_codes_page_by_page(tried: CheckedService):
    add_people(tried, "dan", "ana", "cleo", "ben", "eve")
    seen, cursor = [], None
    while True:
        page = tried.get("/people", limit=2, cursor=cursor)
        seen += [person["code"] for person in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == ["ana", "ben", "cleo", "dan", "eve"]


def test_people_are_filtered_by_function(tried: CheckedService):
    add_people(tried, "ana")
    add_people(tried, "lou", function="logistics")
    assert [p["code"] for p in tried.get("/people", function="logistics")["items"]] == ["lou"]


def test_a_cursor_of_another_question_is_refused(tried: CheckedService):
    add_people(tried, "ana", "ben")
    cursor = tried.get("/people", limit=1)["next"]
    assert tried.get("/people", limit=1, cursor=cursor, function="sales", expect=422)["field"] == "cursor"


def test_figures_count_what_is_kept(tried: CheckedService):
    add_people(tried, "ana", "ben")
    assert tried.get("/figures")["people"] == 2
