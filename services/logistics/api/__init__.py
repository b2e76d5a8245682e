"""HTTP in: acts and questions about shipments, carriers and lanes."""

from services.logistics.api import acts, questions
from services.logistics.api.shapes import router

__all__ = ["acts", "questions", "router"]
