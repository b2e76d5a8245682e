"""The fold as a Faust agent, the partitions it holds, and how far each of them may be committed."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from faust.types import TP, EventT, StreamT

from chassis.ids import time_ordered_id
from chassis.runtime import log
from chassis.runtime.settings import ServiceSettings
from schemas import catalogue  # noqa: F401  every class of fact must be known before the first is decoded
from services.scorecard import domain, metrics as events
from services.scorecard.stream.app import RAW, SESSION_SECONDS, app_of
from services.scorecard.stream.batch_producer import Batch, BatchProducer, ChangedCase, Records
from services.scorecard.stream.changelog_state import ChangelogState

SOURCE, TARGET, CHANGELOG = "exceptions.case", "scorecard.measure", "scorecard.stream-cases-changelog"
UNSETTLED_MAX = 2_000  # facts folded whose state or measure the broker has not acknowledged
DECODED_MAX = 2_000  # cases
STANDS_SECONDS = 2.5  # a worker to which nothing comes for so long looks whether something should
SEEK_AGAIN_SECONDS = 6.0  # a fetch under way lasts 1.5 s at the broker; a seek before its answer is in would drop it
SETTLE_SECONDS_MAX = 30.0
METADATA_SECONDS_MAX = 5.0

_FOLDED, _KNOWN = events.stream_facts_total.labels("folded"), events.stream_facts_total.labels("known")


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A fact that was folded; it counts as done when the broker has acknowledged all that came of it."""

    offset: int
    acknowledged: asyncio.Future[None] | None  # None where nothing came of it
    key: bytes


