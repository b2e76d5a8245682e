"""Facts of forecast: what demand is expected, and who changed that expectation and why."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from schemas.base import Event
from schemas.types import By, ItemCode, Quantity, Reason, SiteCode, Word


class WeekOfDemand(Word):
    """Expected demand of the ISO week that starts on a Monday."""

    week_on: date
    quantity: Quantity
    baseline: Quantity
    override_reason: Reason | None = None


class DemandPublished(Event, name="forecast.demand.published.v1", key="forecast_id"):
    """The expected demand of an item at a site was published; it replaces the previous version."""

    forecast_id: UUID
    item: ItemCode
    site: SiteCode
    version: int
    weeks: tuple[WeekOfDemand, ...]


class OverrideEntered(Event, name="forecast.override.entered.v1", key="forecast_id"):
    """A person overrode the expected demand of a week, with a reason; the baseline is unchanged."""

    forecast_id: UUID
    item: ItemCode
    site: SiteCode
    week_on: date
    before: Quantity
    after: Quantity
    reason: Reason
    by: By
    expires_on: date | None = None
