"""Names the parts of forecast and runs one of its roles."""

from __future__ import annotations

import sys

from chassis.runtime import process
from services.forecast.api import router
from services.forecast.reactions import reactions
from services.forecast.tables import chassis


def parts() -> process.Parts:
    """Return what this service consists of."""
    return process.Parts(name="forecast", tables=chassis, routers=[router], reactions=reactions)


if __name__ == "__main__":
    sys.exit(process.main(parts(), sys.argv[1:]))
