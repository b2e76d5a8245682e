"""Sourcing rounds: opened and closed with the task, ranked again with the case."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from chassis.persistence.database import Tx
from schemas.exceptions import AffectedLine, CaseExtended, TaskFact, TaskOpened, TaskReopened
from schemas.types import Cause, Money
from services.procurement import domain, metrics, queries, repository

TASK_KIND = domain.TASK_KIND  # reactions may import operations but not the domain


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
    """Close the round of a withdrawn task; a decided round stays decided (FLOW 2.4)."""
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
    """Reopen the round of a reopened task, or open the round that the task never had (FLOW 2.4)."""
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


def _load_market(tx: Tx, items: Sequence[str]) -> None:
    named = sorted(set(items))
    repository.load_term_sheets(tx, named)
    sheets = [sheet for item in named if (sheet := repository.find_term_sheet(tx, item)) is not None]
    codes = {term.supplier for sheet in sheets for term in sheet.terms}
    repository.load_suppliers(tx, codes)
    repository.load_track_records(tx, codes)


def _market(tx: Tx, lines: Sequence[domain.Line]) -> domain.Market:
    """Return terms, suppliers and track records for these items."""
    _load_market(tx, [line.item for line in lines])
    sheets = {line.item: sheet for line in lines if (sheet := repository.find_term_sheet(tx, line.item)) is not None}
    codes = sorted({term.supplier for sheet in sheets.values() for term in sheet.terms})
    return domain.Market(
        sheets=sheets,
        suppliers={code: found for code in codes if (found := repository.find_supplier(tx, code)) is not None},
        records={code: record for code in codes if (record := repository.find_track_record(tx, code)) is not None},
    )
