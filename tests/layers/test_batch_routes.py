"""Every batch route of every service answers item by item, whatever goes wrong in one (FLOW 5.2)."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.access.matrix import SERVICES
from tests.support.checked_service import CheckedService, open_checked_service
from tests.support.stack import Infrastructure

Item = dict[str, Any]
Name = tuple[str, str]
DAY, MONDAY, INSTANT = "2026-03-04", "2026-03-09", "2026-03-02T07:00:00Z"
MONEY = {"amount": "10.00", "currency": "EUR"}


def parts(service: str) -> Any:
    return importlib.import_module(f"services.{service}.__main__").parts()


def batch_routes(service: str) -> list[Name]:
    """Return the routes of a service that take a batch, read from its routers."""
    routes = [route for router in parts(service).routers for route in router.api.routes]
    return [(service, route.path) for route in routes if (route.openapi_extra or {}).get("x-batch")]


NAMES = [name for service in SERVICES if service not in ("ops", "console") for name in batch_routes(service)]


@dataclass(frozen=True)
class Example:
    """A good item by number, what a bad one has instead (None: a key that is known with other content), what must be known first."""

    role: str
    good: Callable[[int], Item]
    refused: Item | None
    first: list[tuple[str, Item]] = field(default_factory=list)


def line(reference: str = "1", **more: Any) -> Item:
    return {"reference": reference, "item": "kit", "quantity": "1", **more}


def shipment(number: int, **more: Any) -> Item:
    lines = [line(value=MONEY, promised_on=DAY)]
    return {"reference": f"S-{number}", "destination": "Lyon", "promised_on": DAY, "lines": lines, **more}


def purchase(number: int) -> Item:
    return {"reference": f"P-{number}", "supplier": "Acme", "destination": "Lyon", "lines": [line(needed_on=DAY)]}


PLANNED = [("/shipments:batch", shipment(number) | {"key": f"S-{number}"}) for number in range(1, 5)]
PLACED = [("/orders:batch", purchase(number) | {"key": f"P-{number}"}) for number in range(1, 5)]
MASTER = [
    ("/items:batch", {"key": "kit", "code": "kit"}),
    *(("/sites:batch", {"key": s, "code": s}) for s in ("L1", "L2", "L3", "L4")),
]
SUPPLIER = [("/suppliers:batch", {"key": "Acme", "code": "Acme", "name": "Acme"})]
TWICE = {"lines": [line(value=MONEY, promised_on=DAY), line(value=MONEY, promised_on=DAY)]}

EXAMPLES: dict[Name, Example] = {
    ("forecast", "/forecasts:batch"): Example(
        "planning-lead",
        lambda n: {"item": "kit", "site": f"L{n}", "weeks": [{"week_on": MONDAY, "quantity": "5"}]},
        {"weeks": [{"week_on": DAY, "quantity": "5"}]},
    ),
    ("inventory", "/items:batch"): Example("inventory", lambda n: {"code": f"item-{n}"}, None),
    ("inventory", "/sites:batch"): Example("inventory", lambda n: {"code": f"site-{n}"}, {"zone": "Nowhere/Else"}),
    ("inventory", "/stock-entries:batch"): Example(
        "inventory",
        lambda n: {"item": "kit", "site": f"L{n}", "kind": "opening", "quantity": "5"},
        {"item": "unknown"},
        MASTER,
    ),
    ("logistics", "/shipments:batch"): Example("logistics", shipment, TWICE),
    ("logistics", "/shipments:import"): Example("sre", lambda n: shipment(n, received_on=DAY), TWICE),
    ("logistics", "/milestones:batch"): Example(
        "logistics",
        lambda n: {"shipment": f"S-{n}", "planned_by": "erp", "kind": "departed", "occurred_at": INSTANT},
        {"shipment": "?"},
        PLANNED,
    ),
    ("logistics", "/receipts:batch"): Example(
        "logistics",
        lambda n: {"shipment": f"S-{n}", "planned_by": "erp", "received_on": "2026-03-02"},
        {"shipment": "?"},
        PLANNED,
    ),
    ("procurement", "/suppliers:batch"): Example("procurement", lambda n: {"code": f"S{n}", "name": f"S{n}"}, None),
    ("procurement", "/terms:batch"): Example(
        "procurement",
        lambda n: {"supplier": "Acme", "item": f"kit-{n}", "effective_from": DAY},
        {"supplier": "unknown"},
        SUPPLIER,
    ),
    ("procurement", "/orders:batch"): Example("procurement", purchase, {"lines": [line(needed_on=DAY)] * 2}, SUPPLIER),
    ("procurement", "/confirmations:batch"): Example(
        "procurement",
        lambda n: {"order": f"P-{n}", "placed_by": "erp", "lines": [{"reference": "1", "confirmed_on": DAY}]},
        {"order": "?"},
        [*SUPPLIER, *PLACED],
    ),
    ("exceptions", "/cases:import"): Example(
        "sre",
        lambda n: {
            "headline": f"case {n}",
            "severity": "low",
            "facts": [{"kind": "opened", "occurred_at": INSTANT, "recorded_at": INSTANT}],
        },
        {"facts": [{"kind": "acknowledged", "occurred_at": INSTANT, "recorded_at": INSTANT}]},
    ),
    ("sales", "/customers:batch"): Example(
        "sales", lambda n: {"code": f"C{n}", "name": f"C{n}"}, {"zone": "Nowhere/Else"}
    ),
    ("sales", "/orders:batch"): Example(
        "sales",
        lambda n: {
            "reference": f"O-{n}",
            "customer": "C1",
            "site": "Lyon",
            "lines": [line(value=MONEY, promised_on=DAY)],
        },
        TWICE,
        [("/customers:batch", {"key": "C1", "code": "C1", "name": "C1"})],
    ),
}

VIOLATIONS = {"unique": "23505", "check": "23514", "missing value": "23502", "number out of range": "22003"}
BREAK = """
CREATE FUNCTION break_item() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the row is bad' USING ERRCODE = '{code}', TABLE = 'signals', CONSTRAINT = 'signals_are_good', COLUMN = 'key'; END $$;
CREATE TRIGGER break_item BEFORE INSERT ON signals FOR EACH ROW WHEN (NEW.key = 'bad') EXECUTE FUNCTION break_item();
"""
MEND = "DROP TRIGGER break_item ON signals; DROP FUNCTION break_item"


@pytest.fixture(scope="session")
def opened(infra: Infrastructure) -> Iterator[Callable[[str], CheckedService]]:
    """Return a service on a database of its own, opened when it is first asked for."""
    services: dict[str, CheckedService] = {}
    with ExitStack() as stack:

        def get(service: str) -> CheckedService:
            if service not in services:
                services[service] = stack.enter_context(open_checked_service(infra, parts(service)))
            return services[service].emptied()

        yield get


@dataclass(frozen=True)
class Route:
    """A batch route to try."""

    service: CheckedService
    path: str
    example: Example

    def item(self, number: int, key: str) -> Item:
        return {"key": key, **self.example.good(number)}

    def batch(self, **bad: Any) -> list[Item]:
        """Return two good items with another one between them."""
        return [self.item(1, "one"), self.item(2, "bad") | bad, self.item(3, "three")]

    def send(self, items: list[Item]) -> list[dict[str, Any]]:
        return self.service.batch(self.path, *items, by=self.example.role)

    def change_database(self, statement: str) -> None:
        with self.service.service.database.engine.begin() as connection:
            connection.exec_driver_sql(statement)


@pytest.fixture(params=NAMES, ids=" ".join)
def route(request: pytest.FixtureRequest, opened: Callable[[str], CheckedService]) -> Route:
    """One batch route on an emptied database in which everything is known that its items need."""
    service, path = request.param
    assert request.param in EXAMPLES, f"write an example of an item of {service} {path}"
    example = EXAMPLES[request.param]
    tried = opened(service)
    for path_before, item in example.first:
        assert statuses(tried.batch(path_before, item, by=example.role)) == ["created"]
    return Route(tried, path, example)


def statuses(results: list[dict[str, Any]]) -> list[str]:
    return [one["status"] for one in results]


def test_a_refusal_in_the_middle_leaves_the_others(route: Route) -> None:
    if route.example.refused is None:
        assert statuses(route.send([route.item(4, "bad")])) == ["created"]
        results = route.send(route.batch())
        assert results[1]["status"] == "conflict"
    else:
        results = route.send(route.batch(**route.example.refused))
        assert results[1]["status"] in ("refused", "conflict")
    assert results[1]["reason"]
    assert statuses(results)[::2] == ["created", "created"]


def test_an_invalid_item_in_the_middle_leaves_the_others(route: Route) -> None:
    results = route.send(route.batch(nobody_knows_this="field"))
    assert statuses(results) == ["created", "refused", "created"]
    assert results[1]["field"] == "nobody_knows_this"


@pytest.mark.parametrize("violation", VIOLATIONS)
def test_a_row_that_the_database_refuses_in_the_middle_leaves_the_others(route: Route, violation: str) -> None:
    """The bad item keeps nothing: sent again, once the database takes it, it is new."""
    route.change_database(BREAK.format(code=VIOLATIONS[violation]))
    try:
        results = route.send(route.batch())
    finally:
        route.change_database(MEND)
    assert statuses(results) == ["created", "conflict" if violation == "unique" else "refused", "created"]
    assert results[1]["reason"]
    assert "unexpected" not in results[1]["reason"]
    assert statuses(route.send(route.batch())) == ["unchanged", "created", "unchanged"]
