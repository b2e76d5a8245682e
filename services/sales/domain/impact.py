"""The impact of one cause: which promises of which customers are in danger, at sales price (FLOW 3.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from schemas.amounts import bounded_quantity
from schemas.base import Event
from schemas.logistics import ShipmentDelay, ShipmentLine
from schemas.sales import ImpactAssessed, ImpactLine
from schemas.types import Cause, CauseKind, Money, Tier, subject_id
from services.sales.domain.notice import NoticeLine
from services.sales.domain.order import Order, OrderLine

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Impact:
    """One per cause, made by whoever hears of the cause first: a delay (assessed) or a task (`assessment` 0, waiting)."""

    impact_id: UUID
    cause_kind: CauseKind
    cause_id: UUID
    assessment: int
    site: str | None
    value: Money
    unmatched_lines: int
    task_ids: tuple[UUID, ...]
    occurred_at: datetime
    recorded_at: datetime
    lines: tuple[ImpactLine, ...] = ()

    @property
    def cause(self) -> Cause:
        return Cause(kind=self.cause_kind, id=self.cause_id)


def impact_id_of(cause: Cause) -> UUID:
    """Return the id of a cause's impact."""
    return subject_id("impact", cause.kind, str(cause.id))


def await_impact(cause: Cause, *, currency: str, now: datetime) -> Impact:
    """Return the place in which whoever comes first waits for the other (FLOW 1.2); nothing is at risk yet, in this currency."""
    return Impact(
        impact_id=impact_id_of(cause),
        cause_kind=cause.kind,
        cause_id=cause.id,
        assessment=0,
        site=None,
        value=Money(amount=Decimal(0), currency=currency),
        unmatched_lines=0,
        task_ids=(),
        occurred_at=now,
        recorded_at=now,
    )


def await_task(impact: Impact, task_id: UUID) -> Impact:
    """Remember a task that tells customers of this cause."""
    return impact if task_id in impact.task_ids else replace(impact, task_ids=(*impact.task_ids, task_id))


def assess_impact(
    impact: Impact,
    *,
    delay: ShipmentDelay,
    orders: Mapping[UUID, Order],
    tiers: Mapping[str, Tier],
    default_slip_days: int,
    now: datetime,
) -> tuple[Impact, list[Event]]:
    """Join a delay to the order lines that it endangers; nobody affected is an impact too."""
    lines: list[ImpactLine] = []
    unmatched = 0
    for shipped in delay.lines:
        order, line = _ordered(shipped, orders)
        if order is None or line is None:
            # A line that names no order hurts no customer; one whose order is not known here may.
            unmatched += shipped.order_line_id is not None
            continue
        proposed_on = propose_day(delay, line, default_slip_days=default_slip_days, today=now.date())
        if order.state == "open" and not line.has_come and proposed_on > line.promised_on:
            lines.append(_endangered(delay, shipped, order, line, tiers.get(order.customer, "standard"), proposed_on))
    assessed = replace(
        impact,
        assessment=impact.assessment + 1,
        site=delay.destination,
        lines=tuple(sorted(lines, key=lambda line: line.shipment_line_id)),
        value=money_at_risk(lines, currency=impact.value.currency),
        unmatched_lines=unmatched,
        occurred_at=delay.occurred_at,
        recorded_at=now,
    )
    event = ImpactAssessed(
        occurred_at=delay.occurred_at,
        impact_id=assessed.impact_id,
        cause=assessed.cause,
        version=assessed.assessment,
        lines=assessed.lines,
        value=assessed.value,
        unmatched_lines=unmatched,
    )
    return assessed, [event]


def lines_to_tell(impact: Impact, orders: Mapping[UUID, Order]) -> dict[str, list[NoticeLine]]:
    """Return per customer the lines whose day has to be told: later than what the customer last heard."""
    by_line: dict[UUID, tuple[str, NoticeLine]] = {}
    for endangered in impact.lines:
        order = orders.get(endangered.order_id)
        line = None if order is None else order.find_line(endangered.order_line_id)
        if order is None or line is None or order.state != "open" or line.has_come:
            continue
        proposed_on = max(endangered.proposed_on, line.promised_on)
        if proposed_on <= line.told_on:
            continue
        before = by_line.get(line.order_line_id)
        by_line[line.order_line_id] = (
            order.customer,
            NoticeLine(
                order_line_id=line.order_line_id,
                order_id=order.order_id,
                order_reference=order.reference,
                line_reference=line.reference,
                item=line.item,
                quantity=bounded_quantity(endangered.quantity + (before[1].quantity if before else 0)),
                value=line.value,
                promise_version=line.promise_version,
                promised_on=line.told_on,
                proposed_on=proposed_on,
            ),
        )
    grouped: dict[str, list[NoticeLine]] = {}
    for customer, line_to_tell in sorted(by_line.values(), key=lambda one: one[1].order_line_id):
        grouped.setdefault(customer, []).append(line_to_tell)
    return grouped


def propose_day(delay: ShipmentDelay, line: OrderLine, *, default_slip_days: int, today: date) -> date:
    """Return the day that could be promised instead.

    An expected arrival is counted in days after the end of the promised day, so that the destination's calendar is
    asked once, where the delay was decided. Without one the first promise slips by the policy's days, and never
    into the past.
    """
    if delay.expected_at is not None and delay.expected_at > delay.promised_at:
        return delay.promised_on + timedelta(days=(delay.expected_at - delay.promised_at) // ONE_DAY + 1)
    slipped = line.first_promised_on + timedelta(days=default_slip_days)
    return slipped if slipped > today else today + timedelta(days=default_slip_days)


def money_at_risk(lines: Sequence[ImpactLine], *, currency: str) -> Money:
    """Return what the lines are worth, each once (FLOW 1.4), or nothing in this currency where there are none.

    Of several currencies the one with most lines is told.
    """
    if not lines:
        return Money(amount=Decimal(0), currency=currency)
    currencies = [line.value.currency for line in lines]
    currency = max(sorted(set(currencies)), key=currencies.count)
    once = {line.shipment_line_id: line.value.amount for line in lines if line.value.currency == currency}
    return Money.total(once.values(), currency)


def _ordered(shipped: ShipmentLine, orders: Mapping[UUID, Order]) -> tuple[Order | None, OrderLine | None]:
    if shipped.order_id is None or shipped.order_line_id is None:
        return None, None
    order = orders.get(shipped.order_id)
    return order, None if order is None else order.find_line(shipped.order_line_id)


def _endangered(
    delay: ShipmentDelay, shipped: ShipmentLine, order: Order, line: OrderLine, tier: Tier, proposed_on: date
) -> ImpactLine:
    return ImpactLine(
        order_id=order.order_id,
        order_line_id=line.order_line_id,
        shipment_line_id=shipped.line_id,
        customer=order.customer,
        tier=tier,
        item=line.item,
        site=delay.destination,
        quantity=shipped.quantity,
        value=shipped.value,
        promised_on=line.promised_on,
        promise_version=line.promise_version,
        proposed_on=proposed_on,
    )
