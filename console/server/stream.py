"""The live exception stream of one reader: the facts it may see, in order from its position, each exactly once."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from chassis.http.auth import Actor
from chassis.messaging.tail import Seen
from chassis.runtime.clock import machine_now
from console.server import view
from console.server.broadcaster import Broadcaster, RingRecord, Vector, format_vector

CHUNK_RECORDS = 200


@dataclass
class Reader:
    """A connected reader: its identity, its position, its filter and the name of its Kafka client."""

    actor: Actor
    vector: Vector
    chosen: view.Filter
    client: str


def event(vector: Vector, name: str, data: bytes) -> bytes:
    """Return one server-sent event; its id is the place after it."""
    return b"id: " + format_vector(vector).encode() + b"\nevent: " + name.encode() + b"\ndata: " + data + b"\n\n"


def heartbeat(vector: Vector) -> bytes:
    """Return a heartbeat; the id moves on even when nothing of it was shown."""
    return b"id: " + format_vector(vector).encode() + b"\n: \n\n"


class Stream:
    """Streams the broadcaster's records to one reader."""

    def __init__(
        self, broadcaster: Broadcaster, reader: Reader, *, heartbeat_seconds: float, catch_ups: asyncio.Semaphore
    ) -> None:
        self._broadcaster, self._reader = broadcaster, reader
        self._heartbeat_seconds, self._catch_ups = heartbeat_seconds, catch_ups
        self._number = 0
        self._is_closed = False
        self._is_caught_up = False
        self._scope = view.scope_of(reader.actor)

    def close(self) -> None:
        """End with the next thing that comes or is waited for: the reader's session holds no longer."""
        self._is_closed = True
        self._broadcaster.wake()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        reader, loop = self._reader, asyncio.get_running_loop()
        yield b"retry: 1000\n" + heartbeat(reader.vector)
        while self._left() > 0 and not self._broadcaster.holds(reader.vector):
            async with self._catch_ups:
                async for chunk in self._older():
                    yield chunk
        sent_at = loop.time()
        while self._left() > 0 and self._broadcaster.ready:
            news = self._broadcaster.news()  # asked for before looking, so that nothing comes in between unnoticed
            kept = self._broadcaster.after(self._number, reader.vector, CHUNK_RECORDS)
            if kept is None:
                return  # fell out of the ring: dropped at its bound, resumes by its last id
            chunk = b""
            if kept:
                self._number = kept[-1].number
                chunk = b"".join(self._encode_caught_up(kept) if self._is_caught_up else self._encode_new(kept))
                self._is_caught_up = self._is_caught_up or reader.vector == kept[-1].after
            elif loop.time() - sent_at >= self._heartbeat_seconds:
                chunk = heartbeat(reader.vector)
            if chunk:
                yield chunk
                sent_at = loop.time()
            elif not kept:
                await news.wait()  # woken by news, and by the broadcaster's tick: no timer for each reader

    def _encode_caught_up(self, records: list[RingRecord]) -> Iterator[bytes]:
        """Yield the events for a reader that has caught up; readers of one scope share the same bytes."""
        reader, scope = self._reader, self._scope
        for one in records:
            if not reader.chosen.takes(one.seen.envelope, reader.actor):
                continue
            if scope not in one.sent:
                data = self._visible_json(one)
                one.sent[scope] = b"" if data is None else event(one.after, one.seen.envelope.type, data)
            yield one.sent[scope]
        reader.vector = records[-1].after

    async def _older(self) -> AsyncIterator[bytes]:
        vector, ends = self._reader.vector, self._broadcaster.current_ends()
        older = self._broadcaster.older(dict(vector), ends, self._reader.client)
        while seen := await asyncio.to_thread(_some, older):
            if chunk := b"".join(self._encode_new([RingRecord(0, one) for one in seen])):
                yield chunk
        for place, end in ends.items():  # past records that nobody can read
            vector[place] = max(vector.get(place, 0), end)

    def _encode_new(self, records: list[RingRecord]) -> Iterator[bytes]:
        reader = self._reader
        for one in records:
            seen = one.seen
            place = (seen.topic, seen.partition)
            if seen.next <= reader.vector.get(place, 0):
                continue  # seen before the connection was lost
            reader.vector[place] = seen.next
            if not reader.chosen.takes(seen.envelope, reader.actor):
                continue
            data = self._visible_json(one)
            if data is not None:
                yield event(reader.vector, seen.envelope.type, data)

    def _visible_json(self, one: RingRecord) -> bytes | None:
        if self._scope not in one.visible_json:
            one.visible_json[self._scope] = view.visible_json(one.seen.envelope, self._reader.actor)
        return one.visible_json[self._scope]

    def _left(self) -> float:
        """Return how many seconds the reader's token still holds; none where its session was ended."""
        if self._is_closed:
            return 0.0
        ends = self._reader.actor.expires_at
        return math.inf if ends is None else ends - machine_now().timestamp()


def _some(older: Iterator[Seen]) -> list[Seen]:
    found: list[Seen] = []
    for seen in older:
        found.append(seen)
        if len(found) >= CHUNK_RECORDS:
            break
    return found
