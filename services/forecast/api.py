"""HTTP in: baselines, overrides with their reasons, publications, and questions about them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import ConfigDict, Field

from chassis import http
from chassis.http import Body
from chassis.ids import derived_id
from chassis.persistence.database import Tx
from schemas.forecast import WeekOfDemand
from schemas.types import Code, ItemCode, Quantity, Reason, SiteCode
from services.forecast import domain, operations, queries

router = http.Router()
Limit = Annotated[int, Query(ge=1, le=http.PAGE_ITEMS_MAX)]


class WeekBody(Body):
    """Expected demand of the week that starts on this Monday."""

    week_on: date
    quantity: Quantity


class EnterBaseline(Body):
    """The baseline of some weeks of an item at a site; weeks that are not named keep theirs."""

    item: ItemCode
    site: SiteCode
    weeks: Annotated[list[WeekBody], Field(min_length=1, max_length=domain.WEEKS_MAX)]


class EnterBaselineItem(http.Item, EnterBaseline):
    """A baseline from a source; `publish` says it to everybody at once."""

    publish: bool = False


class EnterOverride(Body):
    """What a person expects of a week instead, why, and until when that holds."""

    week_on: date
    quantity: Quantity
    reason: Reason
    expires_on: date | None = None


class Known(http.Response):
    """What is known here, as it is shown."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class ForecastShown(Known):
    forecast_id: UUID
    item: str
    site: str
    published: int
    published_at: datetime | None
    occurred_at: datetime
    recorded_at: datetime


class BaselineShown(Known):
    week_on: date
    quantity: Quantity
    occurred_at: datetime
    recorded_at: datetime


class OverrideShown(Known):
    override_id: UUID
    week_on: date
    before: Quantity
    after: Quantity
    reason: str
    by_subject: str
    by_role: str
    expires_on: date | None
    occurred_at: datetime
    recorded_at: datetime


class OverrideRow(OverrideShown):
    """An override in a list."""

    forecast_id: UUID
    item: str
    site: str


class ForecastWhole(ForecastShown):
    """A forecast with its baselines, its overrides and what was published last."""

    baselines: tuple[BaselineShown, ...]
    overrides: tuple[OverrideShown, ...]
    said: tuple[WeekOfDemand, ...]


class PublicationShown(Known):
    forecast_id: UUID
    published: int
    weeks: tuple[WeekOfDemand, ...]
    by_subject: str
    by_role: str
    occurred_at: datetime
    recorded_at: datetime


class Figures(http.Response):
    """What forecast counts, over everything."""

    forecasts: int
    baselines: int
    overrides: int
    publications: int


# ── acts ─────────────────────────────────────────────────────────────────────────────────────────


@router.act("/forecasts", may="keep-forecast", status=201)
def enter_baseline(body: EnterBaseline, act: http.ActContext) -> ForecastShown:
    """Enter the baseline of some weeks of an item at a site."""
    act.actor.must_see(site=body.site)
    return ForecastShown.model_validate(
        operations.enter_baseline(act.tx, item=body.item, site=body.site, weeks=_weeks(body))
    )


@router.batch("/forecasts:batch", may="keep-forecast", item=EnterBaselineItem)
def enter_baselines(body: http.RawBatch, act: http.ActContext) -> http.BatchAnswer:
    """Enter up to 500 baselines, and publish those that say so."""
    operations.load_forecasts(act.tx, item_sites=_named(body))
    by = act.actor.by("planning-lead", "sales")

    def each(tx: Tx, item: EnterBaselineItem) -> UUID:
        act.actor.must_see(site=item.site)
        entered = operations.enter_baseline(tx, item=item.item, site=item.site, weeks=_weeks(item))
        if item.publish:
            operations.publish_forecast(tx, forecast_id=entered.forecast_id, by=by)
        return entered.forecast_id

    return http.run_batch(act, body, door="enter-baselines", item=EnterBaselineItem, each=each)


@router.act("/forecasts/{forecast_id}/overrides", may="keep-forecast", status=201)
def enter_override(forecast_id: UUID, body: EnterOverride, act: http.ActContext) -> ForecastShown:
    """Say what a person expects of a week instead, and why; the baseline stays."""
    forecast = operations.enter_override(
        act.tx,
        forecast_id=_mine(act, forecast_id),
        override_id=derived_id("override", act.tx.context.causation_id),
        week_on=body.week_on,
        quantity=body.quantity,
        reason=body.reason,
        expires_on=body.expires_on,
        by=act.actor.by("planning-lead", "sales"),
    )
    return ForecastShown.model_validate(forecast)


