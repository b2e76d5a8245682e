"""Names the parts of collaboration and runs one of its roles."""

from __future__ import annotations

import sys

from chassis.runtime import process
from services.collaboration.api import router
from services.collaboration.reactions import reactions
from services.collaboration.tables import chassis


def parts() -> process.Parts:
    """Return what this service consists of."""
    return process.Parts(name="collaboration", tables=chassis, routers=[router], reactions=reactions)


if __name__ == "__main__":
    sys.exit(process.main(parts(), sys.argv[1:]))
