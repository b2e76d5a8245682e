"""Routes that every service has: its world's clock and quiet, its dead letters, what its causes were, its OpenAPI."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from chassis import http
from chassis.errors import Conflict, Invalid
from chassis.messaging import dead_letters, redrive
from chassis.messaging.reactions import Reactions
from schemas.types import Instant, Sensitive

IDS_MAX = 500
QUIET_WAIT_MS_MAX = 5_000
QUIET_LOOK_SECONDS = 0.004


class Advance(BaseModel):
    """Where to move a driven world's clock."""

    to: Instant


class ClockNow(http.Response):
    now: datetime
    moved: bool


class QuiescenceReport(http.Response):
    """Positions are read before outboxes; a world is quiet when every process says so twice with equal ends."""

    service: str
    positions: dict[str, int]
    ends: dict[str, int]
    pending: int
    next_due: datetime | None
    now: datetime


class DeadLetter(http.Response):
    """One record set aside, with its cause and its original bytes (base64)."""

    dead_letter_id: int
    topic: str
    partition: int
    offset: int
    reaction: str
    key: str
    type: str
    waiting: bool
    cause: str
    detail: str
    attempts: int
    stored_at: datetime
    resolved_at: datetime | None = None
    resolution: str | None = None
    value: str | None = None


class DeadLetterSelection(http.Body):
    """Which dead letters: by number, or by filter. A dry run only says what would be done."""

    model_config = ConfigDict(extra="ignore")

    ids: list[int] | None = Field(default=None, max_length=IDS_MAX)
    topic: str | None = None
    reaction: str | None = None
    cause: str | None = None
    dry_run: bool = False
    reason: str = "dropped by an operator"


class DeadLetterResults(http.Response):
    results: list[dict[str, Any]]


CauseKind = Literal["event", "act", "signal", "timer"]


class CauseQuestion(BaseModel):
    """Which causes; one whose `kind` is not said is looked for everywhere, in a week of facts too."""

    ids: list[UUID] = Field(max_length=IDS_MAX)
    kind: CauseKind | None = None


class CauseFound(BaseModel):
    """What this service can show by an id: a fact it said, an act, a raw signal, or a timer with what armed it."""

    id: UUID
    kind: CauseKind
    what: str
    recorded_at: datetime | None = None
    by: str | None = None
    armed_by: UUID | None = None
    armed_kind: str | None = None
    subject: str | None = None
    content: Annotated[Any, Sensitive("raw")] = None


class CausesFound(http.Response):
    found: list[CauseFound]


class TopicPositions(NamedTuple):
    """How far a process's loops have read, and the ends of what they hear."""

    positions: dict[str, int]
    ends: dict[str, int]

    @property
    def all(self) -> bool:
        return all(self.positions[place] >= end for place, end in self.ends.items())


Probe = Callable[[bool], TopicPositions]  # what the process's own loops know; True asks the broker for the ends


def router(
    probe: Probe, reactions: Reactions, *, wake: Callable[[], None], driven: bool, timers: Sequence[str]
) -> http.Router:
    """Return the standard routes; `timers` are the names of those that this service fires."""
    routes = http.Router()
    _world(routes, probe, wake, timers)
    _dead(routes, reactions, driven)
    _causes(routes)
    return routes


def _world(routes: http.Router, probe: Probe, wake: Callable[[], None], timers: Sequence[str]) -> None:
    @routes.act("/world/advance", may="operate")
    def advance_world(body: Advance, act: http.ActContext) -> ClockNow:
        if act.tx.database.clock.kind != "driven":
            raise Conflict("only a driven world's clock is moved; this one follows the machine's", code="not-driven")
        row = act.tx.sql(
            "INSERT INTO world_clock (one, now) VALUES (true, %s) ON CONFLICT (one) DO UPDATE SET now = EXCLUDED.now"
            " WHERE world_clock.now < EXCLUDED.now RETURNING now",
            body.to,
        ).fetchone()
        act.tx.after_commit(wake)
        return ClockNow(now=body.to if row else act.tx.now, moved=row is not None)

    @routes.question("/world/quiet", may="operate")
    async def quiet(
        ask: http.QueryContext, sure: bool = False, wait_ms: Annotated[int, Query(ge=0, le=QUIET_WAIT_MS_MAX)] = 0
    ) -> QuiescenceReport:
        """Say whether this process has still to do; with `wait_ms` answer when it has not, or when the time is over."""
        end = time.monotonic() + wait_ms / 1000
        while True:
            heard = await http.in_thread(probe, True) if sure else probe(False)
            late = time.monotonic() >= end
            if heard.all or late:
                said = await http.in_thread(_stored, ask, heard, timers)
                if late or (not said.pending and (said.next_due is None or said.next_due > said.now)):
                    return said
            await asyncio.sleep(QUIET_LOOK_SECONDS)

    @routes.question("/openapi.json")
    def openapi_document(ask: http.QueryContext) -> dict[str, Any]:
        return dict(ask.request.app.openapi())


