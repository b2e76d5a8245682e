"""Steady simulated traffic: trucks are delayed, and simulated people answer some cases in full, some in part."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from chassis.runtime.clock import machine_now
from simulator import network, people
from simulator.service_client import ServiceClient, until

Tell = Callable[[str, dict[str, Any]], None]

EVERY_SECONDS = 300.0
HALFWAY = ("nothing", "acknowledged", "committed", "implemented", "verified")
PEOPLE = (3, 3, 3, 1, 2)  # how often each of these is as far as people come
NOBODY = (1, 0, 0, 0, 0)
REASONS = {
    "breakdown": "gearbox (simulated)",
    "weather": "road under water (simulated)",
    "customs": "papers are missing (simulated)",
    "capacity": "queue at the port (simulated)",
}


class Traffic:
    """Makes delays, one after another, and answers them as far as chance says."""

    def __init__(self, services: ServiceClient, tell: Tell, *, seed: int, people: tuple[int, ...] = PEOPLE) -> None:
        self._services, self._tell, self._people = services, tell, people
        self._chance = random.Random(seed)

    def run(self, *, every: float = EVERY_SECONDS, cases: int | None = None) -> None:
        """Make a delay now and each `every` seconds, until so many were made or for ever; raises Refused."""
        pause = threading.Event()
        if not self._services.get("inventory", "inventory", "/sites")["items"]:
            network.plant(self._services, seed=self._chance.randrange(1 << 30), now=machine_now(), run=_run())
        for made, truck in enumerate(self._trucks(), start=1):
            begun = time.monotonic()
            self._delay(truck)
            if cases is not None and made >= cases:
                return
            pause.wait(max(0.0, every - (time.monotonic() - begun)))

    def _trucks(self) -> Iterator[dict[str, Any]]:
        while True:
            yield from network.more(self._services, self._chance, now=machine_now(), run=_run()).trucks.values()

    def _delay(self, truck: dict[str, Any]) -> None:
        reason = self._chance.choice(list(REASONS))
        days = self._chance.choice((2, 2, 3, 4, 7))
        told = network.tell_late(
            self._services, truck, now=machine_now(), days=days, reason=reason, note=REASONS[reason]
        )
        case = until(lambda: self._case(told["id"]), "the case of a late truck")
        how_far = self._chance.choices(HALFWAY, self._people)[0]
        self._answer(case, HALFWAY.index(how_far))
        self._tell("traffic", {"text": f"{case['headline']}: {how_far}", "case_id": case["case_id"]})

    def _case(self, shipment_id: str) -> dict[str, Any] | None:
        found = self._services.get("planning-lead", "exceptions", "/cases", cause_id=shipment_id)["items"]
        return found[0] if found and len(found[0]["tasks"]) > 1 else None

    def _answer(self, case: dict[str, Any], how_far: int) -> None:
        if how_far >= HALFWAY.index("acknowledged"):
            people.acknowledge(self._services, case["case_id"])
        if how_far >= HALFWAY.index("committed"):
            for task in case["tasks"]:
                people.commit_to(self._services, task, machine_now())
        if how_far >= HALFWAY.index("implemented"):
            by_kind = {task["kind"]: task for task in case["tasks"]}
            people.choose(self._services, by_kind["find-alternative-source"]["task_id"])
            people.approve(self._services, case["case_id"], len(case["customers"]))
            until(lambda: self._is(case, "implemented"), "the case to be implemented")
        if how_far >= HALFWAY.index("verified"):
            people.verify(self._services, case["case_id"])

    def _is(self, case: dict[str, Any], state: str) -> bool:
        return bool(self._services.get("planning-lead", "exceptions", f"/cases/{case['case_id']}")["state"] == state)


def _run() -> str:
    return machine_now().strftime("%m%d%H%M%S%f")[:-3]
