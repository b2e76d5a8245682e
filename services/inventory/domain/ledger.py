"""The stock ledger of an item at a site: entries are added and never changed; the balance is their sum."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

from chassis.errors import Conflict, Invalid
from schemas.amounts import QUANTITY_MAX
from schemas.base import Event
from schemas.inventory import EntryKind, StockChanged
from schemas.types import By, subject_id

KEPT_MAX = 65_536  # ids of item-sites


class NotOpened(Conflict):
    """The item-site has no opening balance: what is there is unknown (FLOW 3.4)."""

    code = "not-opened"


class AlreadyOpened(Conflict):
    """The item-site has its opening balance."""

    code = "already-opened"


class UnfitQuantity(Invalid):
    """The quantity does not fit the kind of entry."""

    code = "unfit-quantity"


class StockTooLarge(Invalid):
    """The balance after the entry would be larger than a quantity can be."""

    code = "stock-too-large"


class ReasonMissing(Invalid):
    """An adjustment without a reason explains nothing."""

    code = "reason-missing"


class BeforeLastCount(Conflict):
    """What happened before the last count is in that count already."""

    code = "before-last-count"


class EntryInTheFuture(Invalid):
    """A ledger says what happened, not what will."""

    code = "entry-in-the-future"


class UnknownItem(Invalid):
    """The item is not registered."""

    code = "unknown-item"


class UnknownSite(Invalid):
    """The site is not registered."""

    code = "unknown-site"


@dataclass(frozen=True, slots=True)
class Stock:
    """What there is of an item at a site; exists from its opening balance on."""

    stock_id: UUID
    item: str
    site: str
    on_hand: Decimal
    counted_at: datetime  # business time of the opening balance or the last count
    entries: int
    occurred_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the ledger: `quantity` is the change, `on_hand` the balance after it, `counted` what a count found."""

    entry_id: UUID
    stock_id: UUID
    item: str
    site: str
    kind: EntryKind
    quantity: Decimal
    on_hand: Decimal
    counted: Decimal | None
    reason: str | None
    order_line_id: UUID | None
    shipment_line_id: UUID | None
    by_subject: str | None
    by_role: str | None
    occurred_at: datetime
    recorded_at: datetime


@lru_cache(maxsize=KEPT_MAX)
def stock_id(item: str, site: str) -> UUID:
    """Return the id that every service derives for an item at a site."""
    return subject_id("stock", "master", f"{item}@{site}")


def record_entry(
    stock: Stock | None,
    *,
    entry_id: UUID,
    item: str,
    site: str,
    kind: EntryKind,
    quantity: Decimal,
    occurred_at: datetime,
    now: datetime,
    reason: str | None = None,
    by: By | None = None,
    order_line_id: UUID | None = None,
    shipment_line_id: UUID | None = None,
) -> tuple[Stock, Entry, list[Event]]:
    """Add an entry to the ledger; a count writes the difference to what was found.

    Raises NotOpened, AlreadyOpened, UnfitQuantity, StockTooLarge, ReasonMissing, BeforeLastCount, EntryInTheFuture.
    """
    if occurred_at > now:
        raise EntryInTheFuture(f"occurred_at {occurred_at.isoformat()} lies after now", field="occurred_at")
    if kind == "opening":
        if stock is not None:
            raise AlreadyOpened(f"{item} at {site} has its opening balance; count or adjust it", field="kind")
        before = Stock(stock_id(item, site), item, site, Decimal(0), occurred_at, 0, occurred_at, now)
    elif stock is None:
        raise NotOpened(f"{item} at {site} has no opening balance; record one first", field="kind")
    elif is_covered(stock, occurred_at):
        raise BeforeLastCount(
            f"the count of {stock.counted_at.isoformat()} includes what happened before; adjust it instead",
            field="occurred_at",
        )
    else:
        before = stock
    change = _change(before, kind, quantity, reason)
    _must_fit(before.on_hand + change)
    _must_fit(change)
    counts = kind in ("opening", "count")
    entry = Entry(
        entry_id,
        before.stock_id,
        item,
        site,
        kind,
        change,
        before.on_hand + change,
        quantity if counts else None,
        reason,
        order_line_id,
        shipment_line_id,
        by.subject if by else None,
        by.role if by else None,
        occurred_at,
        now,
    )
    after = _with_entry(before, entry)
    return after, entry, [_changed(after, entry)]


def _with_entry(before: Stock, entry: Entry) -> Stock:
    return replace(
        before,
        on_hand=entry.on_hand,
        entries=before.entries + 1,
        occurred_at=entry.occurred_at,
        recorded_at=entry.recorded_at,
        counted_at=before.counted_at if entry.counted is None else entry.occurred_at,
    )


def _changed(after: Stock, entry: Entry) -> StockChanged:
    return StockChanged(
        stock_id=after.stock_id,
        item=entry.item,
        site=entry.site,
        entry_id=entry.entry_id,
        kind=entry.kind,
        quantity=entry.quantity,
        on_hand=after.on_hand,
        reason=entry.reason,
        occurred_at=entry.occurred_at,
    )


def is_covered(stock: Stock, occurred_at: datetime) -> bool:
    """Say whether something that happened then is in the last count already."""
    return occurred_at < stock.counted_at


def _must_fit(quantity: Decimal) -> None:
    if abs(quantity) > QUANTITY_MAX:
        raise StockTooLarge(
            f"the entry leads to {quantity:f}; a balance is at most {QUANTITY_MAX:f}: check the quantity and the unit",
            field="quantity",
        )


def _change(stock: Stock, kind: EntryKind, quantity: Decimal, reason: str | None) -> Decimal:
    if kind in ("opening", "count"):
        if quantity < 0:
            raise UnfitQuantity(f"{kind} of {quantity}: the quantity cannot be negative", field="quantity")
        return quantity - stock.on_hand
    if kind == "adjustment":
        if not (reason or "").strip():
            raise ReasonMissing("an adjustment needs a reason; give one", field="reason")
        if quantity == 0:
            raise UnfitQuantity("an adjustment of 0 changes nothing", field="quantity")
        return quantity
    if quantity <= 0:
        raise UnfitQuantity(f"{kind} of {quantity}: expected more than 0", field="quantity")
    return quantity if kind == "receipt" else -quantity
