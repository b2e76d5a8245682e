"""Effects: what is told to the outside world after commit, at least once, with a key that the recipient can dedupe.

No Tx is open while something is sent. Outside `live`, and where nothing else is configured, the transport records what
would have been sent; that is decided here and not by each effect.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

import httpx

from chassis.messaging import dead_letters, inbox, kafka
from chassis.messaging.consumer import POLL_SECONDS, context_of
from chassis.messaging.listener import Listener
from chassis.messaging.reactions import Reactions
from chassis.messaging.records import Record, record_of
from chassis.persistence.context import nobodys
from chassis.persistence.database import Context, Database, Tx, is_transient
from chassis.runtime import log, metrics
from chassis.runtime.clock import machine_now
from chassis.runtime.settings import ServiceSettings
from chassis.scheduling import scheduler, timers
from schemas.base import Event
from schemas.envelope import decode

SEND_SECONDS_MAX = 5.0
BACKOFF_SECONDS, BACKOFF_SECONDS_MAX = 0.05, 1.0
T = TypeVar("T")
E = TypeVar("E", bound=Event)


class Undeliverable(Exception):
    """The recipient cannot be reached; `permanent` says that trying again is useless."""

    def __init__(self, reason: str, *, permanent: bool) -> None:
        super().__init__(reason)
        self.permanent = permanent


class Transport(Protocol):
    """A way out: sends one content to one recipient under a key that the recipient can dedupe."""

    name: str

    def send(self, *, key: str, recipient: str, content: dict[str, Any]) -> None:
        """Send, or raise Undeliverable."""


class RecordingTransport:
    """Keeps what would have been sent, once per key; a recipient that ends in `.invalid` cannot be reached (RFC 2606)."""

    name = "recorded"

    def __init__(self, database: Database, effect: str) -> None:
        self._database, self._effect = database, effect

    def send(self, *, key: str, recipient: str, content: dict[str, Any]) -> None:
        if recipient.endswith(".invalid"):
            raise Undeliverable(f"no mail exchanger for {recipient.rpartition('@')[2]}", permanent=True)
        with self._database.begin(nobodys("act")) as tx:
            tx.sql(
                "INSERT INTO recorded_sends (effect, key, recipient, content, recorded_at) VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                self._effect,
                key,
                recipient,
                json.dumps(content, default=str),
                tx.now,
            )


class HttpTransport:
    """Posts to the one configured address, with the key as Idempotency-Key."""

    name = "http"

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, *, key: str, recipient: str, content: dict[str, Any]) -> None:
        said, headers = {"recipient": recipient, **content}, {"Idempotency-Key": key}
        try:
            answer = httpx.post(self._url, json=said, headers=headers, timeout=SEND_SECONDS_MAX)
        except httpx.HTTPError as error:
            raise Undeliverable(f"{type(error).__name__} at the gateway", permanent=False) from error
        if (status := answer.status_code) >= 400:
            raise Undeliverable(f"the gateway answered {status}", permanent=status < 500 and status != 429)


@dataclass
class Sending:
    """One effect at work: transactions before and after, and the transport in between."""

    database: Database
    transport: Transport
    effect: str
    context: Callable[[Any], Context]

    def transaction(self, work: Callable[[Tx], T]) -> T:
        """Do something in a transaction of its own, caused by the fact that the effect answers."""
        return self.database.run(work, self.context)

    def attempt(self, tx: Tx, key: str) -> int | None:
        """Write an attempt at this key and return its number; None when an earlier one went out."""
        before = "SELECT outcome FROM effect_attempts WHERE effect = %s AND key = %s ORDER BY attempt FOR UPDATE"
        rows = tx.sql(before, self.effect, key).fetchall()
        if any(row["outcome"] == "sent" for row in rows):
            return None
        number = len(rows) + 1
        made = "INSERT INTO effect_attempts (effect, key, attempt, started_at) VALUES (%s, %s, %s, %s)"
        tx.sql(made, self.effect, key, number, machine_now())
        return number

    def attempted(self, tx: Tx, key: str, number: int, outcome: str) -> None:
        """Say what came of an attempt."""
        ended = "UPDATE effect_attempts SET outcome = %s, ended_at = %s WHERE effect = %s AND key = %s AND attempt = %s"
        tx.sql(ended, outcome, machine_now(), self.effect, key, number)


Tell = Callable[[Sending, T], str]  # tells the outside of a fact, or of a timer; returns its outcome in a word


class Effects:
    """The register of one service's effects, and of the timers at which one is tried again."""

    def __init__(self) -> None:
        self.by_event: dict[str, tuple[type[Event], Tell[Any]]] = {}
        self.at_timers: dict[str, Tell[timers.Timer]] = {}

    def on(self, event: type[E]) -> Callable[[Tell[E]], Tell[E]]:
        """Register an effect of a fact; it returns its outcome in a word, for the metrics."""

        def register(tell: Tell[E]) -> Tell[E]:
            self.by_event[event.event_name] = (event, tell)
            return tell

        return register

    def at(self, timer: str) -> Callable[[Tell[timers.Timer]], Tell[timers.Timer]]:
        """Register what is tried again when a timer of this name is due."""

        def register(tell: Tell[timers.Timer]) -> Tell[timers.Timer]:
            self.at_timers[timer] = tell
            return tell

        return register

    def topics(self) -> tuple[str, ...]:
        """Return the registered topics that carry the facts answered."""
        return tuple(sorted({event.event_topic.name for event, _ in self.by_event.values()}))


