"""The requests made from the file are valid: every item of the real file against the services' own models."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import BaseModel

from formats import scms_requests
from formats.scms import read_deliveries
from formats.scms_requests import BatchEndpoint
from formats.scms_steps import masters, shipments, steps
from schemas.access import ACTS
from services.inventory import api as inventory
from services.logistics import api as logistics
from services.procurement import api as procurement
from services.sales import api as sales
from tests.support.records import RECORDED, shared_file
from tests.support.scms_rows import a_file, a_row

ROUTERS = {"inventory": inventory, "logistics": logistics, "procurement": procurement, "sales": sales}


def items_of(*rows: dict[str, str]) -> dict[BatchEndpoint, list[dict[str, Any]]]:
    days = steps(shipments(read_deliveries(a_file(*rows)).lines))
    return dict(scms_requests.step_items(days))


def test_a_plan_says_its_due_day_its_order_lines_and_when_it_became_known() -> None:
    ((plan,), (order,), (purchase,)) = (
        items_of(a_row(sent="5/1/06"))[endpoint]
        for endpoint in (scms_requests.SHIPMENTS, scms_requests.ORDERS, scms_requests.PURCHASE_ORDERS)
    )
    assert plan == {
        "key": "ASN-8",
        "known_at": "2006-05-01T00:00:00Z",
        "reference": "ASN-8",
        "destination": "Côte d'Ivoire",
        "promised_on": "2006-06-02",
        "mode": "N/A",
        "lines": [
            {
                "reference": "1",
                "item": "HIV, Reveal G3 Rapid HIV-1 Antibody Test, 30 Tests",
                "quantity": "19",
                "value": {"amount": "551", "currency": "USD"},
                "promised_on": "2006-06-02",
                "order": "SCMS-4",
                "order_line": "1",
                "customer": "100-CI-T01",
                "supplier": "RANBAXY Fine Chemicals LTD.",
                "purchase_order": "SCMS-4",
                "purchase_order_line": "1",
            }
        ],
    }
    assert (order["key"], order["customer"], order["site"]) == ("SCMS-4", "100-CI-T01", "Côte d'Ivoire")
    assert purchase["lines"][0]["price"] == {"amount": "29", "currency": "USD"}


def test_a_stock_order_names_the_placeholder_and_no_purchase_order() -> None:
    items = items_of(a_row(via="From RDC", vendor="SCMS from RDC", order="SO-1", shipment="DN-1"))
    assert items[scms_requests.PURCHASE_ORDERS] == []
    (line,) = items[scms_requests.SHIPMENTS][0]["lines"]
    assert line["supplier"] == "SCMS from RDC"
    assert not {"purchase_order", "purchase_order_line"} & line.keys()


def test_the_placeholder_of_stock_orders_is_no_candidate() -> None:
    days = steps(
        shipments(
            read_deliveries(
                a_file(a_row(via="From RDC", vendor="SCMS from RDC"), a_row(id="2", order="S-2", shipment="A-2"))
            ).lines
        )
    )
    suppliers = dict(scms_requests.master_items(masters(days)))[scms_requests.SUPPLIERS]
    assert [(one["code"], one["candidate"]) for one in suppliers] == [
        ("SCMS from RDC", False),
        ("RANBAXY Fine Chemicals LTD.", True),
    ]


def test_a_record_of_delivery_says_when_it_was_delivered_and_is_known_when_it_was_recorded() -> None:
    assert items_of(a_row(delivered="1-Jun-06", recorded="9-Jun-06"))[scms_requests.RECEIPTS] == [
        {"key": "ASN-8@received", "shipment": "ASN-8", "received_on": "2006-06-01", "known_at": "2006-06-09T00:00:00Z"}
    ]


def routes_of(endpoint: BatchEndpoint) -> Any:
    api = ROUTERS[endpoint.service]
    for router in getattr(api, "routers", None) or (api.router,):
        for route in router.api.routes:
            if route.path == endpoint.path:
                return route
    raise AssertionError(f"{endpoint.service} has no {endpoint.path}")


ENDPOINTS = [value for value in vars(scms_requests).values() if isinstance(value, BatchEndpoint)]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.service}{endpoint.path}")
def test_every_endpoint_exists_and_its_role_may_use_it(endpoint: BatchEndpoint) -> None:
    act = routes_of(endpoint).openapi_extra["x-act"]
    assert endpoint.role in ACTS[act].roles


def model_of(endpoint: BatchEndpoint) -> type[BaseModel]:
    """Find the model of a endpoint's items by the schema that its route shows."""
    shown = routes_of(endpoint).openapi_extra["x-item"]
    found = {
        model
        for model in _models(BaseModel)
        if model.__module__.startswith(f"services.{endpoint.service}.") and model.__name__ == shown["title"]
    }
    (model,) = found
    return model


def _models(base: type[BaseModel]) -> list[type[BaseModel]]:
    return [model for child in base.__subclasses__() for model in (child, *_models(child))]


@pytest.mark.records
def test_every_item_of_the_real_records_is_one_that_its_door_takes() -> None:
    known = shipments(read_deliveries(shared_file(RECORDED).read_bytes()).lines)
    days = steps(known, date(2009, 12, 31))
    telling = [
        *scms_requests.master_items(masters(days)),
        *scms_requests.step_items(days),
        *scms_requests.history_items(days, known[:500]),
    ]
    for endpoint, items in telling:
        model = model_of(endpoint)
        assert items, endpoint
        for item in items:
            model.model_validate(item)
