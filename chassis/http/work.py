"""What an endpoint works with: who asks, its transaction, and where a list goes on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from fastapi import Request, Response as HttpResponse
from pydantic import BaseModel, ConfigDict

from chassis.http import cursors
from chassis.http.auth import Actor
from chassis.persistence.database import Database, ReadTx, Tx

PAGE_ITEMS_MAX = 500
T = TypeVar("T")


class Response(BaseModel):
    """Base of every answer: `masked` names the fields that this reader may not see."""

    model_config = ConfigDict(frozen=True)
    masked: tuple[str, ...] = ()


class Page(Response, Generic[T]):
    """One page of a list; `next` is the cursor of the page after it."""

    items: tuple[T, ...]
    next: str | None = None


@dataclass
class QueryContext:
    """What a question works with."""

    actor: Actor
    database: Database
    request: Request
    opened: ReadTx | None = field(default=None, kw_only=True)

    @property
    def read(self) -> ReadTx:
        """Return the transaction that asks, opened when it is first used."""
        if self.opened is None:
            self.opened = self.database.open_reading()
        return self.opened

    def run(self, answer: Callable[[], HttpResponse]) -> HttpResponse:
        """Answer, all of it in this thread: each change of thread costs a wait for the interpreter."""
        try:
            return answer()
        finally:
            self.end()

    def end(self) -> None:
        """Give back what was opened."""
        if self.opened is not None:
            self.opened.close()
            self.opened = None

    def after(self, cursor: str | None, *question: object) -> list[Any] | None:
        """Return where a list goes on; the cursor must belong to the same question."""
        return cursors.read(*self._asked(question), cursor)

    def page(
        self, items: Sequence[Any], last: Callable[[Any], list[Any]], limit: int, *question: object
    ) -> dict[str, Any]:
        """Return `items` and `next` of a page, given one item more than the limit when there is more."""
        shown = items[:limit]
        more = cursors.sign(*self._asked(question), last(shown[-1])) if len(items) > limit else None
        return {"items": tuple(shown), "next": more}

    def _asked(self, question: tuple[object, ...]) -> tuple[str, str]:
        asked = f"{self.request.url.path}?{json.dumps([str(q) for q in question])}"
        return self.request.app.state.cursor_secret, asked


@dataclass
class ActContext(QueryContext):
    """What an act works with: its unit of work is committed before the answer leaves."""

    unit: AbstractContextManager[Tx] = field(kw_only=True)
    on_open: Callable[[Tx], None] = field(kw_only=True)  # told once the unit of work is open
    before_commit: Callable[[Tx, HttpResponse], None] = field(kw_only=True)  # told before it is committed
    seen: int | None = field(default=None, init=False)  # the version of the thing that its actor had seen, where told
    _tx: Tx | None = field(default=None, init=False)

    @property
    def tx(self) -> Tx:
        """Return the unit of work."""
        assert self._tx is not None, "an act's endpoint runs inside its unit of work"
        return self._tx

    @property
    def read(self) -> ReadTx:
        """Return the act's own transaction: it sees what it did."""
        return self.tx

    def run(self, answer: Callable[[], HttpResponse]) -> HttpResponse:
        """Answer inside the unit of work; it is committed before the answer leaves."""
        with self.unit as self._tx:
            self.on_open(self._tx)
            response = answer()
            self.before_commit(self._tx, response)
        return response


async def in_thread(work: Callable[..., T], *given: Any) -> T:
    """Run something that waits in one of the threads for that; there are as many as connections."""
    return await asyncio.get_running_loop().run_in_executor(None, work, *given)


async def current_context(request: Request) -> Any:
    """Return the context of the request that FastAPI is solving dependencies for."""
    return request.state.context
