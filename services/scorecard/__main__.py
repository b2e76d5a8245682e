"""Names the parts of the scorecard and runs one of its roles; `stream` is its Faust processor, a process of its own."""

from __future__ import annotations

import sys

from chassis.runtime import process
from chassis.runtime.settings import ServiceSettings
from services.scorecard.api import router
from services.scorecard.gauges import Gauges
from services.scorecard.reactions import reactions
from services.scorecard.tables import chassis

LINGER_SECONDS = 0.2


def run_stream(settings: ServiceSettings) -> int:
    """Run the stream processor; Faust is loaded here, so that the other roles start without it."""
    from services.scorecard import stream

    return stream.run(settings)


def parts() -> process.Parts:
    """Return what this service consists of."""
    return process.Parts(
        name="scorecard",
        tables=chassis,
        routers=[router],
        reactions=reactions,
        own_roles={"stream": run_stream},
        gauges=Gauges(),
        linger_seconds=LINGER_SECONDS,
    )


if __name__ == "__main__":
    sys.exit(process.main(parts(), sys.argv[1:]))
