"""The HTTP door: acts in a transaction that is committed before the answer leaves, questions, batches, problem details.

An act's handler opens the unit of work, runs the endpoint in it, stores the answer under the Idempotency-Key, commits,
and only then answers; a lost race is run again from the start. A FastAPI dependency with `yield` would commit
after the 200, which is why this is a route class.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from chassis import cursors, log, metrics, trace
from chassis.auth import Actor, Verifier
from chassis.clock import machine_now
from chassis.db import RERUNS_MAX, ConcurrentChange, Context, Database, ReadTx, Tx, is_transient, must_run_again
from chassis.errors import Conflict, Invalid, Refusal
from chassis.ids import derived_id, time_ordered_id
from chassis.masking import masked
from schemas.access import ACTS
from schemas.types import Code, Instant

BODY_BYTES_MAX = 8_000_000
BATCH_ITEMS_MAX = 500
PAGE_ITEMS_MAX = 500
RETRY_AFTER_SECONDS = 1
T = TypeVar("T")
Endpoint = Callable[..., Any]


class Shown(BaseModel):
    """Base of every answer: `masked` names the fields that this reader may not see."""

    model_config = ConfigDict(frozen=True)
    masked: tuple[str, ...] = ()


class Page(Shown, Generic[T]):
    """One page of a list; `next` is the cursor of the page after it."""

    items: tuple[T, ...]
    next: str | None = None


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


@dataclass
class Asking:
    """What a question works with."""

    actor: Actor
    read: ReadTx
    request: Request

    def after(self, cursor: str | None, *question: object) -> list[Any] | None:
        """Return where a list goes on; the cursor must belong to the same question."""
        return cursors.read(self._secret, self._question(question), cursor)

    def page(
        self, items: Sequence[Any], last: Callable[[Any], list[Any]], limit: int, *question: object
    ) -> dict[str, Any]:
        """Return `items` and `next` of a page, given one item more than the limit when there is more."""
        shown = items[:limit]
        more = cursors.sign(self._secret, self._question(question), last(shown[-1])) if len(items) > limit else None
        return {"items": tuple(shown), "next": more}

    @property
    def _secret(self) -> str:
        secret: str = self.request.app.state.cursor_secret
        return secret

    def _question(self, question: tuple[object, ...]) -> str:
        return f"{self.request.url.path}?{json.dumps([str(q) for q in question])}"


@dataclass
class Doing(Asking):
    """What an act works with: its unit of work is committed before the answer leaves."""

    tx: Tx


def _asking(request: Request) -> Asking:
    asking: Asking = request.state.at_work
    return asking


def _doing(request: Request) -> Doing:
    doing: Doing = request.state.at_work
    return doing


Question = Annotated[Asking, Depends(_asking)]
Act = Annotated[Doing, Depends(_doing)]


class _Route(APIRoute):
    """Authenticates, authorizes, opens the transaction, masks, counts."""

    # house: allow words — the name is FastAPI's
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()

        async def handler(request: Request) -> Response:
            started, status = time.perf_counter(), 500
            service = request.app.state.service
            try:
                response = await self._answer(request, inner)
                status = response.status_code
                return response
            finally:
                metrics.http_requests_total.labels(service, request.method, self.path, f"{status // 100}xx").inc()
                metrics.http_seconds.labels(service, request.method, self.path).observe(time.perf_counter() - started)

        return handler

    async def _answer(self, request: Request, inner: Callable[[Request], Coroutine[Any, Any, Response]]) -> Response:
        try:
            actor = await run_in_threadpool(request.app.state.verifier.actor, request.headers.get("authorization"))
            act = (self.openapi_extra or {})["x-act"]
            actor.may(act)
            if int(request.headers.get("content-length") or 0) > BODY_BYTES_MAX:
                raise Refusal(
                    f"the body is larger than {BODY_BYTES_MAX:,} bytes; send smaller batches",
                    code="too-large",
                    status=413,
                )
            database: Database = request.app.state.database
            if (self.openapi_extra or {}).get("x-question"):
                return await self._ask(request, inner, actor, database)
            return await self._act(request, inner, actor, database, act)
        except Exception as error:  # noqa: BLE001  every failure becomes a problem document, logged there
            return problem(request, error)

    async def _ask(self, request: Request, inner: Any, actor: Actor, database: Database) -> Response:
        reading = database.reading()
        read = await run_in_threadpool(reading.__enter__)
        try:
            request.state.at_work = Asking(actor, read, request)
            return await inner(request)  # type: ignore[no-any-return]  # FastAPI does not type its handler
        finally:
            await run_in_threadpool(reading.__exit__, None, None, None)

    async def _act(self, request: Request, inner: Any, actor: Actor, database: Database, act: str) -> Response:
        body = await request.body()
        if len(body) > BODY_BYTES_MAX:
            raise Refusal(
                f"the body is larger than {BODY_BYTES_MAX:,} bytes; send smaller batches", code="too-large", status=413
            )
        for left in range(RERUNS_MAX, -1, -1):
            try:
                return await self._act_once(request, inner, actor, database, act, body)
            except Exception as error:
                if not (left and must_run_again(error)):
                    raise
                metrics.transactions_rerun_total.labels(database.service).inc()
        raise AssertionError("unreachable: the last run returns or raises")

    async def _act_once(
        self, request: Request, inner: Any, actor: Actor, database: Database, act: str, body: bytes
    ) -> Response:
        act_id, traceparent = time_ordered_id(), trace.child(request.headers.get("traceparent"))
        opened = database.begin(lambda now: Context(act_id, act_id, "act", now, traceparent=traceparent))
        tx = await run_in_threadpool(opened.__enter__)
        try:
            key = request.headers.get("idempotency-key")
            kept = (
                await run_in_threadpool(_kept_answer, tx, actor, self.path, key, request.url.path, body)
                if key
                else None
            )
            if kept is not None:
                await run_in_threadpool(opened.__exit__, None, None, None)
                return kept
            _audit(tx, actor, act, f"{request.method} {self.path}", request.url.path, body)
            request.state.at_work = Doing(actor, tx, request, tx)
            response: Response = await inner(request)
            if response.status_code < 400 and key:
                _keep_answer(tx, actor, self.path, key, request.url.path, body, response)
        except BaseException as error:
            await run_in_threadpool(opened.__exit__, type(error), error, error.__traceback__)
            raise
        await run_in_threadpool(opened.__exit__, None, None, None)
        response.headers["traceparent"] = traceparent
        return response


class Router:
    """The routes of one service; each names the act of schemas/access.py that it is."""

    def __init__(self) -> None:
        self.api = APIRouter(route_class=_Route)

    def act(self, path: str, *, may: str, status: int = 200, **options: Any) -> Callable[[Endpoint], Endpoint]:
        """Register an act: POST, in a transaction."""
        return self._route("POST", path, may, status, options)

    def question(
        self, path: str, *, may: str = "read", asked_by: str = "GET", **options: Any
    ) -> Callable[[Endpoint], Endpoint]:
        """Register a question, read only; one too long for an address is asked by POST."""
        return self._route(asked_by, path, may, 200, options, {"x-question": True})

    def batch(self, path: str, *, may: str, item: type[Item], **options: Any) -> Callable[[Endpoint], Endpoint]:
        """Register the `:batch` form of an act; its OpenAPI shows the item's schema."""
        return self._route("POST", path, may, 200, options, {"x-item": item.model_json_schema(), "x-batch": True})

    def _route(
        self,
        method: str,
        path: str,
        may: str,
        status: int,
        options: dict[str, Any],
        extra: dict[str, Any] | None = None,
    ) -> Callable[[Endpoint], Endpoint]:
        row = ACTS[may]
        shown = {"x-act": may, "x-roles": list(row.roles), "x-machine": list(row.machine), **(extra or {})}

        def register(endpoint: Endpoint) -> Endpoint:
            self.api.add_api_route(
                path, _masking(endpoint), methods=[method], status_code=status, openapi_extra=shown,
                responses={"4XX": {"model": Problem, "description": "Refused; what was expected and what to do."}}, **options,
            )  # fmt: skip
            return endpoint

        return register


