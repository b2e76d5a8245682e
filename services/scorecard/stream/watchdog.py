"""End the process when the worker makes no progress."""

from __future__ import annotations

import os
import sys
import threading
import time

from faust.types import TP

from chassis.messaging import topics
from chassis.runtime import log
from chassis.runtime.process import EXIT_HUNG
from services.scorecard import metrics as events
from services.scorecard.stream.worker import SOURCE, Worker

STUCK_SECONDS = 30.0
CHECK_SECONDS = 1.0


class Watchdog(threading.Thread):
    """Ends the process when there is something to fold and nothing moves: Faust may stop in silence."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._worker = worker
        self._ends = topics.Ends(worker.settings.kafka_bootstrap)
        self._moved_at = time.monotonic()
        self._last: object = None
        self._pause = threading.Event()

    def run(self) -> None:
        """Look every second for as long as the process lives."""
        while True:
            self._pause.wait(CHECK_SECONDS)
            try:
                self.check()
            except Exception as error:  # noqa: BLE001  the broker may be away; that is not this worker's fault
                log.get().warning("watchdog.waits", because=type(error).__name__, detail=str(error)[:300])

    def check(self) -> None:
        """Measure the lag; end the process when it does not shrink for half a minute."""
        positions = dict(self._worker.positions)
        lag = self._lag(positions)
        events.stream_lag_events.set(lag)
        now = time.monotonic()
        moved = (positions, self._worker.states.read)
        if moved != self._last or lag == 0:
            self._last, self._moved_at = moved, now
            events.stream_progress_timestamp_seconds.set_to_current_time()
        elif now - self._moved_at > STUCK_SECONDS:
            log.get().error("stream.stuck", lag=lag, seconds=round(now - self._moved_at))
            sys.stdout.flush()
            os._exit(EXIT_HUNG)

    def _lag(self, positions: dict[TP, int]) -> int:
        worker = self._worker
        topic = worker.settings.topic(SOURCE)
        held = {tp.partition: tp for tp in worker.app.consumer.assignment() if tp.topic == topic}
        worker.ends = {held[partition]: end for partition, end in self._ends.of(topic, held).items()}
        committed = worker.app.consumer._committed_offset
        return sum(max(0, end - (positions.get(tp) or committed.get(tp) or 0)) for tp, end in worker.ends.items())
