"""Facts of sales: orders, promises, who is hurt by a disruption and what they were told."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from schemas.base import Event
from schemas.types import (
    By,
    Cause,
    Code,
    CustomerCode,
    Instant,
    ItemCode,
    Money,
    Quantity,
    SiteCode,
    Text,
    Tier,
    Word,
)


class OrderLine(Word):
    """One customer order line with its dates; `promise_version` counts the ledger's entries."""

    line_id: UUID
    reference: Code
    item: ItemCode
    quantity: Quantity
    value: Money
    requested_on: date
    promised_on: date
    promise_version: int


class OrderFact(Event, abstract=True):
    """What every fact about a customer order says."""

    order_id: UUID
    source: Code
    reference: Code
    customer: CustomerCode
    site: SiteCode


class OrderPlaced(OrderFact, name="sales.order.placed.v1", key="order_id"):
    """A customer placed an order; each line has its first promise."""

    lines: tuple[OrderLine, ...]


class OrderChanged(OrderFact, name="sales.order.changed.v1", key="order_id"):
    """Lines of an order were added or changed; `lines` contains all current lines."""

    lines: tuple[OrderLine, ...]


class OrderCancelled(OrderFact, name="sales.order.cancelled.v1", key="order_id"):
    """The customer's order will not be fulfilled."""

    lines: tuple[OrderLine, ...]
    reason: Text


class PromiseRevised(Event, name="sales.promise.revised.v1", key="order_id"):
    """The promise of an order line has a new version."""

    order_id: UUID
    order_line_id: UUID
    customer: CustomerCode
    version: int
    previous_on: date
    promised_on: date
    reason: Text
    cause: Cause | None = None
    notice_id: UUID | None = None


class ImpactLine(Word):
    """One order line whose promise is in danger."""

    order_id: UUID
    order_line_id: UUID
    shipment_line_id: UUID
    customer: CustomerCode
    tier: Tier
    item: ItemCode
    site: SiteCode
    quantity: Quantity
    value: Money
    promised_on: date
    promise_version: int
    proposed_on: date


class ImpactAssessed(Event, name="sales.impact.assessed.v1", key="impact_id"):
    """Sales determined the order lines and customers that a disruption affects; without lines, no customer is
    affected.
    """

    impact_id: UUID
    cause: Cause
    version: int
    lines: tuple[ImpactLine, ...]
    value: Money
    unmatched_lines: int = 0


class NoticeFact(Event, abstract=True):
    """What every fact about a customer notice says."""

    notice_id: UUID
    case_id: UUID
    task_id: UUID
    cause: Cause
    customer: CustomerCode
    version: int


class NoticeLine(Word):
    """One promise inside a notice: the version it supersedes and the date it proposes."""

    order_id: UUID
    order_line_id: UUID
    promise_version: int
    promised_on: date
    proposed_on: date


class NoticeDrafted(NoticeFact, name="sales.notice.drafted.v1", key="notice_id"):
    """A notice for one customer was drafted, or drafted again after the delay changed."""

    lines: tuple[NoticeLine, ...]


class NoticeApproved(NoticeFact, name="sales.notice.approved.v1", key="notice_id"):
    """A person or the policy approved the notice; its lines name the promise versions that it states."""

    lines: tuple[NoticeLine, ...]
    by: By
    automatic: bool = False


class NoticeSent(NoticeFact, name="sales.notice.sent.v1", key="notice_id"):
    """The notice was sent; `remaining` counts the notices of the case that are not sent yet."""

    transport: Code
    sent_at: Instant
    remaining: int


class NoticeFailed(NoticeFact, name="sales.notice.failed.v1", key="notice_id"):
    """The notice could not be delivered; if `final` is false, delivery is retried."""

    reason: Text
    attempt: int
    final: bool
    remaining: int


class NoticeSuperseded(NoticeFact, name="sales.notice.superseded.v1", key="notice_id"):
    """The notice was not sent, because the promises that it states are no longer current."""

    reason: Text
    remaining: int


class NoticeWithdrawn(NoticeFact, name="sales.notice.withdrawn.v1", key="notice_id"):
    """The task of the draft was withdrawn; the notice is not sent."""

    reason: Text