def _stored(ask: http.QueryContext, heard: TopicPositions, timers: Sequence[str]) -> QuiescenceReport:
    """Add what the database knows. Positions are read before outboxes (FLOW 6.3)."""
    (stored,) = ask.read.sql(
        "SELECT (SELECT count(*) FROM outbox WHERE published_at IS NULL) AS pending, (SELECT min(due_at) FROM timers"
        " WHERE fired_at IS NULL AND disarmed_at IS NULL AND name = ANY(%s)) AS next_due",
        list(timers),
    ).fetchall()
    return QuiescenceReport(service=ask.database.service, **heard._asdict(), **stored, now=ask.read.world_now)


def _dead(routes: http.Router, reactions: Reactions, driven: bool) -> None:
    @routes.question("/dead-letters", may="operate")
    def list_dead_letters(
        ask: http.QueryContext,
        topic: str | None = None,
        reaction: str | None = None,
        cause: str | None = None,
        cursor: str | None = None,
        limit: Annotated[int, Query(ge=1, le=http.PAGE_ITEMS_MAX)] = 100,
    ) -> http.Page[DeadLetter]:
        which, after = dead_letters.DeadLetterFilter(topic, reaction, cause), ask.after(cursor, topic, reaction, cause)
        rows = dead_letters.listed(ask.read, which, after=after[0] if after else 0, limit=limit + 1)
        page = ask.page([_letter(r) for r in rows], lambda d: [d.dead_letter_id], limit, topic, reaction, cause)
        return http.Page[DeadLetter](**page)

    @routes.question("/dead-letters/{dead_letter_id}", may="operate")
    def show_dead_letter(dead_letter_id: int, ask: http.QueryContext) -> DeadLetter:
        return _letter(dead_letters.one(ask.read, dead_letter_id), with_bytes=True)

    @routes.act("/dead-letters:retry", may="operate")
    def retry_dead_letters(body: DeadLetterSelection, act: http.ActContext) -> DeadLetterResults:
        letters = _picked(act, body)
        if body.dry_run:
            return DeadLetterResults(
                results=[{"dead_letter_id": r["dead_letter_id"], "outcome": "would-run"} for r in letters]
            )
        done: dict[int, dict[str, Any]] = {}
        for letter in letters:
            if letter["dead_letter_id"] not in done:
                for one in redrive.redrive(act.database, reactions, letter, driven=driven):
                    done[one.dead_letter_id] = one._asdict()
        return DeadLetterResults(results=list(done.values()))

    @routes.act("/dead-letters:drop", may="operate")
    def drop_dead_letters(body: DeadLetterSelection, act: http.ActContext) -> DeadLetterResults:
        letters = _picked(act, body)
        for letter in letters if not body.dry_run else ():
            dead_letters.behind(act.tx, letter["topic"], letter["key"], letter["reaction"])
            dead_letters.resolve(act.tx, letter["dead_letter_id"], body.reason)
            dead_letters.unpark(act.tx, letter["topic"], letter["key"], letter["reaction"])
        outcome = "would-drop" if body.dry_run else "dropped"
        return DeadLetterResults(results=[{"dead_letter_id": r["dead_letter_id"], "outcome": outcome} for r in letters])


def _picked(act: http.ActContext, pick: DeadLetterSelection) -> list[dict[str, Any]]:
    if pick.ids is None and not (pick.topic or pick.reaction or pick.cause):
        raise Invalid("say which: ids, or a filter by topic, reaction or cause", field="ids")
    return dead_letters.listed(
        act.tx, dead_letters.DeadLetterFilter(pick.topic, pick.reaction, pick.cause, ids=pick.ids), limit=IDS_MAX
    )


def _letter(row: dict[str, Any], *, with_bytes: bool = False) -> DeadLetter:
    value = base64.b64encode(row["value"]).decode() if with_bytes else None
    return DeadLetter(**(row | {"value": value}))


def _causes(routes: http.Router) -> None:
    @routes.question("/causes:resolve", asked_by="POST")
    def resolve_causes(body: CauseQuestion, ask: http.QueryContext) -> CausesFound:
        """Return what these ids stand for; a reader of a part of the sites or customers sees neither names nor content."""
        asked = [statement for kind, statement in _RESOLVERS.items() if body.kind in (None, kind)]
        found = [CauseFound(**row) for statement in asked for row in ask.read.sql(statement, body.ids).fetchall()]
        if ask.actor.sees_all:
            return CausesFound(found=found)
        blind = [one.model_copy(update={"subject": None, "content": None}) for one in found]
        return CausesFound(found=blind, masked=("found[].content", "found[].subject"))


_RESOLVERS: dict[CauseKind, str] = {
    "event": "SELECT event_id AS id, 'event' AS kind, type AS what, stored_at AS recorded_at, key AS subject FROM outbox WHERE event_id = ANY(%s)",
    "act": "SELECT act_id AS id, 'act' AS kind, route AS what, recorded_at, role AS by, path AS subject FROM acts WHERE act_id = ANY(%s)",
    "signal": "SELECT signal_id AS id, 'signal' AS kind, door AS what, recorded_at, source AS by, key AS subject, content FROM signals WHERE signal_id = ANY(%s)",
    "timer": "SELECT timer_id AS id, 'timer' AS kind, name AS what, due_at AS recorded_at, armed_by, armed_kind, subject FROM timers WHERE timer_id = ANY(%s)",
}
