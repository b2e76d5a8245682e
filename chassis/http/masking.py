"""Masks fields that the reader may not see: null, and named under `masked`; read from the schema's mark."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from types import NoneType
from typing import Any, Literal, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel

from chassis.http.auth import Actor
from schemas.types import Sensitive

PLAIN = (str, int, float, Decimal, UUID, date, timedelta, NoneType)


def masked(answer: Any, actor: Actor) -> Any:
    """Return the answer as this reader may see it; an answer with a field `masked` lists the paths that are hidden."""
    if not isinstance(answer, BaseModel):
        return answer
    hidden: set[str] = set()
    shown = _shown(answer, actor, "", hidden)
    if hidden and "masked" in type(answer).model_fields:
        shown = shown.model_copy(update={"masked": tuple(sorted(hidden.union(getattr(answer, "masked", ()))))})
    return shown


def _shown(value: Any, actor: Actor, path: str, hidden: set[str]) -> Any:
    if isinstance(value, BaseModel):
        changes: dict[str, Any] = {}
        for name, kind in _looked_at(type(value)):
            inner, here = getattr(value, name), f"{path}.{name}" if path else name
            if kind is not None and not actor.sees_marked(kind):
                hidden.add(here)
                changes[name] = None
            elif (seen := _shown(inner, actor, here, hidden)) is not inner:
                changes[name] = seen
        return value.model_copy(update=changes) if changes else value
    if isinstance(value, (list, tuple)):
        items = [_shown(item, actor, f"{path}[]", hidden) for item in value]
        return type(value)(items) if any(a is not b for a, b in zip(items, value, strict=True)) else value
    return value


@cache
def _looked_at(model: type[BaseModel]) -> tuple[tuple[str, str | None], ...]:
    """Return the fields that are marked, with their kind, and those that may hold something with a marked field."""
    fields = model.model_fields
    marks = {n: next((m.kind for m in field.metadata if isinstance(m, Sensitive)), None) for n, field in fields.items()}
    return tuple((n, m) for n, m in marks.items() if m is not None or not _is_plain(fields[n].annotation))


def _is_plain(hint: Any) -> bool:
    """Say whether values of a type are never models, nor hold any."""
    if parts := get_args(hint):
        return get_origin(hint) is Literal or all(part is Ellipsis or _is_plain(part) for part in parts)
    return isinstance(hint, type) and issubclass(hint, PLAIN)
