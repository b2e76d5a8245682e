"""HTTP in: questions only; the scorecard is told everything by facts."""

from services.scorecard.api import answers, causes, velocity
from services.scorecard.api.shapes import router

__all__ = ["answers", "causes", "router", "velocity"]
