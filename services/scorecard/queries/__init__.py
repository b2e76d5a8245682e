"""What can be asked of the scorecard; read-only."""

from services.scorecard.queries.answers import (
    Grouping,
    VelocityQuery,
    cells_of_cases,
    curve_of_cases,
    figure_of_cases,
    open_cases_beyond,
    p90_of_cases,
    phases_of_cases,
)
from services.scorecard.queries.causes import (
    causes_of_fact,
    consequences,
    external_causes,
    facts_by_id,
    facts_by_type,
    facts_recorded,
    must_see_fact,
    orphans,
    orphans_by_reason,
)
from services.scorecard.queries.recompute import MEASURED, measures_recomputed
from services.scorecard.queries.velocity import (
    decision_velocity,
    readings_by_opening,
    velocity_differences,
    velocity_of_case,
    world_now,
)

__all__ = [
    "MEASURED",
    "Grouping",
    "VelocityQuery",
    "causes_of_fact",
    "cells_of_cases",
    "consequences",
    "curve_of_cases",
    "decision_velocity",
    "external_causes",
    "facts_by_id",
    "facts_by_type",
    "facts_recorded",
    "figure_of_cases",
    "lasted",
    "measures_recomputed",
    "must_see_fact",
    "open_cases_beyond",
    "orphans",
    "orphans_by_reason",
    "p90_of_cases",
    "phases_of_cases",
    "readings_by_opening",
    "velocity_differences",
    "velocity_of_case",
    "world_now",
]
