"""The Faust processor of decision velocity: folds the facts of cases into a table, observes, publishes measures.

It writes no database and can be rebuilt from the topic. What Faust promises is not relied on where it was found
wanting: facts are taken as bytes and decoded here; nothing raises inside the agent; offsets are committed by this
room, in order and only after the broker has acknowledged both the new state and the measure, so that a worker that
is killed leaves nothing out. A fact that is heard again folds to the same state and says the same measure again,
under the same id. Each worker writes what it knows of a case under a key of its own, and a case is all that was
written of it: a worker that stood still and goes on overwrites nothing of who took over. After a restart the histogram starts at zero and counts what is implemented from then on: which
phases of a case were observed is part of its state, so no case is counted twice by any worker.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import faust
import uvloop
from faust.types import TP, EventT, StreamT

from chassis import log, points, topics
from chassis.ids import time_ordered_id
from chassis.process import EXIT_FAILED, EXIT_HUNG, EXIT_OK, OpsServer
from chassis.settings import ServiceSettings
from schemas import catalogue  # noqa: F401  every class of fact must be known before the first is decoded
from schemas.scorecard import MeasureRecorded
from services.scorecard import domain
from services.scorecard import metrics as said

SOURCE, TARGET, CHANGELOG = "exceptions.case", "scorecard.measure", "scorecard.stream-cases-changelog"
UNSETTLED_MAX = 2_000  # facts folded whose state or measure the broker has not acknowledged
DECODED_MAX = 2_000  # cases
LINGER_SECONDS = 0.005  # a measure may wait so long for others to travel with it
COMMIT_SECONDS = 0.5
STANDS_SECONDS = 2.5  # a worker to which nothing comes for so long looks whether something should
SEEK_AGAIN_SECONDS = 6.0  # a fetch under way lasts 1.5 s at the broker; a seek before its answer is in would drop it
SESSION_SECONDS, BEAT_SECONDS, REQUEST_SECONDS_MAX = 10.0, 2.0, 30.0
STUCK_SECONDS = 30.0
LOOK_SECONDS = 1.0
DRAIN_SECONDS_MAX = 8.0


Acknowledged = tuple["asyncio.Future[Any]", ...]


@dataclass(frozen=True)
class Unsettled:
    """A fact that was folded; it counts as done when the broker has acknowledged all that came of it."""

    offset: int
    acknowledged: Acknowledged
    key: bytes


class Worker:
    """One worker: its Faust app, the offsets that may be committed, and what the watchdog reads."""

    def __init__(self, settings: ServiceSettings) -> None:
        self.settings = settings
        self.folder = tempfile.mkdtemp(prefix="scorecard-stream-")  # Faust insists on one; memory writes nothing
        self.app: Any = _app(settings, self.folder)  # Faust's annotations do not cover what is used of it here
        self.source = self.app.topic(settings.topic(SOURCE), acks=False, **_RAW)
        self.cases: Any = self.app.Table("cases", key_type=bytes, value_type=bytes, on_changelog_event=self._on_state)
        self.writer = b"/" + time_ordered_id().hex.encode()
        self.rebuilt = 0  # states that were read back
        self.parts: dict[bytes, set[bytes]] = {}  # of each case, the keys of the table under which it was written
        self.app.agent(self.source, concurrency=1)(self.fold)
        self.app.on_partitions_revoked.connect(self._on_revoked, weak=False)
        self.app.on_rebalance_complete.connect(self._on_recovered, weak=False)
        self.unsettled: dict[TP, deque[Unsettled]] = {}
        self.positions: dict[TP, int] = {}  # the offset that comes next
        self.epoch = 0  # rises when partitions go away
        self.ends: dict[TP, int] = {}  # written by the watchdog
        self._sought: dict[TP, float] = {}
        self.moved_at = time.monotonic()
        self.open: dict[bytes, tuple[str, str, int]] = {}
        self._decoded: dict[bytes, tuple[bytes, domain.Case]] = {}
        self.ready = threading.Event()
        self.fatal: BaseException | None = None
        self._source_name = f"/crossdock/{settings.world}/scorecard"

    # ── the fold ─────────────────────────────────────────────────────────────────────────────────

    async def fold(self, stream: StreamT[bytes]) -> None:
        """Fold every fact of the partitions that this worker holds, each offset once and none left out."""
        async for event in stream.events():
            tp, offset, epoch = event.message.tp, event.message.offset, self.epoch
            acknowledged: Acknowledged = ()
            self.moved_at = time.monotonic()
            try:
                if not await self._is_next(tp, offset) or epoch != self.epoch:
                    continue
                acknowledged = await self._take(event)
            except ValueError as error:
                said.stream_facts_total.labels("unreadable").inc()
                log.get().error("fact.unreadable", offset=offset, detail=str(error)[:500])
            except Exception as error:  # noqa: BLE001  counted and shown; the check lists the case that lacks it
                said.stream_facts_total.labels("failed").inc()
                log.get().error("fact.failed", offset=offset, exc_info=error)
            if epoch != self.epoch:
                continue  # the partition went away meanwhile: whoever has it now hears this fact again
            waiting = self.unsettled.setdefault(tp, deque())
            waiting.append(Unsettled(offset, acknowledged, event.message.key or b""))
            self.positions[tp] = offset + 1
            if len(waiting) > UNSETTLED_MAX:
                await asyncio.wait(waiting[0].acknowledged, timeout=STUCK_SECONDS)

    async def _is_next(self, tp: TP, offset: int) -> bool:
        """Say whether this is the fact that follows; Faust drops the first records after a rebalance now and then."""
        await self._know_position(tp)
        if offset > self.positions[tp]:
            await self._go_back(tp)
        elif offset < self.positions[tp]:
            said.stream_facts_total.labels("repeated").inc()
        return offset == self.positions[tp]

    async def _know_position(self, tp: TP) -> None:
        if tp not in self.positions:
            committed = self.app.consumer._committed_offset.get(tp)
            start = committed or (await self.app.consumer.earliest_offsets(tp))[tp]
            self.positions.setdefault(tp, start)  # somebody else may have known it meanwhile

    async def look_back(self) -> None:
        """Seek where the topic goes on and nothing comes: what Faust dropped last leaves no gap to be seen."""
        if time.monotonic() - self.moved_at < STANDS_SECONDS:
            return  # a partition may stand because another one's facts are being folded
        for tp, end in list(self.ends.items()):
            await self._know_position(tp)
            if self.positions[tp] < end:
                await self._go_back(tp)

    async def _go_back(self, tp: TP) -> None:
        """Seek to the fact that was left out, unless the topic does not hold it any more."""
        consumer, wanted = self.app.consumer, self.positions[tp]
        if self.app.rebalancing or time.monotonic() < self._sought.get(tp, 0.0):
            return
        self._sought[tp] = time.monotonic() + SEEK_AGAIN_SECONDS
        earliest = (await consumer.earliest_offsets(tp))[tp]
        if earliest > wanted:
            log.get().error("facts.expired", partition=tp.partition, first=wanted, next=earliest)
            self.positions[tp] = earliest
            return
        said.stream_facts_total.labels("sought").inc()
        log.get().warning("stream.sought", partition=tp.partition, offset=wanted)
        consumer.stop_flow()
        await consumer.wait_for_stopped_flow()
        await consumer.seek_wait({tp: wanted})
        if not self.app.rebalancing:
            consumer.resume_flow()

    async def _take(self, event: EventT[bytes]) -> Acknowledged:
        heard, key = domain.heard(event.message.value or b""), event.message.key or b""
        before = self._case(key)
        case = domain.hear(before, heard.told)
        found = domain.measure(case)
        new = {} if found is None else domain.observable(found, case.observed)
        case = domain.observe(case, frozenset(new))
        said.stream_facts_total.labels("folded" if case != before else "known").inc()
        state = domain.dumped(case, "unknown" if found is None else found.state)
        mine = key + self.writer
        written = await self._send(CHANGELOG, mine, state, partition=event.message.partition)
        self.cases.data[mine] = state  # past the table's own write: the four layers under it cost as much as the fold
        self.parts.setdefault(key, set()).add(mine)
        self._remember(key, state, case)
        points.reached(points.IN_FOLD)
        for phase, duration_us in new.items():
            said.decision_seconds.labels(case.cause_kind, case.severity, phase).observe(duration_us / 1_000_000)
        if found is None:
            return (written,)
        self._count_open(key, case.cause_kind, case.severity, found.state, event.message.partition)
        sent = await self._send(
            TARGET, key, domain.said(case, found, heard, source=self._source_name), headers=_MEASURE
        )
        said.stream_measures_total.inc()
        return (written, sent)

    async def _send(
        self, topic: str, key: bytes, value: bytes | None, *, partition: int | None = None, headers: Any = None
    ) -> asyncio.Future[Any]:
        """Send through the app's producer; returns the acknowledgement to come."""
        sent: asyncio.Future[Any] = await self.app.producer.send(
            self.settings.topic(topic), key, value, partition, None, headers
        )
        return sent

    async def _on_state(self, event: EventT[bytes]) -> None:
        """While a table is rebuilt: note who wrote of which case."""
        written, self.rebuilt = event.message.key or b"", self.rebuilt + 1
        self.parts.setdefault(written.partition(b"/")[0], set()).add(written)

    def _case(self, key: bytes) -> domain.Case | None:
        known = self._decoded.get(key)
        if known is not None and known[0] is self.cases.data.get(key + self.writer):
            return known[1]
        case = None
        for part in self.parts.get(key, ()):
            if (state := self.cases.data.get(part)) is not None:
                case = domain.united(case, domain.loaded(state))
        return case

    def _remember(self, key: bytes, state: bytes, case: domain.Case) -> None:
        """Keep a case decoded: its next fact often comes soon. What lies in the table is the truth."""
        self._decoded[key] = (state, case)
        if len(self._decoded) > DECODED_MAX:
            del self._decoded[next(iter(self._decoded))]

    def _count_open(self, key: bytes, kind: str, severity: str, state: str, partition: int) -> None:
        before = self.open.pop(key, None)
        if before is not None:
            said.cases_open.labels(*before[:2]).dec()
        if state == "open":
            self.open[key] = (kind, severity, partition)
            said.cases_open.labels(kind, severity).inc()

    # ── partitions and offsets ───────────────────────────────────────────────────────────────────

    async def _on_revoked(self, *told: Any, **_: Any) -> None:
        """Before another worker takes over: wait until the broker has what this one folded, and say how far it came."""
        revoked: set[TP] = told[-1]
        self.ready.clear()
        self.epoch += 1
        waiting = [a for tp in revoked for one in self.unsettled.get(tp, ()) for a in one.acknowledged]
        if waiting:
            await asyncio.wait(waiting, timeout=SESSION_SECONDS / 2)
        await self.settle()
        for tp in revoked:
            self.unsettled.pop(tp, None)
            self.positions.pop(tp, None)
            self._sought.pop(tp, None)
            self.ends.pop(tp, None)

    async def _on_recovered(self, *_: Any, **__: Any) -> None:
        """Count the open cases of the partitions that this worker holds now."""
        self.open.clear()
        said.cases_open.clear()
        self._decoded.clear()
        held = {tp.partition for tp in self.app.consumer.assignment()}
        for key, parts in self.parts.items():
            partition = self.app.consumer.key_partition(self.settings.topic(SOURCE), key) or 0
            states = [state for part in parts if (state := self.cases.data.get(part)) is not None]
            if partition in held and states:  # the longest knows the most
                self._count_open(key, *domain.glance(max(states, key=len)), partition)
        self.ready.set()
        log.get().info("stream.recovered", cases=len(self.parts), partitions=sorted(held))

    async def settle(self) -> None:
        """Commit, for each partition, up to the first fact that is not settled. A write that failed ends the worker."""
        offsets: dict[TP, int] = {}
        for tp, waiting in list(self.unsettled.items()):
            while waiting and all(a.done() for a in waiting[0].acknowledged):
                one = waiting[0]
                for acknowledged in one.acknowledged:
                    if (error := acknowledged.exception()) is not None:
                        self.fatal = error
                        return
                waiting.popleft()
                offsets[tp] = one.offset + 1
                await self._take_over(one.key, tp.partition)
        if offsets:
            await self.app.consumer._commit(offsets)

    async def _take_over(self, key: bytes, partition: int) -> None:
        """Take away what others wrote of a case: what this worker wrote holds it too, and the broker has it."""
        for part in self.parts.get(key, set()) - {key + self.writer}:
            await self._send(CHANGELOG, part, None, partition=partition)
            self.cases.data.pop(part, None)
            self.parts[key].discard(part)


