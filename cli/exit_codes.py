"""What the number at the end of a command means: scripts rely on it."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of `crossdock`."""

    OK = 0
    FAILED = 1
    """It was tried and did not work."""
    USAGE = 2
    """The command line or the file it names is wrong."""
    NOT_FOUND = 3
    """What was named does not exist."""
    UNREACHABLE = 4
    """The stack or the service does not answer."""
    REFUSED = 5
    """The service understood and refused (a conflict, a rule, a bad field)."""
    NOT_ALLOWED = 6
    """No login, or not for this role or scope."""
    INTERRUPTED = 130
    """Ctrl-C."""
