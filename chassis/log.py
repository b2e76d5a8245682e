"""structlog as JSON lines on standard output; one line per fact, with correlation, causation and trace."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from pydantic_core import to_json

# Locals stay out of the log: they hold what only some may see.
_TRACEBACKS = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=20)
)


def configure(service: str, role: str, world: str, level: str = "info") -> None:
    """Bind the process's names once, at start."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _TRACEBACKS,
            structlog.processors.JSONRenderer(serializer=_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=_Lines,
        cache_logger_on_first_use=True,
    )
    _bound.update(service=service, role=role, world=world)
    logging.basicConfig(level=logging.WARNING, stream=sys.stdout, format="%(message)s")


_bound: dict[str, str] = {}
_together = threading.local()


def _json(entry: dict[str, Any], **_: Any) -> str:
    return to_json(entry, fallback=str, inf_nan_mode="strings").decode()


class _Lines:
    """Writes each line at once, or those of a block together."""

    def __init__(self, *_: Any) -> None: ...

    def msg(self, line: str) -> None:
        waiting: list[str] | None = getattr(_together, "lines", None)
        if waiting is None:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        else:
            waiting.append(line)

    log = debug = info = warn = warning = error = critical = exception = msg


@contextmanager
def together() -> Iterator[None]:
    """Write the lines of a block in one go: a batch has hundreds."""
    _together.lines = lines = list[str]()
    try:
        yield
    finally:
        _together.lines = None
        if lines:
            sys.stdout.write("\n".join([*lines, ""]))
            sys.stdout.flush()


def get() -> Any:
    """Return the process's logger, with the process's names bound."""
    return structlog.get_logger().bind(**_bound)
