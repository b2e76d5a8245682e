"""ACCESS 2: who sees a marked field, and how everybody else is told that it is hidden."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from chassis.ids import derived_id
from chassis.runtime.process import OpsServer
from schemas.access import PERSONS
from tests.access import matrix
from tests.access.test_cells import ROWS
from tests.access.world import World

SEE = matrix.marks(matrix.PAGE.read_text(encoding="utf-8"))
# service, address by the ids of a target, the masked paths, what kind they are
FIELDS = [
    ("procurement", "/terms", {"items[].price": "cost", "items[].freight": "freight"}),
    ("procurement", "/orders/{order_id}", {"lines[].price": "cost"}),
    (
        "procurement",
        "/sourcings/{sourcing_id}",
        {
            "lines[].options[].price": "cost",
            "lines[].options[].landed_cost": "cost",
            "lines[].decisions[].landed_cost": "cost",
        },
    ),
    ("sales", "/customers", {"items[].contact": "contact"}),
    ("sales", "/customers/{code}", {"contact": "contact"}),
    ("sales", "/notices/{notice_id}", {"recipient": "contact"}),
    ("collaboration", "/people", {"items[].contact": "contact"}),
]


def values(answer: Any, path: str) -> list[Any]:
    """Return what lies at a path such as `lines[].options[].price`."""
    first, _, rest = path.partition(".")
    found = answer[first.removesuffix("[]")]
    many = found if first.endswith("[]") else [found]
    return [value for one in many for value in values(one, rest)] if rest else many


@pytest.fixture
def ready(service_world: Callable[[str], World]) -> Callable[[str], World]:
    """Return the worlds with a person and a decision in them."""

    def world(service: str) -> World:
        found = service_world(service)
        if service == "collaboration":
            person = {"code": "ana", "name": "Ana", "function": "sales", "contact": "ana@example.org"}
            found.do("/people", person, "planning-lead", 200)
        if service == "procurement":
            ids = found.ids["own"]
            said = {"alternative_id": ids["alternative_id"], "rationale": "the nearest"}
            chosen = found.service.post(
                f"/sourcings/{ids['sourcing_id']}/choose", said, role="procurement", key="chosen"
            )
            assert chosen.status_code in (200, 409), chosen.text
        return found

    return world


@pytest.mark.parametrize("role", [*PERSONS, "machine"])
@pytest.mark.parametrize(("service", "path", "fields"), FIELDS)
def test_a_marked_field_is_shown_or_said_to_be_masked(
    ready: Callable[[str], World], service: str, path: str, fields: dict[str, str], role: str
) -> None:
    """ACCESS 2: null, and listed under `masked`."""
    world = ready(service)
    topics = ["procurement.supplier", "procurement.order", "procurement.sourcing", "sales.order", "sales.notice"]
    answer = world.service.get(
        path.format(**world.ids["own"]), role=role, claims={"topics": topics, "supplier": "Acme"}
    )
    if role == "machine" and service == "collaboration":
        assert answer.status_code == 403
        return
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    for field, kind in fields.items():
        found = values(shown, field)
        if not found and "decisions" in field:
            continue
        assert found, field
        if role in SEE[kind]:
            assert any(value is not None for value in found), f"{field} is for {role}"
        else:
            assert all(value is None for value in found), f"{field} is not for {role}"
            assert any(field == told for told in _names(shown)), f"{field} is hidden and not said to be"


def _names(response: dict[str, Any]) -> list[str]:
    return [str(name) for name in response["masked"]]


@pytest.mark.parametrize("role", PERSONS)
def test_a_raw_record_shows_its_content_to_whoever_sees_every_marked_field(
    service_world: Callable[[str], World], role: str
) -> None:
    """FLOW 4.2: a cause is shown by its owner; what came with it holds costs and contacts."""
    for service, door, path, item in (
        ("sales", "keep-customers", "/customers:batch", {"code": "raw", "name": "Raw", "contact": "raw@example.org"}),
        (
            "procurement",
            "agree-terms",
            "/terms:batch",
            {
                "supplier": "Acme",
                "item": "raw",
                "effective_from": "2026-03-01",
                "price": {"amount": "77.70", "currency": "USD"},
            },
        ),
    ):
        world = service_world(service)
        told = {"source": "erp", "items": [{"key": "raw", **item}]}
        assert world.service.post(path, told, role=service).json()["results"][0]["status"] in ("created", "unchanged")
        signal = derived_id("signal", service, door, "erp", "raw")
        whole = world.service.post("/causes:resolve", {"ids": [str(signal)]}, role=role).json()
        (found,) = whole["found"]
        assert found["what"] == door, "what it was is said to everybody"
        assert (found["content"] is not None) == (role in SEE["raw"])
        assert whole["masked"] == ([] if role in SEE["raw"] else ["found[].content"])
        part = world.service.post("/causes:resolve", {"ids": [str(signal)]}, role=role, claims={"sites": ["Nearsite"]})
        assert "raw@example.org" not in part.text
        assert "77.70" not in part.text
        assert (part.json()["found"][0]["subject"], part.json()["masked"]) == (
            None,
            ["found[].content", "found[].subject"],
        )


def test_metrics_and_health_need_no_login_and_have_a_port_of_their_own(service_world: Callable[[str], World]) -> None:
    """ACCESS 3: metrics and health, no login, a port of its own."""
    (row,) = [row for row in ROWS if any(service == "ops" for service, _, _ in row.routes)]
    service = service_world("collaboration").service
    ops = OpsServer(service.settings, lambda: {"started": True})
    ops.start()
    try:
        address = f"http://127.0.0.1:{ops._server.server_address[1]}"
        for _, method, path in row.routes:
            assert httpx.request(method, address + path).status_code == 200, path
            assert service.client.request(method, path).status_code == 404, f"{path} is not on the port of the API"
        assert httpx.get(f"{address}/calendars").status_code == 404
    finally:
        ops.stop()
