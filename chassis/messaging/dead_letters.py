"""Dead letters and parked subjects: what could not be handled is set aside with its cause and its bytes, and what
follows it on the same subject waits behind it, so that order per subject survives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from chassis.errors import NotFound
from chassis.messaging.records import Pair, Record, storable_text
from chassis.persistence.database import ReadTx, Tx
from chassis.runtime.clock import machine_now

_STORE = (
    'INSERT INTO dead_letters (topic, partition, "offset", reaction, key, type, value, waiting, cause, detail, attempts, stored_at)'
    ' VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 1, %s) ON CONFLICT (topic, partition, "offset", reaction) DO NOTHING'
)


def ask_parked(tx: Tx, pairs: Sequence[Pair]) -> Any:
    """Ask which of the pairs' subjects are parked, and hold their rows against a re-drive that runs now."""
    return tx.sql(
        "SELECT topic, key, reaction FROM parked_subjects WHERE key = ANY(%b::text[]) ORDER BY topic, key, reaction FOR UPDATE",
        sorted({record.key for record, _ in pairs}),
    )


def read_parked(asked: Any) -> set[tuple[str, str, str]]:
    """Return the subjects found, each with the reaction for which it is parked."""
    return {(row["topic"], row["key"], row["reaction"]) for row in asked.fetchall()}


Place = tuple[str, int, int, str]


def load_attempt_marks(tx: Tx) -> set[Place]:
    """Return the pairs whose earlier attempt hung (FLOW 5.4): a process writes them as it ends, before others get its partitions."""
    found = tx.sql('SELECT topic, partition, "offset", reaction FROM attempt_marks').fetchall()
    return {(row["topic"], row["partition"], row["offset"], row["reaction"]) for row in found}


def consume_attempt_mark(tx: Tx, place: Place) -> None:
    """Forget a mark: its pair is dead now."""
    tx.sql('DELETE FROM attempt_marks WHERE topic = %s AND partition = %s AND "offset" = %s AND reaction = %s', *place)


def store(tx: Tx, record: Record, reaction: str, *, cause: str, detail: str, park: bool) -> None:
    """Set a pair aside, once, and park its subject."""
    _keep(tx, record, reaction, waiting=False, cause=cause, detail=detail)
    if park:
        tx.sql(
            "INSERT INTO parked_subjects (topic, key, reaction, parked_at) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            record.topic,
            record.key,
            reaction,
            machine_now(),
        )


def park_behind(tx: Tx, record: Record, reaction: str) -> None:
    """Store an event of a parked subject, unclaimed, in its order."""
    _keep(tx, record, reaction, waiting=True, cause="parked", detail="an earlier event of this subject is dead")


def _keep(tx: Tx, record: Record, reaction: str, *, waiting: bool, cause: str, detail: str) -> None:
    said = (reaction, record.key, record.type, record.value, waiting, cause, storable_text(detail[:4000]))
    tx.sql(_STORE, *record.place, *said, machine_now())


OUTBOX = "outbox"  # stands for the reaction where a fact could not leave its own service


def set_aside(connection: Any, row: tuple[Any, ...], *, detail: str) -> None:
    """Keep an outbox row that Kafka will never take: its place is its position in the outbox."""
    position, topic, key, name, payload, _stored_at = row
    values = [topic, -1, position, OUTBOX, key, name, payload.encode(), False, "too-large", detail, machine_now()]
    connection.execute(_STORE, values)


_COLUMNS = 'dead_letter_id, topic, partition, "offset", reaction, key, type, value, waiting, cause, detail, attempts, stored_at, resolved_at, resolution'


class DeadLetterFilter(NamedTuple):
    """A filter of dead letters: what is None fits all."""

    topic: str | None = None
    reaction: str | None = None
    cause: str | None = None
    key: str | None = None
    ids: list[int] | None = None


def listed(tx: ReadTx, which: DeadLetterFilter, *, after: int = 0, limit: int = 100) -> list[dict[str, Any]]:
    """Return unresolved dead letters that fit the filter, oldest first."""
    return (
        tx.cursor()
        .execute(
            f"SELECT {_COLUMNS} FROM dead_letters WHERE resolved_at IS NULL AND dead_letter_id > %(after)s"
            " AND (%(topic)s::text IS NULL OR topic = %(topic)s) AND (%(reaction)s::text IS NULL OR reaction = %(reaction)s)"
            " AND (%(cause)s::text IS NULL OR cause = %(cause)s) AND (%(key)s::text IS NULL OR key = %(key)s)"
            " AND (%(ids)s::bigint[] IS NULL OR dead_letter_id = ANY(%(ids)s::bigint[]))"
            " ORDER BY dead_letter_id LIMIT %(limit)s",
            which._asdict() | {"after": after, "limit": limit},
        )
        .fetchall()
    )


def one(tx: ReadTx, dead_letter_id: int) -> dict[str, Any]:
    """Return one dead letter, resolved or not; raises NotFound."""
    row = tx.sql(f"SELECT {_COLUMNS} FROM dead_letters WHERE dead_letter_id = %s", dead_letter_id).fetchone()
    if row is None:
        raise NotFound(f"no dead letter {dead_letter_id}; list them to see their numbers")
    return row


def behind(tx: Tx, topic: str, key: str, reaction: str) -> list[dict[str, Any]]:
    """Lock a subject against the consumer and return all that waits on it, first in first out."""
    here = "topic = %s AND key = %s AND reaction = %s"
    tx.sql(f"SELECT 1 FROM parked_subjects WHERE {here} FOR UPDATE", topic, key, reaction)
    rest = 'resolved_at IS NULL ORDER BY partition, "offset" FOR UPDATE'
    return tx.sql(f"SELECT {_COLUMNS} FROM dead_letters WHERE {here} AND {rest}", topic, key, reaction).fetchall()


def resolve(tx: Tx, dead_letter_id: int, resolution: str) -> None:
    """Say what became of a dead letter."""
    done = "UPDATE dead_letters SET resolved_at = %s, resolution = %s WHERE dead_letter_id = %s"
    tx.sql(done, machine_now(), resolution, dead_letter_id)


def failed_again(tx: Tx, dead_letter_id: int, *, cause: str | None, detail: str) -> None:
    """Count one more attempt of a dead letter; it is the head of its subject now. Without a cause it keeps its own."""
    tx.sql(
        "UPDATE dead_letters SET attempts = attempts + 1, waiting = false, cause = coalesce(%s, cause), detail = %s WHERE dead_letter_id = %s",
        cause,
        storable_text(detail[:4000]),
        dead_letter_id,
    )


def unpark(tx: Tx, topic: str, key: str, reaction: str) -> bool:
    """Let the subject go on, when nothing of it is left here; says whether it did."""
    return (
        tx.sql(
            "DELETE FROM parked_subjects WHERE topic = %s AND key = %s AND reaction = %s AND NOT EXISTS"
            " (SELECT 1 FROM dead_letters d WHERE d.topic = parked_subjects.topic AND d.key = parked_subjects.key"
            "  AND d.reaction = parked_subjects.reaction AND d.resolved_at IS NULL) RETURNING 1",
            topic,
            key,
            reaction,
        ).fetchone()
        is not None
    )
