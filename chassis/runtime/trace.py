"""W3C traceparent in and out: HTTP, outbox row, event, reaction. Carried by us, about thirty lines."""

from __future__ import annotations

import re

from chassis.ids import random_64

_FORM = re.compile(r"^00-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})$")


def started() -> str:
    """Return the traceparent of a new trace."""
    return f"00-{random_64():016x}{_span()}-{_span()}-01"


def child(parent: str | None) -> str:
    """Return a traceparent in the same trace with a span of its own; a new trace where there was none."""
    matched = _FORM.match(parent or "")
    return f"00-{matched[1]}-{_span()}-{matched[2]}" if matched else started()


def _span() -> str:
    return f"{random_64() or 1:016x}"  # an id of zeros is invalid; nothing here is secret


def trace_id(parent: str | None) -> str | None:
    """Return the trace's id, for logs."""
    matched = _FORM.match(parent or "")
    return matched[1] if matched else None
