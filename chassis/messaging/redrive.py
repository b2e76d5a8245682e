"""Re-drive of dead letters: one subject at a time, first in first out, under the lock that the consumer takes too."""

from __future__ import annotations

from typing import Any, NamedTuple

from chassis.errors import NotFound
from chassis.messaging import dead_letters, inbox
from chassis.messaging.consumer import UNREADABLE, context_of
from chassis.messaging.reactions import Reactions
from chassis.persistence.context import nobodys
from chassis.persistence.database import Database, Tx
from chassis.scheduling import scheduler
from schemas.envelope import Envelope, decode

SUBJECT_LETTERS_MAX = 10_000
nobody = nobodys("event")


class Redriven(NamedTuple):
    """What became of one dead letter."""

    dead_letter_id: int
    outcome: str  # done, duplicate, failed, waiting, would-run
    detail: str = ""


class StillDead(Exception):
    """What made the letter stands as it stood: its cause is kept, so that it can be picked by it again."""


def redrive(database: Database, reactions: Reactions, letter: dict[str, Any], *, driven: bool) -> list[Redriven]:
    """Run again all that waits on one letter's subject, in its order, until one fails; unpark the subject when none is left."""
    topic, key, reaction = letter["topic"], letter["key"], letter["reaction"]
    results: list[Redriven] = []
    which = dead_letters.DeadLetterFilter(topic=topic, reaction=reaction, key=key)
    with database.reading() as read:
        waiting = [row["dead_letter_id"] for row in dead_letters.listed(read, which, limit=SUBJECT_LETTERS_MAX)]
    if not letter["key"] and topic != scheduler.TOPIC:
        waiting = [letter["dead_letter_id"]]
    for _ in waiting:
        try:
            step = database.run(lambda tx: _first(tx, reactions, topic, key, reaction, driven=driven), nobody)
        except Exception as error:  # noqa: BLE001  whatever the reaction raised becomes the letter's new cause, for a person to read
            first = waiting[len(results)]
            message, kind = str(error), type(error).__name__
            cause = None if isinstance(error, StillDead) else kind
            _record_failure(database, first, cause=cause, detail=message)
            results.append(Redriven(first, "failed", f"{kind}: {message}"))
            results += [Redriven(i, "waiting") for i in waiting[len(results) :]]
            break
        if step is None:
            break
        results.append(step)
    database.run(lambda tx: dead_letters.unpark(tx, topic, key, reaction), nobody)
    return results


def _first(tx: Tx, reactions: Reactions, topic: str, key: str, reaction: str, *, driven: bool) -> Redriven | None:
    letters = dead_letters.behind(tx, topic, key, reaction)
    if not letters:
        return None
    letter = letters[0]
    if topic == scheduler.TOPIC:
        timer = scheduler.revived(letter["value"])
        with tx.within(scheduler.context_of(timer, tx.now, driven=driven)):
            reactions.at_timers[timer.name](tx, timer)
        outcome = "done"
    elif reaction == dead_letters.OUTBOX:
        raise StillDead("it never left its own service: raise the limit, run tools.republish, then drop the letter")
    else:
        outcome = _answer(tx, reactions, reaction, _read(letter["value"]), driven=driven)
    dead_letters.resolve(tx, letter["dead_letter_id"], f"re-driven: {outcome}")
    return Redriven(letter["dead_letter_id"], outcome)


def _read(value: bytes) -> Envelope:
    try:
        return decode(value)
    except ValueError as error:
        raise StillDead(str(error)) from error


def _answer(tx: Tx, reactions: Reactions, name: str, envelope: Envelope, *, driven: bool) -> str:
    """Answer a fact by the reaction that failed, or by all of its reactions where an earlier release could not read it."""
    found = reactions.by_event.get(envelope.type, []) if name == UNREADABLE else [reactions.by_name.get(name)]
    outcome = "duplicate"
    for registered in found:
        if registered is None:
            raise NotFound(f"this release has no reaction {name!r}; drop the letter or deploy the release that has it")
        if inbox.claim(tx, [(envelope.id, registered.name)]):
            with tx.within(context_of(envelope, tx.now, driven=driven)):
                if registered.loads is not None:
                    registered.loads(tx, [envelope.data])
                registered.act(tx, envelope.data)
            outcome = "done"
    return outcome


def _record_failure(database: Database, dead_letter_id: int, *, cause: str | None, detail: str) -> None:
    database.run(lambda tx: dead_letters.failed_again(tx, dead_letter_id, cause=cause, detail=detail), nobody)
