"""What inventory remembers of others' facts: shipments that will arrive, order lines to fill, demand expected."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class InboundLine:
    """One line of a shipment on its way."""

    line_id: UUID
    stock_id: UUID
    item: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class InboundShipment:
    """A shipment on its way, kept as far as a projection needs it: lines go when it has arrived or is cancelled.

    `expected_on` is None while nobody knows: its promised day ended in silence.
    """

    shipment_id: UUID
    destination: str
    state: Literal["coming", "over"]
    expected_on: date | None
    lines: tuple[InboundLine, ...]
    occurred_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class DemandLine:
    """One customer order line to fill by its promised day."""

    line_id: UUID
    stock_id: UUID
    item: str
    quantity: Decimal
    promised_on: date


@dataclass(frozen=True, slots=True)
class OrderDemand:
    """A customer order, kept as far as a projection needs it; a cancelled one has no lines."""

    order_id: UUID
    site: str
    lines: tuple[DemandLine, ...]
    occurred_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Week:
    """Expected demand of the week that starts on a Monday."""

    week_on: date
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Expectation:
    """The latest published forecast of an item at a site."""

    stock_id: UUID
    item: str
    site: str
    published: int
    weeks: tuple[Week, ...]
    occurred_at: datetime
    recorded_at: datetime


def expected_day(expected_at: datetime, zone: str) -> date:
    """Return the local day on which something expected then has arrived; midnight ends the day before it."""
    return (expected_at - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date()


def received_instant(received_on: date, received_at: datetime, zone: str, now: datetime) -> datetime:
    """Return the instant of a receipt; a receipt without an hour counts as of its day's end, or now if that is earlier."""
    tz = ZoneInfo(zone)
    if received_at != datetime.combine(received_on, time(0), tzinfo=tz):
        return min(received_at, now)
    return min(datetime.combine(received_on + timedelta(days=1), time(0), tzinfo=tz).astimezone(UTC), now)


def move_promise(demand: OrderDemand, *, line_id: UUID, promised_on: date, now: datetime) -> OrderDemand:
    """Move an order line to another promised day; an unknown line changes nothing."""
    lines = tuple(replace(x, promised_on=promised_on) if x.line_id == line_id else x for x in demand.lines)
    return demand if lines == demand.lines else replace(demand, lines=lines, recorded_at=now)
