"""Orders with their lines: what was asked for, promised, confirmed and what came true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, TypedDict
from uuid import UUID

from chassis.errors import Conflict, Invalid, NotFound
from schemas.amounts import bounded_quantity
from schemas.base import Event
from schemas.sales import OrderCancelled, OrderChanged, OrderLine as OrderLineSaid, OrderPlaced
from schemas.types import By, Cause, Money, subject_id

OrderState = Literal["open", "cancelled"]
FIRST_PROMISE = "first promise"


class OrderKnown(Conflict):
    """The order exists; lines are added to it by a change."""


class OrderIsCancelled(Conflict):
    """The order was cancelled; nothing about it changes any more."""

    code = "order-cancelled"


class OrderIsSomeoneElses(Conflict):
    """A change names another customer or site than the order has."""


class PromiseIsKept(Conflict):
    """A promised day is changed in the ledger only, never by an order change."""

    code = "promise-kept"


class LinesMissing(Invalid):
    """An order without lines, or with one line twice."""


class CustomerUnknown(Invalid):
    """An order names a customer whom nobody registered."""


class OrderTooLong(Invalid):
    """An order has more lines than one order may have."""


class LineUnknown(NotFound):
    """The order has no such line."""


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line as a source states it."""

    reference: str
    item: str
    quantity: Decimal
    value: Money
    promised_on: date
    requested_on: date | None = None
    confirmed_on: date | None = None


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One line: what was asked for, promised, confirmed and what came true.

    `promised_on` is the ledger's current entry, `told_on` the day that the customer last heard.
    """

    order_line_id: UUID
    reference: str
    item: str
    quantity: Decimal
    value: Money
    requested_on: date
    promised_on: date
    promise_version: int
    first_promised_on: date
    told_on: date
    confirmed_on: date | None
    actual_on: date | None
    received_quantity: Decimal
    occurred_at: datetime
    recorded_at: datetime

    @property
    def has_come(self) -> bool:
        """Say whether all of it has come."""
        return self.actual_on is not None and self.received_quantity >= self.quantity


@dataclass(frozen=True, slots=True)
class Promise:
    """One entry of the ledger; it is never changed."""

    order_line_id: UUID
    promise_version: int
    promised_on: date
    previous_on: date | None
    reason: str
    made_by: By | None
    cause: Cause | None
    notice_id: UUID | None
    occurred_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Order:
    """A customer's order with its lines and their ledger."""

    order_id: UUID
    source: str
    reference: str
    customer: str
    site: str
    state: OrderState
    cancelled_because: str | None
    occurred_at: datetime
    recorded_at: datetime
    lines: tuple[OrderLine, ...] = ()
    promises: tuple[Promise, ...] = ()

    def line(self, order_line_id: UUID) -> OrderLine:
        """Return a line; raises LineUnknown."""
        found = self.find_line(order_line_id)
        if found is None:
            raise LineUnknown(f"order {self.reference!r} has no line {order_line_id}; check the id")
        return found

    def find_line(self, order_line_id: UUID) -> OrderLine | None:
        """Return a line, or None."""
        return next((line for line in self.lines if line.order_line_id == order_line_id), None)


def order_id_of(source: str, reference: str) -> UUID:
    """Return the id of an order named by its source."""
    return subject_id("order", source, reference)


def order_line_id_of(source: str, order: str, line: str) -> UUID:
    """Return the id of an order line named by its source."""
    return subject_id("order-line", source, f"{order}/{line}")


# ── orders ───────────────────────────────────────────────────────────────────────────────────────


def place_order(
    *, source: str, reference: str, customer: str, site: str, lines: Sequence[NewLine], now: datetime
) -> tuple[Order, list[Event]]:
    """Return the new order with the first promise of each line; raises LinesMissing."""
    _must_have_lines(reference, lines)
    order = Order(
        order_id=order_id_of(source, reference),
        source=source,
        reference=reference,
        customer=customer,
        site=site,
        state="open",
        cancelled_because=None,
        occurred_at=now,
        recorded_at=now,
    )
    order = _with_new_lines(order, lines, now)
    return order, [OrderPlaced(occurred_at=now, lines=_published_lines(order), **_heading(order))]


def change_order(
    order: Order, *, customer: str, site: str, lines: Sequence[NewLine], now: datetime
) -> tuple[Order, list[Event]]:
    """Add lines to an order, or correct what a line says; no event where nothing changes (FLOW 7.2).

    Raises OrderIsCancelled, OrderIsSomeoneElses, PromiseIsKept, LinesMissing.
    """
    must_be_open(order)
    _must_have_lines(order.reference, lines)
    if (customer, site) != (order.customer, order.site):
        raise OrderIsSomeoneElses(
            f"order {order.reference!r} is for customer {order.customer!r} at site {order.site!r}; place a new order instead",
            field="customer" if customer != order.customer else "site",
        )
    current = {line.reference: line for line in order.lines}
    corrected = {
        new.reference: _corrected(order, current[new.reference], new) for new in lines if new.reference in current
    }
    changed = replace(order, lines=tuple(corrected.get(line.reference, line) for line in order.lines))
    fresh = [new for new in lines if new.reference not in current]
    if fresh:
        changed = _with_new_lines(changed, fresh, now)
    if changed == order:
        return order, []
    return changed, [OrderChanged(occurred_at=now, lines=_published_lines(changed), **_heading(changed))]


