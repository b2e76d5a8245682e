"""A thin hand on a House: answers as JSON with their status checked, batches, and the facts without their envelopes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from chassis.runtime.process import Parts
from schemas.base import Event
from schemas.envelope import Envelope
from tests.support.service import START, House, house
from tests.support.stack import Infrastructure

_TABLES = (
    "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' ORDER BY tablename"
)


class Tried:
    """A service under test: `post`, `get`, `batch`, `hear`, `said`, `rows`, `at`."""

    def __init__(self, opened: House, url: str) -> None:
        self.house, self.url = opened, url
        self.now = START
        self.do = opened.do

    def emptied(self) -> Tried:
        """Return the same service as if it were new: every row gone, the clock at its start."""
        names = [r["tablename"] for r in self.rows(_TABLES)]
        with self.house.database.engine.begin() as connection:
            connection.exec_driver_sql(f"TRUNCATE {', '.join(names)} RESTART IDENTITY CASCADE")
        self.house._seen = 0
        self.at(START)
        return self

    def at(self, now: datetime) -> None:
        """Move the world's clock; it never goes back."""
        self.now = now
        self.house.set_clock(now)

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
        """Do an act as a role and return the answer after checking its status."""
        return _answer(self.house.post(path, body, role=by, claims=claims, key=key), expect)

    def get(
        self,
        path: str,
        *,
        by: str = "planning-lead",
        claims: dict[str, Any] | None = None,
        expect: int | None = None,
        **parameters: Any,
    ) -> Any:
        """Ask a question as a role and return the answer after checking its status."""
        asked = {name: value for name, value in parameters.items() if value is not None}
        return _answer(self.house.get(path, role=by, claims=claims, params=asked), expect)

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

    def hear(self, *events: Event | Envelope) -> list[Envelope]:
        """Put facts before the consumer as one batch; the same envelope twice is the same message twice."""
        heard = self.house.hear(*events)
        assert self.rows("SELECT reaction, cause, detail FROM dead_letters") == []
        return heard

    def said(self) -> list[Any]:
        """Return the facts said since the last time this was asked, in their order."""
        return [envelope.data for envelope in self.house.said()]

    def rows(self, statement: str, *parameters: Any) -> list[dict[str, Any]]:
        """Read the service's tables."""
        return self.house.rows(statement, list(parameters))

    def data(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return every row of every table but alembic's, to compare a database with itself."""
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
def tried_service(infra: Infrastructure, parts: Parts) -> Iterator[Tried]:
    """Open a service on a database of its own and drop it at the end."""
    url = infra.database(parts.name)
    try:
        with house(parts, url) as opened:
            yield Tried(opened, url)
    finally:
        infra.drop_database(url)
