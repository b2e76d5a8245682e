"""What can be done with suppliers, terms, purchase orders and sourcing rounds: one function per act."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from chassis.persistence.database import Tx
from schemas.exceptions import AffectedLine, CaseExtended, TaskFact, TaskOpened, TaskReopened
from schemas.logistics import ShipmentLine, ShipmentReceived
from schemas.types import By, Cause, Money
from services.procurement import domain, metrics, queries, repository

TASK_KIND = domain.TASK_KIND  # for reactions, which know operations and not the domain

# ── suppliers and terms ──────────────────────────────────────────────────────────────────────────


def upsert_supplier(tx: Tx, *, code: str, name: str, active: bool = True, candidate: bool = True) -> domain.Supplier:
    """Register a supplier or change it; a placeholder is registered with `candidate` false."""
    existing = repository.find_supplier(tx, code)
    supplier, events = domain.upsert_supplier(
        existing, code=code, name=name, active=active, candidate=candidate, now=tx.now
    )
    repository.save_supplier(tx, supplier)
    tx.emit(events)
    return supplier


def upsert_term(
    tx: Tx,
    *,
    supplier: str,
    item: str,
    effective_from: date,
    effective_to: date | None = None,
    price: Money | None = None,
    freight: Money | None = None,
    lead_time_days: int | None = None,
    minimum_quantity: Decimal | None = None,
    capacity_per_week: Decimal | None = None,
) -> UUID:
    """Agree a term with a supplier, or correct the one that begins on the same day; raises UnknownSupplier, Invalid."""
    _registered_supplier(tx, supplier)
    sheet = domain.upsert_term(
        repository.find_term_sheet(tx, item),
        item=item,
        supplier=supplier,
        price=price,
        freight=freight,
        lead_time_days=lead_time_days,
        minimum_quantity=minimum_quantity,
        capacity_per_week=capacity_per_week,
        effective_from=effective_from,
        effective_to=effective_to,
        now=tx.now,
    )
    repository.save_term_sheet(tx, sheet)
    return domain.term_id("agreed", supplier, item, effective_from)


def load_suppliers(tx: Tx, *, codes: Iterable[str]) -> None:
    """Lock and load the suppliers that a batch names."""
    repository.load_suppliers(tx, codes)


def load_term_sheets(tx: Tx, *, items: Iterable[str]) -> None:
    """Lock and load the term sheets that a batch will write."""
    repository.load_term_sheets(tx, items)


def _registered_supplier(tx: Tx, code: str) -> domain.Supplier:
    supplier = repository.find_supplier(tx, code)
    if supplier is None:
        raise domain.UnknownSupplier(f"supplier {code!r} is not registered; register it first", field="supplier")
    return supplier


# ── purchase orders ──────────────────────────────────────────────────────────────────────────────


def place_order(
    tx: Tx,
    *,
    source: str,
    reference: str,
    supplier: str,
    destination: str,
    lines: Sequence[domain.RequestedLine],
    placed_at: datetime | None = None,
) -> domain.PurchaseOrder:
    """Place a purchase order with a registered supplier; raises UnknownSupplier, OrderKnown, Invalid."""
    _registered_supplier(tx, supplier)
    order, events = domain.place_order(
        repository.find_order(tx, domain.order_id(source, reference)),
        source=source,
        reference=reference,
        supplier=supplier,
        destination=destination,
        lines=lines,
        occurred_at=placed_at or tx.now,
        now=tx.now,
    )
    repository.save_order(tx, order)
    tx.emit(events)
    tx.count(metrics.orders.labels("placed"))
    return order


def change_order(
    tx: Tx,
    *,
    order_id: UUID,
    lines: Sequence[domain.RequestedLine],
    supplier: str | None = None,
    destination: str | None = None,
    changed_at: datetime | None = None,
) -> domain.PurchaseOrder:
    """Add lines to a purchase order or change them; raises NotFound, OtherParty, Invalid."""
    before = repository.get_order(tx, order_id)
    order, events = domain.change_order(
        before,
        supplier=supplier or before.supplier,
        destination=destination or before.destination,
        lines=lines,
        occurred_at=changed_at or tx.now,
    )
    repository.save_order(tx, order)
    tx.emit(events)
    tx.count(metrics.orders.labels("changed" if events else "unchanged"))
    return order


def upsert_order(
    tx: Tx,
    *,
    source: str,
    reference: str,
    supplier: str,
    destination: str,
    lines: Sequence[domain.RequestedLine],
    placed_at: datetime | None = None,
) -> domain.PurchaseOrder:
    """Place an order, or add to the one that a source has told of already (FLOW 7.2)."""
    order_id = domain.order_id(source, reference)
    if repository.find_order(tx, order_id) is None:
        return place_order(
            tx,
            source=source,
            reference=reference,
            supplier=supplier,
            destination=destination,
            lines=lines,
            placed_at=placed_at,
        )
    return change_order(
        tx, order_id=order_id, lines=lines, supplier=supplier, destination=destination, changed_at=placed_at
    )


def confirm_order(tx: Tx, *, order_id: UUID, lines: Sequence[domain.Confirmation]) -> domain.PurchaseOrder:
    """Write what the supplier says will come, and when; raises NotFound, UnknownOrderLine."""
    order, events = domain.confirm_order(repository.get_order(tx, order_id), lines=lines, now=tx.now)
    repository.save_order(tx, order)
    tx.emit(events)
    tx.count(metrics.orders.labels("confirmed" if events else "unchanged"))
    return order


def get_order(tx: Tx, *, order_id: UUID) -> domain.PurchaseOrder:
    """Return a purchase order, locked; raises NotFound."""
    return repository.get_order(tx, order_id)


def load_orders(tx: Tx, *, order_ids: Iterable[UUID]) -> None:
    """Lock and load the orders that a batch will touch."""
    repository.load_orders(tx, order_ids)


# ── what was delivered ───────────────────────────────────────────────────────────────────────────


def load_for_deliveries(tx: Tx, events: Sequence[ShipmentReceived]) -> None:
    """Lock and load what the deliveries of a batch change: two queries, however many lines."""
    ordered = [line for event in events for line in event.lines if _was_ordered(line)]
    repository.load_term_sheets(tx, {line.item for line in ordered})
    repository.load_track_records(tx, {line.supplier for line in ordered if line.supplier})


def record_deliveries(tx: Tx, *, lines: Sequence[ShipmentLine], received_on: date, received_at: datetime) -> None:
    """Count what a supplier delivered, and observe that it delivers the item (FLOW 7.3).

    A line without a purchase order line comes from stock: it says nothing about a supplier.
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


