"""Delay from the API's answer about a late shipment until both tasks can be read, compared with a bare Kafka hop.

Light load on one machine: one delay after the other. This process, outside the services, polls every millisecond over
one keep-alive connection.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from benchmarks import work
from benchmarks.figures import Figure
from chassis.messaging import kafka
from chassis.runtime.clock import machine_now
from cli.stack import Stack
from cli.stack.worlds import World

DELAYS, DELAYS_FULL, WARM_UP, HOPS = 200, 600, 20, 200
SERVICES = ["collaboration", "inventory", "logistics", "exceptions", "sales", "procurement"]
WORLD = "bench-loop"
ASK_EACH_SECONDS = 0.001
PATIENCE_SECONDS = 10.0


def measure(stack: Stack, full: bool) -> Iterator[Figure]:
    """Delay trucks in a world of its own."""
    world = stack.create_world(WORLD, services=SERVICES)
    try:
        hops = hop_ms(stack.infrastructure.kafka_bootstrap, f"{WORLD}.inventory.item")
        loop = Loop(world)
        trucks = loop.plant(WARM_UP + (DELAYS_FULL if full else DELAYS))
        taken = [loop.delay_ms(truck) for truck in trucks][WARM_UP:]
        loop.close()
    finally:
        stack.drop_world(WORLD)
    for name, share, bar in (("p50", 0.5, 25), ("p99", 0.99, 100)):
        beside = {"kafka_hop": work.percentile(hops, share)}
        yield Figure(f"loop.delay_to_tasks_{name}", work.percentile(taken, share), "ms", at_most=bar, beside=beside)


def hop_ms(bootstrap: str, topic: str) -> list[float]:
    """Return how long single records take from produce to consume, acknowledged by all, in milliseconds."""
    producer, consumer = kafka.producer(bootstrap, "bench"), kafka.lone_consumer(bootstrap, "bench")
    consumer.assign([kafka.TopicPartition(topic, 0, kafka.OFFSET_END)])
    consumer.poll(1.0)
    taken = []
    for n in range(WARM_UP + HOPS):
        begun = time.perf_counter()
        producer.produce(topic, value=b"x" * 450, partition=0)
        producer.poll(0)
        while (message := consumer.poll(1.0)) is None or message.error() is not None:
            pass
        if n >= WARM_UP:
            taken.append((time.perf_counter() - begun) * 1000)
    consumer.close()
    return taken


class Question:
    """One kept connection to one service: a question costs this process a tenth of a millisecond."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE_SECONDS)
        self._heads = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def get(self, path: str) -> Any:
        """Ask."""
        return self._answer("GET", path, None)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Act."""
        return self._answer("POST", path, json.dumps(body).encode())

    def close(self) -> None:
        """Give the connection up."""
        self._connection.close()

    def _answer(self, method: str, path: str, body: bytes | None) -> Any:
        self._connection.request(method, path, body, self._heads)
        answer = self._connection.getresponse()
        said = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {said.decode()[:300]}")
        return json.loads(said)


class Loop:
    """A world with trucks to delay."""

    def __init__(self, world: World) -> None:
        self._of = {
            service: Question(world.urls[service], world.token(role))
            for service, role in (
                ("logistics", "logistics"),
                ("inventory", "inventory"),
                ("exceptions", "planning-lead"),
            )
        }
        self._due = (machine_now() + timedelta(days=5)).date()

    def plant(self, trucks: int) -> list[str]:
        """Make a site and the trucks; returns their ids."""
        self._of["inventory"].post(
            "/sites", {"code": "Abidjan", "name": "Abidjan", "zone": "UTC", "calendar": "every-day"}
        )
        day = self._due.isoformat()
        line = {
            "reference": "1",
            "item": "kit",
            "quantity": "1",
            "value": {"amount": "10", "currency": "USD"},
            "promised_on": day,
        }
        plan = {"destination": "Abidjan", "promised_on": day, "lines": [line]}
        return [
            self._of["logistics"].post("/shipments", {"reference": f"B{n}", **plan})["shipment_id"]
            for n in range(trucks)
        ]

    def delay_ms(self, shipment: str) -> float:
        """Delay one truck; returns the time from the answer until both tasks can be read."""
        late = (self._due + timedelta(days=3)).isoformat()
        moved = {"expected_at": f"{late}T00:00:00Z", "reason": "customs"}
        self._of["logistics"].post(f"/shipments/{shipment}/expected-arrival", moved)
        begun = time.perf_counter()
        while time.perf_counter() - begun < PATIENCE_SECONDS:
            cases = self._of["exceptions"].get(f"/cases?cause_id={shipment}")["items"]
            if cases and len(cases[0]["tasks"]) == 2:
                return (time.perf_counter() - begun) * 1000
            time.sleep(ASK_EACH_SECONDS)
        raise RuntimeError(f"no tasks for shipment {shipment} within {PATIENCE_SECONDS:.0f} s")

    def close(self) -> None:
        """Give every connection up."""
        for asked in self._of.values():
            asked.close()
