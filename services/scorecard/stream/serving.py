"""One process of the stream: its worker, its health, its end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Any

import uvloop

from chassis.messaging import topics
from chassis.messaging.membership import Coverage
from chassis.runtime import log
from chassis.runtime.process import EXIT_FAILED, EXIT_OK, OpsServer
from chassis.runtime.settings import ServiceSettings
from services.scorecard.stream.watchdog import Watchdog
from services.scorecard.stream.worker import CHANGELOG, SOURCE, TARGET, Worker

COMMIT_SECONDS, DRAIN_SECONDS_MAX = 0.5, 8.0


def run(settings: ServiceSettings) -> int:
    """Serve until SIGTERM; returns the exit code. The topics must have been made before, with as many partitions each."""
    wanted = [settings.topic(name) for name in (SOURCE, TARGET, CHANGELOG)]
    standing = topics.standing(settings.kafka_bootstrap, wanted)
    if len(standing) < len(wanted) or len(set(standing.values())) > 1:
        log.get().error("topics.wrong", wanted=wanted, partitions=standing, advice="run `python -m tools.apply_topics`")
        return EXIT_FAILED
    return uvloop.run(_serve(settings))


async def _serve(settings: ServiceSettings) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    worker, coverage = Worker(settings), Coverage(settings, "scorecard", "stream", [SOURCE])
    ops = OpsServer(
        settings,
        lambda: {
            "recovered": worker.ready.is_set(),
            "stream_partitions": coverage.complete(),
            "running": not stop.is_set(),
        },
    )
    ops.start()
    worker.app.finalize()
    starting = asyncio.ensure_future(worker.app.start())
    stopping = asyncio.ensure_future(stop.wait())
    Watchdog(worker).start()
    coverage.start()
    log.get().info("process.started", roles=["stream"], ops_port=settings.ops_port)
    while not stop.is_set() and _failure(worker, starting) is None:
        await asyncio.wait([stopping], timeout=COMMIT_SECONDS)
        if worker.ready.is_set() and not worker.app.rebalancing:
            await worker.settle()
            await worker.seek_missed_records()
            await _rejoin_where_due(worker, coverage)
    code = EXIT_OK if stop.is_set() else EXIT_FAILED
    if code == EXIT_FAILED:
        log.get().error("stream.failed", exc_info=_failure(worker, starting))
    else:
        await _drain(worker)
    log.get().info("process.ended", exit_code=code)
    sys.stdout.flush()
    os._exit(code)  # Faust's threads may outlive its stop; everything that matters was committed above


async def _rejoin_where_due(worker: Worker, coverage: Coverage) -> None:
    if coverage.rejoin.is_set():
        coverage.rejoin.clear()
        log.get().warning("stream.rejoins", because="partitions of its topic have no member")
        await worker.rejoin()


def _failure(worker: Worker, starting: asyncio.Future[Any]) -> BaseException | None:
    if worker.fatal is not None:
        return worker.fatal
    if starting.done() and starting.exception() is not None:
        return starting.exception()
    if worker.app.crashed or worker.app.should_stop:
        return worker.app.crash_reason or RuntimeError("Faust stopped without a reason")
    return None


async def _drain(worker: Worker) -> None:
    try:
        await worker.acknowledged(list(worker.unsettled), DRAIN_SECONDS_MAX / 2)
        await asyncio.wait_for(worker.settle(), DRAIN_SECONDS_MAX / 4)
        await asyncio.wait_for(worker.app.stop(), DRAIN_SECONDS_MAX / 4)
    except TimeoutError:
        log.get().warning("stream.drained_in_part")
