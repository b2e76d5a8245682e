"""Add partitions to a topic and keep the order of each subject: `python -m tools.grow_topic inventory.stock 12`.

With more partitions a subject may move to another one, and its next fact could be read before its last. The owner's
relay therefore pauses until every group has read the old partitions to their ends. Acts continue meanwhile; their facts
wait in the outbox.

Running and restarting members rejoin their group within seconds and read the new partitions
(`chassis/messaging/membership.py`). The command waits for that and names each group that does not read all of them.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import psycopg

from chassis.messaging import kafka, topics
from chassis.messaging.membership import UNREAD_SECONDS_MAX, assigned_partitions
from chassis.messaging.relay import LOCK
from chassis.runtime.process import Parts
from cli.stack.recipe import SERVICES
from schemas.topics import BY_NAME
from tools import broker

PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.05
FOLDED = ("exceptions.case", "scorecard.measure")  # as the stream's changelog is divided; what it knows does not move
_HOLDERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_locks"
    " WHERE locktype = 'advisory' AND granted AND classid = 0 AND objid = %s"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


class NotGrown(RuntimeError):
    """The topic stands as it stood, and the relay publishes again."""


def hearers(world: str, topic: str) -> list[str]:
    """Return every consumer group that hears a registered topic."""
    groups = []
    for name in SERVICES:
        parts: Parts = importlib.import_module(f"services.{name}.__main__").parts()
        heard = {"consumer": parts.reactions.topics(), "effects": parts.effects.topics()}
        groups += [f"{world}.{name}.{role}" for role, named in heard.items() if topic in named]
    return groups


def grow(
    *,
    bootstrap: str,
    topic: str,
    partitions: int,
    database_url: str,
    groups: Sequence[str],
    patience_seconds: float = PATIENCE_SECONDS,
) -> int:
    """Grow a topic (its whole name) to so many partitions; returns how many it had. Raises NotGrown."""
    standing = topics.standing(bootstrap, [topic]).get(topic, 0)
    if not 0 < standing < partitions:
        raise NotGrown(f"{topic} has {standing} partitions; it can only grow")
    client, until = kafka.admin(bootstrap), time.monotonic() + patience_seconds
    with _relay_held(database_url, until) as connection:
        _wait(
            lambda: unheard(client, topic, standing, groups),
            until,
            "is not heard to its end; start those groups, or wait",
        )
        connection.execute("SELECT 1")  # the lock is held by this very connection
        broker.grow(client, topic, partitions)
        _wait(lambda: _unaware(client, topic, partitions), until, "has grown, but not every broker knows it yet")
    return standing


@contextmanager
def _relay_held(database_url: str, until: float) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Hold the lock by which one relay is active; whoever has it is cut off, and waits for it as any relay does.

    What that relay had sent and not marked is published once more, in order, behind the growth; the inbox knows it.
    """
    with psycopg.connect(database_url, autocommit=True, application_name="grow_topic") as connection:

        def held() -> dict[str, int]:
            row = connection.execute("SELECT pg_try_advisory_lock(%s)", [LOCK]).fetchone()
            if row and row[0]:
                return {}
            return {"the relay's lock": len(connection.execute(_HOLDERS, [LOCK]).fetchall())}

        _wait(held, until, "is not given up")
        yield connection


def unheard(client: kafka.AdminClient, topic: str, partitions: int, groups: Sequence[str]) -> dict[str, int]:
    """Return how many records of a topic each group has still to hear, of those that have any."""
    places = [kafka.TopicPartition(topic, number) for number in range(partitions)]
    first, ends = kafka.ends(client, places, first=True), kafka.ends(client, places)
    lags: dict[str, int] = {}
    for group in groups:
        committed = broker.committed(client, group, places)
        lags[group] = sum(end - max(committed.get(place, 0), first[place]) for place, end in ends.items())
    return {group: lag for group, lag in lags.items() if lag > 0}


def unread(client: kafka.AdminClient, topic: str, partitions: int, groups: Sequence[str]) -> dict[str, int]:
    """Return how many partitions of a topic have no member, for each group that lacks some.

    A group without members, or between two assignments, is left out.
    """
    held = {group: assigned_partitions(client, group) for group in groups}
    lacking = {g: len(set(range(partitions)) - h.get(topic, set())) for g, h in held.items() if h is not None}
    return {group: number for group, number in lacking.items() if number > 0}


def unread_after_a_while(bootstrap: str, topic: str, partitions: int, groups: Sequence[str]) -> dict[str, int]:
    """Wait until the groups have rejoined, at most UNREAD_SECONDS_MAX; returns what `unread` still finds."""
    client, until = kafka.admin(bootstrap), time.monotonic() + UNREAD_SECONDS_MAX
    while (left := unread(client, topic, partitions, groups)) and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)  # layers: allow wait — between two looks at the condition
    return left


def _unaware(client: kafka.AdminClient, topic: str, partitions: int) -> dict[str, int]:
    """Return the brokers that say another number: a producer that asked one of them would hash as before."""
    brokers = [f"{b.host}:{b.port}" for b in client.list_topics(timeout=kafka.ASK_SECONDS_MAX).brokers.values()]
    said = {address: topics.standing(address, [topic]).get(topic, 0) for address in brokers}
    return {address: number for address, number in said.items() if number != partitions}


def _wait(left: Callable[[], dict[str, int]], until: float, why: str) -> None:
    while still := left():
        if time.monotonic() > until:
            raise NotGrown(f"{', '.join(f'{name} ({number})' for name, number in still.items())}: {why}")
        time.sleep(LOOK_SECONDS)  # layers: allow wait — between two looks at the condition


def main() -> int:
    """Read WORLD, KAFKA_BOOTSTRAP and the owner's DATABASE_URL from the environment and grow one topic."""
    parser = argparse.ArgumentParser(prog="python -m tools.grow_topic", description=__doc__)
    parser.add_argument("topic", help="as registered, without the world: inventory.stock")
    parser.add_argument("partitions", type=int)
    parser.add_argument("--patience", type=float, default=PATIENCE_SECONDS, metavar="SECONDS")
    given = parser.parse_args()
    missing = [name for name in ("KAFKA_BOOTSTRAP", "DATABASE_URL") if not os.environ.get(name)]
    if missing or given.topic not in BY_NAME:
        print(f"grow_topic: {f'set {missing[0]}' if missing else f'no topic {given.topic}'}", file=sys.stderr)
        return 2
    if given.topic in FOLDED:
        print(
            f"grow_topic: the stream divides {' and '.join(FOLDED)} as its changelog: see docs/scaling.md, Partitions",
            file=sys.stderr,
        )
        return 2
    world, bootstrap = os.environ.get("WORLD", "live"), os.environ["KAFKA_BOOTSTRAP"]
    topic, groups = f"{world}.{given.topic}", hearers(world, given.topic)
    try:
        before = grow(
            bootstrap=bootstrap,
            topic=topic,
            partitions=given.partitions,
            database_url=os.environ["DATABASE_URL"],
            groups=groups,
            patience_seconds=given.patience,
        )
    except NotGrown as why:
        print(f"grow_topic: {why}", file=sys.stderr)
        return 1
    print(f"{topic} grew from {before} to {given.partitions} partitions; write it into schemas/topics.py")
    for group, number in unread_after_a_while(bootstrap, topic, given.partitions, groups).items():
        print(f"grow_topic: {group} does not read {number} of them: see docs/scaling.md, Partitions", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
