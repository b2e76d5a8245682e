"""Acts: items, sites and the stock ledger."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel

from chassis import http
from chassis.ids import derived_id
from chassis.persistence.database import Tx
from schemas.types import subject_id
from services.inventory import domain, operations
from services.inventory.api.shapes import (
    ItemShown,
    KeepItem,
    KeepItemItem,
    KeepSite,
    KeepSiteItem,
    RecordEntry,
    RecordEntryItem,
    SiteShown,
    StockShown,
    router,
)


@router.act("/items", may="keep-items", status=201)
def keep_item(body: KeepItem, act: http.ActContext) -> ItemShown:
    """Register an item or change it; a machine changes those of its own source."""
    return ItemShown.model_validate(_keep_item(act, act.actor.source or domain.OWN_SOURCE, body))


@router.batch("/items:batch", may="keep-items", item=KeepItemItem)
def keep_items(body: http.RawBatch, act: http.ActContext) -> http.BatchAnswer:
    """Register or change up to 500 items."""
    operations.load_items(act.tx, codes=_codes(body))
    return http.run_batch(
        act, body, door="keep-items", item=KeepItemItem, each=lambda _, item: _keep_item(act, body.source, item).item_id
    )


@router.act("/sites", may="keep-sites", status=201)
def keep_site(body: KeepSite, act: http.ActContext) -> SiteShown:
    """Register a site or change it; a machine changes those of its own source, and the site of its warehouse."""
    return SiteShown.model_validate(_keep_site(act, act.actor.source or domain.OWN_SOURCE, body))


@router.batch("/sites:batch", may="keep-sites", item=KeepSiteItem)
def keep_sites(body: http.RawBatch, act: http.ActContext) -> http.BatchAnswer:
    """Register or change up to 500 sites."""
    operations.load_sites(act.tx, codes=_codes(body))
    return http.run_batch(
        act, body, door="keep-sites", item=KeepSiteItem, each=lambda _, item: _keep_site(act, body.source, item).site_id
    )


@router.act("/stock-entries", may="keep-stock", status=201)
def record_entry(body: RecordEntry, act: http.ActContext) -> StockShown:
    """Add an entry to the ledger of an item at a site; the answer is the balance after it."""
    _must_keep_stock(act, body.site)
    entry_id = derived_id("stock-entry", act.tx.context.causation_id)
    told = _entry(body, domain.OWN_SOURCE)
    stock = operations.record_entry(act.tx, entry_id=entry_id, by=act.actor.by("inventory", "machine"), **told)
    return StockShown.model_validate(stock)


@router.batch("/stock-entries:batch", may="keep-stock", item=RecordEntryItem)
def record_entries(body: http.RawBatch, act: http.ActContext) -> http.BatchAnswer:
    """Add up to 500 entries; the projection is computed once, at the end, or per item where a batch is run item by item."""
    touched: set[UUID] = set()
    by = act.actor.by("inventory", "machine")

    def each(tx: Tx, item: RecordEntryItem) -> UUID:
        _must_keep_stock(act, item.site)
        entry_id = derived_id("stock-entry", body.source, item.key)
        told = _entry(item, body.source)
        stock = operations.record_entry(tx, entry_id=entry_id, by=by, predict=tx.use_savepoints, **told)
        touched.update(() if tx.use_savepoints else (stock.stock_id,))
        return entry_id

    answer = http.run_batch(act, body, door="record-entries", item=RecordEntryItem, each=each)
    operations.predict_shortages(act.tx, stock_ids=touched, reason=f"stock entries of {body.source}")
    return answer


def _keep_item(act: http.ActContext, source: str, body: KeepItem) -> domain.Item:
    known = operations.find_item(act.tx, code=body.code)
    act.actor.must_own(source=known.source if known else source)
    return operations.upsert_item(act.tx, **_fields(body), source=source)


def _keep_site(act: http.ActContext, source: str, body: KeepSite) -> domain.Site:
    known = operations.find_site(act.tx, code=body.code)
    act.actor.must_see(site=body.code)
    act.actor.must_own(source=known.source if known else source, warehouse=known.code if known else None)
    return operations.upsert_site(act.tx, **_fields(body), source=source)


def _must_keep_stock(act: http.ActContext, site: str) -> None:
    act.actor.must_see(site=site)
    act.actor.must_own(warehouse=site)


def _fields(body: BaseModel) -> dict[str, Any]:
    return {name: getattr(body, name) for name in type(body).model_fields if name not in ("key", "known_at")}


def _codes(body: http.RawBatch) -> list[str]:
    return [raw["code"].strip() for raw in body.items if isinstance(raw.get("code"), str)]


def _entry(body: RecordEntry, source: str) -> dict[str, Any]:
    told = {name: getattr(body, name) for name in ("item", "site", "kind", "quantity", "occurred_at", "reason")}
    line = None
    if body.order and body.order_line:
        line = subject_id("order-line", body.order_source or source, f"{body.order}/{body.order_line}")
    return told | {"order_line_id": line}
