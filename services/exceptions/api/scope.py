"""What a reader may see of cases: by sites and customers; a machine, what it subscribed to. What an actor had seen of them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header

from chassis import http
from chassis.errors import ChangedMeanwhile, Invalid
from services.exceptions import queries
from services.exceptions.api.shown import timeline_entry

TOPIC = "exceptions.case"


async def read_seen_version(
    act: Annotated[http.ActContext, Depends(http.current_context)], if_match: Annotated[str | None, Header()] = None
) -> None:
    """Set `act.seen` from `If-Match: VERSION`: an act on a case is refused where another person acted after that version."""
    if if_match is not None:
        if not if_match.strip('"').isdecimal():
            raise Invalid("expected the `version` of the case as its reader saw it", field="If-Match")
        act.seen = int(if_match.strip('"'))


def must_be_as_seen(act: http.ActContext, case_id: UUID) -> None:
    """Raise ChangedMeanwhile where another person acted on the case after what the actor had seen; the case is locked."""
    if act.seen is None:
        return
    later = queries.timeline(act.tx, case_id, after=act.seen, limit=http.PAGE_ITEMS_MAX)
    others = [timeline_entry(row, whole=False) for row in later if row.by_subject not in (None, act.actor.subject)]
    if others:
        who = ", ".join(sorted({str(entry.by_subject) for entry in others}))
        raise ChangedMeanwhile(
            f"{who} acted on this case after you had looked at it; look at what changed, then act again",
            [entry.model_dump(mode="json") for entry in others],
        )
