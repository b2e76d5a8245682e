"""Ranking: every supplier that could deliver the same item, in one order that depends on nothing but what is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from uuid import UUID, uuid5

from schemas.amounts import product
from schemas.types import Money
from services.procurement.domain.suppliers import Supplier, TrackRecord
from services.procurement.domain.terms import Term, TermSheet

DAYS_PER_WEEK = 7
SURPLUS_SHARE_MAX = Decimal(1)  # a minimum quantity may force us to buy at most twice what is needed
WEEKS_MAX = 2_147_483_647  # the largest number that the database keeps here
ARRIVAL_DAYS_MAX = 3650  # further away than ten years is no arrival
NO_PRICE = "no agreed price"
OBSERVED_ONLY = "no agreed price: observed deliveries only"


@dataclass(frozen=True, slots=True)
class Line:
    """One endangered line for which a way out is sought; `supplier` is its own, who is no way out."""

    line_id: UUID
    reference: str
    shipment_id: UUID | None
    item: str
    site: str
    customer: str | None
    quantity: Decimal
    value: Money
    needed_on: date
    expected_on: date | None
    supplier: str | None


@dataclass(frozen=True, slots=True)
class Alternative:
    """One ranked way out for one line; one that cannot work stays, with the reasons in words."""

    alternative_id: UUID
    line_id: UUID
    supplier: str
    rank: int
    feasible: bool
    reasons: tuple[str, ...]
    quantity: Decimal
    surplus: Decimal
    arrives_on: date | None
    weeks: int | None
    receipts: int
    receipts_on_time: int
    price: Money | None
    landed_cost: Money | None
    term_id: UUID

    @property
    def on_time_share(self) -> str | None:
        """Return the past on-time share with four places, or None where nothing was received yet."""
        return f"{Decimal(self.receipts_on_time) / self.receipts:.4f}" if self.receipts else None


@dataclass(frozen=True, slots=True)
class Market:
    """What is known about who could deliver: term sheets by item, suppliers and track records by code."""

    sheets: Mapping[str, TermSheet]
    suppliers: Mapping[str, Supplier]
    records: Mapping[str, TrackRecord]


def rank(sourcing_id: UUID, lines: Sequence[Line], market: Market, *, now: datetime) -> tuple[Alternative, ...]:
    """Rank the candidates of each line (FLOW 3.3, 7.3).

    Candidates are the suppliers with a term in force for the very same item, but for the line's own supplier, for
    placeholders and for suppliers that were never registered. The order: those that can work first; then landed
    cost, arrival against need, surplus of the minimum quantity, weeks of capacity, past on-time share; the
    supplier's code breaks every tie, so the order is total and does not depend on the order of the input.
    """
    ranked: list[Alternative] = []
    for line in lines:
        sheet = market.sheets.get(line.item)
        terms = sheet.in_force(now) if sheet else {}
        found = [
            _weigh(sourcing_id, line, term, supplier, market.records.get(code), now.date())
            for code, term in terms.items()
            if code != line.supplier and (supplier := market.suppliers.get(code)) is not None and supplier.candidate
        ]
        found.sort(key=lambda one: _order(line, one))
        ranked += [replace(one, rank=number) for number, one in enumerate(found, 1)]
    return tuple(ranked)


def alternative_id(sourcing_id: UUID, line_id: UUID, supplier: str) -> UUID:
    """Return the id of a way out: the same round, line and supplier always give the same."""
    return uuid5(sourcing_id, f"{line_id}/{supplier}")


def _order(line: Line, one: Alternative) -> tuple[object, ...]:
    cost = one.landed_cost if one.landed_cost and one.landed_cost.currency == line.value.currency else None
    share = Decimal(one.receipts_on_time) / one.receipts if one.receipts else Decimal(-1)
    return (
        not one.feasible,
        cost is None,
        cost.amount if cost else Decimal(0),
        one.arrives_on is None,
        max(one.arrives_on, line.needed_on) if one.arrives_on else line.needed_on,
        one.surplus,
        one.weeks is None,
        one.weeks or 0,
        -share,
        -one.receipts,
        one.supplier,
    )


def _weigh(
    sourcing_id: UUID, line: Line, term: Term, supplier: Supplier, record: TrackRecord | None, day: date
) -> Alternative:
    quantity = max(line.quantity, term.minimum_quantity or Decimal(0))
    weeks = _weeks(quantity, term.capacity_per_week)
    arrives_on = _arrival(term, weeks, day)
    price, landed_cost = term.price, _landed_cost(term, quantity)
    blocking = _blocking(line, term, supplier, arrives_on)
    return Alternative(
        alternative_id(sourcing_id, line.line_id, term.supplier),
        line.line_id,
        term.supplier,
        0,
        not blocking,
        (*blocking, *_remarks(line, term, quantity, weeks, arrives_on)),
        quantity,
        quantity - line.quantity,
        arrives_on,
        weeks,
        record.receipts if record else 0,
        record.receipts_on_time if record else 0,
        price,
        landed_cost,
        term.term_id,
    )


def _weeks(quantity: Decimal, capacity: Decimal | None) -> int | None:
    """Return how many weeks of the supplier's capacity the quantity takes; None where capacity is unknown or 0."""
    if not capacity:
        return None
    return min(max(1, int((quantity / capacity).to_integral_value(ROUND_CEILING))), WEEKS_MAX)


