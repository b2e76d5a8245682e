"""Every failure becomes problem details (RFC 9457): what was expected, and what to do."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException

from chassis.errors import Refusal
from chassis.persistence.database import is_transient, must_run_again
from chassis.persistence.failures import refusal_of
from chassis.runtime import log, metrics

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


def document(code: str, status: int, detail: str) -> dict[str, Any]:
    """Return problem details without what only some failures have."""
    title = code.replace("-", " ").capitalize()
    return {"type": f"urn:crossdock:problem:{code}", "title": title, "status": status, "detail": detail, "code": code}


def problem(request: Request, error: Exception) -> JSONResponse:
    """Turn a failure into problem details; what was not anticipated is logged and told without its insides."""
    status, code, detail, field, headers = _described(error)
    if status >= 500 and code == "failed":
        log.get().error("request.failed", path=request.url.path, method=request.method, exc_info=error)
    elif status in (401, 403):
        said = {"path": request.url.path, "method": request.method, "status": status, "code": code}
        log.get().warning("request.refused", **said, detail=detail)
    metrics.acts_refused_total.labels(request.app.state.service, code).inc()
    body = document(code, status, detail) | ({} if field is None else {"field": field})
    if isinstance(error, Refusal) and error.changes is not None:
        body["changes"] = error.changes
    return JSONResponse(body, status_code=status, media_type="application/problem+json", headers=headers)


def _described(error: Exception) -> tuple[int, str, str, str | None, dict[str, str]]:
    later = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    if isinstance(error, Refusal):
        headers = {401: {"WWW-Authenticate": "Bearer"}, 503: later}.get(error.status, {})
        return error.status, error.code, error.detail, error.field, headers
    if isinstance(error, (RequestValidationError, ValidationError)):
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"] if part != "body")
        return 422, "invalid", f"{field or 'body'}: {first['msg']}", field or None, {}
    if isinstance(error, HTTPException):
        return error.status_code, "not-found" if error.status_code == 404 else "refused", str(error.detail), None, {}
    if must_run_again(error):
        return 409, "conflict", "somebody else is changing the same thing; ask again and repeat", None, later
    if is_transient(error):
        told = "the database cannot be reached or is busy; repeat with the same Idempotency-Key"
        return 503, "unavailable", told, None, later
    refusal = refusal_of(error) or Refusal(
        "an unexpected failure: it was logged and nothing was changed; repeat the request, report its time if it fails again",
        code="failed",
        status=500,
    )
    return refusal.status, refusal.code, refusal.detail, refusal.field, {}
