"""Names the parts of sales and runs one of its roles."""

from __future__ import annotations

import sys

from chassis.runtime import process
from services.sales.api import routers
from services.sales.effects import effects
from services.sales.reactions import reactions
from services.sales.tables import chassis


def parts() -> process.Parts:
    """Return what this service consists of."""
    return process.Parts(name="sales", tables=chassis, routers=routers, reactions=reactions, effects=effects)


if __name__ == "__main__":
    sys.exit(process.main(parts(), sys.argv[1:]))
