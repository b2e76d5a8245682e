"""The doors of forecast: who may, what is refused with which words, and whose sites are whose."""

from __future__ import annotations

import pytest

from tests.support.checked_service import CheckedService

KIT = {"item": "kit", "site": "LYO", "weeks": [{"week_on": "2026-03-02", "quantity": 10}]}
TENDER = {"week_on": "2026-03-02", "quantity": 50, "reason": "a tender"}


def a_forecast(tried: CheckedService, **changes: object) -> str:
    forecast_id: str = tried.post("/forecasts", KIT | changes, expect=201)["forecast_id"]
    return forecast_id


def test_only_sales_and_the_planning_lead_keep_forecasts(tried: CheckedService):
    forecast = a_forecast(tried)
    for path in (
        "/forecasts",
        "/forecasts:batch",
        f"/forecasts/{forecast}/overrides",
        f"/forecasts/{forecast}/publish",
    ):
        for role in ("logistics", "inventory", "procurement", "executive", "sre", "viewer"):
            tried.post(path, {}, by=role, expect=403)
        tried.post(path, {}, by="machine", claims={"source": "erp"}, expect=403)
    tried.post("/forecasts", KIT | {"site": "MAR"}, by="sales")


def test_an_override_is_entered_shown_and_published(tried: CheckedService):
    forecast = a_forecast(tried)
    tried.post(f"/forecasts/{forecast}/overrides", TENDER, by="sales", expect=201)
    whole = tried.get(f"/forecasts/{forecast}", by="viewer")
    assert [b["quantity"] for b in whole["baselines"]] == ["10"]
    assert [(o["before"], o["after"], o["by_role"]) for o in whole["overrides"]] == [("10", "50", "sales")]
    assert tried.post(f"/forecasts/{forecast}/publish", {})["published"] == 1
    assert tried.post(f"/forecasts/{forecast}/publish", {}, expect=409)["code"] == "nothing-to-publish"
    assert tried.get(f"/forecasts/{forecast}")["said"][0]["quantity"] == "50"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"reason": ""}, 422, "invalid"),
        ({"reason": None}, 422, "invalid"),
        ({"week_on": "2026-03-03"}, 422, "not-a-monday"),
        ({"week_on": "2026-02-23"}, 409, "week-is-over"),
        ({"week_on": "2026-03-09"}, 409, "no-baseline"),
        ({"expires_on": "2026-03-01"}, 422, "expires-in-the-past"),
        ({"quantity": -1}, 422, "invalid"),
    ],
)
def test_an_override_that_cannot_be_is_refused(tried: CheckedService, change, status, code):
    forecast = a_forecast(tried)
    problem = tried.post(f"/forecasts/{forecast}/overrides", TENDER | change, expect=status)
    assert problem["code"] == code


def test_a_batch_enters_baselines_and_publishes_those_that_say_so(tried: CheckedService):
    """FLOW 5.2: one bad item is refused alone."""
    results = tried.batch(
        "/forecasts:batch",
        {"key": "1", **KIT, "publish": True},
        {"key": "2", **KIT, "site": "MAR"},
        {"key": "3", **KIT, "weeks": [{"week_on": "2026-03-04", "quantity": 1}]},
        {"key": "4", **KIT, "site": "NCE", "weeks": KIT["weeks"] * 2},
    )
    assert [r["status"] for r in results] == ["created", "created", "refused", "refused"]
    assert [fact.site for fact in tried.emitted()] == ["LYO"]
    [again] = tried.batch("/forecasts:batch", {"key": "1", **KIT, "publish": True})
    assert again["status"] == "unchanged"
    assert tried.emitted() == []


def test_nobody_sees_or_changes_a_site_outside_the_scope(tried: CheckedService):
    lyon, marseille = a_forecast(tried), a_forecast(tried, site="MAR")
    mine = {"sites": ["MAR"]}
    assert [f["site"] for f in tried.get("/forecasts", by="viewer", claims=mine)["items"]] == ["MAR"]
    for path in (f"/forecasts/{lyon}", f"/forecasts/{lyon}/publications", "/figures"):
        assert tried.get(path, by="viewer", claims=mine, expect=403)["code"] == "outside-scope"
    for path, body in (
        (f"/forecasts/{lyon}/publish", {}),
        (f"/forecasts/{lyon}/overrides", TENDER),
        ("/forecasts", KIT),
    ):
        tried.post(path, body, by="sales", claims=mine, expect=403)
    tried.post(f"/forecasts/{lyon}/overrides", TENDER)
    tried.post(f"/forecasts/{marseille}/overrides", TENDER, by="sales", claims=mine)
    assert [o["site"] for o in tried.get("/overrides", by="viewer", claims=mine)["items"]] == ["MAR"]


def test_what_is_not_known_is_not_found(tried: CheckedService):
    unknown = "00000000-0000-0000-0000-000000000001"
    tried.get(f"/forecasts/{unknown}", expect=404)
    tried.post(f"/forecasts/{unknown}/publish", {}, expect=404)
