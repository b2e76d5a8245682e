"""Pending outbox rows go to Kafka in order and are marked when acknowledged; one active relay per service.

No cursor: a row is pending while `published_at IS NULL`, because identity order is not commit order.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import Any

import psycopg

from chassis.messaging import dead_letters, kafka
from chassis.persistence.database import Database
from chassis.runtime import crash_points, log, metrics
from chassis.runtime.clock import machine_now
from chassis.runtime.settings import ServiceSettings

ROWS_MAX = 1000
POLL_SECONDS = 0.25  # NOTIFY wakes at once; this is for a hint that was lost
RETRY_SECONDS = 0.5
DELIVERY_SECONDS_MAX = 125.0
LOCK = 0x63726F73  # advisory lock of the active relay
_PENDING = "SELECT position, topic, key, type, payload, stored_at FROM outbox WHERE published_at IS NULL ORDER BY position LIMIT %s"


class Undelivered(RuntimeError):
    """Kafka did not acknowledge a record in time; what follows it waits, so that order stays."""


class Relay:
    """Publishes one service's outbox until told to stop."""

    def __init__(self, database: Database, settings: ServiceSettings) -> None:
        self._database, self._settings = database, settings
        self._label = database.service
        self._rows_max = ROWS_MAX
        self.active = False
        self.stopped = threading.Event()

    def run(self) -> None:
        """Publish until stopped; a lost broker or database is waited for with back-off."""
        while not self.stopped.is_set():
            try:
                self._run_connected()
            except (psycopg.Error, kafka.KafkaException, Undelivered) as error:
                self.active = False
                log.get().warning("relay.interrupted", because=type(error).__name__, detail=str(error)[:300])
                self.stopped.wait(RETRY_SECONDS)

    def _run_connected(self) -> None:
        # layers: allow commit — the lock and LISTEN outlive any transaction; each mark is one statement
        with psycopg.connect(
            self._database.driver_url, autocommit=True, prepare_threshold=None, application_name=f"{self._label}.relay"
        ) as connection:
            while not self.stopped.is_set():
                row = connection.execute("SELECT pg_try_advisory_lock(%s)", [LOCK]).fetchone()
                if row and row[0]:
                    break
                self.stopped.wait(RETRY_SECONDS)  # another relay of this service is active; take over when it ends
            else:
                return
            self.active = True
            connection.execute("LISTEN outbox")
            connection.execute("ANALYZE outbox")
            producer = kafka.producer(self._settings.kafka_bootstrap, f"{self._settings.world}.{self._label}.relay")
            while not self.stopped.is_set():
                if self.publish(connection, producer) < self._rows_max:
                    self._measure(connection)
                    for _hint in connection.notifies(timeout=POLL_SECONDS, stop_after=1):
                        pass
            while self.publish(connection, producer):
                pass  # drain: what is committed leaves before the process does
            self.active = False

    def publish(self, connection: psycopg.Connection[Any], producer: kafka.Producer) -> int:
        """Publish the oldest pending rows; returns how many. Raises Undelivered."""
        rows = connection.execute(_PENDING, [self._rows_max], prepare=False).fetchall()
        if not rows:
            return 0
        failures: list[kafka.KafkaError] = []
        refused: list[tuple[Any, ...]] = []

        def delivered(error: kafka.KafkaError | None, _message: object) -> None:
            if error is not None:
                failures.append(error)

        for row in rows:
            _position, topic, key, name, payload, _stored_at = row
            try:
                producer.produce(
                    self._settings.topic(topic),
                    value=payload.encode(),
                    key=key.encode(),
                    on_delivery=delivered,
                    headers={kafka.TYPE_HEADER: name, "content-type": "application/cloudevents+json"},
                )
            except kafka.KafkaException as error:
                if not kafka.is_too_large(error.args[0]):
                    raise
                refused.append(row)
        if producer.flush(DELIVERY_SECONDS_MAX) or failures:
            if not (failures and all(map(kafka.is_too_large, failures))):
                late = f"no acknowledgement within {DELIVERY_SECONDS_MAX:.0f} s"
                raise Undelivered(str(failures[0]) if failures else late)
            if len(rows) > 1:  # a broker refuses a whole batch: one by one shows which row it is
                self._rows_max = 1
                raise Undelivered(str(failures[0]))
            refused = rows
        if refused:
            self._set_aside(connection, refused)
        crash_points.hit(crash_points.AFTER_PRODUCE)
        stored = [r[5] for r in rows]  # their days are the only ones looked through
        connection.execute(
            "UPDATE outbox SET published_at = %s WHERE published_at IS NULL AND position = ANY(%b::bigint[]) AND stored_at BETWEEN %s AND %s",
            [machine_now(), [r[0] for r in rows], min(stored), max(stored)],
        )
        for topic, facts in Counter(r[1] for r in rows).items():
            metrics.outbox_published_total.labels(self._label, topic).inc(facts)
        return len(rows)

    def _set_aside(self, connection: psycopg.Connection[Any], rows: list[tuple[Any, ...]]) -> None:
        """Keep rows that Kafka will never take as dead letters; what follows them on their subjects goes on."""
        for row in rows:
            dead_letters.set_aside(connection, row, detail="the record is over the limit of a record's bytes")
            log.get().error("fact.set_aside", position=row[0], topic=row[1], key=row[2], bytes=len(row[4].encode()))
        self._rows_max = ROWS_MAX

    _measured = 0.0

    def _measure(self, connection: psycopg.Connection[Any]) -> None:
        if time.monotonic() - self._measured < 1.0:
            return
        self._measured = time.monotonic()
        row = connection.execute("SELECT count(*), min(stored_at) FROM outbox WHERE published_at IS NULL").fetchone()
        pending, oldest = row if row else (0, None)
        metrics.outbox_pending_events.labels(self._label).set(pending)
        metrics.outbox_oldest_pending_seconds.labels(self._label).set(
            (machine_now() - oldest).total_seconds() if oldest else 0
        )
