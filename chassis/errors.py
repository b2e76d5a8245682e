"""Refusal, the one thing a domain may import from the chassis: an anticipated no, with words a caller can act on."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """An act was refused. `code` is stable for machines, the text says what was expected and what to do."""

    code = "refused"
    status = 409
    changes: list[dict[str, Any]] | None = None
    """What others did since the actor had looked."""

    def __init__(
        self, detail: str, *, field: str | None = None, code: str | None = None, status: int | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field
        self.code = code or type(self).code
        self.status = status or type(self).status


class NotFound(Refusal):
    """Nothing is known by that id."""

    code, status = "not-found", 404


class Forbidden(Refusal):
    """The actor may not do this, or not there."""

    code, status = "forbidden", 403


class Invalid(Refusal):
    """The input does not fit; `field` names where."""

    code, status = "invalid", 422


class Conflict(Refusal):
    """The thing is not in a state that allows the act, or the same key came with other content."""

    code, status = "conflict", 409


class ChangedMeanwhile(Conflict):
    """Somebody acted on the thing after the actor had looked at it; `changes` says who did what."""

    code = "changed-meanwhile"

    def __init__(self, detail: str, changes: list[dict[str, Any]]) -> None:
        super().__init__(detail)
        self.changes = changes
