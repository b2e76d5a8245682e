"""The projection of stock, and the shortages that it shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from chassis.persistence.database import Tx
from chassis.runtime import log
from schemas.inventory import ShortageAverted, ShortagePredicted
from services.inventory import domain, metrics, queries, repository
from services.inventory.settings import settings


def predict_shortages(
    tx: Tx, *, stock_ids: Iterable[UUID], reason: str, behind: domain.Behind | None = None
) -> list[UUID]:
    """Project these item-sites again and publish shortages that grew or ended; returns those with a balance.

    An item-site without an opening balance is unknown: no projection, no shortage, counted (FLOW 3.4).
    """
    wanted_ids = sorted(set(stock_ids))
    repository.load_stocks(tx, wanted_ids)
    stocks = {i: stock for i in wanted_ids if (stock := repository.find_stock(tx, i)) is not None}
    if len(stocks) < len(wanted_ids):
        tx.count(metrics.unknown_item_sites_total, len(wanted_ids) - len(stocks))
        log.get().debug("projection.skipped", why="no opening balance", item_sites=len(wanted_ids) - len(stocks))
    if not stocks:
        return []
    inputs_by_stock = queries.outlooks(tx, list(stocks), since=domain.monday_of(tx.now.date()))
    repository.load_shortages(tx, stocks)
    for stock_id, stock in stocks.items():
        inputs = inputs_by_stock[stock_id]
        days = domain.project(inputs.outlook, today=inputs.today(tx.now), days=settings().inventory_horizon_days)
        shortage, events = domain.assess_shortage(
            repository.find_shortage(tx, stock_id),
            stock=stock,
            days=days,
            zone=inputs.zone,
            behind=behind,
            unit_value=inputs.unit_value,
            reason=reason,
            now=tx.now,
        )
        if shortage is not None:
            repository.save_shortage(tx, shortage)
        tx.emit(events)
        _count_shortages(tx, events)
    return list(stocks)


def _count_shortages(tx: Tx, events: Sequence[object]) -> None:
    for event in events:
        if isinstance(event, ShortagePredicted):
            tx.count(metrics.shortages_predicted_total.labels(event.cause.kind))
        elif isinstance(event, ShortageAverted):
            tx.count(metrics.shortages_averted_total)
