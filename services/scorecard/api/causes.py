"""Questions about causes: why a fact happened, what followed, and which facts nobody can explain (FLOW 4.2)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from chassis import http
from services.scorecard import queries
from services.scorecard.api.shapes import (
    Consequences,
    ExternalCause,
    ExternalKind,
    FactShown,
    Figures,
    Limit,
    Orphans,
    OrphanShown,
    Root,
    Step,
    WalkAsked,
    Walked,
    Why,
    router,
    service_of,
)
from services.scorecard.settings import ScorecardSettings


@router.question("/causes/{fact_id}")
def explain_fact(fact_id: UUID, ask: http.QueryContext) -> Why:
    """Return the chain of causes of a fact, back to the act, the signal or the timer that started it."""
    queries.must_see_fact(ask.read, ask.actor, fact_id)
    chain = [Step.model_validate(row) for row in queries.causes_of_fact(ask.read, fact_id)]
    passed = tuple(_root(step) for step in chain[:-1] if step.cause_kind == "timer")
    return Why(chain=tuple(chain), passed=passed, root=_root(chain[-1]))


@router.question("/causes:walk", asked_by="POST")
def walk_causes(body: WalkAsked, ask: http.QueryContext) -> Walked:
    """Return the causal records of at most 500 facts: one level of a walk that the asker goes on with."""
    ask.actor.must_see_everything()
    found = tuple(FactShown.model_validate(row) for row in queries.facts_by_id(ask.read, body.ids))
    known = {fact.fact_id for fact in found}
    return Walked(found=found, missing=tuple(i for i in body.ids if i not in known))


@router.question("/facts")
def list_facts(
    ask: http.QueryContext, type: str, subject: str | None = None, cursor: str | None = None, limit: Limit = 500
) -> http.Page[FactShown]:
    """Return the causal records of one kind of fact, by id: where a walk of all, or of one subject's, starts."""
    if subject is None:
        ask.actor.must_see_everything()
    last = ask.after(cursor, type, subject)
    rows = queries.facts_by_type(
        ask.read, ask.actor, type, subject=subject, after=UUID(last[0]) if last else None, limit=limit + 1
    )
    shown = [FactShown.model_validate(row) for row in rows]
    return http.Page[FactShown](**ask.page(shown, lambda f: [f.fact_id], limit, type, subject))


@router.question("/figures")
def show_figures(ask: http.QueryContext) -> Figures:
    """Return what the causal record adds up to; asked when the world is quiet, so that an orphan is one at once."""
    ask.actor.must_see_everything()
    by_reason = queries.orphans_by_reason(ask.read, settled=timedelta())
    return Figures(facts=queries.facts_recorded(ask.read), orphans=sum(by_reason.values()), orphans_by_reason=by_reason)


@router.question("/impacts/{cause_id}")
def show_consequences(cause_id: UUID, ask: http.QueryContext, limit: Limit = 500) -> Consequences:
    """Return everything that followed from a fact, an act, a signal or a timer."""
    queries.must_see_fact(ask.read, ask.actor, cause_id)
    rows = queries.consequences(ask.read, cause_id, limit=limit + 1)
    return Consequences(items=tuple(Step.model_validate(row) for row in rows[:limit]), more=len(rows) > limit)


@router.question("/orphans")
def list_orphans(ask: http.QueryContext, quiet: bool = False, cursor: str | None = None, limit: Limit = 100) -> Orphans:
    """Return facts whose cause does not resolve after ten minutes, or at once where the world is said to be quiet."""
    ask.actor.must_see_everything()
    settled = timedelta() if quiet else ScorecardSettings().orphan_after
    last = ask.after(cursor, quiet)
    rows = queries.orphans(ask.read, settled=settled, after=UUID(last[0]) if last else None, limit=limit + 1)
    by_reason = queries.orphans_by_reason(ask.read, settled=settled)
    page = ask.page([OrphanShown.model_validate(row) for row in rows], lambda f: [f.fact_id], limit, quiet)
    return Orphans(**page, count=sum(by_reason.values()), by_reason=by_reason)


@router.question("/external-causes")
def list_external_causes(
    ask: http.QueryContext, kind: ExternalKind, cursor: str | None = None, limit: Limit = 500
) -> http.Page[ExternalCause]:
    """Return the acts, signals or timers that facts name, so that their owners can be asked to show them."""
    ask.actor.must_see_everything()
    last = ask.after(cursor, kind)
    rows = queries.external_causes(ask.read, kind, after=UUID(last[0]) if last else None, limit=limit + 1)
    shown = [
        ExternalCause(id=r.cause_id, kind=r.cause_kind, service=service_of(r.source), facts=r.facts, example=r.example)
        for r in rows
    ]
    return http.Page[ExternalCause](**ask.page(shown, lambda c: [c.id], limit, kind))


def _root(step: Any) -> Root:
    return Root(
        id=step.cause_id,
        kind=step.cause_kind,
        service=service_of(step.source),
        armed_by=step.armed_by,
        armed_kind=step.armed_kind,
    )
