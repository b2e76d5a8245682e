"""Shipments on their way, as published by logistics."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from chassis.ids import derived_id
from chassis.persistence.database import Tx
from chassis.runtime import log
from schemas.logistics import ShipmentFact, ShipmentLine
from schemas.types import Cause
from services.inventory import domain, metrics, repository
from services.inventory.operations.ledger import add_entry
from services.inventory.operations.shortages import predict_shortages

UNKNOWN_ZONE = "UTC"


def load_for_shipments(tx: Tx, events: Sequence[ShipmentFact]) -> None:
    """Lock and load what a batch of facts about shipments will touch, in the order of the tables."""
    repository.load_inbound(tx, [event.shipment_id for event in events])
    repository.load_stocks(
        tx, [domain.stock_id(line.item, event.destination) for event in events for line in event.lines]
    )


def upsert_inbound(
    tx: Tx,
    *,
    shipment_id: UUID,
    destination: str,
    lines: Sequence[ShipmentLine],
    expected_at: datetime | None,
    occurred_at: datetime,
    reason: str,
    cause: Cause | None = None,
    cause_occurred_at: datetime | None = None,
) -> None:
    """Save when a shipment is expected now, and project its item-sites again.

    A shipment that is over stays so. Without an expected instant the shipment is not counted.
    """
    before = repository.find_inbound(tx, shipment_id)
    if before is not None and before.state == "over":
        tx.count(metrics.ignored_total.labels("shipment-over"))
        return
    coming = domain.InboundShipment(
        shipment_id=shipment_id,
        destination=destination,
        state="coming",
        expected_on=domain.expected_day(expected_at, _zone(tx, destination)) if expected_at else None,
        lines=_inbound_lines(destination, lines),
        occurred_at=occurred_at,
        recorded_at=tx.now,
    )
    repository.save_inbound(tx, coming)
    behind = domain.Behind(cause, cause_occurred_at or occurred_at) if cause is not None else None
    predict_shortages(tx, stock_ids=[x.stock_id for x in coming.lines], reason=reason, behind=behind)


def receive_inbound(
    tx: Tx,
    *,
    shipment_id: UUID,
    destination: str,
    lines: Sequence[ShipmentLine],
    received_on: date,
    received_at: datetime,
    occurred_at: datetime,
    reason: str,
) -> None:
    """End an inbound shipment and enter its receipt, for item-sites that have an opening balance."""
    _end_inbound(tx, shipment_id=shipment_id, destination=destination, occurred_at=occurred_at)
    arrived_at = domain.received_instant(received_on, received_at, _zone(tx, destination), tx.now)
    for line in lines:
        stock = repository.find_stock(tx, domain.stock_id(line.item, destination))
        if stock is None or line.quantity <= 0:
            continue
        if domain.is_covered(stock, arrived_at):
            tx.count(metrics.receipts_covered_total)
            log.get().info(
                "receipt.covered", shipment_line_id=str(line.line_id), counted_at=stock.counted_at.isoformat()
            )
            continue
        add_entry(
            tx,
            item=line.item,
            site=destination,
            kind="receipt",
            quantity=line.quantity,
            entry_id=derived_id("receipt-entry", line.line_id),
            occurred_at=arrived_at,
            reason=reason,
            shipment_line_id=line.line_id,
        )
    predict_shortages(tx, stock_ids=[domain.stock_id(line.item, destination) for line in lines], reason=reason)


def cancel_inbound(
    tx: Tx,
    *,
    shipment_id: UUID,
    destination: str,
    lines: Sequence[ShipmentLine],
    occurred_at: datetime,
    reason: str,
    cause: Cause | None,
) -> None:
    """End a cancelled inbound shipment, and project its item-sites again."""
    _end_inbound(tx, shipment_id=shipment_id, destination=destination, occurred_at=occurred_at)
    stock_ids = [domain.stock_id(line.item, destination) for line in lines]
    behind = domain.Behind(cause, occurred_at) if cause is not None else None
    predict_shortages(tx, stock_ids=stock_ids, reason=reason, behind=behind)


def _end_inbound(tx: Tx, *, shipment_id: UUID, destination: str, occurred_at: datetime) -> None:
    over = domain.InboundShipment(
        shipment_id=shipment_id,
        destination=destination,
        state="over",
        expected_on=None,
        lines=(),
        occurred_at=occurred_at,
        recorded_at=tx.now,
    )
    repository.save_inbound(tx, over)


def _inbound_lines(destination: str, lines: Sequence[ShipmentLine]) -> tuple[domain.InboundLine, ...]:
    inbound_lines = [
        domain.InboundLine(x.line_id, domain.stock_id(x.item, destination), x.item, x.quantity)
        for x in lines
        if x.quantity > 0
    ]
    return tuple(sorted(inbound_lines, key=lambda line: line.line_id))


def _zone(tx: Tx, site: str) -> str:
    site_row = repository.read_site(tx, site)
    return site_row.zone if site_row is not None else UNKNOWN_ZONE
