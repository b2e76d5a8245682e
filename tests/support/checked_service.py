"""A service under test whose responses are JSON with a checked status and whose facts come without envelopes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from chassis.runtime.process import Parts
from schemas.base import Event
from schemas.envelope import Envelope
from tests.support.service import START, ServiceUnderTest, open_service
from tests.support.stack import Infrastructure

_TABLES = (
    "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' ORDER BY tablename"
)


class CheckedService:
    """A service under test: `post`, `get`, `batch`, `consume`, `emitted`, `rows`, `at`."""

    def __init__(self, opened: ServiceUnderTest, url: str) -> None:
        self.service, self.url = opened, url
        self.now = START
        self.do = opened.do

    def emptied(self) -> CheckedService:
        """Return the same service as if it were new: empty tables, the clock at its start."""
        names = [r["tablename"] for r in self.rows(_TABLES)]
        with self.service.database.engine.begin() as connection:
            connection.exec_driver_sql(f"TRUNCATE {', '.join(names)} RESTART IDENTITY CASCADE")
        self.service._seen = 0
        self.at(START)
        return self

    def at(self, now: datetime) -> None:
        """Move the world's clock; it never goes back."""
        self.now = now
        self.service.set_clock(now)

    def post(
        self,
        path: str,
        body: Any,
        *,
        by: str = "planning-lead",
        claims: dict[str, Any] | None = None,
        key: str | None = None,
        expect: int | None = None,
    ) -> Any:
        """Send an act as a role, check the status and return the body."""
        return _answer(self.service.post(path, body, role=by, claims=claims, key=key), expect)

    def get(
        self,
        path: str,
        *,
        by: str = "planning-lead",
        claims: dict[str, Any] | None = None,
        expect: int | None = None,
        **parameters: Any,
    ) -> Any:
        """Send a query as a role, check the status and return the body."""
        query = {name: value for name, value in parameters.items() if value is not None}
        return _answer(self.service.get(path, role=by, claims=claims, params=query), expect)

    def batch(
        self,
        path: str,
        *items: dict[str, Any],
        source: str = "erp",
        by: str = "planning-lead",
        claims: dict[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        """Post a batch and return its results."""
        results: list[dict[str, Any]] = self.post(path, {"source": source, "items": list(items)}, by=by, claims=claims)[
            "results"
        ]
        return results

    def consume(self, *events: Event | Envelope) -> list[Envelope]:
        """Pass facts to the consumer as one batch; the same envelope twice is a redelivery. No fact may be dead-lettered."""
        envelopes = self.service.consume(*events)
        assert self.rows("SELECT reaction, cause, detail FROM dead_letters") == []
        return envelopes

    def emitted(self) -> list[Any]:
        """Return the facts emitted since the last call, in order."""
        return [envelope.data for envelope in self.service.emitted()]

    def rows(self, statement: str, *parameters: Any) -> list[dict[str, Any]]:
        """Return the rows of an SQL query on the service's database."""
        return self.service.rows(statement, list(parameters))

    def data(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return every row of every table except Alembic's, to compare two states of the database."""
        names = [r["tablename"] for r in self.rows(_TABLES)]
        return {
            name: sorted((tuple(row.values()) for row in self.rows(f'SELECT * FROM "{name}"')), key=repr)
            for name in names
        }


def _answer(answer: Any, expect: int | None) -> Any:
    fits = answer.status_code == expect if expect else answer.status_code < 400
    assert fits, f"{answer.status_code}, expected {expect or 'success'}: {answer.text}"
    return answer.json()


@contextmanager
def open_checked_service(infra: Infrastructure, parts: Parts) -> Iterator[CheckedService]:
    """Open a service on a database of its own and drop it at the end."""
    url = infra.database(parts.name)
    try:
        with open_service(parts, url) as opened:
            yield CheckedService(opened, url)
    finally:
        infra.drop_database(url)
