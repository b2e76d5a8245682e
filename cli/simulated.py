"""Simulated people and carriers at a world's public APIs, each a process that tells what it does as JSON lines."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator

from cli.stack.recipe import STREAM
from cli.stack.worlds import World


@contextlib.contextmanager
def begin(world: World, what: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run `python -m simulator WHAT …` on a world; its stdout tells what it does.

    An error or Ctrl-C in the block ends the process; otherwise the block's end waits for it.
    """
    environment = os.environ | {
        "SERVICES_URLS": json.dumps(world.urls),
        "STREAM_METRICS_URL": f"{world.ops[STREAM]}/metrics",
        "LOCAL_SECRET_FILE": str(world.stack.home.local_secret_file),
    }
    command = [sys.executable, "-m", "simulator", what, *arguments]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        except BaseException:
            process.terminate()
            raise
