"""What the scorecard knows: a case's clock, its measure, the velocity of many, readings and causal records. Pure."""

from services.scorecard.domain.clock import (
    Heard,
    dumped,
    glance,
    hear,
    heard,
    kind_of,
    loaded,
    measure,
    observable,
    observe,
    said,
)
from services.scorecard.domain.reading import Reading, case_fact_row, causal_row, store_reading
from velocity import (
    EPOCH,
    MICROSECOND,
    PHASES,
    Case,
    ClockFact,
    Lasting,
    Measure,
    Velocity,
    instant,
    micros,
    percentiles,
    velocity,
)

__all__ = [
    "EPOCH", "MICROSECOND", "PHASES", "Case", "ClockFact", "Heard", "Lasting", "Measure", "Reading", "Velocity", "case_fact_row",
    "causal_row", "dumped", "glance", "hear", "heard", "instant", "kind_of", "loaded", "measure", "micros", "observable", "observe",
    "percentiles", "said", "store_reading", "velocity",
]  # fmt: skip
