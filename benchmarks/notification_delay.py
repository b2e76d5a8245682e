"""Delay from the API's answer until a reader of the exception stream has both tasks.

A hundred readers follow the stream, and twenty shipments are delayed per second.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import httpx

from benchmarks import loop, sse, work
from benchmarks.figures import Figure
from chassis.runtime.clock import machine_now
from cli.stack import Stack
from cli.stack.recipe import CONSOLE
from cli.stack.worlds import World

READERS, PER_SECOND, SECONDS, SECONDS_FULL, WARM_UP = 100, 20, 15, 60, 40
WORLD = "bench-told"
PATIENCE_SECONDS = 30.0
P50_MS_MAX, P99_MS_MAX = 30, 120
TASK = b'"type":"exceptions.task.opened.v1"'
TASKS = 2


def measure(stack: Stack, full: bool) -> Iterator[Figure]:
    """Delay trucks at a steady rate in a world of its own."""
    world = stack.create_world(WORLD, services=[*loop.SERVICES, CONSOLE])
    try:
        planted = loop.Loop(world)
        trucks = planted.plant(WARM_UP + PER_SECOND * (SECONDS_FULL if full else SECONDS))
        planted.close()
        taken = asyncio.run(_delays(world, trucks))[WARM_UP:]
    finally:
        stack.drop_world(WORLD)
    for name, share, bar in (("p50", 0.5, P50_MS_MAX), ("p99", 0.99, P99_MS_MAX)):
        yield Figure(f"told.delay_to_tasks_{name}", work.percentile(taken, share), "ms", at_most=bar)


async def _delays(world: World, trucks: list[str]) -> list[float]:
    """Return, delay by delay, the milliseconds from its answer until one of the readers had both tasks."""
    came: defaultdict[str, list[float]] = defaultdict(list)
    opened = await sse.opened(urlsplit(world.urls[CONSOLE]).port or 0, world.token("viewer"), READERS)
    reading = [asyncio.create_task(_take(opened[0][1], came))]
    reading += [asyncio.create_task(_drain(reader)) for _, reader in opened[1:]]
    late = (machine_now() + timedelta(days=8)).date().isoformat()
    answered: dict[str, float] = {}
    head = {"Authorization": f"Bearer {world.token('logistics')}"}
    async with httpx.AsyncClient(headers=head, timeout=PATIENCE_SECONDS) as http:

        async def delay(truck: str) -> None:
            body = {"expected_at": f"{late}T00:00:00Z", "reason": "customs"}
            answer = await http.post(f"{world.urls['logistics']}/shipments/{truck}/expected-arrival", json=body)
            answer.raise_for_status()
            answered[truck] = time.perf_counter()

        begun, acts = time.perf_counter(), []
        for number, truck in enumerate(trucks):
            await asyncio.sleep(max(0.0, begun + number / PER_SECOND - time.perf_counter()))
            acts.append(asyncio.create_task(delay(truck)))
        await asyncio.gather(*acts)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while any(len(came[truck]) < TASKS for truck in trucks):
            if reading[0].done():
                raise RuntimeError("the stream ended before every task had come")
            await asyncio.sleep(0.05)
    for one in reading:
        one.cancel()
    await asyncio.gather(*reading, return_exceptions=True)
    return [(came[truck][TASKS - 1] - answered[truck]) * 1000 for truck in trucks]


async def _take(reader: asyncio.StreamReader, came: defaultdict[str, list[float]]) -> None:
    while line := await reader.readline():
        if TASK in line:
            now = time.perf_counter()
            came[str(json.loads(line[6:])["data"]["cause"]["id"])].append(now)


async def _drain(reader: asyncio.StreamReader) -> None:
    while await reader.read(1 << 16):
        pass
