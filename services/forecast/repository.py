"""Forecasts in and out; locks what it loads for change."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from chassis.persistence.database import Tx
from chassis.persistence.store import Store
from schemas.types import By
from services.forecast import domain, tables

forecasts = Store(
    domain.Forecast,
    tables.forecasts,
    key="forecast_id",
    children={"baselines": tables.baselines, "overrides": tables.overrides},
)


def load(tx: Tx, forecast_ids: Iterable[UUID]) -> None:
    """Lock and load many forecasts in one query."""
    tx.load(forecasts, forecast_ids)


def find(tx: Tx, forecast_id: UUID) -> domain.Forecast | None:
    """Return a forecast, locked, or None."""
    return tx.find(forecasts, forecast_id)


def get(tx: Tx, forecast_id: UUID) -> domain.Forecast:
    """Return a forecast, locked; raises NotFound."""
    return tx.get(forecasts, forecast_id)


def save(tx: Tx, forecast: domain.Forecast) -> None:
    """Keep a forecast."""
    tx.save(forecasts, forecast)


def append_publication(tx: Tx, forecast: domain.Forecast, by: By) -> None:
    """Add what was published, and by whom."""
    tx.append(
        tables.publications,
        {
            "forecast_id": forecast.forecast_id,
            "published": forecast.published,
            "weeks": [week.model_dump(mode="json") for week in forecast.said],
            "by_subject": by.subject,
            "by_role": by.role,
            "occurred_at": forecast.occurred_at,
            "recorded_at": forecast.recorded_at,
        },
    )
