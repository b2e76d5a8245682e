"""From the API's answer to a delay until both tasks can be read, beside a bare Kafka hop.

Light load, one machine: 200 delays one after the other, each asked for as often as an answer comes, from this process,
which is none of the services'.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from chassis import kafka
from chassis.clock import machine_now
from cli.stack import Stack
from cli.stack.worlds import World

DELAYS, WARM_UP, HOPS = 200, 20, 200
SERVICES = ["collaboration", "inventory", "logistics", "exceptions", "sales", "procurement"]
P50_BAR_MS, P99_BAR_MS = 25.0, 100.0
PATIENCE_SECONDS = 10.0


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


class Loop:
    """A world with trucks to delay."""

    def __init__(self, world: World) -> None:
        self._urls, self._http = world.urls, httpx.Client(timeout=30)
        self._heads = {
            role: {"Authorization": f"Bearer {world.token(role)}"}
            for role in ("logistics", "planning-lead", "inventory")
        }
        self._due = (machine_now() + timedelta(days=5)).date()

    def plant(self) -> list[str]:
        """Make a site and the trucks; returns their ids."""
        site = {"code": "Abidjan", "name": "Abidjan", "zone": "UTC", "calendar": "every-day"}
        self._post("inventory", "/sites", site, "inventory")
        day = self._due.isoformat()
        line = {
            "reference": "1",
            "item": "kit",
            "quantity": "1",
            "value": {"amount": "10", "currency": "USD"},
            "promised_on": day,
        }
        return [
            self._post("logistics", "/shipments", {"reference": f"B{n}", "destination": "Abidjan", "promised_on": day, "lines": [line]}, "logistics")["shipment_id"]
            for n in range(DELAYS + WARM_UP)
        ]  # fmt: skip

    def delay_ms(self, shipment: str) -> float:
        """Delay one truck; returns the time from the answer until both tasks can be read."""
        late = (self._due + timedelta(days=3)).isoformat()
        self._post(
            "logistics",
            f"/shipments/{shipment}/expected-arrival",
            {"expected_at": f"{late}T00:00:00Z", "reason": "customs"},
            "logistics",
        )
        begun = time.perf_counter()
        while time.perf_counter() - begun < PATIENCE_SECONDS:
            answer = self._http.get(
                f"{self._urls['exceptions']}/cases", params={"cause_id": shipment}, headers=self._heads["planning-lead"]
            )
            cases = answer.json()["items"]
            if cases and len(cases[0]["tasks"]) == 2:
                return (time.perf_counter() - begun) * 1000
        raise RuntimeError(f"no tasks for shipment {shipment} within {PATIENCE_SECONDS:.0f} s")

    def _post(self, service: str, path: str, body: dict[str, Any], role: str) -> Any:
        return (
            self._http.post(self._urls[service] + path, json=body, headers=self._heads[role]).raise_for_status().json()
        )


def percentile(values: list[float], share: float) -> float:
    """Return the value below which this share of the values lies."""
    return statistics.quantiles(values, n=1000, method="inclusive")[round(share * 1000) - 1]


def main(*, as_json: bool) -> bool:
    """Measure and print; returns whether the bars hold."""
    with tempfile.TemporaryDirectory(prefix="xd-bench-") as folder, Stack.start(Path(folder)) as stack:
        world = stack.create_world("bench", services=SERVICES)
        bootstrap = stack.infrastructure.kafka_bootstrap
        hops = hop_ms(bootstrap, "bench.inventory.item")
        loop = Loop(world)
        trucks = loop.plant()
        taken = [loop.delay_ms(truck) for truck in trucks][WARM_UP:]
    figures = {
        "kafka_hop_ms": {"p50": percentile(hops, 0.5), "p99": percentile(hops, 0.99), "n": len(hops)},
        "delay_to_tasks_ms": {"p50": percentile(taken, 0.5), "p99": percentile(taken, 0.99), "n": len(taken)},
        "bars_ms": {"p50": P50_BAR_MS, "p99": P99_BAR_MS},
    }  # fmt: skip
    holds = percentile(taken, 0.5) <= P50_BAR_MS and percentile(taken, 0.99) <= P99_BAR_MS
    if as_json:
        print(json.dumps({**figures, "holds": holds}, indent=2))
    else:
        for name, found in figures.items():
            print(f"{name:<20} p50 {found['p50']:7.2f}   p99 {found['p99']:7.2f}")
        print("the bars hold" if holds else "the bars do not hold")
    return holds
