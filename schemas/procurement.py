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
    """A purchase order was placed with a supplier; `alternative_id` names the chosen alternative, if there is one."""

    cause: Cause | None = None
    alternative_id: UUID | None = None


class OrderChanged(OrderFact, name="procurement.order.changed.v1", key="order_id"):
    """Lines of a purchase order were added or changed; `lines` contains all current lines."""


class OrderConfirmed(OrderFact, name="procurement.order.confirmed.v1", key="order_id"):
    """The supplier confirmed quantities and dates."""


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
    """A sourcing round was opened for a case, with every candidate ranked for each line."""

    lines: int
    alternatives: tuple[Alternative, ...]


class SourcingRanked(SourcingFact, name="procurement.sourcing.ranked.v1", key="sourcing_id"):
    """The candidates of an open round were ranked again for a new need date."""

    lines: int
    alternatives: tuple[Alternative, ...]


class SourcingClosed(SourcingFact, name="procurement.sourcing.closed.v1", key="sourcing_id"):
    """The round ended without a choice."""

    reason: Text


class SourcingReopened(SourcingFact, name="procurement.sourcing.reopened.v1", key="sourcing_id"):
    """A closed round is open again, because its task is; its candidates were ranked again."""

    lines: int
    alternatives: tuple[Alternative, ...]


class AlternativeChosen(SourcingFact, name="procurement.alternative.chosen.v1", key="sourcing_id"):
    """A person or the policy chose an alternative, and its purchase order was placed."""

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
    """A person declined all alternatives of a line; the round is decided when no line remains."""

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
