"""What the scorecard knows: a case's clock, its measure, the velocity of many, readings and causal records. Pure."""

from services.scorecard.domain.clock import dumped, hear, kind_of, loaded, measured
from services.scorecard.domain.figure import (
    HIDDEN_BELOW,
    Cell,
    Counted,
    Figure,
    Phase,
    cells,
    durations,
    figure,
    phase,
    sorted_durations,
)
from services.scorecard.domain.reading import Reading, case_fact_row, causal_row, store_reading
from services.scorecard.domain.sorted_curve import SortedCurve
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
    measure,
    micros,
    observable,
    observe,
    percentiles,
    survival,
    velocity,
)

__all__ = [
    "EPOCH", "HIDDEN_BELOW", "MICROSECOND", "PHASES", "Case", "Cell", "ClockFact", "Counted", "Figure", "Lasting", "Measure", "Phase", "Reading", "SortedCurve", "Velocity", "case_fact_row",
    "causal_row", "cells", "dumped", "durations", "figure", "hear", "instant", "kind_of", "loaded", "measure", "measured", "micros", "observable", "observe",
    "percentiles", "phase", "sorted_durations", "store_reading", "survival", "velocity",
]  # fmt: skip
