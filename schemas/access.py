"""Who may do what: the acts that routes name, and the roles each is for. What is not here is refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

FUNCTION_ROLES = ("sales", "logistics", "inventory", "procurement")
PERSONS = (*FUNCTION_ROLES, "planning-lead", "executive", "sre", "viewer")
ROLES = (*PERSONS, "machine")


class Act(NamedTuple):
    """One row: the roles of persons, and the claims of a machine of which one is needed."""

    roles: tuple[str, ...]
    machine: tuple[str, ...] = ()


ACTS: dict[str, Act] = {
    "read": Act(PERSONS, ("topics",)),
    "acknowledge-case": Act((*FUNCTION_ROLES, "planning-lead", "executive")),
    "work-task": Act((*FUNCTION_ROLES, "planning-lead", "executive")),
    "choose-alternative": Act(("procurement", "planning-lead", "executive")),
    "decide-case": Act((*FUNCTION_ROLES, "planning-lead", "executive")),
    "verify-case": Act((*FUNCTION_ROLES, "planning-lead", "executive")),
    "keep-sales": Act(("sales", "planning-lead"), ("source",)),
    "approve-notice": Act(("sales", "planning-lead")),
    "keep-shipments": Act(("logistics",), ("source",)),
    "keep-milestones": Act(("logistics",), ("source", "carrier")),
    "keep-carriers": Act(("logistics",)),
    "keep-stock": Act(("inventory",), ("warehouse",)),
    "keep-items": Act(("inventory",), ("source",)),
    "keep-sites": Act(("inventory",), ("source", "warehouse")),
    "keep-procurement": Act(("procurement",)),
    "keep-purchase-orders": Act(("procurement",), ("source",)),
    "confirm-purchase-orders": Act(("procurement",), ("supplier",)),
    "keep-forecast": Act(("sales", "planning-lead")),
    "keep-demand-history": Act(("sales", "planning-lead"), ("source",)),
    "keep-rules": Act(("planning-lead",)),
    "import": Act(("planning-lead", "sre")),
    "operate": Act(("sre",)),
}

SEES: dict[str, tuple[str, ...]] = {
    "cost": ("procurement", "planning-lead", "executive"),
    "freight": ("procurement", "logistics", "planning-lead", "executive"),
    "contact": ("sales", "planning-lead"),
    "raw": ("planning-lead",),  # a record as it came may hold all of the above: for those who see all of them
}


def is_in_scope(scope: frozenset[str] | None, named: Iterable[str | None]) -> bool:
    """Say whether a reader limited to `scope` may see a thing by the sites, or the customers, that it names.

    One of them must be in scope. A thing that names none is only for readers whose scope is None, which stands for all.
    """
    return scope is None or not scope.isdisjoint(named)