def _arrival(term: Term, weeks: int | None, day: date) -> date | None:
    """Return the day of the last arrival: today plus the lead time plus each further week of capacity."""
    if term.lead_time_days is None:
        return None
    days = term.lead_time_days + ((weeks or 1) - 1) * DAYS_PER_WEEK
    return day + timedelta(days=days) if days <= ARRIVAL_DAYS_MAX else None


def _landed_cost(term: Term, quantity: Decimal) -> Money | None:
    if term.price is None:
        return None
    unit = term.price.amount + (term.freight.amount if term.freight else Decimal(0))
    return Money.computed(product(unit, quantity), term.price.currency)


def _blocking(line: Line, term: Term, supplier: Supplier, arrives_on: date | None) -> list[str]:
    """Return in words why this cannot work; nothing where it can."""
    words: list[str] = []
    if not supplier.active:
        words.append("the supplier is not active")
    if term.capacity_per_week is not None and term.capacity_per_week <= 0:
        words.append("the supplier has no capacity for this item")
    if arrives_on is not None and line.expected_on is not None and arrives_on > line.expected_on:
        words.append(f"arrives {arrives_on}, later than the delayed delivery itself ({line.expected_on})")
    minimum = term.minimum_quantity
    if minimum is not None and minimum > line.quantity * (1 + SURPLUS_SHARE_MAX):
        words.append(f"the minimum quantity {_number(minimum)} is more than twice the {_number(line.quantity)} needed")
    return words


def _remarks(line: Line, term: Term, quantity: Decimal, weeks: int | None, arrives_on: date | None) -> list[str]:
    """Return in words what a person should know before choosing."""
    words: list[str] = []
    if term.kind == "observed":
        words.append(OBSERVED_ONLY)
    elif term.price is None:
        words.append(NO_PRICE)
    elif term.price.currency != line.value.currency:
        words.append(f"price in {term.price.currency}, line in {line.value.currency}: costs are not compared")
    if arrives_on is None:
        words.append("no agreed lead time: arrival unknown")
    elif arrives_on > line.needed_on:
        late = (arrives_on - line.needed_on).days
        words.append(f"arrives {arrives_on}, {late} {'day' if late == 1 else 'days'} after the need")
    if quantity > line.quantity:
        words.append(
            f"minimum quantity {_number(quantity)}: {_number(quantity - line.quantity)} more than needed is bought"
        )
    if weeks is not None and weeks > 1 and term.capacity_per_week is not None:
        words.append(f"takes {weeks} weeks at {_number(term.capacity_per_week)} a week")
    return words


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"
