"""Names the parts of exceptions and runs one of its roles."""

from __future__ import annotations

import sys

from chassis.runtime import process
from services.exceptions.api import routers
from services.exceptions.gauges import refresh_gauges
from services.exceptions.reactions import reactions
from services.exceptions.tables import chassis


def parts() -> process.Parts:
    """Return what this service consists of."""
    return process.Parts(name="exceptions", tables=chassis, routers=routers, reactions=reactions, gauges=refresh_gauges)


if __name__ == "__main__":
    sys.exit(process.main(parts(), sys.argv[1:]))
