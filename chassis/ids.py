"""Ids: time-ordered for what happens (UUIDv7), derived from the cause for what must not be made twice (uuid5)."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from uuid import UUID, uuid5

_NAMESPACE = UUID("0b5b7a0e-93a1-5f5f-8a42-6f9a4c1f5c11")
_lock = threading.Lock()
_last = 0
_POOL_BYTES = 4096
_pool: Iterator[int] = iter(())  # randomness is fetched in blocks: one question to the kernel for 512 ids


def time_ordered_id() -> UUID:
    """Return a UUIDv7 of the machine's clock, strictly rising within this process."""
    global _last  # noqa: PLW0603  one counter per process is the point
    with _lock:
        _last = micros = max(_last + 1, time.time_ns() // 1000)
    tail = random_64() & ((1 << 62) - 1)
    millis, rest = divmod(micros, 1000)
    sub = (rest << 2) & 0xFFF  # microseconds of the millisecond, in the 12 bits after the version
    return UUID(int=(millis & ((1 << 48) - 1)) << 80 | 0x7 << 76 | sub << 64 | 0b10 << 62 | tail)


def random_64() -> int:
    """Return 64 random bits."""
    global _pool  # noqa: PLW0603  one pool per process is the point
    while (number := next(_pool, None)) is None:
        _pool = iter(memoryview(os.urandom(_POOL_BYTES)).cast("Q"))
    return number


def derived_id(*parts: object) -> UUID:
    """Return the id that the same parts always give."""
    return uuid5(_NAMESPACE, "/".join(str(part) for part in parts))
