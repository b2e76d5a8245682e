"""Functions, people, calendars, rosters and ladders in and out of their tables; locks what it loads for change."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar
from uuid import UUID

from chassis.persistence.database import Tx
from chassis.persistence.store import Store
from services.collaboration import domain, tables

T = TypeVar("T")

functions = Store(domain.FunctionEntry, tables.functions, key="function_id")
people = Store(domain.Person, tables.people, key="person_id")
calendars = Store(domain.Calendar, tables.calendars, key="calendar_id")
rosters = Store(domain.Roster, tables.rosters, key="roster_id")
ladders = Store(domain.Ladder, tables.ladders, key="ladder_id")


def find(tx: Tx, store: Store[T], identity: UUID) -> T | None:
    """Return one, locked, or None."""
    return tx.find(store, identity)


def save(tx: Tx, store: Store[T], thing: T) -> None:
    """Keep one, new or changed."""
    tx.save(store, thing)


def registered(tx: Tx, codes: Iterable[str]) -> frozenset[str]:
    """Return those of these people who are registered."""
    by_id = {domain.person_id(code): code for code in codes}
    tx.load(people, by_id)
    return frozenset(code for identity, code in by_id.items() if tx.find(people, identity) is not None)