# ── sourcing rounds ──────────────────────────────────────────────────────────────────────────────


def load_rounds(tx: Tx, events: Sequence[TaskFact]) -> None:
    """Lock and load the rounds of a batch of tasks, and the market for all their lines: four queries in all."""
    mine = [event for event in events if event.kind == domain.TASK_KIND]
    repository.load(tx, [domain.sourcing_id(event.task_id) for event in mine])
    asking = [event for event in mine if isinstance(event, (TaskOpened, TaskReopened))]
    _load_market(tx, [line.item for event in asking for line in event.lines])


def load_rounds_of_cases(tx: Tx, events: Sequence[CaseExtended]) -> None:
    """Lock and load the rounds of a batch of cases that grew, and the market for their lines."""
    repository.load(tx, queries.rounds_of_cases(tx, [event.case_id for event in events]))
    _load_market(tx, [line.item for event in events for line in event.lines])


def open_round(
    tx: Tx, *, task_id: UUID, case_id: UUID, cause: Cause, lines: Sequence[AffectedLine], money_limit: Money | None
) -> domain.Sourcing:
    """Open the round of a task, once: a task that has its round keeps it (FLOW 1.2)."""
    existing = repository.find(tx, domain.sourcing_id(task_id))
    if existing is not None:
        tx.count(metrics.rounds.labels("known"))
        return existing
    requested = domain.lines_of(lines)
    sourcing, events = domain.open_round(
        task_id=task_id,
        case_id=case_id,
        cause=cause,
        lines=requested,
        money_limit=money_limit,
        market=_market(tx, requested),
        now=tx.now,
    )
    repository.save(tx, sourcing)
    tx.emit(events)
    tx.count(metrics.rounds.labels("opened"))
    for line in sourcing.lines:
        found = sum(one.line_id == line.line_id for one in sourcing.alternatives)
        tx.after_commit(lambda found=found: metrics.candidates.observe(found))  # type: ignore[misc]  # bound per line
    return sourcing


def rank_again(tx: Tx, *, case_id: UUID, lines: Sequence[AffectedLine]) -> None:
    """Rank the open rounds of a case again with the new lines and days (FLOW 2.4)."""
    for sourcing_id in queries.rounds_of_cases(tx, [case_id]):
        requested = domain.lines_of(lines)
        sourcing, events = domain.rank_again(
            repository.get(tx, sourcing_id), lines=requested, market=_market(tx, requested), now=tx.now
        )
        repository.save(tx, sourcing)
        tx.emit(events)
        tx.count(metrics.rounds.labels("ranked" if events else "ignored"))


