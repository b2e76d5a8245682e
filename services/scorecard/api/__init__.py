"""HTTP in: questions only; the scorecard is told everything by facts."""

from services.scorecard.api import causes, velocity
from services.scorecard.api.shapes import router

__all__ = ["causes", "router", "velocity"]
