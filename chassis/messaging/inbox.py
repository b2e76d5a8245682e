"""Once per reaction: claim (event, reaction) pairs before they are handled, in the handler's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from chassis.persistence.database import Tx
from chassis.persistence.partitions import made_on

Claim = tuple[UUID, str]


def claim(tx: Tx, claims: Iterable[Claim]) -> set[Claim]:
    """Store the claims; return the new ones."""
    asked = ask(tx, claims)
    return set() if asked is None else read(asked)


def ask(tx: Tx, claims: Iterable[Claim]) -> Any:
    """Store the claims, sorted so that two consumers cannot deadlock; None where there is nothing to claim."""
    wanted = sorted(set(claims), key=lambda claim: (claim[0].int, claim[1]))
    if not wanted:
        return None
    ids, made = [event_id for event_id, _ in wanted], [made_on(event_id) for event_id, _ in wanted]
    tx.database.days.ensure("inbox", made)
    return tx.cursor().execute(
        "INSERT INTO inbox (event_id, reaction, made_on) SELECT * FROM unnest(%b::uuid[], %b::text[], %b::date[])"
        " ON CONFLICT DO NOTHING RETURNING event_id, reaction",
        [ids, [reaction for _, reaction in wanted], made],
        binary=True,
    )


def read(asked: Any) -> set[Claim]:
    """Return the new claims. Whether one is new is read from RETURNING: the driver's row count does not tell."""
    return {(row["event_id"], row["reaction"]) for row in asked.fetchall()}


def release(tx: Tx, claims: Iterable[Claim]) -> None:
    """Take back claims of this transaction whose work is not done in it."""
    for event_id, reaction in claims:
        gone = "DELETE FROM inbox WHERE event_id = %s AND reaction = %s AND made_on = %s"
        tx.sql(gone, event_id, reaction, made_on(event_id))
