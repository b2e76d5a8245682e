"""Questions: shipments, carriers, lanes, findings and figures."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import Query

from chassis import http
from schemas.types import Money
from services.logistics import queries
from services.logistics.api.acts import must_see_shipment
from services.logistics.api.shapes import (
    CarrierShown,
    Figures,
    FindingShown,
    LaneShown,
    Line,
    MilestoneShown,
    ShipmentRow,
    ShipmentWhole,
    router,
)

Limit = Annotated[int, Query(ge=1, le=http.PAGE_ITEMS_MAX)]


@router.question("/shipments", topic="logistics.shipment")
def list_shipments(
    ask: http.QueryContext,
    state: str | None = None,
    destination: str | None = None,
    carrier: str | None = None,
    reference: str | None = None,
    verdict: str | None = None,
    promised_before: date | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> http.Page[ShipmentRow]:
    """Return shipments in scope, by promised instant."""
    filters = {
        "state": state,
        "destination": destination,
        "carrier": carrier,
        "reference": reference,
        "verdict": verdict,
        "promised_before": promised_before,
    }
    last = ask.after(cursor, *filters.values())
    after = (datetime.fromisoformat(last[0]), UUID(last[1])) if last else None
    rows = queries.shipments_by_promised_day(ask.read, ask.actor, **filters, after=after, limit=limit + 1)  # type: ignore[arg-type]  # each filter is typed above
    shown = [ShipmentRow.model_validate(row) for row in rows]
    page = ask.page(shown, lambda s: [s.promised_at.isoformat(), s.shipment_id], limit, *filters.values())
    return http.Page[ShipmentRow](**page)


@router.question("/shipments/{shipment_id}", topic="logistics.shipment")
def show_shipment(shipment_id: UUID, ask: http.QueryContext) -> ShipmentWhole:
    """Return a shipment with its lines and milestones."""
    found, lines, said = queries.shipment_with_lines(ask.read, shipment_id)
    must_see_shipment(ask.actor, found.destination, [line.customer for line in lines])
    ask.actor.must_be_theirs(source=found.source, carrier=found.carrier)
    seen = [line for line in lines if ask.actor.sees(customer=line.customer)]
    return ShipmentWhole(
        **{**found._mapping, "verdict_now": found.verdict_now},
        lines=[
            Line(**{**line._mapping, "value": Money(amount=line.value_amount, currency=line.value_currency)})
            for line in seen
        ],
        lines_out_of_scope=len(lines) - len(seen),
        milestones=[MilestoneShown(**m._mapping) for m in said],
    )


@router.question("/figures")
def delivery_figures(ask: http.QueryContext) -> Figures:
    """Return what the delivery records of this world add up to; for readers whose scope is everything."""
    ask.actor.must_see_everything()
    found = dict(queries.delivery_figures(ask.read))
    received = found.pop("received_lines")
    share = (
        (1 - Decimal(found["late_lines"] or 0) / Decimal(received)).quantize(Decimal("0.0001")) if received else None
    )
    return Figures(**found, on_time_line_share=share)  # type: ignore[arg-type]  # SQL counts and sums


@router.question("/carriers")
def list_carriers(ask: http.QueryContext, cursor: str | None = None, limit: Limit = 100) -> http.Page[CarrierShown]:
    """Return carriers in the order of their codes."""
    last = ask.after(cursor)
    rows = queries.carriers_by_code(ask.read, after=last[0] if last else None, limit=limit + 1)
    shown = [CarrierShown.model_validate(row) for row in rows]
    return http.Page[CarrierShown](**ask.page(shown, lambda c: [c.code], limit))


@router.question("/lanes")
def list_lanes(ask: http.QueryContext, cursor: str | None = None, limit: Limit = 100) -> http.Page[LaneShown]:
    """Return lanes."""
    last = ask.after(cursor)
    rows = queries.lanes_by_origin(ask.read, after=UUID(last[0]) if last else None, limit=limit + 1)
    shown = [LaneShown.model_validate(row) for row in rows]
    return http.Page[LaneShown](**ask.page(shown, lambda lane: [lane.lane_id], limit))


@router.question("/findings")
def list_findings(
    ask: http.QueryContext, kind: str | None = None, cursor: str | None = None, limit: Limit = 100
) -> http.Page[FindingShown]:
    """Return data-quality findings about shipments in scope, oldest first."""
    last = ask.after(cursor, kind)
    after = (datetime.fromisoformat(last[0]), UUID(last[1])) if last else None
    rows = queries.findings_by_time(ask.read, ask.actor, kind=kind, after=after, limit=limit + 1)
    shown = [FindingShown.model_validate(row) for row in rows]
    page = ask.page(shown, lambda f: [f.recorded_at.isoformat(), f.finding_id], limit, kind)
    return http.Page[FindingShown](**page)
