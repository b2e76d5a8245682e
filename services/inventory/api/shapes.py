"""The bodies that inventory takes and the answers that it gives."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import ConfigDict

from chassis import http
from chassis.http import Body
from schemas.inventory import EntryKind
from schemas.types import Cause, Code, Instant, ItemCode, Money, Quantity, SignedQuantity, SiteCode, Text

router = http.Router()
Limit = Annotated[int, Query(ge=1, le=http.PAGE_ITEMS_MAX)]
Days = Annotated[int | None, Query(ge=1, le=366)]


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


class Known(http.Response):
    """Base of responses that are read from the attributes of a row."""

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
    """`quantity` is the largest shortage published so far, `projected` the shortage projected now."""

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


class Projection(http.Response):
    """Projected stock per day; an item-site without an opening balance is unknown and has no days."""

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


class Promise(http.Response):
    """The quantity that may still be promised (available to promise), by bucket."""

    item: str
    site: str
    state: Literal["known", "unknown"]
    buckets: tuple[BucketShown, ...] = ()


class Figures(http.Response):
    """Counts over all items and sites."""

    items: int
    sites: int
    known_item_sites: int
    unknown_item_sites: int
    stock_entries: int
    inbound_lines: int
    shortages_open: int
    shortages_predicted: int
