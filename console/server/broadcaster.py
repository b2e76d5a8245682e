"""One follower of the case topic, shared by all readers, with a ring buffer of its newest records.

The position of a reader is a vector of Kafka offsets, one per partition. A reader whose position has left the ring
buffer is disconnected and resumes by its vector. A reader that asks for older records reads them from Kafka first.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from chassis.messaging import kafka
from chassis.messaging.tail import Seen, Tail, TopicPartition
from chassis.runtime import log

RETRY_SECONDS = 0.5
Vector = dict[TopicPartition, int]


@dataclass
class RingRecord:
    """A record in the ring buffer, with its JSON encoded once per access scope.

    `after` is the position behind it, for every reader that has received all records before it.
    """

    number: int
    seen: Seen
    visible_json: dict[object, bytes | None] = field(default_factory=dict)
    after: Vector = field(default_factory=dict)
    sent: dict[object, bytes] = field(default_factory=dict)


class Broadcaster:
    """Follows the topics in one thread, keeps the newest records and wakes the readers."""

    def __init__(self, tail: Callable[[str], Tail], size: int) -> None:
        self._make_tail = tail
        self._tail = tail("broadcaster")
        self._ring_buffer: deque[RingRecord] = deque(maxlen=size)
        self._numbers = 0
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news = asyncio.Event()
        self.ends: Vector = {}
        self._starts: Vector = {}
        self.ready = False
        self.fatal: BaseException | None = None
        self.on_fatal: Callable[[], None] = lambda: None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Follow from the topics' present ends, in a thread of its own."""
        self._loop = loop
        threading.Thread(target=self._run, name="broadcaster", daemon=True).start()

    def stop(self) -> None:
        """End the follower."""
        self._tail.stopped.set()

    def _run(self) -> None:
        try:
            start = self._start()
            with self._lock:
                self.ends, self._starts = dict(start), dict(start)
            self.ready = True
            for seen in self._tail.follow(start):
                if seen is not None:
                    self._keep(seen)
        except Exception as error:  # noqa: BLE001  kept, logged, and readiness fails
            self.fail(error)
        finally:
            self.ready = False
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self.wake)

    def fail(self, error: BaseException) -> None:
        """Keep and log why the server cannot go on, and let it end: it is started again whole."""
        self.fatal = error
        log.get().error("broadcaster.stopped", exc_info=error)
        self.on_fatal()

    def _start(self) -> Vector:
        """Return the topics' present ends, asked again until Kafka has them."""
        while not self._tail.stopped.is_set():
            try:
                return self._tail.ends()
            except kafka.KafkaException as error:
                log.get().warning("broadcaster.waits", detail=str(error)[:300])
                self._tail.stopped.wait(RETRY_SECONDS)
        return {}

    def _keep(self, seen: Seen) -> None:
        with self._lock:
            if len(self._ring_buffer) == self._ring_buffer.maxlen:
                oldest = self._ring_buffer[0].seen
                self._starts[oldest.topic, oldest.partition] = oldest.next
            self._numbers += 1
            self.ends[seen.topic, seen.partition] = seen.next
            self._ring_buffer.append(RingRecord(self._numbers, seen, after=dict(self.ends)))
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.wake)

    def wake(self) -> None:
        """Wake the readers; called in their loop."""
        self._news.set()
        self._news = asyncio.Event()

    def news(self) -> asyncio.Event:
        """Return the event that is set when a record arrives or the follower ends."""
        return self._news

    def holds(self, vector: Vector) -> bool:
        """Say whether everything after this vector is still in the ring."""
        with self._lock:
            return self._holds(vector)

    def _holds(self, vector: Vector) -> bool:
        return all(vector.get(place, 0) >= start for place, start in self._starts.items())

    def after(self, number: int, vector: Vector, limit: int) -> list[RingRecord] | None:
        """Return the records after a number, or for 0 after a vector; None when they have left the ring buffer."""
        with self._lock:
            if number == 0 and not self._holds(vector):
                return None
            if not self._ring_buffer or self._ring_buffer[-1].number <= number:
                return []
            first = self._ring_buffer[0].number
            if number == 0:
                return list(self._slice(0, limit))
            return None if number < first - 1 else list(self._slice(number - first + 1, limit))

    def _slice(self, start: int, limit: int) -> Iterator[RingRecord]:
        for index in range(start, min(start + limit, len(self._ring_buffer))):
            yield self._ring_buffer[index]

    def current_ends(self) -> Vector:
        """Return the place after the newest record of the ring."""
        with self._lock:
            return dict(self.ends)

    def older(self, vector: Vector, ends: Vector, client: str) -> Iterator[Seen]:
        """Yield from Kafka what lies between two vectors; blocks, so run it in a thread."""
        tail = self._make_tail(client)
        kept = tail.ends(first=True)  # what retention has taken will not come
        start = {place: max(vector.get(place, 0), kept.get(place, 0)) for place in ends}
        if all(start[place] >= end for place, end in ends.items()):
            return
        for seen in tail.follow(start):
            if seen is not None and seen.next <= ends.get((seen.topic, seen.partition), 0):  # 0: added meanwhile
                yield seen
            if all(max(tail.places.get(place, 0), start[place]) >= end for place, end in ends.items()):
                return


def format_vector(vector: Vector) -> str:
    """Return a vector as the id of a server-sent event: `topic/partition=next offset`, joined by commas."""
    return ",".join(f"{topic}/{partition}={offset}" for (topic, partition), offset in sorted(vector.items()))


def parse_vector(text: str) -> Vector:
    """Read an event id; raises ValueError where it is not one of ours."""
    vector: Vector = {}
    for part in text.split(","):
        place, equals, offset = part.partition("=")
        topic, slash, partition = place.rpartition("/")
        if not (equals and slash and partition.isdigit() and offset.isdigit()):
            raise ValueError(f"{part[:80]!r} is not `topic/partition=offset`")
        vector[topic, int(partition)] = int(offset)
    return vector
