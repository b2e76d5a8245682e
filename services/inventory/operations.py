"""What can be done with items, sites and stock, and what others' facts change in the projection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from chassis.ids import derived_id
from chassis.persistence.database import Tx
from chassis.runtime import log
from schemas.forecast import DemandPublished, WeekOfDemand
from schemas.inventory import EntryKind, ShortageAverted, ShortagePredicted
from schemas.logistics import ShipmentFact, ShipmentLine
from schemas.sales import OrderFact, OrderLine, PromiseRevised
from schemas.types import By, Cause, Money
from services.inventory import domain, metrics, queries, repository
from services.inventory.settings import settings

UNKNOWN_ZONE = "UTC"


# ── master data ──────────────────────────────────────────────────────────────────────────────────


def load_items(tx: Tx, *, codes: Iterable[str]) -> None:
    """Lock and load the items that a batch will touch."""
    repository.load_items(tx, [domain.item_id(code) for code in codes])


def find_item(tx: Tx, *, code: str) -> domain.Item | None:
    """Return an item, locked, or None."""
    return repository.find_item(tx, domain.item_id(code))


def upsert_item(
    tx: Tx, *, code: str, description: str, unit: str, unit_value: Money | None, source: str = domain.OWN_SOURCE
) -> domain.Item:
    """Register an item or change it, and say so; its source stays the one that registered it."""
    before = repository.find_item(tx, domain.item_id(code))
    item, events = domain.upsert_item(
        before, code=code, description=description, unit=unit, unit_value=unit_value, source=source, now=tx.now
    )
    repository.save_item(tx, item)
    tx.emit(events)
    return item


def load_sites(tx: Tx, *, codes: Iterable[str]) -> None:
    """Lock and load the sites that a batch will touch."""
    repository.load_sites(tx, [domain.site_id(code) for code in codes])


def find_site(tx: Tx, *, code: str) -> domain.Site | None:
    """Return a site, locked, or None."""
    return repository.find_site(tx, domain.site_id(code))


def upsert_site(
    tx: Tx, *, code: str, name: str, country: str | None, zone: str, calendar: str, source: str = domain.OWN_SOURCE
) -> domain.Site:
    """Register a site or change it, and say so; its source stays the one that registered it. Raises UnknownZone."""
    before = repository.find_site(tx, domain.site_id(code))
    site, events = domain.upsert_site(
        before, code=code, name=name, country=country, zone=zone, calendar=calendar, source=source, now=tx.now
    )
    repository.save_site(tx, site)
    tx.emit(events)
    return site


# ── the ledger ───────────────────────────────────────────────────────────────────────────────────


def record_entry(
    tx: Tx,
    *,
    entry_id: UUID,
    item: str,
    site: str,
    kind: EntryKind,
    quantity: Decimal,
    occurred_at: datetime | None = None,
    reason: str | None = None,
    by: By | None = None,
    order_line_id: UUID | None = None,
    predict: bool = True,
) -> domain.Stock:
    """Add an entry to the ledger of an item at a site and look again at what there will be.

    A batch says `predict=False` and looks once at its end. Raises UnknownItem, UnknownSite and what the ledger refuses.
    """
    if repository.read_item(tx, item) is None:
        raise domain.UnknownItem(f"item {item!r} is not registered; register it first", field="item")
    if repository.read_site(tx, site) is None:
        raise domain.UnknownSite(f"site {site!r} is not registered; register it first", field="site")
    if kind == "opening":
        repository.lock_stocks_for_opening(tx)
    stock = _enter(
        tx,
        item=item,
        site=site,
        kind=kind,
        quantity=quantity,
        entry_id=entry_id,
        occurred_at=occurred_at or tx.now,
        reason=reason,
        by=by,
        order_line_id=order_line_id,
    )
    if predict:
        predict_shortages(tx, stock_ids=[stock.stock_id], reason=f"{kind} of {item} at {site}")
    return stock


def _enter(
    tx: Tx,
    *,
    item: str,
    site: str,
    kind: EntryKind,
    quantity: Decimal,
    entry_id: UUID,
    occurred_at: datetime,
    reason: str | None = None,
    by: By | None = None,
    order_line_id: UUID | None = None,
    shipment_line_id: UUID | None = None,
) -> domain.Stock:
    before = repository.find_stock(tx, domain.stock_id(item, site))
    stock, entry, events = domain.record_entry(
        before,
        entry_id=entry_id,
        item=item,
        site=site,
        kind=kind,
        quantity=quantity,
        occurred_at=occurred_at,
        now=tx.now,
        reason=reason,
        by=by,
        order_line_id=order_line_id,
        shipment_line_id=shipment_line_id,
    )
    repository.save_stock(tx, stock, entry)
    tx.emit(events)
    tx.count(metrics.entries_total.labels(kind))
    if stock.on_hand < 0:
        tx.count(metrics.negative_balances_total)
    return stock


# ── what there will be ───────────────────────────────────────────────────────────────────────────


def predict_shortages(
    tx: Tx, *, stock_ids: Iterable[UUID], reason: str, behind: domain.Behind | None = None
) -> list[UUID]:
    """Project these item-sites again and say where it got worse, or is over; returns those that are known.

    An item-site without an opening balance is unknown: no projection, no shortage, counted (FLOW 3.4).
    """
    wanted_ids = sorted(set(stock_ids))
    repository.load_stocks(tx, wanted_ids)
    stocks = {i: stock for i in wanted_ids if (stock := repository.find_stock(tx, i)) is not None}
    if len(stocks) < len(wanted_ids):
        tx.count(metrics.unknown_item_sites_total, len(wanted_ids) - len(stocks))
        log.get().debug("projection.skipped", why="no opening balance", item_sites=len(wanted_ids) - len(stocks))
    if not stocks:
        return []
    inputs_by_stock = queries.outlooks(tx, list(stocks), since=domain.monday_of(tx.now.date()))
    repository.load_shortages(tx, stocks)
    for stock_id, stock in stocks.items():
        inputs = inputs_by_stock[stock_id]
        days = domain.project(inputs.outlook, today=inputs.today(tx.now), days=settings().inventory_horizon_days)
        shortage, events = domain.assess_shortage(
            repository.find_shortage(tx, stock_id),
            stock=stock,
            days=days,
            zone=inputs.zone,
            behind=behind,
            unit_value=inputs.unit_value,
            reason=reason,
            now=tx.now,
        )
        if shortage is not None:
            repository.save_shortage(tx, shortage)
        tx.emit(events)
        _count_shortages(tx, events)
    return list(stocks)


def _count_shortages(tx: Tx, events: Sequence[object]) -> None:
    for event in events:
        if isinstance(event, ShortagePredicted):
            tx.count(metrics.shortages_predicted_total.labels(event.cause.kind))
        elif isinstance(event, ShortageAverted):
            tx.count(metrics.shortages_averted_total)


# ── shipments on their way ───────────────────────────────────────────────────────────────────────


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
    """Remember when a shipment is expected now, and look again at what there will be.

    A shipment that is over stays so. No expected instant means that nobody knows: it is not counted until somebody does.
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
    """Take a received shipment off what is coming and into the ledger, where the item-site has an opening balance."""
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
        _enter(
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
    """Take a cancelled shipment off what is coming, and look again."""
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


# ── demand ───────────────────────────────────────────────────────────────────────────────────────


def load_for_orders(tx: Tx, events: Sequence[OrderFact]) -> None:
    """Lock and load what a batch of facts about orders will touch, in the order of the tables."""
    repository.load_demands(tx, [event.order_id for event in events])
    wanted_ids = []
    for event in events:
        before = repository.find_demand(tx, event.order_id)
        wanted_ids += [line.stock_id for line in before.lines] if before else []
        lines: Sequence[OrderLine] = getattr(event, "lines", ())
        wanted_ids += [domain.stock_id(line.item, event.site) for line in lines]
    repository.load_stocks(tx, wanted_ids)


def upsert_demand(
    tx: Tx, *, order_id: UUID, site: str, lines: Sequence[OrderLine], occurred_at: datetime, reason: str
) -> None:
    """Remember what an order asks for as it is now, and look again; a cancelled order asks for nothing."""
    before = repository.find_demand(tx, order_id)
    demand_lines = [
        domain.DemandLine(x.line_id, domain.stock_id(x.item, site), x.item, x.quantity, x.promised_on)
        for x in lines
        if x.quantity > 0
    ]
    demand_lines.sort(key=lambda line: line.line_id)
    repository.save_demand(tx, domain.OrderDemand(order_id, site, tuple(demand_lines), occurred_at, tx.now))
    touched = [line.stock_id for line in (*demand_lines, *(before.lines if before else ()))]
    predict_shortages(tx, stock_ids=touched, reason=reason)


def load_for_promises(tx: Tx, events: Sequence[PromiseRevised]) -> None:
    """Lock and load what a batch of revised promises will touch, in the order of the tables."""
    repository.load_demands(tx, [event.order_id for event in events])
    found = [repository.find_demand(tx, event.order_id) for event in events]
    repository.load_stocks(tx, [line.stock_id for demand in found if demand for line in demand.lines])


def move_demand(tx: Tx, *, order_id: UUID, line_id: UUID, promised_on: date, reason: str, cause: Cause | None) -> None:
    """Move an order line to its new promised day, and look again."""
    before = repository.find_demand(tx, order_id)
    if before is None:
        tx.count(metrics.ignored_total.labels("order-unknown"))
        return
    moved = domain.move_promise(before, line_id=line_id, promised_on=promised_on, now=tx.now)
    repository.save_demand(tx, moved)
    behind = domain.Behind(cause, tx.now) if cause is not None else None
    stock_ids = [line.stock_id for line in moved.lines if line.line_id == line_id]
    predict_shortages(tx, stock_ids=stock_ids, reason=reason, behind=behind)


def load_for_forecasts(tx: Tx, events: Sequence[DemandPublished]) -> None:
    """Lock and load the item-sites that a batch of published forecasts will touch."""
    repository.load_stocks(tx, [domain.stock_id(event.item, event.site) for event in events])


def upsert_expectation(
    tx: Tx, *, item: str, site: str, published: int, weeks: Sequence[WeekOfDemand], occurred_at: datetime, reason: str
) -> None:
    """Remember the latest published forecast of an item-site, and look again; an older version changes nothing."""
    stock_id = domain.stock_id(item, site)
    before = repository.find_expectation(tx, stock_id)
    if before is not None and before.published >= published:
        tx.count(metrics.ignored_total.labels("older-forecast"))
        return
    in_order = tuple(domain.Week(w.week_on, w.quantity) for w in sorted(weeks, key=lambda week: week.week_on))
    repository.save_expectation(tx, domain.Expectation(stock_id, item, site, published, in_order, occurred_at, tx.now))
    predict_shortages(tx, stock_ids=[stock_id], reason=reason)
