"""The live exception stream of one reader: from its place on, in order, without gap or duplicate, only what it may see."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from chassis.auth import Actor
from chassis.clock import machine_now
from chassis.tail import Seen
from console.server import view
from console.server.hub import Hub, Kept, Vector, written

CHUNK_RECORDS = 200


@dataclass
class Reader:
    """Who reads, from which place, with which filter."""

    actor: Actor
    vector: Vector
    chosen: view.Filter
    client: str


def event(vector: Vector, name: str, data: bytes) -> bytes:
    """Return one server-sent event; its id is the place after it."""
    return b"id: " + written(vector).encode() + b"\nevent: " + name.encode() + b"\ndata: " + data + b"\n\n"


def beat(vector: Vector) -> bytes:
    """Return a heartbeat; the id moves on even when nothing of it was shown."""
    return b"id: " + written(vector).encode() + b"\n: \n\n"


class Stream:
    """Streams the hub's records to one reader."""

    def __init__(self, hub: Hub, reader: Reader, *, heartbeat_seconds: float, catch_ups: asyncio.Semaphore) -> None:
        self._hub, self._reader = hub, reader
        self._heartbeat_seconds, self._catch_ups = heartbeat_seconds, catch_ups
        self._number = 0
        self._is_cut = False

    def cut(self) -> None:
        """End with the next thing that comes or is waited for: the reader's session holds no longer."""
        self._is_cut = True
        self._hub.wake()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        reader = self._reader
        yield b"retry: 1000\n" + beat(reader.vector)
        while self._left() > 0 and not self._hub.holds(reader.vector):
            async with self._catch_ups:
                async for chunk in self._older():
                    yield chunk
        while self._left() > 0 and self._hub.ready:
            news = self._hub.news()  # asked for before looking, so that nothing comes in between unnoticed
            kept = self._hub.after(self._number, reader.vector, CHUNK_RECORDS)
            if kept is None:
                return  # fell out of the ring: dropped at its bound, resumes by its last id
            if kept:
                self._number = kept[-1].number
                if chunk := b"".join(self._taken(kept)):
                    yield chunk
            elif not await _within(news, min(self._heartbeat_seconds, self._left())):
                yield beat(reader.vector)

    async def _older(self) -> AsyncIterator[bytes]:
        vector, ends = self._reader.vector, self._hub.reached()
        older = self._hub.older(dict(vector), ends, self._reader.client)
        while seen := await asyncio.to_thread(_some, older):
            if chunk := b"".join(self._taken([Kept(0, one) for one in seen])):
                yield chunk
        for place, end in ends.items():  # past records that nobody can read
            vector[place] = max(vector.get(place, 0), end)

    def _taken(self, kept: list[Kept]) -> Iterator[bytes]:
        reader = self._reader
        for one in kept:
            seen = one.seen
            place = (seen.topic, seen.partition)
            if seen.next <= reader.vector.get(place, 0):
                continue  # seen before the connection was lost
            reader.vector[place] = seen.next
            if not reader.chosen.takes(seen.envelope, reader.actor):
                continue
            scope = view.scope_of(reader.actor)
            if scope not in one.shown:
                one.shown[scope] = view.shown(seen.envelope, reader.actor)
            data = one.shown[scope]
            if data is not None:
                yield event(reader.vector, seen.envelope.type, data)

    def _left(self) -> float:
        """Return how many seconds the reader's token still holds; none where its session was ended."""
        if self._is_cut:
            return 0.0
        ends = self._reader.actor.expires_at
        return math.inf if ends is None else ends - machine_now().timestamp()


async def _within(news: asyncio.Event, seconds: float) -> bool:
    """Wait for something new, at most this long; say whether there is."""
    try:
        await asyncio.wait_for(news.wait(), max(0.0, seconds))
    except TimeoutError:
        return False
    return True


def _some(older: Iterator[Seen]) -> list[Seen]:
    found: list[Seen] = []
    for seen in older:
        found.append(seen)
        if len(found) >= CHUNK_RECORDS:
            break
    return found
