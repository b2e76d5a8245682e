"""What several commands show the same way, and how they find a thing by the start of its id."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from cli.client import Client
from cli.errors import NotFound, Refused
from schemas.amounts import minor_digits

PAGE = 200
WHOLE_ID = 36
SHORTEST_START = 4


def all_pages(client: Client, service: str, path: str, query: Mapping[str, Any], *, most: int) -> list[dict[str, Any]]:
    """Return the items of a list, page by page, at most so many."""
    asked = {name: value for name, value in query.items() if value is not None}
    items: list[dict[str, Any]] = []
    cursor: str | None = None
    while len(items) < most:
        page = client.get(
            service, path, {**asked, "limit": min(PAGE, most - len(items)), **({"cursor": cursor} if cursor else {})}
        )
        items += page["items"]
        cursor = page.get("next")
        if cursor is None:
            break
    return items


def find_id(client: Client, kind: str, start: str, *, service: str = "exceptions", field: str | None = None) -> str:
    """Return the whole id that starts so; raises NotFound, or Refused when several do."""
    if len(start) >= WHOLE_ID:
        return start
    if len(start) < SHORTEST_START:
        raise Refused(f"{start!r} is too short: give at least {SHORTEST_START} letters of the id.")
    name = field or f"{kind[:-1]}_id"
    fits = {
        str(item[name])
        for item in all_pages(client, service, f"/{kind}", {}, most=5000)
        if str(item[name]).startswith(start)
    }
    if not fits:
        raise NotFound(f"No {kind[:-1]} starts with {start}: `crossdock {kind} --world {client.world}` lists them.")
    if len(fits) > 1:
        raise Refused(f"{len(fits)} {kind} start with {start}: give more of the id.")
    return fits.pop()


def money(value: Mapping[str, Any] | None) -> str:
    """Return an amount with its currency's decimals and its code, or that it is hidden."""
    if value is None:
        return "hidden"
    return f"{Decimal(value['amount']):,.{minor_digits(value['currency'])}f} {value['currency']}"


def ago(instant: str | None) -> str:
    """Return an instant to the minute, in UTC."""
    if instant is None:
        return ""
    return datetime.fromisoformat(instant).strftime("%Y-%m-%d %H:%M")


def seconds(micros: int | None) -> str:
    """Return a duration as people say it: `2 d 4 h`, `3 min 12 s`."""
    if micros is None:
        return "not reached"
    whole = micros / 1_000_000
    if whole < 60:
        return f"{whole:.3f} s"
    parts, left = [], int(whole)
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])
