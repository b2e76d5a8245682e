"""Names the parts of inventory and runs one of its roles."""

from __future__ import annotations

import sys

from chassis.runtime import process
from services.inventory.api import router
from services.inventory.reactions import reactions
from services.inventory.tables import chassis


def parts() -> process.Parts:
    """Return what this service consists of."""
    return process.Parts(name="inventory", tables=chassis, routers=[router], reactions=reactions)


if __name__ == "__main__":
    sys.exit(process.main(parts(), sys.argv[1:]))
