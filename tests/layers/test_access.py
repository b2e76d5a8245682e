"""schemas/access.py states what ACCESS 1 and ACCESS 2 state, and every route names one of its acts."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest

from chassis.http import ops_routes
from chassis.messaging.reactions import Reactions
from console.server.issuer import MACHINES
from schemas.access import ACTS, SEES
from simulator.network import SITES
from tests.access import matrix
from tests.layers.small_tree import SERVICES

TEXT = matrix.PAGE.read_text(encoding="utf-8")


def _no_positions(*, sure: bool) -> ops_routes.TopicPositions:
    return ops_routes.TopicPositions({}, {})


def test_the_acts_are_those_of_the_page_row_by_row() -> None:
    """ACCESS 1: an act has the roles of its row, those under a condition too, and the machine claims of its name."""
    page = {
        act: (set(row.roles), set(claims))
        for row in matrix.rows(TEXT)
        if row.number.startswith("1.")
        for act, claims in row.machines.items()
    }
    assert {act: (set(row.roles), set(row.machine)) for act, row in ACTS.items()} == page


def test_the_built_in_warehouse_machine_is_bound_to_a_site_of_the_demo() -> None:
    """In a world without that site it writes nothing: stock of an unknown site is refused, and it registers no site."""
    claims = MACHINES["machine-warehouse"]
    assert claims["warehouse"] in SITES
    assert claims["sites"] == [claims["warehouse"]]


def test_marked_fields_are_shown_to_those_of_the_page() -> None:
    """ACCESS 2."""
    assert {mark: frozenset(roles) for mark, roles in SEES.items()} == matrix.marks(TEXT)


def _routes() -> Iterator[tuple[str, dict[str, Any]]]:
    routers = [("every service", ops_routes.router(dict, Reactions(), wake=lambda: None, driven=True, timers=()))]
    for service in SERVICES:
        parts = importlib.import_module(f"services.{service}.__main__").parts()
        routers += [(service, router) for router in parts.routers]
    for service, router in routers:
        for route in router.api.routes:
            methods = " ".join(sorted(route.methods))
            yield f"{service}: {methods} {route.path}", route.openapi_extra or {}


@pytest.mark.parametrize(("name", "route"), list(_routes()), ids=lambda value: value if isinstance(value, str) else "")
def test_a_route_names_its_row_and_shows_it(name: str, route: dict[str, Any]) -> None:
    """The matrix of routes and roles is made from what the OpenAPI document shows."""
    row = ACTS[route["x-act"]]
    machine = row.machine if route["x-act"] != "read" or route["x-topic"] else ()  # no topic: for persons only
    assert (tuple(route["x-roles"]), tuple(route["x-machine"])) == (row.roles, machine), name


def test_a_question_only_reads_and_an_act_never_only_reads() -> None:
    """A door that changes something is open to those of its own row; the viewer changes nothing."""
    for name, shown in _routes():
        if not shown.get("x-question"):
            assert shown["x-act"] != "read", name
            assert "viewer" not in shown["x-roles"], name