def must_not_exceed(order: Order, *, lines_max: int) -> None:
    """Raise OrderTooLong for an order with more lines than that."""
    if len(order.lines) > lines_max:
        raise OrderTooLong(
            f"order {order.reference!r} would have {len(order.lines)} lines; one order has at most {lines_max}",
            field="lines",
        )


def cancel_order(order: Order, *, reason: str, now: datetime) -> tuple[Order, list[Event]]:
    """Cancel an order; raises OrderIsCancelled."""
    must_be_open(order)
    cancelled = replace(order, state="cancelled", cancelled_because=reason)
    return cancelled, [OrderCancelled(occurred_at=now, lines=_published_lines(order), reason=reason, **_heading(order))]


def confirm_line(order: Order, *, order_line_id: UUID, confirmed_on: date) -> Order:
    """Write the day that was confirmed for a line; the promise stays what it is."""
    must_be_open(order)
    order.line(order_line_id)
    return with_line(order, order_line_id, confirmed_on=confirmed_on)


def record_actual(order: Order, *, received: Mapping[UUID, Decimal], actual_on: date) -> Order:
    """Write how much of which lines came on a day; a line that comes in parts came when its last part did.

    Lines of other orders are left out.
    """
    for order_line_id, quantity in received.items():
        line = order.find_line(order_line_id)
        if line is not None:
            last = actual_on if line.actual_on is None else max(actual_on, line.actual_on)
            arrived = bounded_quantity(line.received_quantity + quantity)
            order = with_line(order, order_line_id, actual_on=last, received_quantity=arrived)
    return order


# ── inside ───────────────────────────────────────────────────────────────────────────────────────


def must_be_open(order: Order) -> None:
    """Raise OrderIsCancelled for an order that was cancelled."""
    if order.state != "open":
        raise OrderIsCancelled(f"order {order.reference!r} was cancelled: {order.cancelled_because}")


class _Heading(TypedDict):
    order_id: UUID
    source: str
    reference: str
    customer: str
    site: str


def _must_have_lines(reference: str, lines: Sequence[NewLine]) -> None:
    if not lines:
        raise LinesMissing(f"order {reference!r} has no lines; name at least one", field="lines")
    seen: set[str] = set()
    for line in lines:
        if line.reference in seen:
            raise LinesMissing(f"line {line.reference!r} stands twice in order {reference!r}", field="lines")
        seen.add(line.reference)


def _with_new_lines(order: Order, lines: Sequence[NewLine], now: datetime) -> Order:
    added = tuple(
        OrderLine(
            order_line_id=order_line_id_of(order.source, order.reference, new.reference),
            reference=new.reference,
            item=new.item,
            quantity=new.quantity,
            value=new.value,
            requested_on=new.requested_on or new.promised_on,
            promised_on=new.promised_on,
            promise_version=1,
            first_promised_on=new.promised_on,
            told_on=new.promised_on,
            confirmed_on=new.confirmed_on,
            actual_on=None,
            received_quantity=Decimal(0),
            occurred_at=now,
            recorded_at=now,
        )
        for new in lines
    )
    entries = tuple(
        Promise(
            order_line_id=line.order_line_id,
            promise_version=1,
            promised_on=line.promised_on,
            previous_on=None,
            reason=FIRST_PROMISE,
            made_by=None,
            cause=None,
            notice_id=None,
            occurred_at=now,
            recorded_at=now,
        )
        for line in added
    )
    return replace(order, lines=order.lines + added, promises=order.promises + entries)


def _corrected(order: Order, line: OrderLine, new: NewLine) -> OrderLine:
    if new.promised_on not in (line.promised_on, line.first_promised_on):
        raise PromiseIsKept(
            f"line {line.reference!r} of order {order.reference!r} is promised for {line.promised_on}; a promise is moved"
            " by revising it, not by changing the order",
            field="promised_on",
        )
    return replace(
        line,
        item=new.item,
        quantity=new.quantity,
        value=new.value,
        requested_on=new.requested_on or line.requested_on,
        confirmed_on=new.confirmed_on or line.confirmed_on,
    )


def with_line(order: Order, order_line_id: UUID, **changes: object) -> Order:
    """Return the order with some fields of one line changed."""
    return replace(
        order,
        lines=tuple(
            replace(line, **changes) if line.order_line_id == order_line_id else line  # type: ignore[arg-type]  # fields of OrderLine
            for line in order.lines
        ),
    )


def _heading(order: Order) -> _Heading:
    return _Heading(
        order_id=order.order_id,
        source=order.source,
        reference=order.reference,
        customer=order.customer,
        site=order.site,
    )


def _published_lines(order: Order) -> tuple[OrderLineSaid, ...]:
    return tuple(
        OrderLineSaid(
            line_id=line.order_line_id,
            reference=line.reference,
            item=line.item,
            quantity=line.quantity,
            value=line.value,
            requested_on=line.requested_on,
            promised_on=line.promised_on,
            promise_version=line.promise_version,
        )
        for line in order.lines
    )
