"""Bodies and answers of the sales API."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from chassis import http
from chassis.http import Body
from schemas.types import By, Cause, Code, ItemCode, Money, Quantity, Reason, Sensitive, SiteCode, Text, Tier

Contact = Annotated[str, Field(min_length=3, max_length=200)]


# ── customers and orders ─────────────────────────────────────────────────────────────────────────


class CustomerStated(Body):
    """A customer as a source states it."""

    code: Code
    name: Text
    tier: Tier = "standard"
    contact: Contact | None = None
    zone: Code = "UTC"


class KeepCustomer(CustomerStated):
    """A customer to register or to change."""

    source: Code = "crossdock"


class KeepCustomerItem(http.Item, CustomerStated):
    """A customer from a source."""


class LineStated(Body):
    """One order line; the day that was asked for is the promised one unless told."""

    reference: Code
    item: ItemCode
    quantity: Quantity
    value: Money
    promised_on: date
    requested_on: date | None = None
    confirmed_on: date | None = None


class OrderStated(Body):
    """An order as a source states it."""

    reference: Code
    customer: Code
    site: SiteCode
    lines: Annotated[list[LineStated], Field(min_length=1, max_length=1000)]


class PlaceOrder(OrderStated):
    """An order to place."""

    source: Code = "crossdock"


class PlaceOrderItem(http.Item, OrderStated):
    """An order from a source; one that is known gets the lines that it does not have yet."""


class ChangeOrder(Body):
    """Lines to add to an order, or to correct."""

    lines: Annotated[list[LineStated], Field(min_length=1, max_length=1000)]


class Because(Body):
    """Why something is done."""

    reason: Reason


class ConfirmLine(Body):
    """The day that was confirmed for a line."""

    confirmed_on: date


class RevisePromise(Body):
    """The day to promise instead; `version` is the one that was looked at."""

    promised_on: date
    reason: Reason
    version: int | None = None


class StatePromise(Body):
    """What is said to the customer: a day, and the promise version that it cites."""

    stated_on: date
    version: int


class Shown(http.Response):
    model_config = ConfigDict(frozen=True, from_attributes=True)


class CustomerShown(Shown):
    customer_id: UUID
    code: str
    name: str
    tier: Tier
    contact: Annotated[str | None, Sensitive("contact")]
    zone: str
    source: str
    recorded_at: datetime


class OrderRow(Shown):
    """An order in a list; `promised_on` is its earliest current promise."""

    order_id: UUID
    source: str
    reference: str
    customer: str
    site: str
    state: str
    line_count: int
    promised_on: date
    occurred_at: datetime
    recorded_at: datetime


class LineShown(BaseModel):
    """One line with the dates that were requested, promised, confirmed and came true."""

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


class OrderWhole(Shown):
    order_id: UUID
    source: str
    reference: str
    customer: str
    site: str
    state: str
    cancelled_because: str | None
    occurred_at: datetime
    recorded_at: datetime
    lines: list[LineShown]


class PromiseShown(BaseModel):
    """One entry of the ledger."""

    model_config = ConfigDict(from_attributes=True)
    version: int = Field(validation_alias="promise_version")
    promised_on: date
    previous_on: date | None
    reason: str
    made_by: By | None
    cause: Cause | None
    notice_id: UUID | None
    occurred_at: datetime
    recorded_at: datetime


class Ledger(Shown):
    """Every version of one line's promise; the last is the current one."""

    order_id: UUID
    order_line_id: UUID
    order_reference: str
    reference: str
    customer: str
    site: str
    promised_on: date
    promise_version: int
    told_on: date
    actual_on: date | None
    kept_first: bool | None
    kept_current: bool | None
    current: PromiseShown
    versions: list[PromiseShown]
    statements: int
    contradictions: int


class StatementShown(Shown):
    statement_id: UUID
    order_line_id: UUID
    stated_version: int
    stated_on: date
    contradicts: bool
    recorded_at: datetime


# ── impacts and notices ──────────────────────────────────────────────────────────────────────────


class SetNoticePolicy(Body):
    """What is approved without a person, what slips without a date, and how long to wait between attempts."""

    automatic: bool = False
    automatic_tiers: Annotated[tuple[Tier, ...], Field(max_length=3)] = ()
    automatic_value_max: Money | None = None
    default_slip_days: int = 7
    retry_minutes: Annotated[tuple[int, ...], Field(max_length=10)] = (1, 5, 30)


class NoticePolicyShown(Shown):
    revision: int
    automatic: bool
    automatic_tiers: tuple[Tier, ...]
    automatic_value_max: Money | None
    default_slip_days: int
    retry_minutes: tuple[int, ...]
    made_by: By | None
    recorded_at: datetime | None


class PolicyVersion(Shown):
    revision: int
    content: dict[str, Any]
    recorded_at: datetime


class ImpactLineShown(BaseModel):
    """One order line whose promise is in danger."""

    order_id: UUID
    order_line_id: UUID
    shipment_line_id: UUID
    customer: str
    tier: Tier
    item: str
    site: str
    quantity: Decimal
    value: Money
    promised_on: date
    promise_version: int
    proposed_on: date


class AffectedCustomerShown(BaseModel):
    """One customer with the number of lines in danger."""

    customer: str
    tier: Tier
    lines: int


class ImpactRow(Shown):
    """An impact in a list: what the reader may see of it is added up, the rest is counted."""

    impact_id: UUID
    cause: Cause
    version: int
    site: str | None
    nobody_affected: bool
    value: Money
    lines_affected: int
    lines_out_of_scope: int
    unmatched_lines: int
    customers: list[AffectedCustomerShown]
    occurred_at: datetime
    recorded_at: datetime


class ImpactWhole(ImpactRow):
    lines: list[ImpactLineShown]


class NoticeLineShown(BaseModel):
    order_id: UUID
    order_line_id: UUID
    order_reference: str
    line_reference: str
    item: str
    quantity: Decimal
    value: Money
    promise_version: int
    promised_on: date
    proposed_on: date


class NoticeRow(Shown):
    notice_id: UUID
    task_id: UUID
    case_id: UUID
    customer: str
    site: str
    revision: int
    state: str
    reason: str | None
    automatic: bool
    attempts: int
    approved_at: datetime | None
    sent_at: datetime | None
    transport: str | None
    occurred_at: datetime
    recorded_at: datetime


class NoticeWhole(NoticeRow):
    """A notice with its lines and the words that the customer reads."""

    cause: Cause
    approved_by: By | None
    recipient: Annotated[str | None, Sensitive("contact")]
    lines: list[NoticeLineShown]
    text: str


class Figures(Shown):
    """What sales holds in the reader's scope; rates are shares of what they count."""

    customers: int
    orders: int
    order_lines: int
    promises_revised: int
    lines_received: int
    kept_first_promise: int
    kept_current_promise: int
    impacts: int
    assessments: int
    value_at_risk: list[Money]
    notices: dict[str, int]
    statements: int
    contradictions: int
    contradictory_update_rate: Decimal | None
    lines_told: int
    lines_told_proactively: int
    notice_lead_days: Decimal | None
