"""Playbooks and thresholds over HTTP: each act makes the next version."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from chassis import http
from schemas.types import CauseKind
from services.exceptions import domain, operations, queries
from services.exceptions.api.bodies import KeepPlaybook, KeepThresholds
from services.exceptions.api.shown import PlaybookShown, ThresholdsShown, Versions

router = http.Router()
_PLAYBOOK: TypeAdapter[domain.Playbook] = TypeAdapter(domain.Playbook)
_THRESHOLDS: TypeAdapter[domain.Thresholds] = TypeAdapter(domain.Thresholds)


@router.act("/playbooks", may="keep-rules", status=201)
def keep_playbook(body: KeepPlaybook, act: http.ActContext) -> PlaybookShown:
    """Make the next version of a cause kind's playbook; the same content again makes none."""
    who = {"number": 0, "by_subject": act.actor.subject, "recorded_at": act.tx.now}
    playbook = operations.upsert_playbook(act.tx, draft=_PLAYBOOK.validate_python(body.model_dump() | who))
    return PlaybookShown(**_PLAYBOOK.dump_python(playbook, mode="json"))


@router.act("/thresholds", may="keep-rules", status=201)
def keep_thresholds(body: KeepThresholds, act: http.ActContext) -> ThresholdsShown:
    """Make the next version of the thresholds; the same content again makes none."""
    who = {"code": "standard", "number": 0, "by_subject": act.actor.subject, "recorded_at": act.tx.now}
    kept = operations.upsert_thresholds(act.tx, draft=_THRESHOLDS.validate_python(body.model_dump() | who))
    return ThresholdsShown(**_THRESHOLDS.dump_python(kept, mode="json"))


@router.question("/playbooks")
def list_playbooks(ask: http.QueryContext) -> http.Page[PlaybookShown]:
    """Return the current playbook of each cause kind."""
    return http.Page[PlaybookShown](
        items=tuple(PlaybookShown(**_fields(PlaybookShown, r)) for r in queries.current_playbooks(ask.read))
    )


@router.question("/playbooks/{kind}/versions")
def list_playbook_versions(kind: CauseKind, ask: http.QueryContext) -> Versions:
    """Return every version of a cause kind's playbook, the newest first."""
    return Versions(versions=tuple(row.content for row in queries.versions_of_playbook(ask.read, kind)))


@router.question("/thresholds")
def show_thresholds(ask: http.QueryContext) -> ThresholdsShown:
    """Return the current thresholds."""
    return ThresholdsShown(**_fields(ThresholdsShown, queries.current_thresholds(ask.read)))


@router.question("/thresholds/versions")
def list_thresholds_versions(ask: http.QueryContext) -> Versions:
    """Return every version of the thresholds, the newest first."""
    return Versions(versions=tuple(row.content for row in queries.versions_of_thresholds(ask.read)))


def _fields(kind: type[http.Response], row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in kind.model_fields if name != "masked"}
