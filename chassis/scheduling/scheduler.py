"""Fires due timers in the order of their due times; part of the consumer role, and of the effects role for its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from chassis.messaging import dead_letters, inbox
from chassis.messaging.consumer import ATTEMPTS_MAX
from chassis.messaging.reactions import Reactions
from chassis.messaging.records import Record
from chassis.persistence.context import nobodys
from chassis.persistence.database import RERUNS_MAX, Context, Database, ReadTx, Tx, is_transient, must_run_again
from chassis.runtime import crash_points, log, metrics
from chassis.runtime.settings import ServiceSettings
from chassis.scheduling import timers
from chassis.scheduling.timers import Timer
from schemas.envelope import CauseOfFact

BATCH_MAX = 200
IDLE_SECONDS = 1.0  # between two looks at the timers that another process may have set
CONTENDED_SECONDS = 0.05
TOPIC = "timer"  # dead timers lie beside the dead records under this name


def context_of(timer: Timer, now: datetime, *, driven: bool) -> Context:
    """Return why a timer's reaction happens; in a driven world it is due exactly now (FLOW 6.2)."""
    return Context(
        correlation_id=timer.correlation_id,
        causation_id=timer.timer_id,
        cause_kind="timer",
        now=timer.due_at if driven else now,
        armed_by=timer.armed_by,
        armed_kind=cast(CauseOfFact, timer.armed_kind),
        traceparent=timer.traceparent,
    )


class Scheduler:
    """Fires the timers that this service's reactions name."""

    def __init__(self, database: Database, reactions: Reactions, settings: ServiceSettings) -> None:
        self._database, self._reactions, self._settings = database, reactions, settings
        self.stopped, self.woken = threading.Event(), threading.Event()

    def run(self) -> None:
        """Fire what is due until stopped; woken early when a driven clock was moved."""
        if not self._reactions.at_timers:
            return
        while not self.stopped.is_set():
            try:
                self.woken.clear()
                pause = 0.0 if self.fire_due() else self._pause()
            except Exception as error:
                if not (is_transient(error) or must_run_again(error)):
                    raise
                log.get().warning("scheduler.waits", detail=str(error)[:300])
                pause = IDLE_SECONDS
            if pause:
                self.woken.wait(pause)

    def _pause(self) -> float:
        """Return how long nothing can fall due: a driven clock wakes whom it moves, and so does a timer that is set."""
        if self._settings.driven:
            return IDLE_SECONDS * 5
        with self._database.reading() as read:
            due = next_due(read, list(self._reactions.at_timers))
            now = read.world_now
        return IDLE_SECONDS if due is None else min(IDLE_SECONDS, max(0.0, (due - now).total_seconds()))

    def fire_due(self) -> int:
        """Fire the earliest due timers in one transaction; returns how many."""
        limit, reruns, attempts = BATCH_MAX, RERUNS_MAX, ATTEMPTS_MAX
        while True:
            try:
                return self._fire(limit)
            except Exception as error:
                if must_run_again(error) and reruns:
                    reruns -= 1
                elif is_transient(error):
                    raise
                elif limit > 1:
                    limit, reruns = max(1, limit // 8), RERUNS_MAX
                elif must_run_again(error):
                    self.stopped.wait(CONTENDED_SECONDS)  # another process is at it; losing a race is no failure
                    reruns = RERUNS_MAX
                elif attempts > 1:
                    attempts -= 1
                else:
                    return self._fire(1, dead_because=error)

    def _fire(self, limit: int, dead_because: Exception | None = None) -> int:
        with self._database.begin(nobodys("timer")) as tx:
            world_now = tx.context.now
            due = timers.claim_due(tx, list(self._reactions.at_timers), world_now, limit)
            if not due:
                return 0
            timers.mark_fired(tx, due, self._database.clock.now(tx.now))
            claimed = inbox.claim(tx, [(t.timer_id, f"at {t.name}") for t in due])
            for timer in due:
                outcome = "duplicate"
                if dead_because is not None:
                    outcome = self._bury(tx, timer, dead_because)
                elif (timer.timer_id, f"at {timer.name}") in claimed:
                    outcome = "done"
                    with tx.within(context_of(timer, world_now, driven=self._settings.driven)):
                        self._reactions.at_timers[timer.name](tx, timer)
                tx.count(metrics.timers_fired_total.labels(self._database.service, timer.name, outcome))
            crash_points.hit(crash_points.IN_TIMER)
        return len(due)

    def _bury(self, tx: Tx, timer: Timer, error: Exception) -> str:
        value = json.dumps(timer._asdict(), default=str).encode()
        record = Record(TOPIC, 0, timer.timer_id.int >> 65, timer.subject, timer.name, value, None)
        dead_letters.store(tx, record, f"at {timer.name}", cause=type(error).__name__, detail=str(error), park=False)
        log.get().error("timer.dead", timer=timer.name, subject=timer.subject, exc_info=error)
        return "dead"


def revived(value: bytes) -> Timer:
    """Return the timer inside a dead letter."""
    raw: dict[str, Any] = json.loads(value)
    ids = {name: UUID(raw[name]) for name in ("timer_id", "armed_by", "correlation_id")}
    return Timer(**(raw | ids | {"due_at": datetime.fromisoformat(raw["due_at"])}))


def next_due(read: ReadTx, names: Sequence[str]) -> datetime | None:
    """Return the earliest pending due instant of these timers."""
    pending = "SELECT min(due_at) AS due FROM timers WHERE fired_at IS NULL AND disarmed_at IS NULL AND name = ANY(%s)"
    row = read.sql(pending, list(names)).fetchone()
    return row["due"] if row else None
