"""Import every event module, so that REGISTER is whole."""

from schemas import (  # noqa: F401 — imported for what they register
    collaboration,
    exceptions,
    forecast,
    inventory,
    logistics,
    procurement,
    sales,
    scorecard,
)
from schemas.base import REGISTER

__all__ = ["REGISTER"]
