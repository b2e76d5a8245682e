"""Compares the partitions of topics with those assigned to the members of a consumer group, and says when to rejoin.

A static member that restarts within its session time-out gets its former partitions back and no rebalance happens
(KIP-345, KIP-814): partitions that were added meanwhile belong to no member until one leaves the group and joins anew.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence

from chassis.messaging import kafka
from chassis.runtime import log, metrics
from chassis.runtime.settings import ServiceSettings

LOOK_SECONDS, UNSTABLE_SECONDS = 5.0, 1.0  # between two looks, and after one that met the group in a rebalance
CONFIRM_SECONDS, CONFIRM_STEPS = 1.0, 5  # a copy waits by its number: not all of a group leave it at the same moment
REPEAT_SECONDS_MAX = 60.0
UNREAD_SECONDS_MAX = 20.0
TopicPartitions = Mapping[str, set[int]]
_COORDINATOR_MOVES = (
    kafka.KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    kafka.KafkaError.COORDINATOR_NOT_AVAILABLE,
    kafka.KafkaError.NOT_COORDINATOR,
)


def assigned_partitions(client: kafka.AdminClient, group: str) -> TopicPartitions | None:
    """Return the partitions that the members of a group hold, by topic; None unless the group is stable.

    Raises KafkaException when no broker answers.
    """
    try:
        found = client.describe_consumer_groups([group], request_timeout=kafka.ASK_SECONDS_MAX)[group].result()
    except kafka.KafkaException as error:
        if error.args[0].code() not in _COORDINATOR_MOVES:
            raise
        return None
    if found.state != kafka.ConsumerGroupState.STABLE:
        return None
    held: dict[str, set[int]] = {}
    for member in found.members:
        for place in member.assignment.topic_partitions:
            held.setdefault(place.topic, set()).add(place.partition)
    return held


class Coverage:
    """Watches one group from one of its members, in a thread of its own.

    `rejoin` is set when partitions stay without a member: the polling thread then makes its client leave and rejoin.
    """

    def __init__(self, settings: ServiceSettings, service: str, role: str, topics: Sequence[str]) -> None:
        self._settings, self._service, self._role = settings, service, role
        self._group, self._topics = settings.group(service, role), [settings.topic(name) for name in topics]
        self._client = kafka.admin(settings.kafka_bootstrap)
        self._unread_since: float | None = None
        self._confirm_seconds = CONFIRM_SECONDS * (1 + settings.instance % CONFIRM_STEPS)
        self._rejoin_at, self._repeat_seconds = 0.0, LOOK_SECONDS
        self._due = threading.Event()
        self.stopped, self.rejoin = threading.Event(), threading.Event()

    def start(self) -> None:
        """Look for as long as the process lives, or until stopped."""
        threading.Thread(target=self._run, name=f"coverage-{self._role}", daemon=True).start()

    def stop(self) -> None:
        """End the thread."""
        self.stopped.set()
        self._due.set()

    def assigned(self) -> None:
        """Note that this member was given partitions: the group is looked at soon."""
        self._due.set()

    def complete(self) -> bool:
        """Return False when some partition has had no member for longer than UNREAD_SECONDS_MAX."""
        since = self._unread_since
        return since is None or time.monotonic() - since <= UNREAD_SECONDS_MAX

    def _run(self) -> None:
        pause = 0.0
        while not self.stopped.is_set():
            self._due.wait(pause)
            self._due.clear()
            try:
                pause = self.look(time.monotonic())
            except kafka.KafkaException as error:
                if error.args[0].code() == kafka.KafkaError._UNSUPPORTED_FEATURE:
                    log.get().info(
                        "coverage.off", group=self._group, because="this broker cannot describe consumer groups"
                    )
                    return  # the in-process broker, whose topics do not grow
                log.get().warning("coverage.unknown", group=self._group, detail=str(error)[:300])
                pause = LOOK_SECONDS

    def look(self, now: float) -> float:
        """Compare once; returns after how many seconds to compare again. Raises KafkaException when no broker answers.

        `now` is in the seconds of `time.monotonic`.
        """
        held = assigned_partitions(self._client, self._group)
        if held is None:
            return UNSTABLE_SECONDS
        counts = kafka.partition_counts(self._client, self._topics)
        unassigned = {name: len(set(range(count)) - held.get(name, set())) for name, count in counts.items()}
        for name, count in unassigned.items():
            topic = self._settings.register_name(name)
            metrics.consumer_partitions_unassigned.labels(self._service, self._role, topic).set(count)
        missing = {name: count for name, count in unassigned.items() if count}
        return self._incomplete(missing, now) if missing else self._complete(now)

    def _complete(self, now: float) -> float:
        if self._unread_since is not None:
            log.get().info("coverage.complete", group=self._group, seconds=round(now - self._unread_since, 1))
        self._unread_since, self._repeat_seconds = None, LOOK_SECONDS
        self.rejoin.clear()
        return LOOK_SECONDS

    def _incomplete(self, missing: Mapping[str, int], now: float) -> float:
        """Set the time of the first rejoin, because another member may rejoin before; then request rejoins with exponential back-off."""
        if self._unread_since is None:
            log.get().warning("coverage.incomplete", group=self._group, unassigned=missing)
            self._unread_since, self._rejoin_at = now, now + self._confirm_seconds
        elif now >= self._rejoin_at:
            self.rejoin.set()
            self._rejoin_at = now + self._repeat_seconds
            self._repeat_seconds = min(2 * self._repeat_seconds, REPEAT_SECONDS_MAX)
        return min(LOOK_SECONDS, self._rejoin_at - now)
