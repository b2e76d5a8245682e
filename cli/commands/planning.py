"""Planning: `forecasts`, `override`, `publish`, `stock`, `projection` and `shortages`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from cli.client import Client
from cli.commands.lookup import all_pages, find_id
from cli.output import JsonOption, WorldOption, emit, say, table
from cli.stack.world_plan import LIVE

ItemOption = Annotated[str | None, typer.Option(help="An item's code.")]
SiteOption = Annotated[str | None, typer.Option(help="A site's code.")]
ForecastId = Annotated[str, typer.Argument(help="The forecast's id, or the start of it.")]
DAYS = ["%Y-%m-%d"]
MOST = 5_000


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: crossdock forecasts --site Abidjan --world demo")(forecasts)
    app.command(
        epilog="Example: crossdock override 0a1b2c3d --week 2026-03-09 --quantity 500 --reason 'campaign announced'"
    )(override)
    app.command(epilog="Example: crossdock publish 0a1b2c3d")(publish)
    app.command(epilog="Example: crossdock stock --item test-kit")(stock)
    app.command(epilog="Example: crossdock projection test-kit Abidjan --world demo")(projection)
    app.command(epilog="Example: crossdock shortages --world demo")(shortages)


def forecasts(
    item: ItemOption = None, site: SiteOption = None, world: WorldOption = LIVE, as_json: JsonOption = False
) -> None:
    """Show the forecast of each item at a site, week by week; * is an override, with its reason in --json."""
    with Client(world) as client:
        known = all_pages(client, "forecast", "/forecasts", {"item": item, "site": site}, most=MOST)
        wholes = [client.get("forecast", f"/forecasts/{one['forecast_id']}") for one in known]
    weeks = sorted({one["week_on"] for whole in wholes for one in (*whole["baselines"], *whole["overrides"])})
    rows = [
        (
            whole["forecast_id"][:8],
            whole["item"],
            whole["site"],
            whole["published"] or "never",
            *(_week(whole, week) for week in weeks),
        )
        for whole in wholes
    ]
    empty = f"No forecast is known in world {world}."
    columns = ("Forecast", "Item", "Site", "Published", *weeks)
    emit(wholes, as_json=as_json, show=lambda: table(columns, rows) if rows else say(empty))


def _week(whole: dict[str, Any], week: str) -> str:
    latest = max(
        (one for one in whole["overrides"] if one["week_on"] == week),
        key=lambda one: str(one["recorded_at"]),
        default=None,
    )
    if latest is not None:
        return f"{latest['after']}*"
    return next((str(one["quantity"]) for one in whole["baselines"] if one["week_on"] == week), "")


def override(
    forecast_id: ForecastId,
    week: Annotated[datetime, typer.Option(help="The Monday that the week begins on.", formats=DAYS)],
    quantity: Annotated[str, typer.Option(help="What is expected instead.")],
    reason: Annotated[str, typer.Option(help="Why, in words others can use.")],
    expires: Annotated[datetime | None, typer.Option(help="Until when it holds.", formats=DAYS)] = None,
    world: WorldOption = LIVE,
    as_json: JsonOption = False,
) -> None:
    """Expect something else of a week, for a reason; the baseline stays, and nobody is told before `publish`."""
    body = {"week_on": f"{week:%Y-%m-%d}", "quantity": quantity, "reason": reason}
    if expires is not None:
        body["expires_on"] = f"{expires:%Y-%m-%d}"
    with Client(world) as client:
        whole = find_id(client, "forecasts", forecast_id, service="forecast")
        answer = client.post("forecast", f"/forecasts/{whole}/overrides", body)
    emit(
        answer,
        as_json=as_json,
        show=lambda: say(f"{answer['item']} at {answer['site']}: overridden, not published yet."),
    )


def publish(forecast_id: ForecastId, world: WorldOption = LIVE, as_json: JsonOption = False) -> None:
    """Publish a forecast: inventory projects anew, and what will be short opens a case."""
    with Client(world) as client:
        whole = find_id(client, "forecasts", forecast_id, service="forecast")
        answer = client.post("forecast", f"/forecasts/{whole}/publish", {})
    words = f"{answer['item']} at {answer['site']}: version {answer['published']} is published."
    emit(answer, as_json=as_json, show=lambda: say(words))


def stock(
    item: ItemOption = None, site: SiteOption = None, world: WorldOption = LIVE, as_json: JsonOption = False
) -> None:
    """Show what is on hand."""
    with Client(world) as client:
        items = all_pages(client, "inventory", "/stock", {"item": item, "site": site}, most=MOST)
    rows = [(one["site"], one["item"], one["on_hand"]) for one in items]
    emit(items, as_json=as_json, show=lambda: table(("Site", "Item", "On hand"), rows) if rows else say("No stock."))


def projection(
    item: Annotated[str, typer.Argument(help="The item's code.")],
    site: Annotated[str, typer.Argument(help="The site's code.")],
    world: WorldOption = LIVE,
    as_json: JsonOption = False,
) -> None:
    """Project an item's stock at a site, day by day, and say what may still be promised."""
    with Client(world) as client:
        days = client.get("inventory", "/projections", {"item": item, "site": site})
        promise = client.get("inventory", "/available-to-promise", {"item": item, "site": site})
    rows = [
        (
            d["day"],
            d["inbound"],
            d["orders"],
            d["forecast"],
            d["projected"],
            "short" if float(d["projected"]) < 0 else "",
        )
        for d in days["days"]
    ]
    columns = ("Day", "Inbound", "Orders", "Forecast", "Projected", "")
    unknown = f"Nothing is known of {item} at {site} in world {world}."
    emit(
        {**days, "available_to_promise": promise["buckets"]},
        as_json=as_json,
        show=lambda: table(columns, rows) if rows else say(unknown),
    )


def shortages(world: WorldOption = LIVE, as_json: JsonOption = False) -> None:
    """Show what will run short, the earliest first."""
    with Client(world) as client:
        items = all_pages(client, "inventory", "/shortages", {"state": "predicted"}, most=MOST)
    rows = [(one["short_on"], one["site"], one["item"], one["quantity"]) for one in items]
    columns = ("Short on", "Site", "Item", "By")
    emit(items, as_json=as_json, show=lambda: table(columns, rows) if rows else say("No shortage is predicted."))
