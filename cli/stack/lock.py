"""The lock of a data folder: at most one supervisor holds it, and it goes with the supervisor's process."""

from __future__ import annotations

import fcntl
from typing import IO

from cli.stack.state import Home


def take(home: Home) -> IO[str] | None:
    """Take the lock and return the open file that holds it, or None where another process has it."""
    file = home.lock_file.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def is_held(home: Home) -> bool:
    """Tell whether a supervisor holds the data folder."""
    try:
        taken = take(home)
    except OSError:
        return False
    if taken is not None:
        taken.close()
    return taken is None
