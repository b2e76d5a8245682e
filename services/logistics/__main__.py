"""Names the parts of logistics and runs one of its roles."""

from __future__ import annotations

import sys

from chassis.runtime import process
from services.logistics.api import router
from services.logistics.reactions import reactions
from services.logistics.tables import chassis


def parts() -> process.Parts:
    """Return what this service consists of."""
    return process.Parts(name="logistics", tables=chassis, routers=[router], reactions=reactions)


if __name__ == "__main__":
    sys.exit(process.main(parts(), sys.argv[1:]))
