"""HTTP in: items, sites, the stock ledger, and questions about what there will be."""

from services.inventory.api import acts, questions
from services.inventory.api.shapes import router

__all__ = ["acts", "questions", "router"]
