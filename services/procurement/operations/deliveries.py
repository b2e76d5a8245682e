"""Deliveries of purchase orders, as published by logistics."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from chassis.persistence.database import Tx
from schemas.logistics import ShipmentLine, ShipmentReceived
from services.procurement import domain, metrics, repository


def load_for_deliveries(tx: Tx, events: Sequence[ShipmentReceived]) -> None:
    """Lock and load what the deliveries of a batch change: two queries, however many lines."""
    ordered = [line for event in events for line in event.lines if _was_ordered(line)]
    repository.load_term_sheets(tx, {line.item for line in ordered})
    repository.load_track_records(tx, {line.supplier for line in ordered if line.supplier})


def record_deliveries(tx: Tx, *, lines: Sequence[ShipmentLine], received_on: date, received_at: datetime) -> None:
    """Count what a supplier delivered, and observe that it delivers the item (FLOW 7.3).

    A line without a purchase order line comes from stock and is not counted for any supplier.
    """
    for line in lines:
        if line.supplier is None or line.purchase_order_line_id is None:
            tx.count(metrics.receipts.labels("not-ordered"))
            continue
        on_time = received_on <= line.promised_on
        receipt = domain.Receipt(
            line.line_id,
            line.purchase_order_line_id,
            line.supplier,
            line.item,
            line.promised_on,
            received_on,
            on_time,
            occurred_at=received_at,
            recorded_at=tx.now,
        )
        repository.append_receipt(tx, receipt)
        record = domain.count_receipt(repository.find_track_record(tx, line.supplier), receipt)
        repository.save_track_record(tx, record)
        sheet = domain.observe_delivery(
            repository.find_term_sheet(tx, line.item),
            item=line.item,
            supplier=line.supplier,
            received_on=received_on,
            received_at=received_at,
            now=tx.now,
        )
        repository.save_term_sheet(tx, sheet)
        tx.count(metrics.receipts.labels("on-time" if on_time else "late"))


def _was_ordered(line: ShipmentLine) -> bool:
    return line.supplier is not None and line.purchase_order_line_id is not None
