"""What can be asked of the scorecard; read-only."""

from services.scorecard.queries.causes import (
    causes_of_fact,
    consequences,
    external_causes,
    facts_by_id,
    facts_by_type,
    facts_recorded,
    must_see_fact,
    must_see_subject,
    orphans,
    orphans_by_reason,
)
from services.scorecard.queries.recompute import MEASURED, measures_recomputed
from services.scorecard.queries.velocity import (
    decision_velocity,
    lasted,
    readings_by_opening,
    velocity_differences,
    velocity_of_case,
    world_now,
)

__all__ = [
    "MEASURED", "causes_of_fact", "consequences", "decision_velocity", "external_causes", "facts_by_id", "facts_by_type",
    "facts_recorded", "lasted", "measures_recomputed", "must_see_fact", "must_see_subject", "orphans", "orphans_by_reason",
    "readings_by_opening", "velocity_differences", "velocity_of_case", "world_now",
]  # fmt: skip
