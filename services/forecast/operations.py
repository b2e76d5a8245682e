"""What can be done with forecasts: one function per act."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from uuid import UUID

from chassis.persistence.database import Tx
from schemas.types import By
from services.forecast import domain, metrics, repository


def load_forecasts(tx: Tx, *, item_sites: Iterable[tuple[str, str]]) -> None:
    """Lock and load the forecasts that a batch will touch."""
    repository.load(tx, [domain.forecast_id(item, site) for item, site in item_sites])


def get_forecast(tx: Tx, *, forecast_id: UUID) -> domain.Forecast:
    """Return a forecast, locked; raises NotFound."""
    return repository.get(tx, forecast_id)


def enter_baseline(tx: Tx, *, item: str, site: str, weeks: dict[date, Decimal]) -> domain.Forecast:
    """Enter the baseline of some weeks of an item at a site; raises NoWeeks, NotAMonday, TooManyWeeks."""
    before = repository.find(tx, domain.forecast_id(item, site))
    forecast, events = domain.enter_baseline(before, item=item, site=site, weeks=weeks, now=tx.now)
    repository.save(tx, forecast)
    tx.emit(events)
    return forecast


def enter_override(
    tx: Tx,
    *,
    forecast_id: UUID,
    override_id: UUID,
    week_on: date,
    quantity: Decimal,
    reason: str,
    by: By,
    expires_on: date | None = None,
) -> domain.Forecast:
    """Say what a person expects of a week instead, and why; raises NotFound and what the domain refuses."""
    forecast, events = domain.enter_override(
        repository.get(tx, forecast_id),
        override_id=override_id,
        week_on=week_on,
        quantity=quantity,
        reason=reason,
        by=by,
        expires_on=expires_on,
        now=tx.now,
    )
    repository.save(tx, forecast)
    tx.emit(events)
    tx.count(metrics.overrides_total)
    return forecast


def publish_forecast(tx: Tx, *, forecast_id: UUID, by: By) -> domain.Forecast:
    """Publish what is expected now, so that projections elsewhere follow; raises NotFound, NothingToPublish."""
    forecast, events = domain.publish_forecast(repository.get(tx, forecast_id), now=tx.now)
    repository.save(tx, forecast)
    repository.append_publication(tx, forecast, by)
    tx.emit(events)
    tx.count(metrics.publications_total)
    return forecast
