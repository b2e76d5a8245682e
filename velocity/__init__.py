"""Decision velocity, as `docs/decision-velocity.md` specifies it: pure, and standing on nothing but Python."""

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
    observe,
)
from velocity.curve import Lasting, Velocity, percentiles, survival, velocity
from velocity.measure import PHASES, Measure, Span, measure, observable

__all__ = [
    "CLOCK_KINDS", "EPOCH", "HANDOFF_KINDS", "MICROSECOND", "PHASES", "Case", "ClockFact", "Lasting", "Measure", "Order", "Span", "Velocity",
    "add", "instant", "measure", "micros", "observable", "observe", "percentiles", "survival", "velocity",
]  # fmt: skip