@router.act("/forecasts/{forecast_id}/publish", may="keep-forecast")
def publish_forecast(forecast_id: UUID, act: http.ActContext) -> ForecastShown:
    """Publish what is expected now, so that projections elsewhere follow."""
    by = act.actor.by("planning-lead", "sales")
    return ForecastShown.model_validate(operations.publish_forecast(act.tx, forecast_id=_mine(act, forecast_id), by=by))


def _mine(act: http.ActContext, forecast_id: UUID) -> UUID:
    """Return the id when its site lies in the actor's scope; raises NotFound, Forbidden."""
    act.actor.must_see(site=operations.get_forecast(act.tx, forecast_id=forecast_id).site)
    return forecast_id


def _weeks(body: EnterBaseline) -> dict[date, Decimal]:
    return domain.weeks_named_once((week.week_on, week.quantity) for week in body.weeks)


def _named(body: http.RawBatch) -> list[tuple[str, str]]:
    named = [(raw.get("item"), raw.get("site")) for raw in body.items]
    return [(item.strip(), site.strip()) for item, site in named if isinstance(item, str) and isinstance(site, str)]


# ── questions ────────────────────────────────────────────────────────────────────────────────────


@router.question("/forecasts", topic="forecast.demand")
def list_forecasts(
    ask: http.QueryContext,
    item: Code | None = None,
    site: Code | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> http.Page[ForecastShown]:
    """Return forecasts in scope, by site and item."""
    last = ask.after(cursor, item, site)
    after = (last[0], last[1]) if last else None
    rows = queries.forecasts_by_site(ask.read, ask.actor, item=item, site=site, after=after, limit=limit + 1)
    shown = [ForecastShown.model_validate(row) for row in rows]
    return http.Page[ForecastShown](**ask.page(shown, lambda f: [f.site, f.item], limit, item, site))


@router.question("/forecasts/{forecast_id}", topic="forecast.demand")
def show_forecast(forecast_id: UUID, ask: http.QueryContext) -> ForecastWhole:
    """Return a forecast with its baselines, its overrides and what was published last."""
    found, weeks, entered = queries.forecast_with_weeks(ask.read, forecast_id)
    ask.actor.must_see(site=found.site)
    whole: dict[str, Any] = {**found._mapping, "baselines": weeks, "overrides": entered}
    return ForecastWhole.model_validate(whole)


@router.question("/forecasts/{forecast_id}/publications", topic="forecast.demand")
def list_publications(
    forecast_id: UUID, ask: http.QueryContext, cursor: str | None = None, limit: Limit = 100
) -> http.Page[PublicationShown]:
    """Return what was published of a forecast, the first version first."""
    found, _, _ = queries.forecast_with_weeks(ask.read, forecast_id)
    ask.actor.must_see(site=found.site)
    last = ask.after(cursor)
    after = int(last[0]) if last else None
    rows = queries.publications_by_version(ask.read, forecast_id, after=after, limit=limit + 1)
    shown = [PublicationShown.model_validate(row) for row in rows]
    return http.Page[PublicationShown](**ask.page(shown, lambda p: [p.published], limit))


@router.question("/overrides", topic="forecast.demand")
def list_overrides(
    ask: http.QueryContext,
    item: Code | None = None,
    site: Code | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> http.Page[OverrideRow]:
    """Return overrides in scope, by week."""
    last = ask.after(cursor, item, site)
    after = (date.fromisoformat(last[0]), UUID(last[1])) if last else None
    rows = queries.overrides_by_week(ask.read, ask.actor, item=item, site=site, after=after, limit=limit + 1)
    shown = [OverrideRow.model_validate(row) for row in rows]
    page = ask.page(shown, lambda o: [o.week_on.isoformat(), o.override_id], limit, item, site)
    return http.Page[OverrideRow](**page)


@router.question("/figures")
def show_figures(ask: http.QueryContext) -> Figures:
    """Count everything; for readers whose scope is everything."""
    ask.actor.must_see_everything()
    return Figures.model_validate(queries.figures(ask.read))
