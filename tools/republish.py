"""Send again what a service's outbox still keeps, after its topics were lost: `python -m tools.republish TOPIC …`.

The rows go back to pending, so that the relay sends them in their order: it may be started when this says how many. The
relay and the consumers of the world are ended first: a relay could mark a row for a record that lies in the lost topic,
and a running consumer would commit its old place again. Groups that stand beyond the end of a new topic are set to its
beginning, and this waits until the broker has forgotten their members; consumers start after that. Inboxes make it
nothing twice.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TypeVar

import psycopg

from chassis.messaging import kafka
from chassis.messaging.relay import LOCK
from tools import broker

BEGINNING_OF_TIME = datetime(1970, 1, 1, tzinfo=UTC)
ASK_SECONDS = 30.0
PATIENCE_SECONDS = 30.0  # a group keeps a member that has ended until its session is over
LOOK_SECONDS = 0.1
Row = TypeVar("Row")


class NotYet(RuntimeError):
    """Something must come first, or pass."""


class StillRunning(NotYet):
    """A process that must be ended first is at work."""


class NotStanding(NotYet):
    """A topic is not there: it is made anew first."""


def pend_again(database_url: str, topics: Iterable[str], since: datetime) -> int:
    """Set published rows of these topics back to pending; returns how many. Raises StillRunning."""
    url = database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", [LOCK]).fetchone()
        if row is None or not row[0]:
            raise StillRunning("a relay of this service is active: end it, run this again, start it")
        return connection.execute(
            "UPDATE outbox SET published_at = NULL WHERE topic = ANY(%s) AND published_at >= %s", [list(topics), since]
        ).rowcount


def ends_of(client: kafka.AdminClient, world: str, topics: Iterable[str]) -> dict[tuple[str, int], int]:
    """Return where these topics of a world end. Raises NotStanding."""
    names, known = [f"{world}.{topic}" for topic in topics], client.list_topics(timeout=ASK_SECONDS).topics
    if missing := [name for name in names if name not in known]:
        raise NotStanding(f"{', '.join(missing)} must be made anew first: `python -m tools.apply_topics`")
    return kafka.ends(client, [kafka.TopicPartition(name, p) for name in names for p in known[name].partitions])


def rewind_groups(client: kafka.AdminClient, world: str, ends: Mapping[tuple[str, int], int]) -> list[str]:
    """Set groups of the world that stand beyond these ends to the beginning; returns them. Raises StillRunning.

    The ends are those of before anything was sent again: then an old place may lie within the topic, and mean nothing.
    """
    moved, places = [], [kafka.TopicPartition(*place) for place in ends]
    for group in client.list_consumer_groups(request_timeout=ASK_SECONDS).result().valid:
        if not group.group_id.startswith(f"{world}."):
            continue
        # A member that comes back would be given what it had while its topics were gone, and that is nothing.
        if group.state != kafka.ConsumerGroupState.EMPTY:
            raise StillRunning(f"{group.group_id} has members: end them, and wait until their session is over")
        committed = broker.committed(client, group.group_id, places)
        to = [kafka.TopicPartition(*place, 0) for place, offset in committed.items() if offset > ends[place]]
        if not to:
            continue
        broker.commit_for(client, group.group_id, to)
        moved.append(group.group_id)
    return moved


def _patiently(act: Callable[[], Row], until: float) -> Row:
    while True:
        try:
            return act()
        except (NotYet, kafka.KafkaException):
            if time.monotonic() > until:
                raise
            time.sleep(LOOK_SECONDS)  # layers: allow wait — between two looks: what has ended is not forgotten at once


def main(arguments: list[str]) -> int:
    """Read WORLD, KAFKA_BOOTSTRAP and DATABASE_URL from the environment; returns 1 when something still runs."""
    parser = argparse.ArgumentParser(prog="python -m tools.republish", description=__doc__)
    parser.add_argument("topics", nargs="+", metavar="TOPIC", help="as registered, without the world")
    parser.add_argument("--since", type=datetime.fromisoformat, default=BEGINNING_OF_TIME, help="when first published")
    parser.add_argument("--patience", type=float, default=PATIENCE_SECONDS, metavar="SECONDS")
    told = parser.parse_args(arguments)
    if missing := [name for name in ("KAFKA_BOOTSTRAP", "DATABASE_URL") if name not in os.environ]:
        print(f"republish: set {' and '.join(missing)}", file=sys.stderr)
        return 2
    world, until = os.environ.get("WORLD", "live"), time.monotonic() + told.patience
    client, url = kafka.admin(os.environ["KAFKA_BOOTSTRAP"]), os.environ["DATABASE_URL"]
    try:
        ends = _patiently(lambda: ends_of(client, world, told.topics), until)
        rows = _patiently(lambda: pend_again(url, told.topics, told.since), until)
        print(f"{rows} rows go out again", flush=True)
        moved = _patiently(lambda: rewind_groups(client, world, ends), until)
    except (NotYet, kafka.KafkaException) as error:
        print(f"republish: {error}", file=sys.stderr)
        return 1
    print(f"groups set to the beginning: {', '.join(moved) or 'none'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
