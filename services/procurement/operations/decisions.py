"""Decisions on the lines of a sourcing round: one function per act."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from chassis.persistence.database import Tx
from schemas.types import By
from services.procurement import domain, metrics, repository


def choose_alternatives(
    tx: Tx, *, sourcing_id: UUID, alternative_ids: Sequence[UUID], rationale: str, by: By
) -> tuple[domain.Sourcing, list[domain.PurchaseOrder]]:
    """Choose alternatives, one per line, and place the order for each; all or none.

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
    """Decline every alternative of a line, with a reason.

    Raises NotFound, RoundClosed, UnknownLine, LineDecided, HasCandidate.
    """
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
