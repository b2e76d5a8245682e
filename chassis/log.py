"""structlog as JSON lines on standard output; one line per fact, with correlation, causation and trace."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

# Locals stay out of the log: they hold what only some may see.
_TRACEBACKS = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=20)
)


def configure(service: str, role: str, world: str, level: str = "info") -> None:
    """Bind the process's names once, at start."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _TRACEBACKS,
            structlog.processors.JSONRenderer(default=str),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stdout),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service, role=role, world=world)
    _bound.update(service=service, role=role, world=world)
    logging.basicConfig(level=logging.WARNING, stream=sys.stdout, format="%(message)s")


_bound: dict[str, str] = {}


def get() -> Any:
    """Return the process's logger; context of other threads is bound here because contextvars do not cross threads."""
    return structlog.get_logger().bind(**_bound)
