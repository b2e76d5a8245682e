"""structlog as JSON lines on standard output; one line per fact, with correlation, causation and trace."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from typing import Any

import structlog
from pydantic_core import to_json

# Locals stay out of the log: they hold what only some may see.
_TRACEBACKS = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=20)
)


def configure(service: str, role: str, world: str, level: str = "info") -> None:
    """Bind the process's names once, at start."""
    global _level  # noqa: PLW0603  one per process, as structlog's own configuration
    _level = logging.getLevelNamesMapping()[level.upper()]
    forms = structlog.processors
    structlog.configure(
        [
            forms.add_log_level,
            forms.TimeStamper(fmt="iso", utc=True),
            _TRACEBACKS,
            forms.JSONRenderer(serializer=_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_level),
        logger_factory=_Lines,
        cache_logger_on_first_use=True,
    )
    _bound.update(service=service, role=role, world=world)
    logging.basicConfig(level=logging.WARNING, stream=sys.stdout, format="%(message)s")


_bound: dict[str, str] = {}
_level = logging.INFO


def _json(entry: dict[str, Any], **_: Any) -> str:
    return to_json(entry, fallback=str, inf_nan_mode="strings").decode()


class _Lines:
    """Writes each line at once."""

    def __init__(self, *_: Any) -> None: ...

    def msg(self, line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    log = debug = info = warn = warning = error = critical = exception = msg


def many(entries: Iterable[dict[str, Any]]) -> None:
    """Write entries of level info as a logger does, with one time for all, in one go: a batch has hundreds."""
    if _level > logging.INFO:
        return
    common: Any = dict(_bound)
    for form in structlog.get_config()["processors"][:-1]:
        common = form(None, "info", common)
    head = _json(common)[:-1]  # what is the same in all is written once
    if lines := [f"{head},{_json(entry)[1:]}" for entry in entries]:
        _Lines().msg("\n".join(lines))


def get() -> Any:
    """Return the process's logger, with the process's names bound."""
    return structlog.get_logger().bind(**_bound)
