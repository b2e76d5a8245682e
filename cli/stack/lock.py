"""The lock of a data folder: at most one supervisor holds it, and it goes with the supervisor's process."""

from __future__ import annotations

import fcntl
import time
from typing import IO

from cli.stack.state import Home

PROBED_SECONDS = 0.5
LOOK_SECONDS = 0.02


def take(home: Home) -> IO[str] | None:
    """Take the lock and return the open file that holds it, or None where a supervisor has it.

    `is_held` shares the lock for a moment; that is waited for.
    """
    file = home.lock_file.open("a+")
    deadline = time.monotonic() + PROBED_SECONDS
    while not _locked(file, fcntl.LOCK_EX):
        if time.monotonic() > deadline:
            file.close()
            return None
        time.sleep(LOOK_SECONDS)
    return file


def is_held(home: Home) -> bool:
    """Tell whether a supervisor holds the data folder; two that ask at once do not see each other."""
    try:
        with home.lock_file.open("a+") as file:
            return not _locked(file, fcntl.LOCK_SH)
    except OSError:
        return False


def _locked(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