_MEASURE = [(topics.TYPE_HEADER, MeasureRecorded.event_name.encode())]
_RAW: dict[str, Any] = {"key_type": bytes, "value_type": bytes, "key_serializer": "raw", "value_serializer": "raw"}


def _app(settings: ServiceSettings, datadir: str) -> faust.App:
    group = settings.group("scorecard", "stream")
    member = f"{group}.{settings.instance}"
    return faust.App(
        group, broker=[f"aiokafka://{host}" for host in settings.kafka_bootstrap.split(",")], loop=asyncio.get_running_loop(),
        store="memory://", processing_guarantee="at_least_once", web_enabled=False, autodiscover=False,
        topic_allow_declare=False, topic_disable_leader=True, reply_create_topic=False, table_standby_replicas=0,
        consumer_group_instance_id=member, canonical_url=f"http://{member}", broker_client_id=member,
        consumer_auto_offset_reset="earliest", producer_acks=-1, producer_linger=LINGER_SECONDS, broker_session_timeout=SESSION_SECONDS,
        broker_heartbeat_interval=BEAT_SECONDS, broker_request_timeout=REQUEST_SECONDS_MAX, broker_max_poll_records=500, stream_wait_empty=False,
        stream_recovery_delay=0.0, worker_redirect_stdouts=False, datadir=datadir,
    )  # fmt: skip


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
            self._pause.wait(LOOK_SECONDS)
            try:
                self.look()
            except Exception as error:  # noqa: BLE001  the broker may be away; that is not this worker's fault
                log.get().warning("watchdog.waits", because=type(error).__name__, detail=str(error)[:300])

    def look(self) -> None:
        """Measure the lag; end the process when it does not shrink for half a minute."""
        positions = dict(self._worker.positions)
        lag = self._lag(positions)
        said.stream_lag_events.set(lag)
        now = time.monotonic()
        moved = (positions, self._worker.rebuilt)
        if moved != self._last or lag == 0:
            self._last, self._moved_at = moved, now
            said.stream_progress_timestamp_seconds.set_to_current_time()
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


