"""Import every event module, so that REGISTER is whole."""

from schemas import (  # noqa: F401
    collaboration,
    exceptions,
    forecast,
    inventory,
    logistics,
    procurement,
    sales,
    scorecard,
)  # fmt: skip
from schemas.base import REGISTER

__all__ = ["REGISTER"]
