"""The `:batch` doors: up to 500 items in one transaction, each a signal of its own."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from chassis.errors import Conflict, Invalid, Refusal
from chassis.http.body import Body, one_line
from chassis.http.work import ActContext
from chassis.ids import derived_id
from chassis.persistence.database import ConcurrentChange, Context, Tx
from chassis.persistence.failures import refusal_of
from chassis.runtime import log, metrics
from schemas.types import Code, Instant

BATCH_ITEMS_MAX = 500
_HALF_A_PAIR = re.compile("[\ud800-\udfff]")


class Unstorable(dict[str, Any]):
    """Stands for an item with a text that no database stores: only its key is left, so that it is refused alone."""

    field: str


def _storable(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item, or Unstorable with its key where a text holds a NUL or half a surrogate pair."""
    text = json.dumps(item, ensure_ascii=False)
    if "\\u0000" not in text and (text.isascii() or _HALF_A_PAIR.search(text) is None):
        return item
    if (field := _unstorable_field(item)) is None:
        return item  # the six characters of the escape, as text
    key = item.get("key", "")
    left = Unstorable({"key": "" if _unstorable_field(key) is not None else key})
    left.field = field
    return left


def _unstorable_field(value: Any, *place: str) -> str | None:
    """Return where in a document a text cannot be stored, as `lines.0.item`; None where all can."""
    if isinstance(value, str):
        return ".".join(place) if "\0" in value or _HALF_A_PAIR.search(value) else None
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        found = _unstorable_field(part, *place, str(name))
        if found is None and isinstance(value, dict):
            found = None if _unstorable_field(name) is None else ".".join((*place, "a name"))
        if found is not None:
            return found
    return None


class RawBatch(BaseModel):
    """Up to 500 items, each with its own key: record id and version; doors look into them before they are read."""

    source: Annotated[Code, AfterValidator(one_line)]
    items: Annotated[list[Annotated[dict[str, Any], AfterValidator(_storable)]], Field(max_length=BATCH_ITEMS_MAX)]


class BatchResult(BaseModel):
    """What became of one item."""

    key: str
    status: str  # created, unchanged, refused, conflict
    id: str | None = None
    field: str | None = None
    reason: str | None = None


class BatchAnswer(BaseModel):
    """One result per item, in their order."""

    results: list[BatchResult]


class Item(Body):
    """Base of every batch item. `known_at` says when it became known; only a driven world hears it."""

    key: Code
    known_at: Instant | None = None


I = TypeVar("I", bound=Item)  # noqa: E741 — I is the item of a batch


def run_batch(
    act: ActContext, body: RawBatch, *, door: str, item: type[I], each: Callable[[Tx, I], object]
) -> BatchAnswer:
    """Do up to 500 items in one transaction, each a signal of its own; a bad item is refused alone (FLOW 5.2).

    A key that is known with the same content answers `unchanged`, with other content `conflict`. Items are written
    together at the end; when that fails, the route runs the batch again and each item is written in a savepoint.
    """
    act.actor.must_speak_for(body.source)
    known = _known_signals(act.tx, door, body)
    results: list[BatchResult] = []
    for raw in body.items:
        try:
            with act.tx.item():
                if isinstance(raw, Unstorable):
                    raise Invalid("a text contains a NUL or half a character; leave it out", field=raw.field)
                result, content_hash = _one(act, body.source, door, item.model_validate(raw), raw, known, each)
        except Exception as error:
            if act.tx.must_end(error):
                raise
            result = _refused(door, str(raw.get("key", "")), error)
            metrics.acts_refused_total.labels(act.tx.database.service, getattr(error, "code", "invalid")).inc()
        else:
            known.setdefault(result.key, (content_hash, result.id))
        results.append(result)
    return BatchAnswer(results=results)


def _known_signals(tx: Tx, door: str, body: RawBatch) -> dict[str, tuple[str, str | None]]:
    keys = [str(raw.get("key", "")) for raw in body.items]
    sent = "SELECT key, content_hash, result_id FROM signals WHERE door = %s AND source = %s AND key = ANY(%s)"
    rows = tx.sql(sent, door, body.source, keys).fetchall()
    return {row["key"]: (row["content_hash"], row["result_id"]) for row in rows}


def _one(
    act: ActContext,
    source: str,
    door: str,
    one: I,
    raw: dict[str, Any],
    known: dict[str, tuple[str, str | None]],
    each: Callable[[Tx, I], object],
) -> tuple[BatchResult, str]:
    content = {name: value for name, value in raw.items() if name != "known_at"}  # that is no content (FLOW 6.5)
    content_hash = hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
    if one.key in known:
        before, result_id = known[one.key]
        if before == content_hash:
            return BatchResult(key=one.key, status="unchanged", id=result_id), content_hash
        told = "this key is known with other content; a changed record needs a new version in its key"
        return BatchResult(key=one.key, status="conflict", id=result_id, field="key", reason=told), content_hash
    tx = act.tx
    signal_id = derived_id("signal", tx.database.service, door, source, one.key)
    known_at = one.known_at if tx.database.clock.kind == "driven" else None
    now = max(known_at or tx.now, tx.now)
    with tx.within(Context(signal_id, signal_id, "signal", now, traceparent=tx.context.traceparent)):
        made = each(tx, one)
    result_id = None if made is None else str(made)
    row = {
        "signal_id": signal_id,
        "door": door,
        "source": source,
        "key": one.key,
        "content_hash": content_hash,
        "content": content,
        "result_id": result_id,
        "subject": act.actor.subject,
        "recorded_at": now,
    }
    tx.append(tx.database.tables.signals, row)
    return BatchResult(key=one.key, status="created", id=result_id), content_hash


def _refused(door: str, key: str, error: Exception) -> BatchResult:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        field, reason = ".".join(map(str, first["loc"])), f"{first['msg']} (got {str(first.get('input'))[:80]!r})"
        return BatchResult(key=key, status="refused", field=field, reason=reason)
    if isinstance(error, ConcurrentChange):
        error = Conflict(
            "another request is changing the same record or uses the same reference; read the record, then send this item again"
        )
    refusal = error if isinstance(error, Refusal) else refusal_of(error)
    if refusal is None:
        log.get().error("item.failed", door=door, key=key, exc_info=error)
        reason = "an unexpected failure: it was logged and nothing of this item was stored; send it again, report its key if it fails again"
        return BatchResult(key=key, status="refused", reason=reason)
    status = "conflict" if refusal.status == 409 else "refused"
    return BatchResult(key=key, status=status, field=refusal.field, reason=refusal.detail)
