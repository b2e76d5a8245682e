"""HTTP in: items, sites, the stock ledger, and questions about what there will be."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict

from chassis import http
from chassis.db import Tx
from chassis.ids import derived_id
from schemas.inventory import EntryKind
from schemas.types import Cause, Code, Instant, ItemCode, Money, Quantity, SignedQuantity, SiteCode, Text, subject_id
from services.inventory import domain, operations, queries
from services.inventory.settings import settings

router = http.Router()
Limit = Annotated[int, Query(ge=1, le=http.PAGE_ITEMS_MAX)]
Days = Annotated[int | None, Query(ge=1, le=366)]


class Body(BaseModel):
    """Base of every body: a field that nobody knows is an error, not a silence."""

    model_config = ConfigDict(extra="forbid")


class KeepItem(Body):
    code: ItemCode
    description: Text = ""
    unit: Code = "each"
    unit_value: Money | None = None


class KeepItemItem(http.Item, KeepItem):
    """An item from a source."""


class KeepSite(Body):
    """A site; its days end in `zone` (IANA), `calendar` is a code of collaboration."""

    code: SiteCode
    name: Text = ""
    country: Code | None = None
    zone: Code = "UTC"
    calendar: Code = "every-day"


class KeepSiteItem(http.Item, KeepSite):
    """A site from a source."""


class RecordEntry(Body):
    """An entry of the ledger. `quantity` is what was received, issued, found (opening, count) or adjusted by (signed).

    An issue for a customer names the order line that it fills, by its references at `order_source`.
    """

    item: ItemCode
    site: SiteCode
    kind: EntryKind
    quantity: SignedQuantity
    occurred_at: Instant | None = None
    reason: Text | None = None
    order_source: Code | None = None
    order: Code | None = None
    order_line: Code | None = None


class RecordEntryItem(http.Item, RecordEntry):
    """An entry from a source; its order line is of the same source unless told."""


class Known(http.Shown):
    """What is known here, as it is shown."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class ItemShown(Known):
    item_id: UUID
    code: str
    description: str
    unit: str
    unit_value: Money | None
    occurred_at: datetime
    recorded_at: datetime


class SiteShown(Known):
    site_id: UUID
    code: str
    name: str
    country: str | None
    zone: str
    calendar: str
    occurred_at: datetime
    recorded_at: datetime


class StockShown(Known):
    stock_id: UUID
    item: str
    site: str
    on_hand: SignedQuantity
    counted_at: datetime
    entries: int
    occurred_at: datetime
    recorded_at: datetime


class EntryShown(Known):
    position: int
    entry_id: UUID
    stock_id: UUID
    item: str
    site: str
    kind: str
    quantity: SignedQuantity
    on_hand: SignedQuantity
    counted: SignedQuantity | None
    reason: str | None
    order_line_id: UUID | None
    shipment_line_id: UUID | None
    by_subject: str | None
    by_role: str | None
    occurred_at: datetime
    recorded_at: datetime


class ShortageShown(Known):
    """`quantity` is the deepest that was said, `projected` what is projected now."""

    stock_id: UUID
    item: str
    site: str
    state: Literal["predicted", "averted"]
    short_on: date
    short_at: datetime
    quantity: Quantity
    projected: Quantity
    causes: tuple[Cause, ...]
    predicted_at: datetime
    averted_at: datetime | None
    occurred_at: datetime
    recorded_at: datetime


class DayShown(Known):
    day: date
    inbound: SignedQuantity
    orders: SignedQuantity
    forecast: SignedQuantity
    projected: SignedQuantity


class Projection(http.Shown):
    """Projected stock per day; an item-site without an opening balance is unknown and has no days (FLOW 3.4)."""

    item: str
    site: str
    state: Literal["known", "unknown"]
    on_hand: SignedQuantity | None = None
    inbound_without_day: SignedQuantity | None = None
    days: tuple[DayShown, ...] = ()


class BucketShown(Known):
    from_on: date
    until_on: date
    receipts: SignedQuantity
    orders: SignedQuantity
    available: SignedQuantity
    cumulative: SignedQuantity


class Promise(http.Shown):
    """What may still be promised, by bucket (METRICS 3.3)."""

    item: str
    site: str
    state: Literal["known", "unknown"]
    buckets: tuple[BucketShown, ...] = ()


