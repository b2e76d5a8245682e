"""Aggregates and records of the scorecard in and out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from chassis.persistence.database import Tx
from chassis.persistence.store import Store
from services.scorecard import domain, tables

readings = Store(domain.Reading, tables.readings, key="case_id")


def load(tx: Tx, case_ids: Iterable[UUID]) -> None:
    """Lock and load many readings in one query."""
    tx.load(readings, case_ids)


def find(tx: Tx, case_id: UUID) -> domain.Reading | None:
    """Return a reading, locked, or None."""
    return tx.find(readings, case_id)


def save(tx: Tx, reading: domain.Reading) -> None:
    """Keep a reading."""
    tx.save(readings, reading)


def store_case_fact(tx: Tx, row: dict[str, Any]) -> None:
    """Add a case's fact, once."""
    tx.append(tables.case_facts, row, on_conflict="ON CONFLICT DO NOTHING")


def store_cause(tx: Tx, row: dict[str, Any]) -> None:
    """Add the causal record of a fact, once."""
    tx.append(tables.facts, row, on_conflict="ON CONFLICT DO NOTHING")
