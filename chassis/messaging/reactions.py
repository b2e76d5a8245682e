"""Reactions: what a service does when it hears a fact, or when something is due. `grep when_` prints the process map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from chassis.persistence.database import Tx
from chassis.scheduling.timers import Timer
from schemas.base import Event

E = TypeVar("E", bound=Event)
A = TypeVar("A")
Act = Callable[[Tx, A], object]
Loads = Callable[[Tx, Sequence[Any]], None]


@dataclass(frozen=True)
class Reaction:
    """One function that answers one kind of fact; `loads` locks for a whole batch what it will need."""

    name: str
    event: type[Event]
    act: Act[Any]
    loads: Loads | None


class Reactions:
    """The register of one service."""

    def __init__(self) -> None:
        self.by_event: dict[str, list[Reaction]] = {}
        self.by_name: dict[str, Reaction] = {}
        self.at_timers: dict[str, Act[Timer]] = {}

    def on(self, event: type[E], *, loads: Loads | None = None) -> Callable[[Act[E]], Act[E]]:
        """Register a reaction to a kind of fact."""

        def register(act: Act[E]) -> Act[E]:
            name = act.__name__ if act.__name__ not in self.by_name else f"{act.__name__}[{event.event_name}]"
            reaction = Reaction(name, event, act, loads)
            self.by_event.setdefault(event.event_name, []).append(reaction)
            self.by_name[name] = reaction
            return act

        return register

    def at(self, timer: str) -> Callable[[Act[Timer]], Act[Timer]]:
        """Register what happens when a timer of this name is due."""

        def register(act: Act[Timer]) -> Act[Timer]:
            if timer in self.at_timers:
                raise TypeError(f"timer {timer!r} has a reaction already: {self.at_timers[timer].__name__}")
            self.at_timers[timer] = act
            return act

        return register

    def listened_events(self) -> tuple[type[Event], ...]:
        """Return the kinds of fact that this service hears."""
        return tuple(reactions[0].event for reactions in self.by_event.values())

    def topics(self) -> tuple[str, ...]:
        """Return the registered topics that carry them."""
        return tuple(sorted({event.event_topic.name for event in self.listened_events()}))
