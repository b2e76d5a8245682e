"""The only readers of the clock (FLOW 6).

`machine_now` serves tokens, leases, back-off, ids and retention. A world's time is kept by a WorldClock and
reaches operations as `tx.now`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal


def machine_now() -> datetime:
    """Return the machine's time, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class WorldClock:
    """How a world's time follows from the machine's: the same, faster from an epoch, or moved by a driver."""

    kind: Literal["wall", "scaled", "driven"]
    epoch: datetime | None = None
    speed: float = 1.0
    started: datetime | None = None

    @classmethod
    def parse(cls, text: str) -> WorldClock:
        """Read `wall`, `driven` or `<ISO instant>x<speed>`; raise ValueError with the forms that are understood."""
        if text in ("wall", "driven"):
            return cls(kind=text)  # type: ignore[arg-type]  # narrowed by the line above
        matched = re.fullmatch(r"(.+)x(\d+(?:\.\d+)?)", text)
        if matched is None:
            raise ValueError(f"WORLD_CLOCK {text!r}: expected `wall`, `driven` or `<ISO instant>x<speed>`")
        epoch = datetime.fromisoformat(matched[1]).astimezone(UTC)
        return cls(kind="scaled", epoch=epoch, speed=float(matched[2]), started=machine_now())

    def now(self, driven: datetime | None) -> datetime:
        """Return the world's time; a driven world's is the row that its driver moved."""
        if self.kind == "driven":
            return driven or datetime(1970, 1, 1, tzinfo=UTC)
        if self.kind == "wall" or self.epoch is None or self.started is None:
            return machine_now()
        return self.epoch + timedelta(seconds=(machine_now() - self.started).total_seconds() * self.speed)
