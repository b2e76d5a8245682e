"""Once per reaction: claim (event, reaction) pairs before they are handled, in the handler's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from chassis.db import Tx

Claim = tuple[UUID, str]


def claim(tx: Tx, claims: Iterable[Claim]) -> set[Claim]:
    """Store the claims, sorted so that two consumers cannot deadlock; return the new ones.

    Whether a row is new is read from RETURNING: the driver's row count does not tell.
    """
    wanted = sorted(set(claims))
    if not wanted:
        return set()
    rows = tx.cursor().execute(
        "INSERT INTO inbox (event_id, reaction) SELECT * FROM unnest(%b::uuid[], %b::text[])"
        " ON CONFLICT DO NOTHING RETURNING event_id, reaction",
        [[event_id for event_id, _ in wanted], [reaction for _, reaction in wanted]],
        binary=True,
    )
    return {(row["event_id"], row["reaction"]) for row in rows.fetchall()}
