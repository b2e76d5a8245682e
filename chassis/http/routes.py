"""Routes: acts in a transaction that is committed before the answer leaves, questions, batches.

An act's handler opens the unit of work, runs the endpoint in it, stores the answer under the Idempotency-Key, commits,
and only then answers; a lost race is run again from the start. A FastAPI dependency with `yield` would commit
after the 200, which is why this is a route class.
"""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Annotated, Any, get_type_hints

from fastapi import APIRouter, Depends, FastAPI, Request, Response, params
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from starlette.exceptions import HTTPException

from chassis.errors import Refusal
from chassis.http.auth import Actor, Verifier
from chassis.http.batches import Item
from chassis.http.idempotency import audit, keep_answer, kept_answer
from chassis.http.masking import masked
from chassis.http.problems import Problem, problem
from chassis.http.work import ActContext, QueryContext, current_context, in_thread
from chassis.ids import time_ordered_id
from chassis.persistence.database import RERUNS_MAX, Context, Database, FlushedItem, Tx, is_transient, must_run_again
from chassis.runtime import metrics, trace
from schemas.access import ACTS

Endpoint = Callable[..., Any]


class _Route(APIRoute):
    """Authenticates, authorizes, opens the transaction, masks, counts."""

    # layers: allow words — the name is FastAPI's
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
                request.state.context = None  # it knows the request: a circle for the garbage collector
                metrics.http_requests_total.labels(service, request.method, self.path, f"{status // 100}xx").inc()
                metrics.http_seconds.labels(service, request.method, self.path).observe(time.perf_counter() - started)

        return handler

    async def _answer(self, request: Request, inner: Callable[[Request], Coroutine[Any, Any, Response]]) -> Response:
        try:
            verifier: Verifier = request.app.state.verifier
            given = request.headers.get("authorization")
            actor = verifier.known_actor(given)
            if actor is None:
                actor = await in_thread(verifier.actor, given)
            act = (self.openapi_extra or {})["x-act"]
            actor.may(act)
            if act == "read":
                actor.must_subscribe((self.openapi_extra or {}).get("x-topic"))
            if request.method == "POST":
                await request.body()  # before FastAPI, which calls whatever goes wrong in it a bad request
            database: Database = request.app.state.database
            if (self.openapi_extra or {}).get("x-question"):
                return await self._ask(request, inner, actor, database)
            return await self._act(request, inner, actor, database, act)
        except Exception as error:  # noqa: BLE001  every failure becomes a problem document, logged there
            return problem(request, error)

    async def _ask(self, request: Request, inner: Any, actor: Actor, database: Database) -> Response:
        request.state.context = context = QueryContext(actor, database, request)
        try:
            return await inner(request)  # type: ignore[no-any-return]  # FastAPI does not type its handler
        finally:
            if context.opened is not None:  # by an endpoint that awaits
                await in_thread(context.end)

    async def _act(self, request: Request, inner: Any, actor: Actor, database: Database, act: str) -> Response:
        body = await request.body()
        batch, use_savepoints = bool((self.openapi_extra or {}).get("x-batch")), False
        for left in range(RERUNS_MAX, -1, -1):
            use_savepoints = use_savepoints or (batch and not left)
            try:
                return await self._act_once(
                    request, inner, actor, database, act, body, use_savepoints, last_try=not left
                )
            except Exception as error:
                fails_at_once = batch and not use_savepoints and _may_be_of_one_item(error)
                if not (left and (fails_at_once or must_run_again(error))):
                    raise
                use_savepoints = use_savepoints or fails_at_once
                metrics.transactions_rerun_total.labels(database.service).inc()
        raise AssertionError("unreachable: the last run returns or raises")

    async def _act_once(
        self,
        request: Request,
        inner: Any,
        actor: Actor,
        database: Database,
        act: str,
        body: bytes,
        use_savepoints: bool,
        *,
        last_try: bool,
    ) -> Response:
        act_id, traceparent = time_ordered_id(), trace.child(request.headers.get("traceparent"))
        path, key = request.url.path, request.headers.get("idempotency-key")

        def begun(tx: Tx) -> None:
            tx.use_savepoints, tx.last_try = use_savepoints, last_try
            if key and (kept := kept_answer(tx, actor, self.path, key, path, body)) is not None:
                raise _Kept(kept)
            audit(tx, actor, act, f"{request.method} {self.path}", path, body)

        def done(tx: Tx, response: Response) -> None:
            if key and response.status_code < 400:
                keep_answer(tx, actor, self.path, key, path, body, response)

        unit = database.begin(lambda now: Context(act_id, act_id, "act", now, traceparent=traceparent))
        request.state.context = ActContext(actor, database, request, unit=unit, on_open=begun, before_commit=done)
        try:
            response: Response = await inner(request)
        except _Kept as known:
            return known.response
        response.headers["traceparent"] = traceparent
        return response


