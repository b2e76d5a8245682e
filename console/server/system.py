"""State of the world's processes, asked at each ops port: up, ready, consumer lag, age of the oldest unsent event."""

from __future__ import annotations

import asyncio
from collections import defaultdict

import httpx
from fastapi import FastAPI, Request
from prometheus_client.parser import text_string_to_metric_families
from pydantic import BaseModel

from chassis.errors import Forbidden
from chassis.runtime.clock import machine_now
from console.server.session import Who
from schemas.access import PERSONS

ASK_SECONDS = 2.0
READ = {"x-act": "read", "x-roles": [*PERSONS], "x-machine": []}


class Process(BaseModel):
    """One process; a figure is absent where the process does not have it."""

    name: str
    up: bool
    ready: bool
    parts: dict[str, bool] = {}
    lag_events: float | None = None
    progress_age_seconds: float | None = None
    outbox_pending_events: float | None = None
    outbox_oldest_seconds: float | None = None
    dead_letters: float | None = None
    timers_overdue: float | None = None
    velocity_difference: float | None = None


class System(BaseModel):
    """Every process that this console was told of."""

    world: str
    as_of: str
    processes: tuple[Process, ...]


# Figure → the gauges that it is the sum of, over their labels.
SUMS = {
    "lag_events": ("consumer_lag_events", "scorecard_stream_lag_events"),
    "outbox_pending_events": ("outbox_pending_events",),
    "outbox_oldest_seconds": ("outbox_oldest_pending_seconds",),
    "dead_letters": ("dead_letters",),
    "timers_overdue": ("timers_overdue",),
    "velocity_difference": ("scorecard_velocity_difference",),
}
PROGRESS = ("consumer_progress_timestamp_seconds", "scorecard_stream_progress_timestamp_seconds")


def add(app: FastAPI) -> None:
    """Add the route."""

    @app.get("/processes", openapi_extra=READ)
    async def system(request: Request, who: Who) -> System:
        """Say how every process stands; one that does not answer within two seconds is down."""
        who.may("read")
        if not who.roles.intersection(PERSONS):
            raise Forbidden("how the processes stand is shown to persons")
        state = request.app.state
        urls: dict[str, str] = state.settings.ops_urls
        asked = (_read_process(state.services, name, url) for name, url in sorted(urls.items()))
        processes = tuple(await asyncio.gather(*asked))
        return System(world=state.settings.world, as_of=machine_now().isoformat(), processes=processes)


async def _read_process(client: httpx.AsyncClient, name: str, url: str) -> Process:
    try:
        ready, metrics = await asyncio.gather(
            client.get(f"{url}/ready", timeout=ASK_SECONDS), client.get(f"{url}/metrics", timeout=ASK_SECONDS)
        )
    except httpx.HTTPError:
        return Process(name=name, up=False, ready=False)
    return Process(name=name, up=True, ready=ready.is_success, parts=ready.json(), **figures(metrics.text))


def figures(text: str) -> dict[str, float]:
    """Return the figures that a page of metrics holds; pure."""
    found: defaultdict[str, float] = defaultdict(float)
    moved: list[float] = []
    for family in text_string_to_metric_families(text):
        for figure, gauges in SUMS.items():
            if family.name in gauges and family.samples:
                found[figure] += sum(sample.value for sample in family.samples)
        if family.name in PROGRESS:
            moved += [sample.value for sample in family.samples if sample.value]
    if moved:
        found["progress_age_seconds"] = max(0.0, machine_now().timestamp() - min(moved))
    return dict(found)
