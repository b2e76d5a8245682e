"""What can be asked of logistics; read-only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, case, distinct, func, literal, or_, select, tuple_

from chassis.errors import NotFound
from chassis.http.auth import Actor
from chassis.persistence.database import ReadTx
from services.logistics.tables import (
    carriers,
    data_quality_findings,
    lanes,
    milestones,
    shipment_lines,
    shipments,
    site_calendars,
)

VERDICT = case(
    (and_(shipments.c.state == "received", shipments.c.first_delayed_at.is_(None)), shipments.c.verdict),
    (shipments.c.state == "received", shipments.c.verdict),
    (shipments.c.first_delayed_at.is_not(None), "open"),
    else_=literal("planned"),
).label("verdict_now")


def sites_with_calendar(read: ReadTx, calendar: str) -> list[str]:
    """Return the sites that use a calendar."""
    rows = read.rows(
        select(site_calendars.c.site).where(site_calendars.c.calendar == calendar).order_by(site_calendars.c.site)
    )
    return [row.site for row in rows]


def _in_scope(query: Select[Any], actor: Actor) -> Select[Any]:
    if actor.sites is not None:
        query = query.where(shipments.c.destination.in_(actor.sites))
    if actor.customers is not None:
        theirs = select(shipment_lines.c.shipment_id).where(shipment_lines.c.customer.in_(actor.customers))
        query = query.where(shipments.c.shipment_id.in_(theirs))
    if actor.is_machine:
        owned = [shipments.c.source == actor.source] if actor.source else []
        owned += [shipments.c.carrier == actor.carrier] if actor.carrier else []
        query = query.where(or_(*owned)) if owned else query
    return query


def shipments_by_promised_day(
    read: ReadTx,
    actor: Actor,
    *,
    state: str | None = None,
    destination: str | None = None,
    carrier: str | None = None,
    reference: str | None = None,
    verdict: str | None = None,
    promised_before: date | None = None,
    after: tuple[datetime, UUID] | None = None,
    limit: int = 100,
) -> Sequence[Row[Any]]:
    """Return shipments in scope that fit the filters, by promised instant."""
    query = select(shipments, VERDICT).order_by(shipments.c.promised_at, shipments.c.shipment_id).limit(limit)
    for column, value in (
        ("state", state),
        ("destination", destination),
        ("carrier", carrier),
        ("reference", reference),
    ):
        if value is not None:
            query = query.where(shipments.c[column] == value)
    if verdict is not None:
        query = query.where(VERDICT.in_([verdict]))
    if promised_before is not None:
        query = query.where(shipments.c.promised_on < promised_before)
    if after is not None:
        query = query.where(tuple_(shipments.c.promised_at, shipments.c.shipment_id) > tuple_(*map(literal, after)))
    return read.rows(_in_scope(query, actor))


def shipment_with_lines(read: ReadTx, shipment_id: UUID) -> tuple[Row[Any], Sequence[Row[Any]], Sequence[Row[Any]]]:
    """Return one shipment, its lines and its milestones in business order; raises NotFound."""
    found = read.row(select(shipments, VERDICT).where(shipments.c.shipment_id == shipment_id))
    if found is None:
        raise NotFound(f"no shipment {shipment_id} is known here; check the id, or list shipments by reference")
    lines = read.rows(
        select(shipment_lines).where(shipment_lines.c.shipment_id == shipment_id).order_by(shipment_lines.c.reference)
    )
    milestone_rows = read.rows(
        select(milestones)
        .where(milestones.c.shipment_id == shipment_id)
        .order_by(milestones.c.occurred_at, milestones.c.recorded_at, milestones.c.milestone_id)
    )
    return found, lines, milestone_rows


def delivery_figures(read: ReadTx) -> dict[str, int | Decimal | None]:
    """Return what the delivery records add up to; a line is late against its own promised day."""
    lines = read.row(
        select(
            func.count().label("lines"),
            func.coalesce(func.sum(shipment_lines.c.quantity), 0).label("units"),
            func.coalesce(func.sum(shipment_lines.c.value_amount), 0).label("value"),
            func.count().filter(shipments.c.received_on > shipment_lines.c.promised_on).label("late_lines"),
            func.count().filter(shipments.c.received_on.is_not(None)).label("received_lines"),
        ).select_from(shipment_lines.join(shipments))
    )
    was_delayed = shipments.c.first_delayed_at.is_not(None)
    whole = read.row(
        select(
            func.count(distinct(shipments.c.shipment_id)).label("shipments"),
            func.count().filter(shipments.c.received_on > shipments.c.promised_on).label("late_shipments"),
            func.count().filter(was_delayed).label("delayed_shipments"),
            func.count().filter(was_delayed, shipments.c.verdict == "late").label("confirmed_late"),
            func.count().filter(was_delayed, shipments.c.verdict == "recorded-late").label("reported_late_only"),
        )
    )
    return {**(lines._mapping if lines else {}), **(whole._mapping if whole else {})}


def carriers_by_code(read: ReadTx, *, after: str | None, limit: int) -> Sequence[Row[Any]]:
    """Return carriers in the order of their codes."""
    query = select(carriers).order_by(carriers.c.code).limit(limit)
    return read.rows(query.where(carriers.c.code > after) if after else query)


def lanes_by_origin(read: ReadTx, *, after: UUID | None, limit: int) -> Sequence[Row[Any]]:
    """Return lanes in the order of their ids."""
    query = select(lanes).order_by(lanes.c.lane_id).limit(limit)
    return read.rows(query.where(lanes.c.lane_id > after) if after else query)


def findings_by_time(
    read: ReadTx, actor: Actor, *, kind: str | None, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Row[Any]]:
    """Return data-quality findings about shipments in scope, oldest first."""
    found = data_quality_findings.c
    query = (
        select(data_quality_findings, shipments.c.reference, shipments.c.destination)
        .join(shipments, shipments.c.shipment_id == found.shipment_id)
        .order_by(found.recorded_at, found.finding_id)
        .limit(limit)
    )
    if kind is not None:
        query = query.where(found.kind == kind)
    if after is not None:
        query = query.where(tuple_(found.recorded_at, found.finding_id) > tuple_(*map(literal, after)))
    return read.rows(_in_scope(query, actor))
