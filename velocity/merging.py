"""Merged cases contribute once: as the case that they were merged into, from the earliest identification on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from velocity.case import Case
from velocity.measure import opening_of


def merged(cases: Mapping[UUID, Case]) -> dict[UUID, Case]:
    """Return the opened cases that contribute; one that took others in is opened by the earliest opening of all."""
    opened = {case_id: opening for case_id, case in cases.items() if (opening := opening_of(case)) is not None}
    earliest = dict(opened)
    for case_id, opening in opened.items():
        root = _root(case_id, cases, opened)
        earliest[root] = min(earliest[root], opening, key=lambda f: (f.occurred_us, f.order))
    contributing = {}
    for case_id in opened:
        if _root(case_id, cases, opened) == case_id:
            first = earliest[case_id]
            facts = {f.fact_id: f for f in cases[case_id].facts.values() if f.kind != "case.opened"} | {
                first.fact_id: first
            }
            contributing[case_id] = replace(cases[case_id], facts=facts)
    return contributing


def _root(case_id: UUID, cases: Mapping[UUID, Case], opened: Mapping[UUID, object]) -> UUID:
    """Follow mergers to the case that stands; a merger into a case never opened, or in a circle, is none."""
    seen = [case_id]
    while True:
        mergers = [f for f in cases[seen[-1]].facts.values() if f.kind == "case.merged"]
        if not mergers:
            return seen[-1]
        into = UUID(max(mergers, key=lambda f: f.order).more[0])
        if into not in opened:
            return seen[-1]
        if into in seen:
            return into
        seen.append(into)
