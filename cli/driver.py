"""Replay moments into a driven world: send each moment, and fire every timer at its own time (FLOW 6.4).

The driver knows no record and no service. It is given moments, in order; it tells several together while
nothing falls due between them, and where something does it waits until the world is quiet, moves the clock to
that instant, and waits again for what fired.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")

TOGETHER_MAX = 500
STOPS_AT_ONE_MOMENT_MAX = 10_000


@dataclass(frozen=True)
class Moment(Generic[T]):
    """What becomes known at one instant; what it makes fall due later, and what it answers."""

    at: datetime
    content: T
    items: int
    arms: Sequence[tuple[str, datetime]] = ()
    answers: Sequence[str] = ()


class World(Protocol):
    """A driven world, asked and moved through its public APIs."""

    def clocks(self) -> Mapping[str, datetime]:
        """Return the time of each service."""

    def wait_until_quiet(self, *, whole: bool) -> Mapping[str, datetime | None]:
        """Wait until no message is on its way; return what falls due next in each service.

        `whole` includes those that only listen, such as the causal record.
        """

    def advance(self, to: datetime, *, only: Collection[str] | None = None) -> None:
        """Move the clocks of all services, or of some, to an instant; one that is there already stays."""


@dataclass
class Run:
    """What a run did."""

    sent_before: int = 0
    moments: int = 0
    stops: int = 0
    waits: int = 0


class Driver(Generic[T]):
    """Tell moments to a world in their order.

    `timer_service` names the service whose due instants this driver knows from the moments themselves, because
    each was armed by one (`arms`) and taken back by another (`answers`). What that service says of its next
    due instant is listened to where it is none of those; this spares a question at every moment. No moment
    looks at one that is later than itself.

    A clock is moved when something falls due by it, and at the end: what is told carries its own time, and
    what follows from a message has the time of the message.
    """

    def __init__(
        self,
        world: World,
        tell: Callable[[Sequence[T]], None],
        *,
        step: timedelta = timedelta(days=1),
        timer_service: str | None = None,
        progress: Callable[[datetime, int], None] = lambda at, items: None,
    ) -> None:
        self._world = world
        self._tell = tell
        self._step = step
        self._timer_service = timer_service
        self._progress = progress
        self._together: list[Moment[T]] = []
        self._armed = _Armed()
        self._due: dict[str, datetime] = {}
        self._quiet = False
        self.run = Run()

    def drive(self, moments: Iterable[Moment[T]], *, end: datetime) -> Run:
        """Tell all moments and end at `end`, quiet; goes on where an earlier run was broken off."""
        clocks = self._world.clocks()
        now = max(clocks.values())
        if min(clocks.values()) < now:
            self._world.advance(now)
        self._wait()
        for moment in moments:
            if moment.at < now:
                self.run.sent_before += 1
            else:
                self._let_fall_due(moment.at)
            self._add(moment, now)
        self._let_fall_due(end)
        self._tell_together()
        self._wait()
        self._quiet = False
        self._world.advance(end)
        self._wait(whole=True)
        return self.run

    def _add(self, moment: Moment[T], now: datetime) -> None:
        if self._together and sum(m.items for m in self._together) + moment.items > TOGETHER_MAX:
            self._tell_together()
        self._together.append(moment)
        self._armed.take(moment, after=now)
        self.run.moments += 1

    def _let_fall_due(self, at: datetime) -> None:
        for _ in range(STOPS_AT_ONE_MOMENT_MAX):
            if not self._is_due(at):
                return
            self._tell_together()
            self._wait()
            if not self._is_due(at):
                return
            to = self._rounded(self._earliest() or at)
            self._quiet = False
            self._world.advance(to, only=self._falling_due(to))
            self.run.stops += 1
            self._wait()
        raise RuntimeError(f"something falls due again and again at {at.isoformat()}; the world cannot go on")

    def _is_due(self, at: datetime) -> bool:
        earliest = self._earliest()
        return earliest is not None and self._rounded(earliest) <= at

    def _earliest(self) -> datetime | None:
        foreseen = self._armed.earliest()
        return min([*self._due.values(), *([foreseen] if foreseen else [])], default=None)

    def _falling_due(self, to: datetime) -> set[str]:
        """Name the services in which something falls due by an instant."""
        names = {name for name, due in self._due.items() if due <= to}
        foreseen = self._armed.earliest()
        if self._timer_service and foreseen is not None and foreseen <= to:
            names.add(self._timer_service)
        return names

    def _rounded(self, due: datetime) -> datetime:
        midnight = due.replace(hour=0, minute=0, second=0, microsecond=0)
        beyond = (due - midnight) % self._step
        return due if not beyond else due - beyond + self._step

    def _tell_together(self) -> None:
        if self._together:
            self._tell([moment.content for moment in self._together])
            self._progress(self._together[-1].at, sum(moment.items for moment in self._together))
            self._together = []
            self._quiet = False

    def _wait(self, *, whole: bool = False) -> None:
        """Wait for quiet and note what falls due next; what has fallen due by then has fired."""
        if self._quiet and not whole:
            return
        said = self._world.wait_until_quiet(whole=whole)
        self._quiet = True
        self.run.waits += 1
        self._due = {name: at for name, at in said.items() if at is not None}
        foreseen = self._due.get(self._timer_service) if self._timer_service else None
        self._armed.correct(foreseen)
        if self._timer_service and foreseen == self._armed.earliest():
            self._due.pop(self._timer_service, None)


@dataclass
class _Armed:
    """What this driver's own moments made fall due and did not answer yet."""

    _heap: list[tuple[datetime, str]] = field(default_factory=list)
    _live: dict[str, datetime] = field(default_factory=dict)

    def take(self, moment: Moment[T], *, after: datetime) -> None:
        """Note what a moment arms and answers; what fell due before this run has fired."""
        for name, due in moment.arms:
            if due > after:
                self._live[name] = due
                heapq.heappush(self._heap, (due, name))
        for name in moment.answers:
            self._live.pop(name, None)

    def earliest(self) -> datetime | None:
        """Return the earliest that is still to come."""
        while self._heap and self._live.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def correct(self, due_at: datetime | None) -> None:
        """Forget what the service says is no longer to come: it fired, or was never armed there."""
        while (mine := self.earliest()) is not None and (due_at is None or mine < due_at):
            self._live.pop(self._heap[0][1])
