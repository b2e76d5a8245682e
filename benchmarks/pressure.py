"""An API under three times what it can take: `python -m benchmarks.pressure [IN_FLIGHT …]`, one row per bound."""

from __future__ import annotations

import asyncio
import statistics
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.chassis import toy
from tests.support.pressure import Answer, Clients
from tests.support.running import running, tables
from tests.support.service import token
from tests.support.stack import Infrastructure

CLIENTS, TIMES, SECONDS = 32, 3, 8.0
REFUSED_BAR_MS, ACT_BAR_MS = 50.0, 50.0


async def _course(port: int) -> tuple[list[Answer], list[Answer]]:
    clients = Clients(port, lambda subject: f"/counters/{subject}", token("sre"))
    await clients.one_after_the_other(CLIENTS, SECONDS / 4)
    clients.taken()
    await clients.one_after_the_other(CLIENTS, SECONDS)
    calm = clients.taken()
    await clients.at(TIMES * len(calm) / SECONDS, SECONDS)
    return calm, clients.taken()


def _p(answers: list[Answer], status: int) -> str:
    times = [a.seconds * 1000 for a in answers if a.status == status]
    if len(times) < 2:
        return "none"
    points = statistics.quantiles(times, n=100)
    return f"{points[49]:.1f} / {points[98]:.1f}"


def main(bounds: list[int]) -> int:
    """Measure each bound on a database of its own; exit code 1 when a refusal takes longer than its bar."""
    infra, holds = Infrastructure(), True
    print("in flight | acts/s, 32 clients | p50/p99 ms | offered/s | done/s | p50/p99 ms | refused/s | p50/p99 ms")
    try:
        for bound in bounds:
            url = infra.database("toy")
            tables(url, toy.metadata)
            told = {
                "DATABASE_URL": url, "KAFKA_BOOTSTRAP": "127.0.0.1:1", "LOG_LEVEL": "error", "HTTP_IN_FLIGHT_MAX": str(bound),
            }  # fmt: skip
            with (
                TemporaryDirectory() as folder,
                running("tests.chassis.toy", "api", folder=Path(folder), told=told) as api,
            ):
                calm, hard = asyncio.run(_course(api.port))
            refused = sorted(a.seconds * 1000 for a in hard if a.status == 503)
            holds &= not refused or refused[int(len(refused) * 0.99)] <= REFUSED_BAR_MS
            done = sum(a.status == 201 for a in hard)
            print(
                f"{bound or 'default':>9} | {len(calm) / SECONDS:18.0f} | {_p(calm, 201):>10} | {len(hard) / SECONDS:9.0f}"
                f" | {done / SECONDS:6.0f} | {_p(hard, 201):>10} | {len(refused) / SECONDS:9.0f} | {_p(hard, 503):>10}"
            )
    finally:
        infra.close()
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main([int(word) for word in sys.argv[1:]] or [0]))