class Figures(http.Shown):
    """What inventory counts, over everything."""

    items: int
    sites: int
    known_item_sites: int
    unknown_item_sites: int
    stock_entries: int
    inbound_lines: int
    shortages_open: int
    shortages_predicted: int


# ── acts ─────────────────────────────────────────────────────────────────────────────────────────


@router.act("/items", may="keep-stock", status=201)
def keep_item(body: KeepItem, act: http.Act) -> ItemShown:
    """Register an item or change it."""
    return ItemShown.model_validate(operations.keep_item(act.tx, **_fields(body)))


@router.batch("/items:batch", may="keep-stock", item=KeepItemItem)
def keep_items(body: http.RawBatch, act: http.Act) -> http.BatchAnswer:
    """Register or change up to 500 items."""
    operations.load_items(act.tx, codes=_codes(body))

    def each(tx: Tx, item: KeepItemItem) -> UUID:
        return operations.keep_item(tx, **_fields(item)).item_id

    return http.run_batch(act, body, door="keep-items", item=KeepItemItem, each=each)


@router.act("/sites", may="keep-stock", status=201)
def keep_site(body: KeepSite, act: http.Act) -> SiteShown:
    """Register a site or change it."""
    act.actor.must_see(site=body.code)
    return SiteShown.model_validate(operations.keep_site(act.tx, **_fields(body)))


@router.batch("/sites:batch", may="keep-stock", item=KeepSiteItem)
def keep_sites(body: http.RawBatch, act: http.Act) -> http.BatchAnswer:
    """Register or change up to 500 sites."""
    operations.load_sites(act.tx, codes=_codes(body))

    def each(tx: Tx, item: KeepSiteItem) -> UUID:
        act.actor.must_see(site=item.code)
        return operations.keep_site(tx, **_fields(item)).site_id

    return http.run_batch(act, body, door="keep-sites", item=KeepSiteItem, each=each)


@router.act("/stock-entries", may="keep-stock", status=201)
def record_entry(body: RecordEntry, act: http.Act) -> StockShown:
    """Add an entry to the ledger of an item at a site; the answer is the balance after it."""
    act.actor.must_see(site=body.site)
    entry_id = derived_id("stock-entry", act.tx.context.causation_id)
    told = _entry(body, "crossdock")
    stock = operations.record_entry(act.tx, entry_id=entry_id, by=act.actor.by("inventory", "machine"), **told)
    return StockShown.model_validate(stock)


@router.batch("/stock-entries:batch", may="keep-stock", item=RecordEntryItem)
def record_entries(body: http.RawBatch, act: http.Act) -> http.BatchAnswer:
    """Add up to 500 entries; the projection is computed once, at the end, or per item where a batch is run item by item."""
    touched: set[UUID] = set()
    by = act.actor.by("inventory", "machine")

    def each(tx: Tx, item: RecordEntryItem) -> UUID:
        act.actor.must_see(site=item.site)
        entry_id = derived_id("stock-entry", body.source, item.key)
        told = _entry(item, body.source)
        stock = operations.record_entry(tx, entry_id=entry_id, by=by, predict=tx.careful, **told)
        touched.update(() if tx.careful else (stock.stock_id,))
        return entry_id

    answer = http.run_batch(act, body, door="record-entries", item=RecordEntryItem, each=each)
    operations.predict_shortages(act.tx, stock_ids=touched, reason=f"stock entries of {body.source}")
    return answer


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


# ── questions ────────────────────────────────────────────────────────────────────────────────────


@router.question("/items", topic="inventory.item")
def list_items(
    ask: http.Question, code: str | None = None, cursor: str | None = None, limit: Limit = 100
) -> http.Page[ItemShown]:
    """Return items in the order of their codes."""
    last = ask.after(cursor, code)
    rows = queries.items_by_code(ask.read, code=code, after=last[0] if last else None, limit=limit + 1)
    shown = [ItemShown.model_validate(_with_value(row)) for row in rows]
    return http.Page[ItemShown](**ask.page(shown, lambda i: [i.code], limit, code))


def _with_value(row: Any) -> dict[str, Any]:
    value = None
    if row.unit_value_currency is not None:
        value = Money(amount=row.unit_value_amount, currency=row.unit_value_currency)
    return {**row._mapping, "unit_value": value}


