"""The live exception stream of one reader: from its place on, in order, without gap or duplicate, only what it may see."""

from __future__ import annotations

import asyncio
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

    async def __aiter__(self) -> AsyncIterator[bytes]:
        reader = self._reader
        yield b"retry: 1000\n" + beat(reader.vector)
        if not self._hub.holds(reader.vector):
            async with self._catch_ups:
                async for chunk in self._older():
                    yield chunk
        while not self._expired():
            kept = self._hub.after(self._number, CHUNK_RECORDS)
            if kept is None:
                return  # fell out of the ring: dropped at its bound, resumes by its last id
            if kept:
                self._number = kept[-1].number
                if chunk := b"".join(self._taken(kept)):
                    yield chunk
            elif not await self._hub.news(self._heartbeat_seconds):
                yield beat(reader.vector)

    async def _older(self) -> AsyncIterator[bytes]:
        older = iter(self._hub.older(self._reader.vector, self._reader.client))
        while True:
            seen = await asyncio.to_thread(_some, older)
            if not seen:
                return
            if chunk := b"".join(self._taken([Kept(0, one) for one in seen])):
                yield chunk

    def _taken(self, kept: list[Kept]) -> Iterator[bytes]:
        reader = self._reader
        for one in kept:
            seen = one.seen
            place = (seen.topic, seen.partition)
            if seen.next <= reader.vector.get(place, 0):
                continue  # seen before the connection was lost
            reader.vector[place] = seen.next
            if not reader.chosen.takes(seen.envelope):
                continue
            scope = view.scope_of(reader.actor)
            if scope not in one.shown:
                one.shown[scope] = view.shown(seen.envelope, reader.actor)
            data = one.shown[scope]
            if data is not None:
                yield event(reader.vector, seen.envelope.type, data)

    def _expired(self) -> bool:
        ends = self._reader.actor.expires_at
        return ends is not None and machine_now().timestamp() >= ends


def _some(older: Iterator[Seen]) -> list[Seen]:
    found: list[Seen] = []
    for seen in older:
        found.append(seen)
        if len(found) >= CHUNK_RECORDS:
            break
    return found
