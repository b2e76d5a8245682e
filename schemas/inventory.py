"""Facts of inventory: what there is, what there will be, and where it will not be enough."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from schemas.base import Event
from schemas.types import Cause, Code, Instant, ItemCode, Money, Quantity, SignedQuantity, SiteCode, Text

EntryKind = Literal["opening", "receipt", "issue", "adjustment", "count"]


class ItemChanged(Event, name="inventory.item.changed.v1", key="item_id"):
    """An item of the master data was registered or changed."""

    item_id: UUID
    code: ItemCode
    description: Text
    unit: Code
    unit_value: Money | None = None


class SiteChanged(Event, name="inventory.site.changed.v1", key="site_id"):
    """A site of the master data was registered or changed; `zone` is an IANA time zone, `calendar` the code of
    a calendar in collaboration.
    """

    site_id: UUID
    code: SiteCode
    name: Text
    country: Code | None = None
    zone: Code
    calendar: Code


class StockFact(Event, abstract=True):
    """What every fact about an item at a site says."""

    stock_id: UUID
    item: ItemCode
    site: SiteCode


class StockChanged(StockFact, name="inventory.stock.changed.v1", key="stock_id"):
    """An entry was written to the stock ledger; `on_hand` is the balance after it."""

    entry_id: UUID
    kind: EntryKind
    quantity: SignedQuantity
    on_hand: SignedQuantity
    reason: Text | None = None


class ShortagePredicted(StockFact, name="inventory.shortage.predicted.v1", key="stock_id"):
    """Projected stock falls below zero, or further below than published before. `cause` is that of the event
    that made it worse; without one, the shortage is its own cause.
    """

    cause: Cause
    cause_occurred_at: Instant
    short_on: date
    short_at: Instant
    quantity: Quantity
    worse_by: Quantity
    hours_left: int
    value: Money | None = None


class ShortageAverted(StockFact, name="inventory.shortage.averted.v1", key="stock_id"):
    """The projected stock no longer falls below zero."""

    cause: Cause
    reason: Text