@router.question("/sites", topic="inventory.site")
def list_sites(
    ask: http.Question, country: str | None = None, calendar: str | None = None, cursor: str | None = None,
    limit: Limit = 100,
) -> http.Page[SiteShown]:  # fmt: skip
    """Return sites in scope in the order of their codes."""
    last = ask.after(cursor, country, calendar)
    rows = queries.sites_by_code(
        ask.read, ask.actor, country=country, calendar=calendar, after=last[0] if last else None, limit=limit + 1
    )
    shown = [SiteShown.model_validate(row) for row in rows]
    return http.Page[SiteShown](**ask.page(shown, lambda s: [s.code], limit, country, calendar))


@router.question("/stock", topic="inventory.stock")
def list_stock(
    ask: http.Question, item: str | None = None, site: str | None = None, cursor: str | None = None, limit: Limit = 100
) -> http.Page[StockShown]:
    """Return balances in scope, by site and item."""
    last = ask.after(cursor, item, site)
    after = (last[0], last[1]) if last else None
    rows = queries.stock_by_site(ask.read, ask.actor, item=item, site=site, after=after, limit=limit + 1)
    shown = [StockShown.model_validate(row) for row in rows]
    return http.Page[StockShown](**ask.page(shown, lambda s: [s.site, s.item], limit, item, site))


@router.question("/stock-entries", topic="inventory.stock")
def list_entries(
    ask: http.Question, item: str | None = None, site: str | None = None, kind: EntryKind | None = None,
    cursor: str | None = None, limit: Limit = 100,
) -> http.Page[EntryShown]:  # fmt: skip
    """Return ledger entries in scope, in the order in which they were written."""
    last = ask.after(cursor, item, site, kind)
    after = int(last[0]) if last else None
    rows = queries.entries_by_position(
        ask.read, ask.actor, item=item, site=site, kind=kind, after=after, limit=limit + 1
    )
    shown = [EntryShown.model_validate(row) for row in rows]
    return http.Page[EntryShown](**ask.page(shown, lambda e: [e.position], limit, item, site, kind))


@router.question("/shortages", topic="inventory.stock")
def list_shortages(
    ask: http.Question, state: Literal["predicted", "averted"] | None = None, item: str | None = None,
    site: str | None = None, cursor: str | None = None, limit: Limit = 100,
) -> http.Page[ShortageShown]:  # fmt: skip
    """Return shortages in scope, the earliest first."""
    last = ask.after(cursor, state, item, site)
    after = (date.fromisoformat(last[0]), UUID(last[1])) if last else None
    rows = queries.shortages_by_day(
        ask.read, ask.actor, state=state, item=item, site=site, after=after, limit=limit + 1
    )
    shown = [ShortageShown.model_validate(row) for row in rows]
    page = ask.page(shown, lambda s: [s.short_on.isoformat(), s.stock_id], limit, state, item, site)
    return http.Page[ShortageShown](**page)


@router.question("/projections", topic="inventory.stock")
def show_projection(ask: http.Question, item: str, site: str, days: Days = None) -> Projection:
    """Project an item at a site day by day from today."""
    place, today = _place(ask, item, site)
    if place is None:
        return Projection(item=item, site=site, state="unknown")
    projected = domain.project(place.outlook, today=today, days=days or settings().inventory_horizon_days)
    return Projection(
        item=item, site=site, state="known", on_hand=place.outlook.on_hand, inbound_without_day=place.outlook.inbound_without_day,
        days=tuple(DayShown.model_validate(day) for day in projected),
    )  # fmt: skip


@router.question("/available-to-promise", topic="inventory.stock")
def show_available_to_promise(ask: http.Question, item: str, site: str, days: Days = None) -> Promise:
    """Say what may still be promised of an item at a site, bucket by bucket."""
    place, today = _place(ask, item, site)
    if place is None:
        return Promise(item=item, site=site, state="unknown")
    buckets = domain.available_to_promise(place.outlook, today=today, days=days or settings().inventory_horizon_days)
    return Promise(
        item=item, site=site, state="known", buckets=tuple(BucketShown.model_validate(bucket) for bucket in buckets)
    )


def _place(ask: http.Asking, item: str, site: str) -> tuple[queries.Place | None, date]:
    ask.actor.must_see(site=site)
    return queries.place_today(ask.read, item=item, site=site)


@router.question("/figures")
def show_figures(ask: http.Question) -> Figures:
    """Count everything; for readers whose scope is everything."""
    ask.actor.must_see_everything()
    return Figures.model_validate(queries.figures(ask.read))
