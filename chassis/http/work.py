"""What an endpoint works with: who asks, its transaction, and where a list goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict

from chassis import cursors
from chassis.auth import Actor
from chassis.db import Database, ReadTx, Tx

PAGE_ITEMS_MAX = 500
T = TypeVar("T")


class Shown(BaseModel):
    """Base of every answer: `masked` names the fields that this reader may not see."""

    model_config = ConfigDict(frozen=True)
    masked: tuple[str, ...] = ()


class Page(Shown, Generic[T]):
    """One page of a list; `next` is the cursor of the page after it."""

    items: tuple[T, ...]
    next: str | None = None


@dataclass
class Asking:
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

    def prepare(self) -> None:
        """Prepare, in the thread that works; a question opens its transaction when it first asks."""

    def end(self) -> None:
        """Give back what a question opened; an act's unit of work goes on until its answer is written."""
        if self.opened is not None:
            self.opened.close()
            self.opened = None

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

    unit: AbstractContextManager[Tx] = field(kw_only=True)
    begun: Callable[[Tx], None] = field(kw_only=True)  # told once the unit of work is open
    _tx: Tx | None = field(default=None, init=False)

    @property
    def tx(self) -> Tx:
        """Return the unit of work."""
        assert self._tx is not None, "an act's endpoint runs between prepare and finish"
        return self._tx

    @property
    def read(self) -> ReadTx:
        """Return the act's own transaction: it sees what it did."""
        return self.tx

    def prepare(self) -> None:
        """Open the unit of work."""
        self._tx = self.unit.__enter__()
        self.begun(self._tx)

    def end(self) -> None:
        """Leave it open: `finish` commits it."""

    def finish(self, last: Callable[[Tx], None] | None, error: BaseException | None = None) -> None:
        """Commit, after one last write; roll back where something was raised."""
        if self._tx is None:
            return
        if error is not None:
            self.unit.__exit__(type(error), error, error.__traceback__)
            return
        try:
            if last is not None:
                last(self._tx)
        except BaseException as raised:
            self.unit.__exit__(type(raised), raised, raised.__traceback__)
            raise
        self.unit.__exit__(None, None, None)


async def _asking(request: Request) -> Asking:
    asking: Asking = request.state.at_work
    return asking


async def _doing(request: Request) -> Doing:
    doing: Doing = request.state.at_work
    return doing


Question = Annotated[Asking, Depends(_asking)]
Act = Annotated[Doing, Depends(_doing)]
