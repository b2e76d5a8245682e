"""The batch loop: poll one, drain what is there, one transaction, one inbox claim, reactions in order, flush, commit, offsets.

Outcomes of a (record, reaction) pair: done, duplicate, ignored, parked (waits behind a dead one), dead. A transient
failure is retried in place and never dies; anything else is run again around the pair that raised, or by halves, down to
one pair, which is tried a few times and then set aside with its subject (dead_letters, parked_subjects).
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Any, NamedTuple

from chassis.errors import Refusal
from chassis.messaging import dead_letters, inbox, kafka
from chassis.messaging.listener import Listener
from chassis.messaging.reactions import Loads, Reaction, Reactions
from chassis.messaging.records import Pair, Record, record_of
from chassis.persistence.context import nobodys
from chassis.persistence.database import RERUNS_MAX, Context, Database, Tx, is_transient, must_run_again
from chassis.runtime import crash_points, log, metrics
from chassis.runtime.settings import ServiceSettings
from schemas.base import REGISTER, Event
from schemas.envelope import Envelope, decode, type_of

POLL_SECONDS = 0.05
ATTEMPTS_MAX = 3
ATTEMPT_SECONDS = 0.01  # everybody else in the batch waits meanwhile; what needs longer to pass is dead and re-driven
OFFSETS_SECONDS = 0.25
BACKOFF_SECONDS_MAX = 1.0


class TooManyDead(RuntimeError):
    """Too many records in a row died: a bad release must not drain a topic into the dead letters."""


class Read(NamedTuple):
    """One Kafka message: its topic and partition as Kafka names them, its offset, and the pairs it becomes."""

    place: tuple[str, int]
    offset: int
    pairs: list[Pair]


def context_of(envelope: Envelope, now: datetime, *, driven: bool) -> Context:
    """Return why a reaction happens; in a driven world its time is that of the event (FLOW 6.2)."""
    return Context(
        correlation_id=envelope.correlationid,
        causation_id=envelope.id,
        cause_kind="event",
        now=envelope.recordedtime if driven else now,
        traceparent=envelope.traceparent,
        heard=envelope,
    )


class Consumer(Listener):
    """Runs one service's reactions until told to stop."""

    def __init__(
        self, database: Database, reactions: Reactions, settings: ServiceSettings, *, linger_seconds: float = 0
    ) -> None:
        """`linger_seconds` is how long a batch may wait to grow; for a service that only listens."""
        super().__init__(settings, database.service, "consumer")
        self._database, self._reactions = database, reactions
        self._linger_seconds = linger_seconds
        self._dead_in_a_row: Counter[str] = Counter()  # by reaction, since it last did its work
        self._hung: set[dead_letters.Place] | None = None  # read at the first batch after each assignment
        self._acting: Pair | None = None  # stays where its reaction raised
        self._uncommitted: dict[tuple[str, int], int] = {}
        self._committed_at = 0.0
        self._at_work = threading.Lock()  # partitions come and go between batches, whichever thread reads
        self.current: tuple[Record, str] | None = None  # read by the watchdog

    # ── the loop ─────────────────────────────────────────────────────────────────────────────────

    def run(self) -> None:
        """Consume until stopped; what it raises must stop the process."""
        if not self._reactions.by_event:
            self.assigned = True
            return
        consumer = self._join(self._reactions.topics(), on_revoke=self._on_revoke, on_lost=self._on_lost)
        try:
            with ThreadPoolExecutor(1, "reader") as reader:
                self._loop(consumer, reader)
        except Stopping:
            log.get().info("consumer.left_batch", because="told to stop; nothing of the batch is committed")
        finally:
            self._hand_back(consumer)
            self._leave(consumer)

    def _loop(self, consumer: kafka.Consumer, reader: ThreadPoolExecutor) -> None:
        """Work batch by batch. Behind a full one more is waiting: it is read while the database works on this one.

        Offsets are committed between two readings: beside one that gives partitions back, a commit stands still for ever.
        """
        ahead: Future[list[Read]] | None = None
        while not self.stopped.is_set():
            metrics.consumer_progress_timestamp_seconds.labels(self._service).set_to_current_time()
            batch = self._read(consumer) if ahead is None else ahead.result()
            self._commit_offsets(consumer)
            full = len(batch) >= self._settings.batch_events_max
            ahead = reader.submit(self._read, consumer) if full else None
            with self._at_work:
                self._take(batch)

    def _hand_back(self, consumer: kafka.Consumer) -> None:
        """Commit what was handled; where that fails somebody else is told again, and the inbox knows."""
        try:
            self._commit_offsets(consumer, now=True)
        except kafka.KafkaException as error:
            log.get().warning("consumer.offsets_left", detail=str(error)[:300])

    def _read(self, consumer: kafka.Consumer) -> list[Read]:
        """Return what is there, up to a batch, each record with what this service does about it."""
        found = [first] if (first := consumer.poll(POLL_SECONDS)) is not None else []
        if found:
            found += consumer.consume(self._settings.batch_events_max - 1, timeout=self._linger_seconds)
        heard = self._heard(consumer, found)
        return [Read((m.topic() or "", m.partition() or 0), m.offset() or 0, self._pairs(m)) for m in heard]

    def _take(self, batch: Sequence[Read]) -> None:
        started = time.perf_counter()
        ours = [read for read in batch if read.place in self.positions]  # not what was revoked since it was read
        if pairs := [pair for read in ours for pair in read.pairs]:
            self.answer(pairs)
            crash_points.hit(crash_points.AFTER_COMMIT)
        ends = {read.place: read.offset + 1 for read in ours}
        self._uncommitted.update(ends)
        self.positions.update(ends)
        if ours:
            metrics.batch_events.labels(self._service).observe(len(ours))
            metrics.batch_seconds.labels(self._service).observe(time.perf_counter() - started)

    def _commit_offsets(self, consumer: kafka.Consumer, *, now: bool = False) -> None:
        """Commit what was handled, a few times a second: what is told again after a crash, the inbox knows."""
        if self._uncommitted and (now or time.monotonic() - self._committed_at > OFFSETS_SECONDS):
            kept = [kafka.TopicPartition(t, p, offset) for (t, p), offset in self._uncommitted.items()]
            consumer.commit(offsets=kept, asynchronous=not now)  # type: ignore[call-overload]  # one of True and False
            self._uncommitted, self._committed_at = {}, time.monotonic()

    def _pairs(self, message: kafka.Message) -> list[Pair]:
        topic, value = self._settings.register_name(message.topic() or ""), message.value() or b""
        name, envelope, fault = kafka.header(message, kafka.TYPE_HEADER), None, ""
        try:
            name = name or type_of(value)
            reactions = self._reactions.by_event.get(name)
            if reactions is None and name in REGISTER:
                metrics.reaction_handled_total.labels(self._service, "none", "ignored").inc()
                return []
            envelope = decode(value, name)
        except Exception as error:  # noqa: BLE001  whatever reading raises is told of these bytes and ends nobody
            reactions, fault = [_UNREADABLE], str(error)[:2000]
        record = record_of(message, topic, name or "", envelope, fault)
        return [(record, reaction) for reaction in reactions or ()]

    # ── one batch, in parts where it fails ───────────────────────────────────────────────────────

    def answer(self, pairs: Sequence[Pair]) -> None:
        """Run reactions on records, in order: together, in parts where something fails, alone at last."""
        backoff = 0.05
        reruns = RERUNS_MAX
        while not self.stopped.is_set():
            try:
                self._transact(pairs)
                return
            except Exception as error:  # noqa: BLE001  sorted by kind below; none is dropped
                if must_run_again(error) and reruns:
                    reruns -= 1
                    metrics.transactions_rerun_total.labels(self._service).inc()
                    continue
                if is_transient(error) or (must_run_again(error) and len(pairs) == 1):
                    log.get().warning("consumer.waits", because=type(error).__name__, detail=str(error)[:300])
                    self.stopped.wait(backoff)
                    backoff = min(backoff * 2, BACKOFF_SECONDS_MAX)
                    reruns = RERUNS_MAX
                    continue
                if len(pairs) > 1:
                    for part in self._parts(pairs):
                        self.answer(part)
                else:
                    self._try_alone(pairs[0], error)
                return
        raise Stopping

    def _parts(self, pairs: Sequence[Pair]) -> list[Sequence[Pair]]:
        """Cut a batch around the pair that raised, or in halves where nobody knows which it is."""
        found = [at for at, pair in enumerate(pairs) if pair == self._acting]
        at, end = (found[0], found[0] + 1) if found else (len(pairs) // 2, len(pairs) // 2)
        return [part for part in (pairs[:at], pairs[at:end], pairs[end:]) if part]

    def _try_alone(self, pair: Pair, error: Exception) -> None:
        """Try one pair a few times, then set it aside with its subject."""
        for _attempt in range(2, ATTEMPTS_MAX + 1):
            if isinstance(error, Refusal):
                break  # an anticipated no does not become a yes
            self.stopped.wait(ATTEMPT_SECONDS)
            try:
                self._transact([pair])
                return
            except Exception as again:  # noqa: BLE001  becomes the cause of the dead letter
                if is_transient(again) or must_run_again(again):
                    self.answer([pair])
                    return
                error = again
        record, reaction = pair
        where = {"reaction": reaction.name, "topic": record.topic, "offset": record.offset}
        log.get().error("reaction.dead", **where, because=type(error).__name__, exc_info=error)
        self._transact([pair], dead_because=error)
        self._dead_in_a_row[reaction.name] += 1
        if (died := self._dead_in_a_row[reaction.name]) >= self._settings.dead_in_a_row_max:
            told = f"{reaction.name}: {died} records in a row died, the last of {record.topic}: {error}"
            raise TooManyDead(told) from error

    def _transact(self, pairs: Sequence[Pair], dead_because: Exception | None = None) -> None:
        with self._database.begin(nobodys("event")) as tx:
            if self._hung is None:
                self._hung = dead_letters.load_attempt_marks(tx)
            lives = [
                (r.envelope.id, a.name)
                for r, a in pairs
                if dead_because is None and r.envelope is not None and (*r.place, a.name) not in self._hung
            ]
            with tx.pipeline():
                asked = dead_letters.ask_parked(tx, pairs)
                claims = inbox.ask(tx, lives)
            parked = dead_letters.read_parked(asked)
            claimed = set() if claims is None else inbox.read(claims)
            live: list[Pair] = []
            for record, reaction in pairs:
                if dead_because is not None or record.envelope is None:
                    cause = type(dead_because).__name__ if record.envelope is not None else _unread(record)
                    detail = record.fault or str(dead_because)
                    dead_letters.store(
                        tx, record, reaction.name, cause=cause, detail=detail, park=record.envelope is not None
                    )
                    self._outcome(tx, reaction.name, "dead")
                elif (record.topic, record.key, reaction.name) in parked:
                    inbox.release(tx, claimed & {(record.envelope.id, reaction.name)})
                    dead_letters.park_behind(tx, record, reaction.name)
                    self._outcome(tx, reaction.name, "parked")
                elif (*record.place, reaction.name) in self._hung:
                    dead_letters.consume_attempt_mark(tx, (*record.place, reaction.name))
                    detail = "the reaction ran past its limit and the process was ended"
                    dead_letters.store(tx, record, reaction.name, cause="hung", park=True, detail=detail)
                    parked.add((record.topic, record.key, reaction.name))  # what follows it in this batch waits, too
                    self._outcome(tx, reaction.name, "dead")
                else:
                    live.append((record, reaction))
            self._react(tx, live, claimed)
        for _, reaction in live:
            self._dead_in_a_row.pop(reaction.name, None)

    def _react(self, tx: Tx, pairs: Sequence[Pair], claimed: set[inbox.Claim]) -> None:
        self._acting = None
        crash_points.hit(crash_points.AFTER_CLAIM)
        fresh: list[tuple[Record, Envelope, Reaction]] = []
        outcomes, seconds = Counter[tuple[str, str]](), list[tuple[str, float]]()
        for record, reaction in pairs:
            assert record.envelope is not None, "what could not be read is dead before this"
            if (record.envelope.id, reaction.name) in claimed:
                claimed.discard((record.envelope.id, reaction.name))  # the same event twice in one batch
                fresh.append((record, record.envelope, reaction))
            else:
                outcomes[reaction.name, "duplicate"] += 1
        by_loads: dict[str, tuple[Loads, list[Any]]] = {}
        for _, envelope, reaction in fresh:
            if reaction.loads is not None:
                by_loads.setdefault(reaction.name, (reaction.loads, []))[1].append(envelope.data)
        for loads, events in by_loads.values():
            loads(tx, events)
        outer, driven = tx.context, self._settings.driven
        try:
            for record, envelope, reaction in fresh:
                started = time.perf_counter()
                self._acting = (record, reaction)
                self.current = (record, reaction.name)  # one of its own for each: the watchdog tells them apart by it
                tx.context = context_of(envelope, outer.now, driven=driven)
                reaction.act(tx, envelope.data)
                seconds.append((reaction.name, time.perf_counter() - started))
                outcomes[reaction.name, "done"] += 1
            self._acting = None  # what raises from here on may be anybody's
        finally:
            self.current, tx.context = None, outer
        tx.after_commit(lambda: self._observe(outcomes, seconds))

    def _observe(self, outcomes: Counter[tuple[str, str]], seconds: list[tuple[str, float]]) -> None:
        for (reaction, outcome), times in outcomes.items():
            metrics.reaction_handled_total.labels(self._service, reaction, outcome).inc(times)
        taken = {reaction: metrics.reaction_seconds.labels(self._service, reaction) for reaction, _ in seconds}
        for reaction, each in seconds:
            taken[reaction].observe(each)

    def _outcome(self, tx: Tx, reaction: str, outcome: str) -> None:
        tx.count(metrics.reaction_handled_total.labels(self._service, reaction, outcome))

    # ── partitions ───────────────────────────────────────────────────────────────────────────────

    def _on_assign(self, consumer: kafka.Consumer, partitions: list[kafka.TopicPartition]) -> None:
        with self._at_work:
            self._hung = None  # who had these partitions before may have left a mark
            super()._on_assign(consumer, partitions)
        log.get().info("consumer.assigned", partitions=len(partitions))

    def _on_revoke(self, consumer: kafka.Consumer, partitions: list[kafka.TopicPartition]) -> None:
        with self._at_work:
            self._hand_back(consumer)
            self._forget(partitions)

    def _on_lost(self, _consumer: kafka.Consumer, partitions: list[kafka.TopicPartition]) -> None:
        """This process stood still for longer than the group waits: others have the partitions, and it joins anew."""
        log.get().warning("consumer.lost", partitions=len(partitions))
        with self._at_work:
            self._forget(partitions)

    def _forget(self, partitions: list[kafka.TopicPartition]) -> None:
        for tp in partitions:
            self.positions.pop((tp.topic, tp.partition), None)
            self._uncommitted.pop((tp.topic, tp.partition), None)


class Stopping(RuntimeError):
    """The process was told to stop in the middle of a batch; nothing of it is committed."""


def _unread(record: Record) -> str:
    return "unknown" if record.type and record.type not in REGISTER else "undecodable"


UNREADABLE = "unreadable"  # stands for the reaction where a record could not be read
_UNREADABLE = Reaction(UNREADABLE, Event, lambda _tx, _event: None, None)  # never run: its records are dead
