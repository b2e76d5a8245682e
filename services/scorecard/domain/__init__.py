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
    united,
)
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
    micros,
    percentiles,
    velocity,
)

__all__ = [
    "EPOCH", "HIDDEN_BELOW", "MICROSECOND", "PHASES", "Case", "Cell", "ClockFact", "Counted", "Figure", "Heard", "Lasting", "Measure", "Phase", "Reading", "SortedCurve", "Velocity", "case_fact_row", "causal_row", "cells", "dumped", "durations", "figure", "glance", "hear", "heard", "instant", "kind_of", "loaded", "measure", "micros", "observable", "observe", "percentiles", "phase", "said", "sorted_durations", "store_reading", "united", "velocity",
]  # fmt: skip
