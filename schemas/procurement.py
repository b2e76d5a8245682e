"""Facts of procurement: purchase orders, suppliers and the ways out of a disruption."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from schemas.base import Event
from schemas.types import (
    By,
    Cause,
    Code,
    ItemCode,
    Money,
    Quantity,
    Sensitive,
    SiteCode,
    SupplierCode,
    Text,
    Word,
)


class OrderLine(Word):
    """One purchase order line."""

    line_id: UUID
    reference: Code
    item: ItemCode
    quantity: Quantity
    needed_on: date
    price: Annotated[Money | None, Sensitive("cost")] = None
    confirmed_on: date | None = None
    confirmed_quantity: Quantity | None = None


class OrderFact(Event, abstract=True):
    """What every fact about a purchase order says."""

    order_id: UUID
    source: Code
    reference: Code
    supplier: SupplierCode
    destination: SiteCode
    lines: tuple[OrderLine, ...]


class OrderPlaced(OrderFact, name="procurement.order.placed.v1", key="order_id"):
    """A purchase order was placed with a supplier; `alternative_id` names the choice it came from."""

    cause: Cause | None = None
    alternative_id: UUID | None = None


class OrderChanged(OrderFact, name="procurement.order.changed.v1", key="order_id"):
    """Lines were added to a purchase order or changed; `lines` are all lines as they are now."""


class OrderConfirmed(OrderFact, name="procurement.order.confirmed.v1", key="order_id"):
    """The supplier said what will come, and when."""


class Alternative(Word):
    """One ranked way out for one line; one that cannot work stays, with the reasons."""

    alternative_id: UUID
    line_id: UUID
    kind: Literal["other-supplier"]
    supplier: SupplierCode
    rank: int
    feasible: bool
    reasons: tuple[Text, ...]
    quantity: Quantity
    arrives_on: date | None = None
    on_time_share: Text | None = None
    receipts: int = 0
    landed_cost: Annotated[Money | None, Sensitive("cost")] = None


class SourcingFact(Event, abstract=True):
    """What every fact about a sourcing round says."""

    sourcing_id: UUID
    case_id: UUID
    task_id: UUID
    cause: Cause


class SourcingOpened(SourcingFact, name="procurement.sourcing.opened.v1", key="sourcing_id"):
    """A round opened for a case and ranked every candidate for each of its lines."""

    lines: int
    alternatives: tuple[Alternative, ...]


class SourcingRanked(SourcingFact, name="procurement.sourcing.ranked.v1", key="sourcing_id"):
    """An open round was ranked again with the new need day."""

    lines: int
    alternatives: tuple[Alternative, ...]


class SourcingClosed(SourcingFact, name="procurement.sourcing.closed.v1", key="sourcing_id"):
    """The round ended without a choice."""

    reason: Text


class SourcingReopened(SourcingFact, name="procurement.sourcing.reopened.v1", key="sourcing_id"):
    """The task behind a closed round came back; its candidates were ranked again."""

    lines: int
    alternatives: tuple[Alternative, ...]


class AlternativeChosen(SourcingFact, name="procurement.alternative.chosen.v1", key="sourcing_id"):
    """A person or policy chose a way out and the order for it was placed."""

    alternative_id: UUID
    line_id: UUID
    supplier: SupplierCode
    order_id: UUID
    by: By
    rationale: Text
    automatic: bool = False
    remaining_lines: int = 0
    landed_cost: Annotated[Money | None, Sensitive("cost")] = None


class AlternativeDeclined(SourcingFact, name="procurement.alternative.declined.v1", key="sourcing_id"):
    """A person said that no way out is taken for a line; with no line remaining the round is decided."""

    line_id: UUID
    by: By
    reason: Text
    remaining_lines: int


class SupplierChanged(Event, name="procurement.supplier.changed.v1", key="supplier_id"):
    """A supplier was registered or changed."""

    supplier_id: UUID
    code: SupplierCode
    name: Text
    active: bool = True
    candidate: bool = True
