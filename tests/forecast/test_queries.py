"""Lists are filtered, sorted and paged by a cursor that belongs to its question."""

from __future__ import annotations

from tests.support.checked_service import CheckedService

WEEKS = [{"week_on": "2026-03-02", "quantity": 10}, {"week_on": "2026-03-09", "quantity": 20}]


def with_forecasts(tried: CheckedService) -> list[str]:
    wanted = [("b", "Y1"), ("a", "Y1"), ("a", "X1")]
    items = [{"key": f"{i}@{s}", "item": i, "site": s, "weeks": WEEKS} for i, s in wanted]
    return [result["id"] for result in tried.batch("/forecasts:batch", *items)]


def test_forecasts_come_by_site_and_item_page_by_page(tried: CheckedService):
    with_forecasts(tried)
    first = tried.get("/forecasts", limit=2)
    second = tried.get("/forecasts", limit=2, cursor=first["next"])
    seen = [(f["site"], f["item"]) for f in first["items"] + second["items"]]
    assert seen == [("X1", "a"), ("Y1", "a"), ("Y1", "b")]
    assert second["next"] is None
    assert [f["site"] for f in tried.get("/forecasts", item="a")["items"]] == ["X1", "Y1"]


def test_overrides_and_publications_are_listed(tried: CheckedService):
    forecast = with_forecasts(tried)[0]
    for number, week in enumerate(("2026-03-09", "2026-03-02")):
        body = {"week_on": week, "quantity": 50 + number, "reason": "a tender"}
        tried.post(f"/forecasts/{forecast}/overrides", body)
        tried.post(f"/forecasts/{forecast}/publish", {})
    page = tried.get("/overrides", limit=1, site="Y1")
    rest = tried.get("/overrides", limit=1, site="Y1", cursor=page["next"])
    assert [o["week_on"] for o in page["items"] + rest["items"]] == ["2026-03-02", "2026-03-09"]
    published = tried.get(f"/forecasts/{forecast}/publications")["items"]
    assert [(p["published"], p["weeks"][1]["quantity"]) for p in published] == [(1, "50"), (2, "50")]
    assert tried.get("/figures") == {
        "masked": [],
        "forecasts": 3,
        "baselines": 6,
        "overrides": 2,
        "publications": 2,
    }
