"""Context: why and when a transaction's work happens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from schemas.envelope import CauseOfFact, Envelope

NOBODY = UUID(int=0)


class Context(NamedTuple):
    """Why and when this work happens: what its events will name as their cause (FLOW 4.2)."""

    correlation_id: UUID
    causation_id: UUID
    cause_kind: CauseOfFact
    now: datetime
    armed_by: UUID | None = None
    armed_kind: CauseOfFact | None = None
    traceparent: str | None = None
    heard: Envelope | None = None  # inside a reaction: the fact itself, with its own cause and source


def nobodys(kind: CauseOfFact) -> Callable[[datetime], Context]:
    """Return the context of work that itself causes nothing: what is in it says its own cause."""
    return lambda now: Context(NOBODY, NOBODY, kind, now)
