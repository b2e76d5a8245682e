"""What a loop that hears topics in a group knows of itself: where it stands and where its topics end."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from chassis.messaging import kafka
from chassis.messaging.membership import Coverage
from chassis.runtime import log
from chassis.runtime.settings import ServiceSettings


class Listener:
    """A member of the group of one role; whoever derives from it hears and answers."""

    def __init__(self, settings: ServiceSettings, service: str, role: str) -> None:
        self._settings, self._service, self._group = settings, service, settings.group(service, role)
        self._ends: dict[tuple[str, int], int] = {}
        self.role, self.stopped = role, threading.Event()
        self.positions: dict[tuple[str, int], int] = {}
        self.assigned = False
        self.coverage: Coverage | None = None  # there once this member has joined
        self._subscription: tuple[list[str], dict[str, Any]] = ([], {})

    def _join(self, topics: Sequence[str], **callbacks: Any) -> kafka.Consumer:
        """Join the group for these registered topics; the callbacks hear of partitions that go."""
        settings = self._settings
        consumer = kafka.group_consumer(settings.kafka_bootstrap, self._group, settings.instance)
        self._subscription = [settings.topic(t) for t in topics], {"on_assign": self._on_assign, **callbacks}
        self.coverage = Coverage(settings, self._service, self.role, topics)
        consumer.subscribe(self._subscription[0], **self._subscription[1])
        self.coverage.start()
        return consumer

    def _leave(self, consumer: kafka.Consumer) -> None:
        """End this membership; a static member keeps its partitions for the length of its session."""
        if self.coverage is not None:
            self.coverage.stop()
        consumer.close()

    def _on_assign(self, consumer: kafka.Consumer, partitions: list[kafka.TopicPartition]) -> None:
        for tp in consumer.committed(partitions, timeout=kafka.ASK_SECONDS_MAX):
            self.positions[tp.topic, tp.partition] = max(tp.offset, 0)
        self.assigned = True
        if self.coverage is not None:
            self.coverage.assigned()

    def _rejoin_where_due(self, consumer: kafka.Consumer) -> None:
        """Leave and join anew when partitions have no member; to be called by the thread that polls."""
        if self.coverage is not None and self.coverage.rejoin.is_set():
            self.coverage.rejoin.clear()
            log.get().warning("consumer.rejoins", group=self._group, because="partitions of its topics have no member")
            kafka.rejoin(consumer, self._subscription[0], **self._subscription[1])

    def _heard(self, consumer: kafka.Consumer, messages: Sequence[kafka.Message]) -> list[kafka.Message]:
        """Return the records among what was polled; raises KafkaException when this client never hears anything again."""
        self._rejoin_where_due(consumer)
        if self._settings.driven:
            self._ends = kafka.known_ends(consumer, self.positions)
        for error in (message.error() for message in messages):
            if error is not None:
                log.get().warning("listener.poll_failed", group=self._group, detail=str(error))
                if kafka.is_final(error):  # as when its group has let it go
                    raise kafka.KafkaException(error)
        return [message for message in messages if message.error() is None]

    def known_ends(self) -> dict[tuple[str, int], int]:
        """Return the ends of the assigned partitions as the last fetch told them: cheap, and late by a moment."""
        return {place: max(self._ends.get(place, 0), at) for place, at in list(self.positions.items())}