class Worker:
    """One worker: its Faust app, the offsets that may be committed, and what the watchdog reads."""

    def __init__(self, settings: ServiceSettings) -> None:
        self.settings = settings
        self.app: Any = app_of(settings)  # Faust's annotations do not cover what is used of it here
        self.source = self.app.topic(settings.topic(SOURCE), acks=False, **RAW)
        self.states = ChangelogState(settings.kafka_bootstrap, settings.topic(CHANGELOG))
        self.writer = time_ordered_id().hex.encode()
        self.app.agent(self.source, concurrency=1)(self.fold)
        self.app.on_partitions_revoked.connect(self._on_revoked, weak=False)
        self.app.on_rebalance_complete.connect(self._on_recovered, weak=False)
        self.producer = BatchProducer(
            settings.topic(CHANGELOG),
            settings.topic(TARGET),
            lambda: self.app.producer._producer,
            self._write,
            self.states.wrote,
        )
        self.unsettled: dict[TP, deque[Unsettled]] = {}
        self.positions: dict[TP, int] = {}  # the offset that comes next
        self.epoch = 0  # rises when partitions go away
        self.ends: dict[TP, int] = {}  # written by the watchdog
        self._seek_again_at = 0.0
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
            acknowledged: asyncio.Future[None] | None = None
            self.moved_at = time.monotonic()
            try:
                comes_next = self.positions.get(tp) == offset or await self._is_next(tp, offset)
                if not comes_next or epoch != self.epoch:
                    continue  # where the partition went away meanwhile, whoever has it now hears this fact again
                acknowledged = self._take(event)
            except ValueError as error:
                events.stream_facts_total.labels("unreadable").inc()
                log.get().error("fact.unreadable", offset=offset, detail=str(error)[:500])
            except Exception as error:  # noqa: BLE001  counted and shown; the check lists the case that lacks it
                events.stream_facts_total.labels("failed").inc()
                log.get().error("fact.failed", offset=offset, exc_info=error)
            waiting = self.unsettled.setdefault(tp, deque())
            waiting.append(Unsettled(offset, acknowledged, event.message.key or b""))
            self.positions[tp] = offset + 1
            if len(waiting) > UNSETTLED_MAX and (first := waiting[0].acknowledged) is not None and not first.done():
                await asyncio.wait([first], timeout=SETTLE_SECONDS_MAX)

    async def _is_next(self, tp: TP, offset: int) -> bool:
        """Say whether this is the fact that follows; Faust drops the first records after a rebalance now and then."""
        await self._know_position(tp)
        if offset > self.positions[tp]:
            await self._go_back()
        elif offset < self.positions[tp]:
            events.stream_facts_total.labels("repeated").inc()
        return offset == self.positions[tp]

    async def _know_position(self, tp: TP) -> None:
        if tp not in self.positions:
            committed = self.app.consumer._committed_offset.get(tp)
            start = committed or (await self.app.consumer.earliest_offsets(tp))[tp]
            self.positions.setdefault(tp, start)  # somebody else may have known it meanwhile

    async def seek_missed_records(self) -> None:
        """Seek where the topic goes on and nothing comes: what Faust dropped last leaves no gap to be seen."""
        if time.monotonic() - self.moved_at < STANDS_SECONDS:
            return  # a partition may stand because another one's facts are being folded
        ends = dict(self.ends)
        for tp in ends:
            await self._know_position(tp)
        if any(self.positions.get(tp, end) < end for tp, end in ends.items()):  # revoked meanwhile: another worker's
            await self._go_back()

    async def _go_back(self) -> None:
        """Seek every partition to the fact that comes next; one that the topic does not hold any more is given up.

        All at once: to seek, the flow is stopped, and Faust drops what it is fetching of any partition meanwhile.
        """
        consumer = self.app.consumer
        if self.app.rebalancing or time.monotonic() < self._seek_again_at:
            return
        self._seek_again_at = time.monotonic() + SEEK_AGAIN_SECONDS
        for tp, earliest in (await consumer.earliest_offsets(*self.positions)).items():
            if earliest > self.positions.get(tp, earliest):
                log.get().error("facts.expired", partition=tp.partition, first=self.positions[tp], next=earliest)
                self.positions[tp] = earliest
        events.stream_facts_total.labels("sought").inc()
        consumer.stop_flow()
        await consumer.wait_for_stopped_flow()
        if self.app.rebalancing:
            return  # the partitions go, and whoever gets them begins where they were committed
        offsets = {tp: offset for tp, offset in self.positions.items() if tp in consumer.assignment()}
        log.get().warning("stream.sought", offsets={tp.partition: offset for tp, offset in offsets.items()})
        await consumer.seek_wait(offsets)
        if not self.app.rebalancing:
            consumer.resume_flow()

    def _take(self, event: EventT[bytes]) -> asyncio.Future[None]:
        fact, key, partition = (
            domain.decode_fact(event.message.value or b""),
            event.message.key or b"",
            event.message.partition,
        )
        before = self._case(partition, key)
        case = domain.fold(before, fact.event)
        measured = domain.measure(case)
        new = {} if measured is None else domain.observable(measured, case.observed)
        case = domain.observe(case, frozenset(new))
        (_KNOWN if case is before else _FOLDED).inc()
        for phase, duration_us in new.items():
            events.decision_seconds.labels(case.cause_kind, case.severity, phase).observe(duration_us / 1_000_000)
        if measured is None:
            return self.producer.add_changed_case(key, ChangedCase(case, "unknown", partition), None)
        self._count_open(key, case.cause_kind, case.severity, measured.state, partition)
        measure = domain.encode_measure(case, measured, fact, source=self._source_name)
        events.stream_measures_total.inc()
        return self.producer.add_changed_case(key, ChangedCase(case, measured.state, partition), measure)

    def _write(self, now: Batch) -> dict[int, Records]:
        """Remember the decoded cases of a batch and return the changelog records by partition."""
        records_by_partition: dict[int, Records] = {}
        for case_key, changed in now.changed.items():
            state = domain.serialize(changed.case, changed.state)
            self._remember(case_key, state, changed.case)
            records_by_partition.setdefault(changed.partition, []).append((case_key + b"/" + self.writer, state))
        for gone, partition in now.removed.items():
            records_by_partition.setdefault(partition, []).append((gone, None))
        for partition, records in records_by_partition.items():
            for key, written in records:
                self.states.put(partition, key, written)
        return records_by_partition

    def _case(self, partition: int, key: bytes) -> domain.Case | None:
        if (moved := self.producer.round.changed.get(key)) is not None:
            return moved.case
        states, known = self.states.of(partition, key), self._decoded.get(key)
        if known is not None and known[0] is states.get(self.writer):
            return known[1]
        case = None
        for state in states.values():
            case = domain.merge(case, domain.deserialize(state))
        return case

    def _remember(self, key: bytes, state: bytes, case: domain.Case) -> None:
        """Keep a case decoded: its next fact often comes soon. What the changelog has is the truth."""
        self._decoded[key] = (state, case)
        if len(self._decoded) > DECODED_MAX:
            del self._decoded[next(iter(self._decoded))]

    def _count_open(self, key: bytes, kind: str, severity: str, state: str, partition: int) -> None:
        before, now = self.open.get(key), (kind, severity, partition) if state == "open" else None
        if before == now:
            return
        if before is not None:
            del self.open[key]
            events.cases_open.labels(*before[:2]).dec()
        if now is not None:
            self.open[key] = now
            events.cases_open.labels(kind, severity).inc()

    # ── partitions and offsets ───────────────────────────────────────────────────────────────────

    async def _on_revoked(self, *arguments: Any, **_: Any) -> None:
        """Before another worker takes over: wait until the broker has what this one folded, and say how far it came."""
        revoked: set[TP] = arguments[-1]
        self.ready.clear()
        self.epoch += 1
        self._seek_again_at = 0.0
        await self.acknowledged(revoked, SESSION_SECONDS / 2)
        await self.settle()
        for tp in revoked:
            self.unsettled.pop(tp, None)
            self.positions.pop(tp, None)
            self.ends.pop(tp, None)

    async def _on_recovered(self, *_: Any, **__: Any) -> None:
        """Read back what is known of the partitions that this worker holds now; Faust lets no fact come before."""
        self.open.clear()
        events.cases_open.clear()
        self._decoded.clear()
        held = {tp.partition for tp in self.app.consumer.assignment()}
        await self.states.load(held)
        await self.producer.refresh_partitions()
        for partition in held:
            for key, states in self.states.cases(partition).items():  # the longest knows the most
                self._count_open(key, *domain.peek_header(max(states.values(), key=len)), partition)
        self.ready.set()
        cases = sum(len(self.states.cases(partition)) for partition in held)
        log.get().info("stream.recovered", cases=cases, records=self.states.read, partitions=sorted(held))

    async def rejoin(self) -> None:
        """Join the group again with fresh metadata, because this worker may be the one that assigns the partitions.

        Only its leader's joining makes the broker rebalance, and no worker knows after a restart whether it leads: each
        one that sees partitions without a member calls this.
        """
        thread = self.app.consumer._thread
        joining = asyncio.run_coroutine_threadsafe(_join_again(thread._consumer), thread.thread_loop)
        try:
            await asyncio.wait_for(asyncio.wrap_future(joining), METADATA_SECONDS_MAX)
        except TimeoutError:
            log.get().warning("stream.rejoin_waits", because="no broker returned the partitions of the topic in time")

    async def acknowledged(self, partitions: Iterable[TP], seconds: float) -> None:
        """Send what was folded of partitions and wait, at most so long, until the broker has it."""
        self.producer.send_batch()
        folded = (one for tp in partitions for one in self.unsettled.get(tp, ()))
        waiting = {one.acknowledged for one in folded if one.acknowledged is not None}
        if waiting:
            await asyncio.wait(waiting, timeout=seconds)

    async def settle(self) -> None:
        """Commit, for each partition, up to the first fact that is not settled. A write that failed ends the worker."""
        offsets: dict[TP, int] = {}
        for tp, waiting in list(self.unsettled.items()):
            while waiting and ((acknowledged := waiting[0].acknowledged) is None or acknowledged.done()):
                if acknowledged is not None and (error := acknowledged.exception()) is not None:
                    self.fatal = error
                    return
                one = waiting.popleft()
                offsets[tp] = one.offset + 1
                self._take_over(one.key, tp.partition)
        if offsets:
            await self.app.consumer._commit(offsets)

    def _take_over(self, key: bytes, partition: int) -> None:
        """Take away what others wrote of a case: what this worker wrote holds it too, and the broker has it."""
        for writer in self.states.of(partition, key).keys() - {self.writer}:
            self.producer.add_removed_key(key + b"/" + writer, partition)


async def _join_again(consumer: Any) -> None:
    await consumer._client.force_metadata_update()
    consumer._coordinator.request_rejoin()
