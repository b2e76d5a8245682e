"""Names the parts of collaboration and runs one of its roles."""

from __future__ import annotations

import sys

from chassis import process
from services.collaboration import api, reactions, tables


def parts() -> process.Parts:
    """Return what this service consists of."""
    return process.Parts(
        name="collaboration", tables=tables.chassis, routers=[api.router], reactions=reactions.reactions
    )


def main() -> int:
    """Run the role named on the command line; returns the exit code."""
    return process.main(parts(), sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
