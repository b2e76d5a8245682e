"""Create or check the topics of a world from the register; `--drop` deletes them."""

from __future__ import annotations

import argparse
import os
import sys

from chassis.messaging import topics
from schemas.topics import INTERNAL, TOPICS


def main() -> int:
    """Apply the register to the cluster that KAFKA_BOOTSTRAP and the other TOPIC_ variables name."""
    parser = argparse.ArgumentParser(prog="python -m tools.apply_topics", description=__doc__)
    parser.add_argument("--drop", action="store_true", help="delete every topic of the world")
    drop = parser.parse_args().drop
    world, bootstrap = os.environ.get("WORLD", "live"), os.environ.get("KAFKA_BOOTSTRAP")
    if not bootstrap:
        print("apply_topics: set KAFKA_BOOTSTRAP to host:port of a broker", file=sys.stderr)
        return 2
    if drop:
        gone = topics.drop(bootstrap, world)
        print(f"{len(gone)} topics of world {world} deleted")
        return 0
    partitions = os.environ.get("TOPIC_PARTITIONS")
    wanted = topics.wanted(
        world,
        (*TOPICS, *INTERNAL),
        partitions=int(partitions) if partitions else None,
        replication=int(os.environ.get("TOPIC_REPLICATION", "1")),
    )
    made = topics.apply(bootstrap, wanted)
    print(f"{len(made)} topics of world {world} made, {len(wanted) - len(made)} stood already")
    return 0


if __name__ == "__main__":
    sys.exit(main())
