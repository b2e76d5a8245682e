"""Run the console's server."""

from __future__ import annotations

import gc
import signal
import sys
from functools import partial

import uvicorn
from pydantic import ValidationError

from chassis.runtime import log
from chassis.runtime.process import EXIT_FAILED, EXIT_OK, EXIT_USAGE, OpsServer
from console.server.app import create_app, tail_of
from console.server.broadcaster import Broadcaster
from console.server.settings import ConsoleSettings

DRAIN_SECONDS = 1
CONNECTIONS_WAITING_MAX = 4_096


def main() -> int:
    """Serve until SIGTERM; streams end at once and are resumed elsewhere by their last id."""
    try:
        settings = ConsoleSettings()
    except ValidationError as error:
        missing = ", ".join(str(e["loc"][0]).upper() + ": " + e["msg"] for e in error.errors())
        print(f"console: cannot start, the environment lacks or misspells {missing}", file=sys.stderr)
        return EXIT_USAGE
    log.configure("console", "api", settings.world, settings.log_level)
    broadcaster = Broadcaster(partial(tail_of, settings), settings.stream_ring_records)
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings, broadcaster),
            host=settings.http_host,
            port=settings.http_port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=DRAIN_SECONDS,
            backlog=CONNECTIONS_WAITING_MAX,
        )
    )
    broadcaster.on_fatal = lambda: setattr(
        server, "should_exit", True
    )  # a process that follows nothing is started again whole
    ops = OpsServer(settings, lambda: {"api": server.started, "hub": broadcaster.ready})
    ops.start()
    log.get().info("process.started", http_port=settings.http_port, ops_port=settings.ops_port)
    gc.collect()
    gc.set_threshold(50_000, 20, 50)  # thousands of readers are many objects, and few of them go in circles
    gc.freeze()  # objects made by now stay: scanning them again would delay every reader by a fifth of a second
    # The server hears the signal, ends, and raises it once more: an end is no failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    server.run()
    ops.stop()
    code = EXIT_OK if broadcaster.fatal is None else EXIT_FAILED
    log.get().info("process.ended", exit_code=code)
    return code


if __name__ == "__main__":
    sys.exit(main())
