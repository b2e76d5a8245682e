"""Decision velocity, as `docs/decision-velocity.md` specifies it: pure, and standing on nothing but Python."""

from velocity.answers import SPECIFICATION, answers
from velocity.clock import (
    CLOCK_KINDS,
    EPOCH,
    HANDOFF_KINDS,
    MICROSECOND,
    Case,
    ClockFact,
    Order,
    add,
    instant,
    micros,
)
from velocity.curve import (
    Observation,
    Step,
    Velocity,
    bands,
    median,
    percentiles,
    restricted_mean,
    steps,
    velocity,
)
from velocity.measure import PHASES, Measure, Span, measure
from velocity.reading import Log, Unreadable, read
from velocity.working import Working, working

__all__ = [
    "CLOCK_KINDS",
    "EPOCH",
    "HANDOFF_KINDS",
    "MICROSECOND",
    "PHASES",
    "SPECIFICATION",
    "Case",
    "ClockFact",
    "Log",
    "Measure",
    "Observation",
    "Order",
    "Span",
    "Step",
    "Unreadable",
    "Velocity",
    "Working",
    "add",
    "answers",
    "bands",
    "instant",
    "measure",
    "median",
    "micros",
    "percentiles",
    "read",
    "restricted_mean",
    "steps",
    "velocity",
    "working",
]
