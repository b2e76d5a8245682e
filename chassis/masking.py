"""Masks fields that the reader may not see: null, and named under `masked`; read from the schema's mark."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from chassis.auth import Actor
from schemas.types import Sensitive


def masked(answer: Any, actor: Actor) -> Any:
    """Return the answer as this reader may see it; an answer with a field `masked` lists the paths that are hidden."""
    if not isinstance(answer, BaseModel):
        return answer
    hidden: set[str] = set()
    shown = _shown(answer, actor, "", hidden)
    if hidden and "masked" in type(answer).model_fields:
        shown = shown.model_copy(update={"masked": tuple(sorted(hidden.union(shown.masked)))})
    return shown


def _shown(value: Any, actor: Actor, path: str, hidden: set[str]) -> Any:
    if isinstance(value, BaseModel):
        changes: dict[str, Any] = {}
        for name, field in type(value).model_fields.items():
            inner, here = getattr(value, name), f"{path}.{name}" if path else name
            mark = next((m for m in field.metadata if isinstance(m, Sensitive)), None)
            if mark is not None and not actor.sees_marked(mark.kind):
                hidden.add(here)
                changes[name] = None
            elif (seen := _shown(inner, actor, here, hidden)) is not inner:
                changes[name] = seen
        return value.model_copy(update=changes) if changes else value
    if isinstance(value, (list, tuple)):
        items = [_shown(item, actor, f"{path}[]", hidden) for item in value]
        return type(value)(items) if any(a is not b for a, b in zip(items, value, strict=True)) else value
    return value