def close_round(tx: Tx, *, task_id: UUID, reason: str) -> None:
    """Close the round of a task that is wanted no more; one that is decided stays decided (FLOW 2.4)."""
    existing = repository.find(tx, domain.sourcing_id(task_id))
    if existing is None:
        tx.count(metrics.rounds.labels("ignored"))
        return
    sourcing, events = domain.close_round(existing, reason=reason, now=tx.now)
    repository.save(tx, sourcing)
    tx.emit(events)
    tx.count(metrics.rounds.labels("closed" if events else "ignored"))


def reopen_round(
    tx: Tx, *, task_id: UUID, case_id: UUID, cause: Cause, lines: Sequence[AffectedLine], money_limit: Money | None
) -> domain.Sourcing:
    """Open the round of a task again because the task came back; one that was never opened is opened now (FLOW 2.4)."""
    existing = repository.find(tx, domain.sourcing_id(task_id))
    if existing is None:
        return open_round(tx, task_id=task_id, case_id=case_id, cause=cause, lines=lines, money_limit=money_limit)
    requested = domain.lines_of(lines)
    sourcing, events = domain.reopen_round(
        existing, lines=requested, money_limit=money_limit, market=_market(tx, requested), now=tx.now
    )
    repository.save(tx, sourcing)
    tx.emit(events)
    tx.count(metrics.rounds.labels("reopened"))
    return sourcing


def choose_alternatives(
    tx: Tx, *, sourcing_id: UUID, alternative_ids: Sequence[UUID], rationale: str, by: By
) -> tuple[domain.Sourcing, list[domain.PurchaseOrder]]:
    """Choose ways out, one per line, and place the order for each; all or none.

    Raises NotFound, RoundClosed, UnknownAlternative, LineDecided, CannotWork, AboveLimit.
    """
    sourcing, orders = repository.get(tx, sourcing_id), []
    for alternative_id in alternative_ids:
        sourcing, order, events = domain.choose_alternative(
            sourcing, alternative_id=alternative_id, rationale=rationale, by=by, now=tx.now
        )
        repository.save(tx, sourcing)
        repository.save_order(tx, order)
        tx.emit(events)
        tx.count(metrics.decisions.labels("chosen", by.role))
        orders.append(order)
    _count_decided(tx, sourcing)
    return sourcing, orders


def decline_line(tx: Tx, *, sourcing_id: UUID, line_id: UUID, reason: str, by: By) -> domain.Sourcing:
    """Say that no way out is taken for a line, and why; raises NotFound, RoundClosed, UnknownLine, LineDecided, HasCandidate."""
    sourcing, events = domain.decline_line(
        repository.get(tx, sourcing_id), line_id=line_id, reason=reason, by=by, now=tx.now
    )
    repository.save(tx, sourcing)
    tx.emit(events)
    tx.count(metrics.decisions.labels("declined", by.role))
    _count_decided(tx, sourcing)
    return sourcing


def get_round(tx: Tx, *, sourcing_id: UUID) -> domain.Sourcing:
    """Return a round, locked; raises NotFound."""
    return repository.get(tx, sourcing_id)


def _count_decided(tx: Tx, sourcing: domain.Sourcing) -> None:
    if sourcing.state == "decided":
        tx.count(metrics.rounds.labels("decided"))


def _load_market(tx: Tx, items: Sequence[str]) -> None:
    named = sorted(set(items))
    repository.load_term_sheets(tx, named)
    sheets = [sheet for item in named if (sheet := repository.find_term_sheet(tx, item)) is not None]
    codes = {term.supplier for sheet in sheets for term in sheet.terms}
    repository.load_suppliers(tx, codes)
    repository.load_track_records(tx, codes)


def _market(tx: Tx, lines: Sequence[domain.Line]) -> domain.Market:
    """Return what is known about who could deliver these items, from what is loaded already."""
    _load_market(tx, [line.item for line in lines])
    sheets = {line.item: sheet for line in lines if (sheet := repository.find_term_sheet(tx, line.item)) is not None}
    codes = sorted({term.supplier for sheet in sheets.values() for term in sheet.terms})
    return domain.Market(
        sheets=sheets,
        suppliers={code: found for code in codes if (found := repository.find_supplier(tx, code)) is not None},
        records={code: record for code in codes if (record := repository.find_track_record(tx, code)) is not None},
    )