def _masking(endpoint: Endpoint) -> Endpoint:
    """Wrap an endpoint so that its answer is masked for its reader."""
    parameter = next(
        (p.name for p in inspect.signature(endpoint).parameters.values() if p.name in ("ask", "act")), None
    )
    if parameter is None:
        raise TypeError(f"{endpoint.__name__}: an endpoint takes `ask: http.Question` or `act: http.Act`")

    @functools.wraps(endpoint)
    def shown(**arguments: Any) -> Any:
        return masked(endpoint(**arguments), arguments[parameter].actor)

    return shown


# ── idempotency and audit ────────────────────────────────────────────────────────────────────────


def _hash(path: str, body: bytes) -> str:
    return hashlib.sha256(path.encode() + b"\x00" + body).hexdigest()


def _kept_answer(tx: Tx, actor: Actor, route: str, key: str, path: str, body: bytes) -> Response | None:
    row = tx.cursor().execute(
        "SELECT content_hash, status, body FROM idempotency_keys WHERE subject = %s AND route = %s AND key = %s", [actor.subject, route, key]
    ).fetchone()  # fmt: skip
    if row is None:
        return None
    if row["content_hash"] != _hash(path, body):
        raise Conflict(
            "this Idempotency-Key came before with other content; use a new key for a new act",
            field="Idempotency-Key",
            code="key-reused",
        )
    return Response(
        row["body"], status_code=row["status"], media_type="application/json", headers={"Idempotent-Replay": "true"}
    )


