"""Worlds of the journeys: every service a process of its own, on real Kafka and real PostgreSQL, used through public doors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import httpx
import pytest

from chassis.messaging.tail import Tail
from chassis.runtime.clock import machine_now
from cli.stack import Stack
from cli.stack.worlds import World
from schemas import catalogue  # noqa: F401  every class of fact must be known before the first is read
from tests.support.service import wait_until
from tests.support.stack import Infrastructure

LOOP = ["collaboration", "inventory", "logistics", "exceptions", "sales", "procurement"]
PATIENCE_SECONDS = 90.0
NUMBERS = count(1)


@dataclass
class Journey:
    """A world seen from outside: acts and questions in the name of roles."""

    world: World
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=PATIENCE_SECONDS))

    def head(self, role: str, **claims: Any) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.world.token(role, **claims)}"}

    def get(self, service: str, path: str, role: str = "planning-lead", **query: Any) -> Any:
        """Ask; a service that is away for a moment is asked again."""
        answer = wait_until(lambda: self.get_once(service, path, role, **query), seconds=PATIENCE_SECONDS)
        assert answer.is_success, f"{service}{path}: {answer.status_code} {answer.text[:400]}"
        return answer.json()

    def get_once(self, service: str, path: str, role: str = "planning-lead", **query: Any) -> httpx.Response | None:
        """Ask once; None where the service does not answer at the moment."""
        try:
            return self.http.get(self.world.urls[service] + path, params=query, headers=self.head(role))
        except httpx.TransportError:
            return None

    def post(
        self, service: str, path: str, body: Any, role: str = "planning-lead", *, key: str | None = None, **claims: Any
    ) -> httpx.Response:
        """Act, once."""
        head = self.head(role, **claims) | {"Idempotency-Key": key or str(uuid4())}
        return self.http.post(self.world.urls[service] + path, json=body, headers=head)

    def did(self, *act: Any, **options: Any) -> Any:
        """Act, and expect that it was done."""
        answer = self.post(*act, **options)
        assert answer.is_success, f"{act[0]}{act[1]}: {answer.status_code} {answer.text[:400]}"
        return answer.json()

    # ── a driven world ───────────────────────────────────────────────────────────────────────────

    def advance(self, to: datetime) -> None:
        """Move the clock of every service."""
        for service in self.world.services:
            self.did(service, "/world/advance", {"to": to.isoformat()}, "sre")

    def wait_until_quiet(self) -> None:
        """Wait until every service has read and published everything."""

        def quiet() -> bool:
            shown = [self.get(service, "/world/quiet", "sre") for service in self.world.services]
            return all(one["pending"] == 0 and one["positions"] == one["ends"] for one in shown)

        wait_until(quiet, seconds=PATIENCE_SECONDS)

    # ── a small world to break ───────────────────────────────────────────────────────────────────

    def a_site(self, code: str = "Abidjan") -> None:
        body = {"code": code, "name": code, "zone": "UTC", "calendar": "every-day"}
        self.did("inventory", "/sites", body, "inventory")

    def a_truck(
        self, *, days: int = 3, item: str = "kit", value: str = "500", supplier: str = "acme", order: bool = True
    ) -> str:
        """Place an order, plan its truck, and return the shipment's id."""
        number = next(NUMBERS)
        due = (machine_now() + timedelta(days=days)).date().isoformat()
        line = {
            "reference": "1",
            "item": item,
            "quantity": "5",
            "value": {"amount": value, "currency": "USD"},
            "promised_on": due,
        }
        if order:
            self.did(
                "sales",
                "/customers",
                {"code": f"clinic-{number}", "name": "Clinic", "tier": "key", "contact": "a@clinic.example"},
                "sales",
            )
            self.did(
                "sales",
                "/orders",
                {"reference": f"O{number}", "customer": f"clinic-{number}", "site": "Abidjan", "lines": [line]},
                "sales",
            )
        planned = (
            {**line, "order": f"O{number}", "order_line": "1", "customer": f"clinic-{number}", "supplier": supplier}
            if order
            else line
        )
        body = {
            "reference": f"T{number}",
            "destination": "Abidjan",
            "promised_on": due,
            "carrier": "northline",
            "lines": [planned],
        }
        return str(self.did("logistics", "/shipments", body, "logistics")["shipment_id"])

    def late(self, shipment: str, *, days: int, key: str | None = None) -> httpx.Response:
        """The carrier says that the truck is expected so many days after its promised day."""
        due = datetime.fromisoformat(self.get("logistics", f"/shipments/{shipment}")["promised_at"])
        body = {"expected_at": (due + timedelta(days=days)).isoformat(), "reason": "breakdown"}
        return self.post(
            "logistics", f"/shipments/{shipment}/expected-arrival", body, "machine", key=key, carrier="northline"
        )

    def cases_of(self, shipment: str) -> list[dict[str, Any]]:
        found = self.get("exceptions", "/cases", cause_id=shipment)["items"]
        return [case for case in found if case["cause_id"] == shipment]

    def case_of(self, shipment: str, **fields: Any) -> dict[str, Any]:
        """Wait for the one case of a shipment with these fields."""

        def find() -> dict[str, Any] | None:
            cases = self.cases_of(shipment)
            fits = [
                c for c in cases if all(c[name] == value for name, value in fields.items()) and len(c["tasks"]) == 2
            ]
            return fits[0] if fits else None

        case: dict[str, Any] = wait_until(find, seconds=PATIENCE_SECONDS)
        return case

    def facts(self, topic: str = "exceptions.case") -> list[dict[str, Any]]:
        """Return every fact of a topic so far, those of one subject in their order."""
        tail = Tail(self.world.stack.kafka_bootstrap, self.world.name, [topic], "journey")
        ends = tail.ends()
        found: list[dict[str, Any]] = []
        for seen in tail.follow(tail.ends(first=True)):
            if seen is not None:
                found.append(json.loads(seen.value))
            if all(tail.places.get(place, 0) >= end for place, end in ends.items()):
                break
        return found

    def differences(self) -> list[Any]:
        """Return the first cases that the velocity stream and SQL measure otherwise, now that nothing is done any more."""
        return list(self.get("scorecard", "/velocity/check", quiet="true")["listed"])

    def task(self, case: dict[str, Any], kind: str) -> dict[str, Any]:
        return next(t for t in self.get("exceptions", f"/cases/{case['case_id']}")["tasks"] if t["kind"] == kind)

    def commit(self, task: dict[str, Any], role: str, *, within: timedelta = timedelta(hours=3)) -> None:
        by = (datetime.now(UTC) + within).isoformat()
        self.did("exceptions", f"/tasks/{task['task_id']}/commit", {"committed_to": by}, role)


@pytest.fixture(autouse=True)
def velocity_is_measured_alike(request: pytest.FixtureRequest) -> Iterator[None]:
    """After every journey through the whole world, stream and SQL measure every case alike."""
    yield
    if "whole" in request.fixturenames:
        journey: Journey = request.getfixturevalue("whole")
        wait_until(lambda: journey.differences() == [], seconds=PATIENCE_SECONDS)


@pytest.fixture(scope="session")
def whole(stack: Stack, infra: Infrastructure) -> Iterator[Journey]:
    """A world with everything, on the wall clock."""
    world = stack.create_world(infra.world())
    journey = Journey(world)
    journey.a_site()
    journey.did("procurement", "/suppliers", {"code": "bolt", "name": "Bolt"}, "procurement")
    term = {
        "supplier": "bolt",
        "item": "kit",
        "price": {"amount": "9", "currency": "USD"},
        "lead_time_days": 1,
        "effective_from": "2020-01-01",
    }
    journey.did("procurement", "/terms", term, "procurement")
    yield journey
    stack.drop_world(world.name)