class EffectRunner(Listener):
    """Runs one service's effects from their own consumer group, and their timers."""

    def __init__(self, database: Database, effects: Effects, settings: ServiceSettings) -> None:
        super().__init__(settings, database.service, "effects")
        self._database, self._effects = database, effects
        self.woken = threading.Event()
        self.assigned = not effects.by_event
        self._looked_at = 0.0

    def run(self) -> None:
        """Tell what has to be told until stopped."""
        if not self._effects.by_event:
            return
        consumer = self._join(self._effects.topics())
        try:
            while not self.stopped.is_set():
                for message in self._heard(consumer, [m] if (m := consumer.poll(POLL_SECONDS)) is not None else []):
                    if not self._patiently(self._tell, message):
                        return  # not told: whoever comes next is told of it again
                    consumer.commit(message=message, asynchronous=True)
                    self.positions[message.topic() or "", message.partition() or 0] = (message.offset() or 0) + 1
                self._patiently(self._try_again)
        finally:
            self._leave(consumer)

    def _patiently(self, work: Callable[..., None], *given: Any) -> bool:
        backoff = BACKOFF_SECONDS
        while not self.stopped.is_set():
            try:
                work(*given)
                return True
            except Exception as error:
                if not is_transient(error):
                    raise
                log.get().warning("effects.waits", detail=str(error)[:300])
                self.stopped.wait(backoff)
                backoff = min(backoff * 2, BACKOFF_SECONDS_MAX)
        return False

    def _sending(self, name: str, context: Callable[[Any], Context]) -> Sending:
        url = self._settings.effect_url if self._settings.world == "live" else ""
        transport: Transport = HttpTransport(url) if url else RecordingTransport(self._database, name)
        return Sending(self._database, transport, name, context)

    def _tell(self, message: kafka.Message) -> None:
        name = kafka.header(message, kafka.TYPE_HEADER) or ""
        if name not in self._effects.by_event:
            metrics.effects_total.labels(self._service, "none", "ignored").inc()
            return
        _, tell = self._effects.by_event[name]
        record = record_of(message, self._settings.register_name(message.topic() or ""), name, None)
        try:
            envelope = decode(record.value, name)
            sending = self._sending(tell.__name__, lambda now: context_of(envelope, now, driven=self._settings.driven))
            outcome = tell(sending, envelope.data)
        except Exception as error:
            if is_transient(error):
                raise
            self._bury(record, tell.__name__, error)
            outcome = "dead"
        metrics.effects_total.labels(self._service, tell.__name__, outcome).inc()

    def _try_again(self) -> None:
        """Try again what is due; the timer is marked fired after the attempt, so that a crash in between repeats it."""
        early = time.monotonic() - self._looked_at < scheduler.IDLE_SECONDS and not self.woken.is_set()
        if early or not self._effects.at_timers:
            return
        self.woken.clear()
        self._looked_at = time.monotonic()
        with self._database.begin(nobodys("timer")) as tx:
            due = timers.claim_due(tx, list(self._effects.at_timers), tx.now, 1)
        for timer in due:
            tell = self._effects.at_timers[timer.name]
            sending = self._sending(tell.__name__, partial(scheduler.context_of, timer, driven=self._settings.driven))
            try:
                outcome = tell(sending, timer)
            except Exception as error:
                if is_transient(error):
                    raise
                log.get().exception("effect.dead", timer=timer.name, subject=timer.subject)
                outcome = "dead"
            with self._database.begin(nobodys("timer")) as tx:
                inbox.claim(tx, [(timer.timer_id, f"at {timer.name}")])
                timers.mark_fired(tx, [timer], self._database.clock.now(tx.now))
            metrics.effects_total.labels(self._service, tell.__name__, outcome).inc()

    def _bury(self, record: Record, effect: str, error: Exception) -> None:
        log.get().error("effect.dead", effect=effect, topic=record.topic, offset=record.offset, exc_info=error)
        with self._database.begin(nobodys("event")) as tx:
            dead_letters.store(tx, record, effect, cause=type(error).__name__, detail=str(error), park=False)


def reaction_timers(reactions: Reactions, effects: Effects) -> list[str]:
    """Return the names of every timer that this service fires."""
    return [*reactions.at_timers, *effects.at_timers]
