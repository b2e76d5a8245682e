"""Decision velocity, as `docs/decision-velocity.md` specifies it: pure, and standing on nothing but Python."""

from velocity.answers import SPECIFICATION, answers
from velocity.case import (
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
    SurvivalStep,
    Velocity,
    bands,
    median,
    percentiles,
    restricted_mean,
    steps,
    velocity,
)
from velocity.event_log import Log, Unreadable, read
from velocity.measure import PHASES, Measure, PhaseDuration, measure
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
    "PhaseDuration",
    "SurvivalStep",
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
