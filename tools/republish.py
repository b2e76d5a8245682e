"""Send again what a service's outbox still keeps, after its topics were lost: `python -m tools.republish TOPIC …`.

The rows go back to pending, so that the relay sends them in their order. The relay and the consumers of the world are
ended first: a relay could mark a row for a record that lies in the lost topic, and a running consumer would commit its
old place again. Groups that stand beyond the end of a new topic are set to its beginning. Inboxes make it nothing twice.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from datetime import UTC, datetime

import psycopg

from chassis import kafka
from chassis.relay import LOCK

BEGINNING_OF_TIME = datetime(1970, 1, 1, tzinfo=UTC)
ASK_SECONDS = 30.0


class StillRunning(RuntimeError):
    """A process that must be ended first is at work."""


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


def rewind_groups(bootstrap: str, world: str, topics: Iterable[str]) -> list[str]:
    """Set groups of the world that stand beyond a topic's end to its beginning; returns them. Raises StillRunning."""
    client = kafka.admin(bootstrap)
    known = client.list_topics(timeout=ASK_SECONDS).topics
    places = [kafka.TopicPartition(f"{world}.{t}", p) for t in topics for p in known[f"{world}.{t}"].partitions]
    ends, moved = kafka.ends(client, places, ASK_SECONDS), []
    for group in client.list_consumer_groups(request_timeout=ASK_SECONDS).result().valid:
        if not group.group_id.startswith(f"{world}."):
            continue
        if (
            group.state != kafka.ConsumerGroupState.EMPTY
        ):  # a member that comes back is given what it had, and that is nothing
            raise StillRunning(f"{group.group_id} has members: end them, and wait until their session is over")
        committed = kafka.committed(client, group.group_id, places)
        to = [kafka.TopicPartition(*place, 0) for place, offset in committed.items() if offset > ends[place]]
        if not to:
            continue
        kafka.commit_for(client, group.group_id, to)
        moved.append(group.group_id)
    return moved


def main(arguments: list[str]) -> int:
    """Read WORLD, KAFKA_BOOTSTRAP and DATABASE_URL from the environment; returns 1 when something still runs."""
    parser = argparse.ArgumentParser(prog="python -m tools.republish", description=__doc__)
    parser.add_argument("topics", nargs="+", metavar="TOPIC", help="as registered, without the world")
    parser.add_argument("--since", type=datetime.fromisoformat, default=BEGINNING_OF_TIME, help="when first published")
    told = parser.parse_args(arguments)
    world, missing = (
        os.environ.get("WORLD", "live"),
        [n for n in ("KAFKA_BOOTSTRAP", "DATABASE_URL") if n not in os.environ],
    )
    if missing:
        print(f"republish: set {' and '.join(missing)}", file=sys.stderr)
        return 2
    try:
        moved = rewind_groups(os.environ["KAFKA_BOOTSTRAP"], world, told.topics)
        rows = pend_again(os.environ["DATABASE_URL"], told.topics, told.since)
    except (StillRunning, kafka.KafkaException) as error:
        print(f"republish: {error}", file=sys.stderr)
        return 1
    print(f"{rows} rows go out again; groups set to the beginning: {', '.join(moved) or 'none'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
