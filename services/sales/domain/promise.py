"""The promise ledger: per order line gapless versions, one of them current, none rewritten."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from chassis.errors import Conflict
from schemas.base import Event
from schemas.sales import PromiseRevised
from schemas.types import By, Cause
from services.sales.domain.order import Order, Promise, must_be_open, with_line

Channel = Literal["person", "notice"]


class PromiseMoved(Conflict):
    """The ledger holds a newer version than the one that was looked at."""

    code = "promise-moved"


class LineHasCome(Conflict):
    """A promise about what has come already is not moved: that would make a late line look kept."""

    code = "line-has-come"


class ContradictoryUpdate(Conflict):
    """A statement to the customer contradicts the current version of the promise."""

    code = "contradictory-update"


@dataclass(frozen=True, slots=True)
class Statement:
    """Something said about a promise: which version it cites, which day it states, and whether that contradicts the ledger."""

    statement_id: UUID
    order_line_id: UUID
    customer: str
    site: str
    channel: Channel
    stated_version: int
    stated_on: date
    current_version: int
    promised_on: date
    contradicts: bool
    occurred_at: datetime
    recorded_at: datetime


def revise_promise(
    order: Order,
    *,
    order_line_id: UUID,
    promised_on: date,
    reason: str,
    by: By,
    now: datetime,
    expected_version: int | None = None,
    cause: Cause | None = None,
    notice_id: UUID | None = None,
) -> tuple[Order, list[Event]]:
    """Append the next version of a line's promise; the same day as now is no new version.

    Raises PromiseMoved where the ledger is past `expected_version`, LineHasCome, OrderIsCancelled, LineUnknown.
    """
    must_be_open(order)
    line = order.line(order_line_id)
    if expected_version is not None and expected_version != line.promise_version:
        raise PromiseMoved(
            f"line {line.reference!r} of order {order.reference!r} is promised for {line.promised_on} in version"
            f" {line.promise_version}, not in version {expected_version}; look at it again"
        )
    if line.has_come:
        raise LineHasCome(
            f"line {line.reference!r} of order {order.reference!r} came on {line.actual_on}; there is nothing left to promise"
        )
    if promised_on == line.promised_on:
        return order, []
    version = line.promise_version + 1
    entry = Promise(
        order_line_id=order_line_id,
        promise_version=version,
        promised_on=promised_on,
        previous_on=line.promised_on,
        reason=reason,
        made_by=by,
        cause=cause,
        notice_id=notice_id,
        occurred_at=now,
        recorded_at=now,
    )
    revised = with_line(order, order_line_id, promised_on=promised_on, promise_version=version)
    revised = replace(revised, promises=(*revised.promises, entry))
    event = PromiseRevised(
        occurred_at=now,
        order_id=order.order_id,
        order_line_id=order_line_id,
        customer=order.customer,
        version=version,
        previous_on=line.promised_on,
        promised_on=promised_on,
        reason=reason,
        cause=cause,
        notice_id=notice_id,
    )
    return revised, [event]


def state_promise(
    order: Order,
    *,
    statement_id: UUID,
    order_line_id: UUID,
    stated_on: date,
    version: int,
    channel: Channel,
    now: datetime,
) -> Statement:
    """Return what a statement is worth: it contradicts unless it cites the current version and states its day."""
    line = order.line(order_line_id)
    return Statement(
        statement_id=statement_id,
        order_line_id=order_line_id,
        customer=order.customer,
        site=order.site,
        channel=channel,
        stated_version=version,
        stated_on=stated_on,
        current_version=line.promise_version,
        promised_on=line.promised_on,
        contradicts=(version, stated_on) != (line.promise_version, line.promised_on),
        occurred_at=now,
        recorded_at=now,
    )


def with_stated_day(order: Order, statement: Statement) -> Order:
    """Return the order of which the customer has heard a day, where the statement holds."""
    if statement.contradicts:
        return order
    return with_line(order, statement.order_line_id, told_on=statement.stated_on)


def contradiction_of(statement: Statement) -> ContradictoryUpdate:
    """Return the refusal of a statement that contradicts the ledger."""
    return ContradictoryUpdate(
        f"the current promise is {statement.promised_on} in version {statement.current_version}; the statement says"
        f" {statement.stated_on} in version {statement.stated_version}. State the current version or revise the promise first",
        field="version" if statement.stated_version != statement.current_version else "stated_on",
    )