def _may_be_of_one_item(error: Exception) -> bool:
    """Say whether a batch may have failed because of one of its items, which a run with savepoints finds."""
    if isinstance(error, (Refusal, RequestValidationError, HTTPException)) or is_transient(error):
        return False
    return isinstance(error, FlushedItem) or not must_run_again(error)


class _Kept(Exception):
    """The act was done before under this Idempotency-Key: its answer is given again."""

    def __init__(self, response: Response) -> None:
        self.response = response


class Router:
    """The routes of one service; each names the act of schemas/access.py that it is.

    FastAPI solves `dependencies` for every route before its endpoint runs; they find the context with `current_context`.
    """

    def __init__(self, *, dependencies: Sequence[params.Depends] = ()) -> None:
        self.api = APIRouter(route_class=_Route, dependencies=list(dependencies))

    def act(self, path: str, *, may: str, status: int = 200, **options: Any) -> Callable[[Endpoint], Endpoint]:
        """Register an act: POST, in a transaction."""
        return self._route("POST", path, may, status, options)

    def question(
        self, path: str, *, may: str = "read", topic: str | None = None, asked_by: str = "GET", **options: Any
    ) -> Callable[[Endpoint], Endpoint]:
        """Register a question, read only; one too long for an address is asked by POST.

        `topic` is the subscription by which a machine may ask; a question without one is for persons.
        """
        extra: dict[str, Any] = {"x-question": True}
        if may == "read":
            extra |= {"x-topic": topic, "x-machine": ["topics"] if topic else []}
        return self._route(asked_by, path, may, 200, options, extra)

    def batch(self, path: str, *, may: str, item: type[Item], **options: Any) -> Callable[[Endpoint], Endpoint]:
        """Register the `:batch` form of an act; its OpenAPI shows the item's schema."""
        return self._route("POST", path, may, 200, options, {"x-item": item.model_json_schema(), "x-batch": True})

    def _route(
        self, method: str, path: str, may: str, status: int, options: dict[str, Any], extra: Mapping[str, Any] = {}
    ) -> Callable[[Endpoint], Endpoint]:
        row = ACTS[may]
        shown = {"x-act": may, "x-roles": list(row.roles), "x-machine": list(row.machine), **extra}

        def register(endpoint: Endpoint) -> Endpoint:
            self.api.add_api_route(
                path,
                _answering(endpoint, status, options.get("response_model")),
                methods=[method],
                status_code=status,
                openapi_extra=shown,
                responses={"4XX": {"model": Problem, "description": "Refused; what was expected and what to do."}},
                **options,
            )
            return endpoint

        return register


def _answering(endpoint: Endpoint, status: int, model: Any) -> Endpoint:
    """Wrap an endpoint so that it works in a thread, and its answer is masked for its reader and written there."""
    parameter = next((name for name in inspect.signature(endpoint).parameters if name in ("ask", "act")), None)
    if parameter is None:
        raise TypeError(f"{endpoint.__name__}: an endpoint takes `ask: http.QueryContext` or `act: http.ActContext`")
    said_type = model or get_type_hints(endpoint, include_extras=True)["return"]
    writer: TypeAdapter[Any] = TypeAdapter(said_type)

    if inspect.iscoroutinefunction(endpoint):

        @functools.wraps(endpoint)
        async def shown_later(**arguments: Any) -> Any:
            return masked(await endpoint(**arguments), arguments[parameter].actor)

        return _with_context(shown_later, parameter)

    def work(context: QueryContext, arguments: dict[str, Any]) -> Response:
        def answer() -> Response:
            said = masked(endpoint(**arguments), context.actor)
            if isinstance(said, Response):
                return said
            return Response(writer.dump_json(said, by_alias=True), status, media_type="application/json")

        return context.run(answer)

    @functools.wraps(endpoint)
    async def shown(**arguments: Any) -> Any:
        return await in_thread(work, arguments[parameter], arguments)

    return _with_context(shown, parameter)


def _with_context(wrapper: Endpoint, parameter: str) -> Endpoint:
    """Let FastAPI fill `parameter` with the request's context; the endpoint annotates it with the plain class."""
    signature = inspect.signature(wrapper)
    injected = signature.parameters[parameter].replace(annotation=Annotated[Any, Depends(current_context)])
    wrapper.__signature__ = signature.replace(  # type: ignore[attr-defined]  # read by inspect.signature
        parameters=[injected if name == parameter else other for name, other in signature.parameters.items()]
    )
    return wrapper


def create_app(
    *, service: str, database: Database, verifier: Verifier, cursor_secret: str, routers: Sequence[Router]
) -> FastAPI:
    """Return a service's application: its routes, every failure as problem details, no documentation pages."""
    app = FastAPI(title=f"Crossdock {service}", version="1", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.service, app.state.database = service, database
    app.state.verifier, app.state.cursor_secret = verifier, cursor_secret
    for router in routers:
        app.include_router(router.api)
    for kind in (HTTPException, RequestValidationError, Refusal, Exception, 404, 405):
        app.add_exception_handler(kind, problem)
    return app
