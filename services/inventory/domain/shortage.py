"""The shortage of an item at a site: said when it is worse than was said before, ended when it is over (FLOW 3.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from schemas.base import Event
from schemas.inventory import ShortageAverted, ShortagePredicted
from schemas.types import Cause, Money
from services.inventory.domain.ledger import Stock
from services.inventory.domain.projection import ProjectedDay

_SECONDS_PER_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Behind:
    """The root cause behind a change, when there is one, and when that happened."""

    cause: Cause
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Shortage:
    """What was said about an item-site that will not have enough.

    `quantity` is the deepest that was said, `projected` what is projected now; `causes` are all that made it worse.
    """

    stock_id: UUID
    item: str
    site: str
    state: Literal["predicted", "averted"]
    short_on: date
    short_at: datetime
    quantity: Decimal
    projected: Decimal
    causes: tuple[Cause, ...]
    predicted_at: datetime
    averted_at: datetime | None
    occurred_at: datetime
    recorded_at: datetime


def depth(days: Sequence[ProjectedDay]) -> tuple[date, Decimal] | None:
    """Return the first day that ends below zero and how deep the projection goes, or None."""
    first = next((day.day for day in days if day.projected < 0), None)
    return None if first is None else (first, -min(day.projected for day in days))


def assess_shortage(
    before: Shortage | None,
    *,
    stock: Stock,
    days: Sequence[ProjectedDay],
    zone: str,
    behind: Behind | None,
    unit_value: Money | None,
    reason: str,
    now: datetime,
) -> tuple[Shortage | None, list[Event]]:
    """Compare the projection with what was said: predicted when it is deeper or earlier, averted when it is over.

    The cause is inherited from what lies behind the change; a shortage with nothing behind it is its own cause.
    """
    standing = before if before is not None and before.state == "predicted" else None
    found = depth(days)
    if found is None:
        if standing is None:
            return before, []
        over = replace(
            standing, state="averted", projected=Decimal(0), averted_at=now, occurred_at=now, recorded_at=now
        )
        return over, [_averted(over, cause, reason, now) for cause in standing.causes]
    short_on, quantity = found
    if standing is not None and quantity <= standing.quantity and short_on >= standing.short_on:
        return replace(standing, projected=quantity), []
    behind = behind or Behind(Cause(kind="shortage", id=stock.stock_id), now)
    worse_by = max(Decimal(0), quantity - (standing.quantity if standing else Decimal(0)))
    causes = standing.causes if standing else ()
    shortage = Shortage(
        stock.stock_id,
        stock.item,
        stock.site,
        "predicted",
        short_on,
        _end_of(short_on, zone),
        max(quantity, standing.quantity) if standing else quantity,
        quantity,
        causes if behind.cause in causes else (*causes, behind.cause),
        standing.predicted_at if standing else now,
        None,
        now,
        now,
    )
    return shortage, [_predicted(shortage, behind, worse_by, unit_value, now)]


def _predicted(
    shortage: Shortage, behind: Behind, worse_by: Decimal, unit_value: Money | None, now: datetime
) -> ShortagePredicted:
    value = None if unit_value is None else unit_value.times(shortage.projected)
    return ShortagePredicted(
        stock_id=shortage.stock_id,
        item=shortage.item,
        site=shortage.site,
        cause=behind.cause,
        cause_occurred_at=behind.occurred_at,
        short_on=shortage.short_on,
        short_at=shortage.short_at,
        quantity=shortage.projected,
        worse_by=worse_by,
        hours_left=max(0, int((shortage.short_at - now).total_seconds() // _SECONDS_PER_HOUR)),
        value=value,
        occurred_at=now,
    )


def _averted(shortage: Shortage, cause: Cause, reason: str, now: datetime) -> ShortageAverted:
    return ShortageAverted(
        stock_id=shortage.stock_id, item=shortage.item, site=shortage.site, cause=cause, reason=reason, occurred_at=now
    )


def _end_of(day: date, zone: str) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(0), tzinfo=ZoneInfo(zone)).astimezone(UTC)
