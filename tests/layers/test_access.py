"""Who may do what: schemas/access.py says what ACCESS 1 and ACCESS 2 say, and every route names one of its rows."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest

from chassis.http import ops_routes
from chassis.messaging.reactions import Reactions
from console.server.issuer import MACHINES
from schemas.access import ACTS, PERSONS, SEES
from simulator.network import SITES
from tests.layers.small_tree import SERVICES

FUNCTIONS = {"sales", "logistics", "inventory", "procurement"}
LEAD, EXECUTIVE = "planning-lead", "executive"

# ACCESS 1, row by row: the acts of the row, the persons, what a machine must have registered.
# Owners and hand-overs narrow an act inside the service; here stands who gets as far as that.
ROWS: list[tuple[str, dict[str, set[str]], set[str]]] = [
    ("read", {"read": {"topics"}}, set(PERSONS)),
    ("acknowledge or take a case", {"acknowledge-case": set()}, {*FUNCTIONS, LEAD, EXECUTIVE}),
    ("work on a task, as the one handed to too", {"work-task": set()}, {*FUNCTIONS, LEAD, EXECUTIVE}),
    ("choose an alternative", {"choose-alternative": set()}, {"procurement", LEAD, EXECUTIVE}),
    ("decide a case, as its owner too", {"decide-case": set()}, {*FUNCTIONS, LEAD, EXECUTIVE}),
    ("verify or reopen, as its owner too", {"verify-case": set()}, {*FUNCTIONS, LEAD, EXECUTIVE}),
    ("customers, orders, promises, notices", {"keep-sales": {"source"}, "approve-notice": set()}, {"sales", LEAD}),
    (
        "carriers and shipments",
        {"keep-carriers": set(), "keep-shipments": {"source"}, "keep-milestones": {"source", "carrier"}},
        {"logistics"},
    ),
    (
        "stock, sites, items",
        {"keep-stock": {"warehouse"}, "keep-sites": {"source", "warehouse"}, "keep-items": {"source"}},
        {"inventory"},
    ),
    (
        "suppliers, terms, purchase orders",
        {"keep-procurement": set(), "keep-purchase-orders": {"source"}, "confirm-purchase-orders": {"supplier"}},
        {"procurement"},
    ),
    ("forecasts", {"keep-forecast": set(), "keep-demand-history": {"source"}}, {"sales", LEAD}),
    ("playbooks, thresholds, people, calendars", {"keep-rules": set()}, {LEAD}),
    ("import, replay", {"import": set()}, {LEAD, "sre"}),
    ("dead letters, worlds, topics", {"operate": set()}, {"sre"}),
]
# ACCESS 2.
FIELDS = {
    "cost": {"procurement", LEAD, EXECUTIVE},
    "freight": {"procurement", "logistics", LEAD, EXECUTIVE},
    "contact": {"sales", LEAD},
    "raw": {LEAD},  # a record as it came holds all of them
}


def _nothing_heard(*, sure: bool) -> ops_routes.Heard:
    return ops_routes.Heard({}, {})


def test_the_acts_are_those_of_the_product_table_row_by_row() -> None:
    """What is not in the table is refused; a role more or less is seen here."""
    table = {act: (persons, machine) for _, acts, persons in ROWS for act, machine in acts.items()}
    assert {act: (set(row.roles), set(row.machine)) for act, row in ACTS.items()} == table


def test_the_built_in_warehouse_machine_is_bound_to_a_site_of_the_demo() -> None:
    """In a world without that site it writes nothing: stock of an unknown site is refused, and it registers no site."""
    claims = MACHINES["machine-warehouse"]
    assert claims["warehouse"] in SITES
    assert claims["sites"] == [claims["warehouse"]]


def test_marked_fields_are_shown_to_those_of_the_product_table() -> None:
    """Others see that something is hidden."""
    assert {kind: set(roles) for kind, roles in SEES.items()} == FIELDS


def _routes() -> Iterator[tuple[str, dict[str, Any]]]:
    routers = [("every service", ops_routes.router(dict, Reactions(), wake=lambda: None, driven=True, timers=()))]
    for service in SERVICES:
        parts = importlib.import_module(f"services.{service}.__main__").parts()
        routers += [(service, router) for router in parts.routers]
    for service, router in routers:
        for route in router.api.routes:
            methods = " ".join(sorted(route.methods))
            yield f"{service}: {methods} {route.path}", route.openapi_extra or {}


@pytest.mark.parametrize(("name", "shown"), list(_routes()), ids=lambda value: value if isinstance(value, str) else "")
def test_a_route_names_its_row_and_shows_it(name: str, shown: dict[str, Any]) -> None:
    """The matrix of routes and roles is made from what the OpenAPI document shows."""
    row = ACTS[shown["x-act"]]
    machine = row.machine if shown["x-act"] != "read" or shown["x-topic"] else ()  # no topic: for persons only
    assert (tuple(shown["x-roles"]), tuple(shown["x-machine"])) == (row.roles, machine), name


def test_a_question_only_reads_and_an_act_never_only_reads() -> None:
    """A door that changes something is open to those of its own row; the viewer changes nothing."""
    for name, shown in _routes():
        if not shown.get("x-question"):
            assert shown["x-act"] != "read", name
            assert "viewer" not in shown["x-roles"], name
