"""Odd values, and how one is put at each place of a JSON document."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

TEXTS = (
    "\0",
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59Z",
    "9999-12-31",
    "0001-01-01",
    "NaN",
    "1e400",
    "-1",
    str(10**30),
    "x" * 3_000,
    "",
    "%",
    "../..",
)
VALUES: tuple[Any, ...] = (*TEXTS, "\ud800", 10**30, -(10**30), -1, 1.5, True, None, [], {}, [None])
Place = tuple[str | int, ...]


def places(value: Any, *above: str | int) -> Iterator[Place]:
    """Yield where each part of a document lies, the document itself first."""
    yield above
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        yield from places(part, *above, name)


def replaced(document: Any, place: Place, value: Any) -> Any:
    """Return a document with another value at a place, which need not be there yet."""
    if not place:
        return value
    changed = copy.deepcopy(document)
    within = changed
    for step in place[:-1]:
        within = within[step]
    within[place[-1]] = value
    return changed
