"""Root signals and consequences in this service's words: what a fact of another service means for a case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from schemas.exceptions import AffectedCustomer, AffectedLine
from schemas.inventory import ShortagePredicted
from schemas.logistics import ShipmentCancelled, ShipmentDelay, ShipmentFact, ShipmentSettled
from schemas.sales import ImpactAssessed
from schemas.types import Cause, Money
from services.exceptions.domain.case import NO_CURRENCY, Shortage

RootSignalEvent = ShipmentDelay | ShipmentCancelled | ShortagePredicted


@dataclass(frozen=True, slots=True)
class Signal:
    """A root signal: it opens, extends or reopens a case (FLOW 1.1)."""

    cause: Cause
    cause_occurred_at: datetime
    headline: str
    lines: tuple[AffectedLine, ...]
    provisional: bool


@dataclass(frozen=True, slots=True)
class Impact:
    """Who is hurt, as sales found it; nobody is an impact too (FLOW 3.1)."""

    version: int
    affected: tuple[AffectedCustomer, ...]
    unmatched: int

    @property
    def nobody(self) -> bool:
        """Say whether no customer is hurt: a line whose order sales does not know leaves that open."""
        return not self.affected and not self.unmatched


def signal_of(event: RootSignalEvent) -> Signal:
    """Return the root signal inside a fact."""
    if isinstance(event, ShortagePredicted):
        return _of_shortage(event)
    if isinstance(event, ShipmentCancelled):
        return _of_cancellation(event)
    expected_on = event.expected_at.date() if event.expected_at else None
    lines = _lines(event, expected_on=expected_on)
    where = f"Shipment {event.reference} to {event.destination}"
    if event.basis == "overdue" and event.expected_at is None:
        what = f"{where} was due on {event.promised_on.isoformat()} and nothing has been reported"
    else:
        what = f"{where} is {_duration(event.delay_minutes)} late"
    return Signal(
        cause=event.cause,
        cause_occurred_at=event.cause_occurred_at,
        headline=f"{what}: {_count(lines)}",
        lines=lines,
        provisional=event.provisional,
    )


def _of_cancellation(event: ShipmentCancelled) -> Signal:
    """The shipment will not come, the need stays: the delay has no end that anybody knows."""
    if event.cause is None:
        raise ValueError("a cancellation without a cause is no root signal")
    lines = _lines(event, expected_on=None)
    return Signal(
        cause=event.cause,
        cause_occurred_at=event.occurred_at,
        provisional=False,
        lines=lines,
        headline=f"Shipment {event.reference} to {event.destination} was cancelled: {_count(lines)}",
    )


def _of_shortage(event: ShortagePredicted) -> Signal:
    line = AffectedLine(
        line_id=event.stock_id,
        reference=f"{event.item} at {event.site}"[:200],
        item=event.item,
        site=event.site,
        quantity=event.quantity,
        value=event.value or Money(amount=Decimal(0), currency=NO_CURRENCY),
        needed_on=event.short_on,
    )
    return Signal(
        cause=event.cause,
        cause_occurred_at=event.cause_occurred_at,
        lines=(line,),
        provisional=False,
        headline=f"{event.quantity} of {event.item} will be short at {event.site} on {event.short_on.isoformat()}",
    )


def shortage_of(event: ShortagePredicted) -> Shortage:
    """Return the shortage inside a consequence."""
    return Shortage(
        stock_id=event.stock_id,
        item=event.item,
        site=event.site,
        short_on=event.short_on,
        short_at=event.short_at,
        quantity=event.quantity,
        value=event.value,
    )


def impact_of(event: ImpactAssessed) -> Impact:
    """Return who is hurt, by customer, and how many lines sales could not match with an order."""
    tiers = {line.customer: line.tier for line in event.lines}
    lines = {customer: len({x.order_line_id for x in event.lines if x.customer == customer}) for customer in tiers}
    affected = tuple(AffectedCustomer(customer=c, tier=tiers[c], lines=lines[c]) for c in sorted(tiers))
    return Impact(version=event.version, affected=affected, unmatched=event.unmatched_lines)


def settled_reason(event: ShipmentSettled) -> str:
    """Return why a cause that turned out to be none is cleared."""
    if event.recorded_late:
        return f"shipment {event.reference} was delivered in time on {event.received_on.isoformat()} and only recorded late"
    return f"shipment {event.reference} was delivered in time on {event.received_on.isoformat()}"


def _lines(event: ShipmentFact, *, expected_on: object) -> tuple[AffectedLine, ...]:
    return tuple(
        AffectedLine.model_validate(
            {
                "line_id": line.line_id,
                "reference": line.reference,
                "shipment_id": event.shipment_id,
                "item": line.item,
                "site": event.destination,
                "quantity": line.quantity,
                "value": line.value,
                "needed_on": line.promised_on,
                "expected_on": expected_on,
                "order_id": line.order_id,
                "order_line_id": line.order_line_id,
                "customer": line.customer,
                "purchase_order_line_id": line.purchase_order_line_id,
                "supplier": line.supplier,
            }
        )
        for line in event.lines
    )


def _duration(minutes: int) -> str:
    days, rest = divmod(max(minutes, 0), 1440)
    hours, left = divmod(rest, 60)
    parts = [f"{days} d" if days else "", f"{hours} h" if hours else "", f"{left} min" if left and not days else ""]
    return " ".join(part for part in parts if part) or "0 min"


def _count(lines: tuple[AffectedLine, ...]) -> str:
    return f"{len(lines)} line{'' if len(lines) == 1 else 's'}"


__all__ = ["Impact", "Signal", "impact_of", "settled_reason", "shortage_of", "signal_of"]
