"""Facts of cases on a real Kafka, the console's server on a real port, and a reader of its stream."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import httpx
import uvicorn

from chassis.ids import time_ordered_id
from chassis.messaging import kafka
from chassis.runtime import log
from cli.stack.issuer import ISSUER
from console.server.app import create_app, tail_of
from console.server.broadcaster import Broadcaster
from console.server.settings import ConsoleSettings
from schemas.envelope import Envelope, encode, wrap
from schemas.exceptions import AffectedLine, CaseOpened, TaskOpened
from schemas.types import Cause, Money, subject_id
from tests.support.service import PATIENCE_SECONDS, issuer, wait_until

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MONEY = Money(amount=Decimal(10), currency="EUR")
SPACE = UUID("4a1f2b6e-0000-4000-8000-000000000000")


def line(site: str, customer: str | None) -> AffectedLine:
    """A line of a customer at a site."""
    return AffectedLine(
        line_id=subject_id("shipment-line", "erp", f"{site}/{customer}"),
        reference="1",
        item="kit",
        site=site,
        quantity=Decimal(1),
        value=MONEY,
        needed_on=date(2026, 3, 4),
        customer=customer,
    )


def _case(number: int, site: str, customers: tuple[str, ...], severity: str) -> dict[str, Any]:
    return {
        "occurred_at": START,
        "case_id": uuid5(SPACE, str(number)),
        "cause": Cause(kind="shipment-delay", id=uuid5(SPACE, f"{number}/cause")),
        "severity": severity,
        "sites": (site,),
        "customers": customers,
    }


def opened(
    number: int,
    *,
    site: str = "Near",
    customers: tuple[str, ...] = ("Ours",),
    severity: str = "high",
    headline: str = "late",
) -> Envelope:
    """A case was opened."""
    return _wrapped(
        CaseOpened(
            **_case(number, site, customers, severity),
            headline=headline,
            recurrence=0,
            cause_occurred_at=START,
            playbook="shipment-delay",
            playbook_version=1,
            value_at_risk=MONEY,
            lines=tuple(line(site, c) for c in customers),
        )
    )


def task_opened(
    number: int, function: Any = "sales", *, site: str = "Near", customers: tuple[str, ...] = ("Ours",)
) -> Envelope:
    """A function was asked for its part."""
    return _wrapped(
        TaskOpened(
            **_case(number, site, customers, "high"),
            task_id=uuid5(SPACE, f"{number}/{function}"),
            kind=f"ask-{function}",
            function=function,
            required=True,
            title="please",
            lines=(),
            needed_on=date(2026, 3, 4),
            commit_by=START,
            complete_by=START,
        )
    )


def _wrapped(event: Any) -> Envelope:
    act = time_ordered_id()
    return wrap(
        event,
        id=time_ordered_id(),
        source="/crossdock/test/exceptions",
        recorded_at=START,
        correlation_id=act,
        causation_id=act,
        cause_kind="act",
    )


SECRET = "only for tests"
LOCAL = {"X-Local-Secret": SECRET}
"""How the user who started a stack asks its built-in issuer."""


def local_secret_file() -> Path:
    """Return a file with the secret that the built-in issuer asks for."""
    file = issuer().key_file.with_name("local-secret")
    file.write_text(SECRET + "\n")
    return file


@dataclass
class Cases:
    """The topic of cases of one world."""

    bootstrap: str
    world: str

    def say(self, *envelopes: Envelope) -> list[str]:
        """Publish facts and wait until Kafka has them; returns their ids."""
        producer = kafka.producer(self.bootstrap, "test")
        for envelope in envelopes:
            self._produce(producer, envelope.subject, envelope.type, encode(envelope))
        assert producer.flush(30) == 0
        return [str(envelope.id) for envelope in envelopes]

    def say_nonsense(self, partition: int) -> None:
        """Publish a record that nobody can read."""
        producer = kafka.producer(self.bootstrap, "test")
        producer.produce(f"{self.world}.exceptions.case", value=b"{", key=b"x", partition=partition)
        assert producer.flush(30) == 0

    def _produce(self, producer: kafka.Producer, key: str, name: str, value: bytes) -> None:
        headers = {kafka.TYPE_HEADER: name}
        producer.produce(f"{self.world}.exceptions.case", value=value, key=key.encode(), headers=headers)
        producer.poll(0)

    def token(self, role: str = "viewer", **claims: Any) -> str:
        """Return a token of this world."""
        return issuer().token(role, world=self.world, **claims)

    @contextlib.contextmanager
    def served(self, **settings: Any) -> Iterator[Served]:
        """Serve the console of this world until the end of the block."""
        log.configure("console", "api", self.world, "critical")
        told = ConsoleSettings(
            world=self.world,
            database_url="",
            kafka_bootstrap=self.bootstrap,
            auth_audience=f"crossdock.{self.world}",
            cursor_secret="only for tests",
            **{
                "auth_issuer": ISSUER,
                "auth_jwks": str(issuer().jwks_file),
                "issuer_key": str(issuer().key_file),
                "local_secret_file": str(local_secret_file()),
                **settings,
            },
        )
        broadcaster = Broadcaster(partial(tail_of, told), told.stream_ring_records)
        app = create_app(told, broadcaster)
        config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, name="console", daemon=True)
        thread.start()
        wait_until(lambda: server.started and broadcaster.ready)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield Served(self, f"http://127.0.0.1:{port}", port, broadcaster, lambda: int(app.state.readers))
        finally:
            server.should_exit = True
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()


@dataclass
class Message:
    """One server-sent event; a heartbeat has neither name nor data."""

    id: str = ""
    name: str = ""
    data: dict[str, Any] = field(default_factory=dict)


@dataclass
class Served:
    """A console server that runs."""

    cases: Cases
    url: str
    port: int
    broadcaster: Broadcaster
    readers: Callable[[], int]

    @contextlib.contextmanager
    def reading(
        self, token: str | None = None, *, last: str | None = None, **query: Any
    ) -> Iterator[Iterator[Message]]:
        """Open the stream; what comes first is the beat that says where it begins."""
        head = {"Authorization": f"Bearer {token or self.cases.token()}"} | ({"Last-Event-ID": last} if last else {})
        with httpx.stream("GET", f"{self.url}/stream", headers=head, params=query, timeout=PATIENCE_SECONDS) as answer:
            assert answer.status_code == 200, answer.read()
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield messages(answer.iter_lines())

    def ask(self, token: str | None = None, **query: Any) -> httpx.Response:
        """Ask for the stream where it will be refused."""
        head = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.get(f"{self.url}/stream", headers=head, params=query, timeout=PATIENCE_SECONDS)


def messages(lines: Iterator[str]) -> Iterator[Message]:
    """Read server-sent events as a browser does; the id moves with heartbeats too."""
    made = Message()
    for text in lines:
        if text.startswith("id: "):
            made.id = text[4:]
        elif text.startswith("event: "):
            made.name = text[7:]
        elif text.startswith("data: "):
            made.data = json.loads(text[6:])
        elif not text and made.id:
            yield made
            made = Message()


def take(stream: Iterator[Message], count: int) -> list[Message]:
    """Read this many facts, past heartbeats; raises AssertionError where they do not come."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    found: list[Message] = []
    while len(found) < count:
        message = next(stream)
        if message.name:
            found.append(message)
        assert time.monotonic() < deadline, f"{len(found)} of {count} facts came"
    return found
