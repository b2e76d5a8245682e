"""Send states and measures to the broker in batches: one send and one future per record cost more than the fold.

A case that moved several times in a round is written once, as it stands at the end; each fact has its measure.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from chassis.messaging import topics
from chassis.runtime import crash_points
from schemas.scorecard import MeasureRecorded
from services.scorecard import domain

FACTS_MAX = 250
LINGER_SECONDS = 0.02  # a measure may wait so long for others to travel with it

Records = list[tuple[bytes, bytes | None]]
Headers = list[tuple[str, bytes]]  # a list: aiokafka takes nothing else
_MEASURE: Headers = [(topics.TYPE_HEADER, MeasureRecorded.event_name.encode())]
_NONE: Headers = []


@dataclass(frozen=True, slots=True)
class ChangedCase:
    """A case that is to be written: as it stands, what its clock says, on which partition."""

    case: domain.Case
    state: str
    partition: int


@dataclass(slots=True)
class Batch:
    """What was folded since the last round; `acknowledged` is done when the broker has all that came of it."""

    acknowledged: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    changed: dict[bytes, ChangedCase] = field(default_factory=dict)
    removed: dict[bytes, int] = field(default_factory=dict)  # key of the changelog → partition
    measures: defaultdict[int, Records] = field(default_factory=lambda: defaultdict(list))
    facts: int = 0
    timer: asyncio.TimerHandle | None = None


class BatchProducer:
    """Gathers a round and sends it, each partition in the order of its facts, states before measures."""

    def __init__(
        self,
        changelog: str,
        target: str,
        producer: Callable[[], Any],
        write: Callable[[Batch], Mapping[int, Records]],
        wrote: Callable[[int, int, int], None],
    ) -> None:
        self._changelog, self._target = changelog, target
        self._producer = producer  # aiokafka's, inside Faust's: it is there once the app runs
        self._write = write
        self._wrote = wrote  # called with partition, first offset and number of records written to the changelog
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self.round = Batch()

    async def refresh_partitions(self) -> None:
        """Let the producer read anew how many partitions its topics have: it refuses to send to one that it does not know.

        What it remembers is up to five minutes old, and its topics may have grown since.
        """
        if (producer := self._producer()) is not None:
            await producer.client.force_metadata_update()

    def add_changed_case(self, key: bytes, change: ChangedCase, measure: bytes | None) -> asyncio.Future[None]:
        """Take what a fact led to; returns the acknowledgement to come."""
        now = self._current_batch()
        now.changed[key] = change
        if measure is not None:
            now.measures[change.partition].append((key, measure))
        now.facts += 1
        if now.facts >= FACTS_MAX:
            self.send_batch()
        return now.acknowledged

    def add_removed_key(self, key: bytes, partition: int) -> None:
        """Take a key away from the changelog."""
        self._current_batch().removed[key] = partition

    def send_batch(self) -> None:
        """Send what was gathered so far."""
        now, self.round = self.round, Batch()
        if now.timer is None:
            return
        now.timer.cancel()
        try:
            states = self._write(now)
        except Exception as error:  # noqa: BLE001  whoever settles reads it and ends the worker
            now.acknowledged.set_exception(error)
            return
        task = asyncio.get_running_loop().create_task(self._send(now, states))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _current_batch(self) -> Batch:
        if self.round.timer is None:
            self.round.timer = asyncio.get_running_loop().call_later(LINGER_SECONDS, self.send_batch)
        return self.round

    async def _send(self, now: Batch, states: Mapping[int, Records]) -> None:
        try:
            async with self._turn:  # taken in the order of the rounds
                sent = []
                for partition, records in states.items():
                    sent += await self._submit(self._changelog, partition, records, _NONE, self._wrote)
                for _ in now.changed:
                    crash_points.hit(crash_points.IN_FOLD)
                for partition, records in now.measures.items():
                    sent += await self._submit(self._target, partition, records, _MEASURE)
            await asyncio.gather(*sent)
        except Exception as error:  # noqa: BLE001  whoever settles reads it and ends the worker
            now.acknowledged.set_exception(error)
        else:
            now.acknowledged.set_result(None)

    async def _submit(
        self,
        topic: str,
        partition: int,
        records: Records,
        headers: Headers,
        wrote: Callable[[int, int, int], None] | None = None,
    ) -> list[asyncio.Future[Any]]:
        producer = self._producer()
        sent, batch = [], producer.create_batch()

        async def submit() -> None:
            future: asyncio.Future[Any] = await producer.send_batch(batch, topic, partition=partition)
            if wrote is not None:
                future.add_done_callback(partial(_report_written, wrote, batch.record_count()))
            sent.append(future)

        for key, value in records:
            if batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
                await submit()
                batch = producer.create_batch()
                batch.append(timestamp=None, key=key, value=value, headers=headers)
        await submit()
        return sent


def _report_written(wrote: Callable[[int, int, int], None], records: int, future: asyncio.Future[Any]) -> None:
    if not future.cancelled() and future.exception() is None:
        put = future.result()
        wrote(put.partition, put.offset, records)
