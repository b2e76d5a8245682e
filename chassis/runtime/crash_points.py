"""Named points of the path at which a trial ends this process with `kill -9`: `CRASH_AT=after-commit:3`, the third time.

Unset, as everywhere but in a trial, a point is one look at an empty name.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

AFTER_CLAIM, AFTER_FLUSH, COMMIT_UNREAD = "after-claim", "after-flush", "commit-unread"
AFTER_COMMIT, AFTER_PRODUCE = "after-commit", "after-produce"
IN_TIMER, IN_FOLD = "in-timer", "in-fold"
ALL = (AFTER_CLAIM, AFTER_FLUSH, COMMIT_UNREAD, AFTER_COMMIT, AFTER_PRODUCE, IN_TIMER, IN_FOLD)


_armed = SimpleNamespace(point="", left=0)


def configure(told: str) -> None:
    """Read `point:count`, once at the start of a process; nothing told arms nothing. Raises ValueError."""
    if not told:
        return
    point, _, count = told.partition(":")
    if point not in ALL or int(count) < 1:
        raise ValueError(f"CRASH_AT {told!r}: expected one of {', '.join(ALL)}, a colon and how often it is reached")
    _armed.point, _armed.left = point, int(count)


def hit(point: str) -> None:
    """End the process here when this point was armed and is reached for the last time."""
    if _armed.point == point and _is_last():
        os.kill(os.getpid(), signal.SIGKILL)


def commits(cursor: Callable[[], Any]) -> None:
    """Send the commit and end the process before its answer is read, when that point was armed."""
    if _armed.point == COMMIT_UNREAD and _is_last():
        server = cursor().connection.pgconn
        server.send_query(b"COMMIT")
        server.flush()
        os.kill(os.getpid(), signal.SIGKILL)


def _is_last() -> bool:
    _armed.left -= 1
    return bool(_armed.left == 0)
