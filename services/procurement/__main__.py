"""Names the parts of procurement and runs one of its roles."""

from __future__ import annotations

import sys

from chassis.runtime import process
from services.procurement.api import routers
from services.procurement.reactions import reactions
from services.procurement.tables import chassis


def parts() -> process.Parts:
    """Return what this service consists of."""
    return process.Parts(name="procurement", tables=chassis, routers=routers, reactions=reactions)


if __name__ == "__main__":
    sys.exit(process.main(parts(), sys.argv[1:]))
