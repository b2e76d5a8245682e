"""Signed keyset cursors: where a list goes on, bound to the question that was asked."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from chassis.errors import Invalid

_TAG_BYTES = 16


def sign(secret: str, question: str, last: list[Any]) -> str:
    """Return an opaque cursor that stands after `last`, the sort values of the last item shown."""
    body = json.dumps(last, default=str, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_tag(secret, question, body) + body).decode().rstrip("=")


def read(secret: str, question: str, cursor: str | None) -> list[Any] | None:
    """Return the sort values inside a cursor; raises Invalid when it is not ours or belongs to another question."""
    if cursor is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError as error:
        raise Invalid("the cursor is damaged; start the list again without it", field="cursor") from error
    tag, body = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
    if not hmac.compare_digest(tag, _tag(secret, question, body)):
        raise Invalid("the cursor belongs to another list, filter or sort; start again without it", field="cursor")
    return list(json.loads(body))


def _tag(secret: str, question: str, body: bytes) -> bytes:
    return hmac.new(secret.encode(), question.encode() + b"\x00" + body, hashlib.sha256).digest()[:_TAG_BYTES]
