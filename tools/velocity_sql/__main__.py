"""The recomputation in SQL as a program of the specification: logs on standard input, answers on standard output.

Python passes statements and options on and puts the answers together; reading, folding, merging and counting are SQL,
over the statement that the scorecard's check runs. Without DATABASE_URL it starts a PostgreSQL of its own.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.schema import CreateTable

from cli.stack.postgres import EmbeddedPostgres
from services.scorecard import tables
from services.scorecard.queries.recompute import statement
from tools.velocity_sql import questions as ask

HERE = Path(__file__).parent
WRITTEN = text("SELECT pg_temp.written(:at)")
WINDOW_DAYS, DAY_US = 7, 86_400_000_000


def main() -> int:
    """Answer each log of standard input."""
    with _connected() as connection:
        made = str(CreateTable(tables.case_facts).compile(dialect=connection.dialect))
        # The service's own table, but of this session only: a database that is in use is not touched.
        connection.exec_driver_sql(made.replace("CREATE TABLE", "CREATE TEMP TABLE"))
        for name in ("tables", "functions"):
            connection.exec_driver_sql((HERE / f"{name}.sql").read_text(encoding="utf-8"))
        for lines in _logs(sys.stdin):
            print(json.dumps(_answers(connection, lines)), flush=True)
        connection.rollback()
    return 0


@contextmanager
def _connected() -> Iterator[Connection]:
    url = os.environ.get("DATABASE_URL")
    with tempfile.TemporaryDirectory(prefix="velocity-sql-") as folder:
        server = None if url else EmbeddedPostgres(Path(folder) / "postgres")
        try:
            found = url or (server.start() if server else "")
            engine = create_engine(found.replace("postgresql://", "postgresql+psycopg://", 1))
            with engine.connect() as connection:
                yield connection
            engine.dispose()
        finally:
            if server is not None:
                server.stop()


def _logs(stream: Any) -> Iterator[list[str]]:
    """Yield the logs of a stream: an empty line ends one."""
    lines: list[str] = []
    for line in stream:
        if line.strip():
            lines.append(line)
        elif lines:
            yield lines
            lines = []
    if lines:
        yield lines


def _answers(connection: Connection, lines: list[str]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    connection.execute(text("TRUNCATE raw, told, calendar"))
    events: list[dict[str, str]] = []
    for line in lines:
        found = json.loads(line)
        options |= found.get("options", {})
        if "options" not in found:
            events.append({"line": line})
    if events:
        connection.execute(text("INSERT INTO raw VALUES (CAST(:line AS jsonb))"), events)
    world = {"world": options.get("world", "live")}
    connection.execute(text(ask.ROOT_SIGNALS), world)
    last = connection.execute(text("SELECT max(recorded) FROM told")).scalar()
    as_of = datetime.fromisoformat(options["as_of"]) if "as_of" in options else last
    as_of = as_of or datetime.fromisoformat("1970-01-01T00:00:00Z")
    as_of_shown = connection.execute(WRITTEN, {"at": as_of}).scalar()
    connection.execute(text(ask.CALENDARS), {**world, "as_of": as_of})
    window = int(options.get("window_days", WINDOW_DAYS)) * DAY_US
    asked = {"as_of": as_of, "horizon": options.get("horizon_us"), "window": window}
    _measure(connection, as_of)
    found = {"specification": "1.0", "as_of": as_of_shown, **_one(connection, ask.FIGURE, asked)}
    names = ("FINDINGS", "MEASURES", "FUNCTIONS", "PAIRS", "KINDS", "SEVERITIES")
    found |= {name.lower(): _one(connection, getattr(ask, name), asked) for name in names}
    return found | {"weeks": _weeks(connection, as_of)}


def _measure(connection: Connection, as_of: datetime) -> None:
    """Fill `measured` with what was known at a time."""
    connection.execute(text("TRUNCATE case_facts, measured"))
    connection.execute(text((HERE / "load.sql").read_text(encoding="utf-8")), {"as_of": as_of})
    connection.execute(statement(ask.MEASURED), {"as_of": as_of, "case_ids": None})
    connection.execute(text((HERE / "working.sql").read_text(encoding="utf-8")))


def _weeks(connection: Connection, as_of: datetime) -> list[dict[str, Any]]:
    weeks = []
    for week, ends, cell in connection.execute(text(ask.WEEKS), {"as_of": as_of}).all():
        _measure(connection, ends)
        shown = connection.execute(WRITTEN, {"at": ends}).scalar()
        weeks.append({"week": week, **cell, "then": {"as_of": shown, **_one(connection, ask.OF_WEEK, {"week": week})}})
    return weeks


def _one(connection: Connection, question: str, parameters: dict[str, Any]) -> Any:
    names = {name: value for name, value in parameters.items() if f":{name}" in question}
    return connection.execute(text(question), names).scalar()


if __name__ == "__main__":
    sys.exit(main())
