"""Simulated people and carriers at a world's public doors, each a process that tells what it does as JSON lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from cli.stack.recipe import STREAM
from cli.stack.worlds import World


def begin(world: World, what: str, *arguments: str) -> subprocess.Popen[str]:
    """Start `python -m simulator WHAT …` on a world; what it tells comes from its stdout."""
    environment = os.environ | {
        "SERVICES_URLS": json.dumps(world.urls), "STREAM_METRICS_URL": f"{world.ops[STREAM]}/metrics",
        "LOCAL_SECRET_FILE": str(world.stack.home.local_secret_file),
    }  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-m", "simulator", what, *arguments], env=environment, stdout=subprocess.PIPE, text=True
    )
