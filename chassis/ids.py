"""Ids: time-ordered for what happens (UUIDv7), derived from the cause for what must not be made twice (uuid5)."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime
from uuid import UUID, uuid5

from chassis.clock import machine_now

_NAMESPACE = UUID("0b5b7a0e-93a1-5f5f-8a42-6f9a4c1f5c11")
_lock = threading.Lock()
_last = 0


def time_ordered_id() -> UUID:
    """Return a UUIDv7 of the machine's clock, strictly rising within this process."""
    global _last  # noqa: PLW0603  one counter per process is the point
    with _lock:
        now = int(machine_now().timestamp() * 1_000_000)
        _last = max(_last + 1, now)
        micros = _last
    millis, rest = divmod(micros, 1000)
    sub = (rest << 2) & 0xFFF  # microseconds of the millisecond, in the 12 bits after the version
    tail = int.from_bytes(os.urandom(8)) & ((1 << 62) - 1)
    return UUID(int=(millis & ((1 << 48) - 1)) << 80 | 0x7 << 76 | sub << 64 | 0b10 << 62 | tail)


def instant_of(time_ordered: UUID) -> datetime:
    """Return the instant inside a UUIDv7, to the millisecond."""
    return datetime.fromtimestamp((time_ordered.int >> 80) / 1000, tz=UTC)


def derived_id(*parts: object) -> UUID:
    """Return the id that the same parts always give."""
    return uuid5(_NAMESPACE, "/".join(str(part) for part in parts))
