"""A Faust agent with one async transaction per event: `python -m benchmarks.rival_faust consumer|relay`.

One agent iterates over the stream without manual acknowledgement and takes raw values, as the guide advises for side
effects: https://faust-streaming.github.io/faust/userguide/agents.html
Its relay is that of benchmarks.rival_orm.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import faust

from benchmarks import rival_async, rival_orm


def main() -> int:
    """Serve until SIGTERM."""
    app = faust.App(
        f"{os.environ['WORLD']}-faust",
        broker=f"kafka://{os.environ['KAFKA_BOOTSTRAP']}",
        web_enabled=False,
        store="memory://",
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        datadir=os.environ["BENCH_FOLDER"],
        value_serializer="raw",
    )
    topic = app.topic(os.environ["BENCH_INPUT"], value_serializer="raw", value_type=bytes)
    make = rival_async.sessions()

    @app.agent(topic)
    async def count(stream: Any) -> None:
        async for value in stream:
            await rival_async.one(make, value)

    faust.Worker(app, loglevel="error", redirect_stdouts=False).execute_from_commandline()
    return 0


if __name__ == "__main__":
    sys.exit(rival_orm.main("relay") if sys.argv[1] == "relay" else main())
