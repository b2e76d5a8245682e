"""The `:batch` doors: up to 500 items in one transaction, each a signal of its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chassis import metrics
from chassis.db import ConcurrentChange, Context, Tx
from chassis.errors import Refusal
from chassis.http.work import Doing
from chassis.ids import derived_id
from schemas.types import Code, Instant

BATCH_ITEMS_MAX = 500


class RawBatch(BaseModel):
    """Up to 500 items, each with its own key: record id and version."""

    source: Code
    items: Annotated[list[dict[str, Any]], Field(max_length=BATCH_ITEMS_MAX)]


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


class Item(BaseModel):
    """Base of every batch item. `known_at` says when it became known; only a driven world hears it."""

    model_config = ConfigDict(extra="forbid")
    key: Code
    known_at: Instant | None = None


I = TypeVar("I", bound=Item)  # noqa: E741 — I is the item of a batch


def run_batch(act: Doing, body: RawBatch, *, door: str, item: type[I], each: Callable[[Tx, I], object]) -> BatchAnswer:
    """Do up to 500 items in one transaction, each a signal of its own; a bad item is refused alone (FLOW 5.2).

    A key that is known with the same content answers `unchanged`, with other content `conflict`.
    """
    if act.actor.is_machine and act.actor.source is not None and act.actor.source != body.source:
        raise Refusal(
            f"this machine speaks for source {act.actor.source!r}, not {body.source!r}",
            code="outside-scope",
            status=403,
            field="source",
        )
    known = _known_signals(act.tx, door, body)
    results: list[BatchResult] = []
    for raw in body.items:
        key = str(raw.get("key", ""))
        try:
            with act.tx.item():
                results.append(_one(act, body.source, door, item, raw, known, each))
        except ConcurrentChange:
            raise
        except (Refusal, ValidationError) as error:
            results.append(_refused(key, error))
            metrics.acts_refused_total.labels(
                act.tx.database.service, "invalid" if isinstance(error, ValidationError) else error.code
            ).inc()
    return BatchAnswer(results=results)


def _known_signals(tx: Tx, door: str, body: RawBatch) -> dict[str, tuple[str, str | None]]:
    keys = [str(raw.get("key", "")) for raw in body.items]
    rows = tx.cursor().execute(
        "SELECT key, content_hash, result_id FROM signals WHERE door = %s AND source = %s AND key = ANY(%s)",
        [door, body.source, keys],
    )
    return {row["key"]: (row["content_hash"], row["result_id"]) for row in rows.fetchall()}


def _one(
    act: Doing,
    source: str,
    door: str,
    item: type[I],
    raw: dict[str, Any],
    known: dict[str, tuple[str, str | None]],
    each: Callable[[Tx, I], object],
) -> BatchResult:
    one = item.model_validate(raw)
    content = {
        name: value for name, value in raw.items() if name != "known_at"
    }  # when it became known is no content (FLOW 6.5)
    content_hash = hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
    if one.key in known:
        before, result_id = known[one.key]
        if before == content_hash:
            return BatchResult(key=one.key, status="unchanged", id=result_id)
        return BatchResult(
            key=one.key,
            status="conflict",
            id=result_id,
            field="key",
            reason="this key is known with other content; a changed record needs a new version in its key",
        )
    tx = act.tx
    signal_id = derived_id("signal", tx.database.service, door, source, one.key)
    now = _known_at(tx, one.known_at)
    with tx.within(Context(signal_id, signal_id, "signal", now, traceparent=tx.context.traceparent)):
        made = each(tx, one)
    result_id = None if made is None else str(made)
    tx.append(
        tx.database.tables.signals,
        {
            "signal_id": signal_id, "door": door, "source": source, "key": one.key, "content_hash": content_hash, "content": content,
            "result_id": result_id, "subject": act.actor.subject, "recorded_at": now,
        },
    )  # fmt: skip
    known[one.key] = (content_hash, result_id)
    return BatchResult(key=one.key, status="created", id=result_id)


def _known_at(tx: Tx, known_at: datetime | None) -> datetime:
    if known_at is None or tx.database.clock.kind != "driven":
        return tx.now
    return max(known_at, tx.now)


def _refused(key: str, error: Refusal | ValidationError) -> BatchResult:
    if isinstance(error, Refusal):
        return BatchResult(
            key=key, status="conflict" if error.status == 409 else "refused", field=error.field, reason=error.detail
        )
    first = error.errors()[0]
    return BatchResult(
        key=key,
        status="refused",
        field=".".join(map(str, first["loc"])),
        reason=f"{first['msg']} (got {str(first.get('input'))[:80]!r})",
    )