def run(settings: ServiceSettings) -> int:
    """Serve until SIGTERM; returns the exit code. The topics must have been made before, with as many partitions each."""
    wanted = [settings.topic(name) for name in (SOURCE, TARGET, CHANGELOG)]
    standing = topics.standing(settings.kafka_bootstrap, wanted)
    if len(standing) < len(wanted) or len({standing[wanted[0]], standing[wanted[2]]}) > 1:
        log.get().error("topics.wrong", wanted=wanted, partitions=standing, advice="run `python -m tools.apply_topics`")
        return EXIT_FAILED
    return uvloop.run(_serve(settings))


async def _serve(settings: ServiceSettings) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    worker = Worker(settings)
    ops = OpsServer(settings, lambda: {"recovered": worker.ready.is_set(), "running": not stop.is_set()})
    ops.start()
    worker.app.finalize()
    starting = asyncio.ensure_future(worker.app.start())
    stopping = asyncio.ensure_future(stop.wait())
    Watchdog(worker).start()
    log.get().info("process.started", roles=["stream"], ops_port=settings.ops_port)
    while not stop.is_set() and _failure(worker, starting) is None:
        await asyncio.wait([stopping], timeout=COMMIT_SECONDS)
        if worker.ready.is_set() and not worker.app.rebalancing:
            await worker.settle()
            await worker.look_back()
    code = EXIT_OK if stop.is_set() else EXIT_FAILED
    if code == EXIT_FAILED:
        log.get().error("stream.failed", exc_info=_failure(worker, starting))
    else:
        await _drain(worker)
    log.get().info("process.ended", exit_code=code)
    shutil.rmtree(worker.folder, ignore_errors=True)
    sys.stdout.flush()
    os._exit(code)  # Faust's threads may outlive its stop; everything that matters was committed above


def _failure(worker: Worker, starting: asyncio.Future[Any]) -> BaseException | None:
    if worker.fatal is not None:
        return worker.fatal
    if starting.done() and starting.exception() is not None:
        return starting.exception()
    if worker.app.crashed or worker.app.should_stop:
        return worker.app.crash_reason or RuntimeError("Faust stopped without a reason")
    return None


async def _drain(worker: Worker) -> None:
    waiting = [a for held in worker.unsettled.values() for one in held for a in one.acknowledged]
    try:
        if waiting:
            await asyncio.wait(waiting, timeout=DRAIN_SECONDS_MAX / 2)
        await asyncio.wait_for(worker.settle(), DRAIN_SECONDS_MAX / 4)
        await asyncio.wait_for(worker.app.stop(), DRAIN_SECONDS_MAX / 4)
    except TimeoutError:
        log.get().warning("stream.drained_in_part")


__all__ = ["Worker", "run"]
