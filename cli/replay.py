"""Replay the delivery records through the public APIs into a driven world (FLOW 6.4, FLOW 7), or import them as
history."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from cli.driver import Driver, Moment, Run
from cli.service_client import DrivenWorld, ImportResult, RefusedItem, ServiceClient
from formats import scms_requests
from formats.scms import DeliveryFile
from formats.scms_requests import BatchEndpoint
from formats.scms_steps import DayStep, masters, shipments, steps

Progress = Callable[[datetime, int], None]

# Whose timers follow from the plans and records that are told: a shipment is due when its day ends.
TIMES_SHIPMENTS = "logistics"
# Who hears much and says nothing of its own that moves the loop; waited for at the end only (FLOW 6.3).
LISTENERS = ("scorecard", "forecast", "collaboration")
# Which of them hears every topic.
HEARS_EVERYTHING = "scorecard"


@dataclass(frozen=True)
class Replayed:
    """What a replay did; the figures are asked from the services afterwards."""

    run: Run
    created: int
    unchanged: int
    refused: tuple[RefusedItem, ...]
    retried: int
    items: int
    end: datetime


@dataclass(frozen=True)
class Script:
    """A file as the driver tells it: the masters first, then the days."""

    steps: tuple[DayStep, ...]
    masters: scms_requests.BatchRequests
    end: datetime

    @property
    def items(self) -> int:
        """Count what is told after the masters."""
        return sum(_items(step) for step in self.steps)


def script_of(file: DeliveryFile, until: date | None) -> Script:
    """Lay out what is told; nothing of it looks at what becomes known after `until`."""
    told = steps(shipments(file.lines), until or date.max)
    last = until or told[-1].day
    return Script(told, scms_requests.master_items(masters(told)), scms_requests.end_of(last))


def replay(script: Script, services: ServiceClient, *, progress: Progress = lambda at, items: None) -> Replayed:
    """Tell a file to a driven world, day by day; told again, it goes on where it was broken off."""
    told, world = ImportResult(), DrivenWorld(services, listeners=LISTENERS, event_listener=HEARS_EVERYTHING)
    try:
        tell_all(script.masters, services, told)
        driver: Driver[DayStep] = Driver(
            world,
            lambda days: tell_all(scms_requests.step_items(days), services, told),
            timer_service=TIMES_SHIPMENTS,
            progress=progress,
        )
        run = driver.drive(moments(script.steps), end=script.end)
    finally:
        world.close()
    return Replayed(run, told.created, told.unchanged, tuple(told.refused), services.retried, script.items, script.end)


def bring_history(
    file: DeliveryFile, services: ServiceClient, *, progress: Callable[[int], None] = lambda n: None
) -> ImportResult:
    """Tell a file to a running world as what is over: plan and receipt in one act, no case for any of it."""
    told, known = ImportResult(), shipments(file.lines)
    days = steps(known)
    tell_all(scms_requests.master_items(masters(days)), services, told)
    for endpoint, items in scms_requests.history_items(days, known):
        tell_all([(endpoint, items)], services, told)
        progress(len(items))
    return told


def tell_all(
    telling: Iterable[tuple[BatchEndpoint, Sequence[dict[str, Any]]]], services: ServiceClient, imported: ImportResult
) -> None:
    """Send items to their endpoints, in the written order."""
    for endpoint, items in telling:
        if items:
            services.tell(
                endpoint.service,
                endpoint.path,
                items,
                source=scms_requests.SOURCE,
                role=endpoint.role,
                imported=imported,
            )


def moments(days: Iterable[DayStep]) -> Iterable[Moment[DayStep]]:
    """Say of each day what it makes fall due and what it answers."""
    for day in days:
        yield Moment(
            at=scms_requests.start_of(day.day),
            content=day,
            items=_items(day),
            arms=[(plan.shipment, scms_requests.end_of(plan.due_on)) for plan in day.plans],
            answers=[delivery.shipment for delivery in day.deliveries],
        )


def fingerprint(entries: Iterable[tuple[str, str, str, Iterable[tuple[str, str]]]]) -> str:
    """Hash the sorted list of shipment, due day, verdict and candidates (line and supplier)."""
    listed = sorted([name, due, verdict, sorted(map(list, pairs))] for name, due, verdict, pairs in entries)
    text = json.dumps(listed, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _items(step: DayStep) -> int:
    return len(step.orders) + len(step.purchase_orders) + len(step.plans) + len(step.deliveries)
