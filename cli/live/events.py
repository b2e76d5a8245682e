"""Server-sent events of the exception stream, line by line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any


def parse_events(lines: Iterable[str]) -> Iterator[tuple[str | None, dict[str, Any] | None]]:
    """Yield (id, fact) per server-sent event; a heartbeat moves the id and has no fact."""
    identity, data = None, None
    for line in lines:
        if line.startswith("id: "):
            identity = line[4:]
        elif line.startswith("data: "):
            data = json.loads(line[6:])
        elif not line:
            yield identity, data
            data = None