def _keep_answer(tx: Tx, actor: Actor, route: str, key: str, path: str, body: bytes, response: Response) -> None:
    row = {
        "key": key, "route": route, "subject": actor.subject, "content_hash": _hash(path, body), "status": response.status_code,
        "body": bytes(response.body).decode(), "stored_at": machine_now(),
    }  # fmt: skip
    made = tx.cursor().execute(
        "INSERT INTO idempotency_keys (key, route, subject, content_hash, status, body, stored_at) VALUES"
        " (%(key)s, %(route)s, %(subject)s, %(content_hash)s, %(status)s, %(body)s, %(stored_at)s) ON CONFLICT DO NOTHING RETURNING key",
        row,
    ).fetchone()  # fmt: skip
    if made is None:
        raise ConcurrentChange("the same key is being used by another request")


def _audit(tx: Tx, actor: Actor, act: str, route: str, path: str, body: bytes) -> None:
    try:
        content = json.loads(body) if body and len(body) < 20_000 else None
    except ValueError:
        content = None
    role = ",".join(sorted(actor.roles))
    tx.append(
        tx.database.tables.acts,
        {
            "act_id": tx.context.causation_id, "act": act, "route": route, "subject": actor.subject, "role": role, "path": path,
            "body": content, "traceparent": tx.context.traceparent, "recorded_at": tx.now, "machine_at": machine_now(),
        },
    )  # fmt: skip


# ── batches ──────────────────────────────────────────────────────────────────────────────────────

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


# ── problems ─────────────────────────────────────────────────────────────────────────────────────


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str | None = None


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
    body = {
        "type": f"urn:crossdock:problem:{code}",
        "title": code.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail,
        "code": code,
    }
    if field is not None:
        body["field"] = field
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


def page_limit(limit: int) -> int:
    """Return a page's size; raises Invalid outside 1 … 500."""
    if not 1 <= limit <= PAGE_ITEMS_MAX:
        raise Invalid(f"limit {limit}: expected 1 to {PAGE_ITEMS_MAX}", field="limit")
    return limit


def create_app(
    *, service: str, database: Database, verifier: Verifier, cursor_secret: str, routers: Sequence[Router]
) -> FastAPI:
    """Return a service's application: its routes, every failure as problem details, no documentation pages."""
    app = FastAPI(title=f"Crossdock {service}", version="1", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.service, app.state.database, app.state.verifier, app.state.cursor_secret = (
        service,
        database,
        verifier,
        cursor_secret,
    )
    for router in routers:
        app.include_router(router.api)
    for kind in (HTTPException, RequestValidationError, Refusal, Exception):
        app.add_exception_handler(kind, problem)
    app.add_exception_handler(404, problem)
    app.add_exception_handler(405, problem)
    return app
