"""Every failure becomes problem details (RFC 9457): what was expected, and what to do."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException

from chassis import log, metrics
from chassis.db import is_transient, must_run_again
from chassis.errors import Refusal

RETRY_AFTER_SECONDS = 1


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str | None = None
    changes: list[dict[str, Any]] | None = None  # what others did since the actor had looked


def problem(request: Request, error: Exception) -> JSONResponse:
    """Turn a failure into problem details; what was not anticipated is logged and told without its insides."""
    service = request.app.state.service
    status, code, detail, field, headers = _described(error)
    if status >= 500 and code == "failed":
        log.get().error("request.failed", path=request.url.path, method=request.method, exc_info=error)
    elif status in (401, 403):
        log.get().warning(
            "request.refused", path=request.url.path, method=request.method, status=status, code=code, detail=detail
        )
    metrics.acts_refused_total.labels(service, code).inc()
    body: dict[str, Any] = {
        "type": f"urn:crossdock:problem:{code}",
        "title": code.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail,
        "code": code,
    }
    if field is not None:
        body["field"] = field
    if isinstance(error, Refusal) and error.changes is not None:
        body["changes"] = error.changes
    return JSONResponse(body, status_code=status, media_type="application/problem+json", headers=headers)


def _described(error: Exception) -> tuple[int, str, str, str | None, dict[str, str]]:
    if isinstance(error, Refusal):
        headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
        return error.status, error.code, error.detail, error.field, headers
    if isinstance(error, (RequestValidationError, ValidationError)):
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"] if part != "body")
        return 422, "invalid", f"{field or 'body'}: {first['msg']}", field or None, {}
    if isinstance(error, HTTPException):
        return error.status_code, "not-found" if error.status_code == 404 else "refused", str(error.detail), None, {}
    if must_run_again(error):
        return (
            409,
            "conflict",
            "somebody else is changing the same thing; ask again and repeat",
            None,
            {"Retry-After": str(RETRY_AFTER_SECONDS)},
        )
    if is_transient(error):
        return (
            503,
            "unavailable",
            "the database cannot be reached or is busy; repeat with the same Idempotency-Key",
            None,
            {"Retry-After": str(RETRY_AFTER_SECONDS)},
        )
    return 500, "failed", "an unexpected failure; it was logged, nothing was changed", None, {}
