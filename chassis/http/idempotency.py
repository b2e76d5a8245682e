"""An answer kept under its Idempotency-Key for 48 hours, and the audit row of every act."""

from __future__ import annotations

import hashlib
import json
import re

from fastapi import Response

from chassis.errors import Conflict, Invalid
from chassis.http.auth import Actor
from chassis.persistence.database import ConcurrentChange, Tx
from chassis.runtime.clock import machine_now

KEY_CHARS_MAX = 200
AUDIT_BYTES_MAX = 20_000  # a longer body is not kept with its act


def _hash(path: str, body: bytes) -> str:
    return hashlib.sha256(path.encode() + b"\x00" + body).hexdigest()


def kept_answer(tx: Tx, actor: Actor, route: str, key: str, path: str, body: bytes) -> Response | None:
    if len(key) > KEY_CHARS_MAX:
        raise Invalid(f"a key has {KEY_CHARS_MAX} characters at most", field="Idempotency-Key")
    kept = "SELECT content_hash, status, body FROM idempotency_keys WHERE subject = %s AND route = %s AND key = %s"
    row = tx.sql(kept, actor.subject, route, key).fetchone()
    if row is None:
        return None
    if row["content_hash"] != _hash(path, body):
        raise Conflict("this key came with other content; use a new one", field="Idempotency-Key", code="key-reused")
    return Response(row["body"], row["status"], {"Idempotent-Replay": "true"}, media_type="application/json")


def keep_answer(tx: Tx, actor: Actor, route: str, key: str, path: str, body: bytes, response: Response) -> None:
    if (
        tx.sql(
            "INSERT INTO idempotency_keys (key, route, subject, content_hash, status, body, stored_at) VALUES (%s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING RETURNING key",
            key,
            route,
            actor.subject,
            _hash(path, body),
            response.status_code,
            bytes(response.body).decode(),
            machine_now(),
        ).fetchone()
        is None
    ):
        raise ConcurrentChange("the same key is being used by another request")


def _storable(content: object) -> object:
    """Return a document with U+FFFD in place of each NUL and each half of a surrogate pair, which no database stores."""
    text = re.sub("[\ud800-\udfff]", "\ufffd", json.dumps(content, ensure_ascii=False))
    return json.loads(text.replace("\\u0000", "\ufffd"))


def audit(tx: Tx, actor: Actor, act: str, route: str, path: str, body: bytes) -> None:
    try:
        content = json.loads(body) if body and len(body) < AUDIT_BYTES_MAX else None
    except ValueError:
        content = None
    if b"\\u" in body:  # an escape; few bodies have one
        content = _storable(content)
    row = {
        "act_id": tx.context.causation_id,
        "act": act,
        "route": route,
        "subject": actor.subject,
        "role": ",".join(sorted(actor.roles)),
        "path": path,
        "body": content,
        "traceparent": tx.context.traceparent,
        "recorded_at": tx.now,
        "machine_at": machine_now(),
    }
    tx.append(tx.database.tables.acts, row)
