"""What people ask of many cases at once: by kind, severity, function, week and pair; phases; what lasts too long.

The cases are read from one index, their durations come as bytes, and the curve walks over them: 100,000 take a third of a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Row, text

from chassis.http.auth import Actor
from chassis.persistence.database import ReadTx
from services.scorecard import domain
from services.scorecard.queries.recompute import PLANNED, statement

Grouping = Literal["kind", "severity", "function", "week", "pair"]
_ASKED = """
WHERE (CAST(:kind AS text) IS NULL OR cause_kind = :kind) AND (CAST(:severity AS text) IS NULL OR severity = :severity)
  AND (CAST(:since AS timestamptz) IS NULL OR identified_at >= :since)
"""
_PHASES = ", ".join(f"{phase}_us" for phase in domain.PHASES)
# An open case lasts until now, not until its last fact.
_NOW = f"""
asked AS (
    SELECT case_id, cause_kind, severity, state, critical_function, identified_at, decision_us, acknowledged_us, handoffs,
           elapsed_us + CASE WHEN state = 'open' THEN since_us ELSE 0 END AS elapsed_us, since_us, open_phase, {_PHASES}
    FROM (
        SELECT *, CASE WHEN state IN ('open', 'implemented')
               THEN greatest(0, (date_part('epoch', CAST(:now AS timestamptz) - recorded_at) * 1000000)::bigint) ELSE 0 END AS since_us
        FROM readings
    ) AS r {_ASKED}
"""
_SCOPE = """
AND case_id IN (
    SELECT case_id FROM case_scopes WHERE (CAST(:sites AS text[]) IS NULL OR sites && CAST(:sites AS text[]))
    AND (CAST(:customers AS text[]) IS NULL OR customers && CAST(:customers AS text[]))
)
"""
_THEN = f"""
, asked AS (
    SELECT * FROM recomputed {_ASKED}
      AND (CAST(:sites AS text[]) IS NULL OR sites ?| CAST(:sites AS text[]))
      AND (CAST(:customers AS text[]) IS NULL OR customers ?| CAST(:customers AS text[]))
)
"""
_CELLS = {
    "kind": "cause_kind",
    "severity": "severity",
    "function": "critical_function",
    "week": "date_trunc('week', identified_at AT TIME ZONE 'UTC')",
    "pair": "giver",
}
_PAIRS = """
JOIN (
    SELECT giver, taker, case_id, count(*) AS times FROM case_facts
    WHERE giver IS NOT NULL AND (CAST(:as_of AS timestamptz) IS NULL OR recorded_at <= :as_of) GROUP BY giver, taker, case_id
) AS p USING (case_id)
"""
_COUNTED = """
decision_us IS NOT NULL AS ended, count(*) FILTER (WHERE state = 'open') AS open, count(*) FILTER (WHERE state = 'cleared') AS cleared,
string_agg(int8send(coalesce(decision_us, elapsed_us)), ''::bytea) AS lasting
"""


# Each list is sorted alone, as bare numbers: PostgreSQL would else sort whole rows for the first of them.
_PLANNED = ("jit = off", "work_mem = '32MB'", "enable_presorted_aggregate = off")


def _sent(what: str, name: str, where: str) -> str:
    """Return the aggregate that sends sorted durations as bytes: PostgreSQL sorts whole numbers in a third of our time."""
    return f"array_send(array_agg({what} ORDER BY {what}) FILTER (WHERE {where})) AS {name}"


@dataclass(frozen=True, slots=True)
class VelocityQuery:
    """Which cases are asked about: filters, and what is in the reader's scope; `at` is now, or the as-of time."""

    actor: Actor
    at: datetime
    kind: str | None = None
    severity: str | None = None
    since: datetime | None = None
    as_of: datetime | None = None

    @property
    def includes_all_cases(self) -> bool:
        """Say whether every case lies in the reader's scope: nothing has to be looked up for them then."""
        return self.actor.sees_all


def _rows(read: ReadTx, asked: VelocityQuery, rest: str, **more: Any) -> Sequence[Row[Any]]:
    """Ask `asked`, the cases in question: of now from the readings, as of a time from SQL."""
    filters = {"kind": asked.kind, "severity": asked.severity, "since": asked.since, "as_of": asked.as_of, **more}
    scope = {
        "sites": None if asked.actor.sites is None else sorted(asked.actor.sites),
        "customers": None if asked.actor.customers is None else sorted(asked.actor.customers),
    }
    with read.planned(*(PLANNED if asked.as_of else _PLANNED)):
        if asked.as_of is not None:
            return read.rows(statement(_THEN + rest), {**filters, **scope, "case_ids": None})
        if asked.includes_all_cases:
            return read.rows(text(f"WITH {_NOW}) {rest}"), {**filters, "now": asked.at})
        return read.rows(text(f"WITH {_NOW}{_SCOPE}) {rest}"), {**filters, **scope, "now": asked.at})


def figure_of_cases(read: ReadTx, asked: VelocityQuery, *, target: timedelta) -> domain.Figure:
    """Return the figure of the cases with what stands beside it."""
    sent = ", ".join(
        _sent(*one)
        for one in (
            ("decision_us", "ended", "decision_us IS NOT NULL"),
            ("elapsed_us", "censored", "decision_us IS NULL"),
            ("acknowledged_us", "told", "acknowledged_us IS NOT NULL"),
            ("elapsed_us", "silent", "acknowledged_us IS NULL"),
        )
    )
    rest = f"""
    SELECT {sent}, count(*) FILTER (WHERE state = 'open') AS open, count(*) FILTER (WHERE state = 'cleared') AS cleared,
           coalesce(sum(handoffs), 0) AS handoffs, count(*) FILTER (WHERE acknowledged_us < 0) AS findings FROM asked
    """
    (row,) = _rows(read, asked, rest)
    ended, censored, told, silent = (
        domain.sorted_durations(got) for got in (row.ended, row.censored, row.told, row.silent)
    )
    return domain.figure(
        ended,
        censored,
        opened=row.open,
        cleared=row.cleared,
        target_us=target // domain.MICROSECOND,
        told=told,
        silent=silent,
        handoffs=int(row.handoffs),
        findings=row.findings,
    )


def curve_of_cases(read: ReadTx, asked: VelocityQuery) -> domain.SortedCurve:
    """Return the curve of the cases: how long those lasted that were implemented, and those that were not."""
    sent = (
        _sent("decision_us", "ended", "decision_us IS NOT NULL"),
        _sent("elapsed_us", "censored", "decision_us IS NULL"),
    )
    (row,) = _rows(read, asked, f"SELECT {', '.join(sent)} FROM asked")
    return domain.SortedCurve(domain.sorted_durations(row.ended), domain.sorted_durations(row.censored))


def p90_of_cases(read: ReadTx, asked: VelocityQuery) -> int | None:
    """Return after how long nine of ten were implemented."""
    return curve_of_cases(read, asked).percentiles(("p90",))["p90"]


def cells_of_cases(read: ReadTx, asked: VelocityQuery, what: Grouping, *, target: timedelta) -> list[domain.Cell]:
    """Return the figure by kind, severity, function that was last to act, week of identification, or pair of a hand-over."""
    pair = what == "pair"
    other, times, more = ("taker", "sum(times)", _PAIRS) if pair else ("''", "0", "")
    rest = f"""
    SELECT {_CELLS[what]} AS cell, {other} AS other, {_COUNTED}, {times} AS more FROM asked {more}
    WHERE {_CELLS[what]} IS NOT NULL GROUP BY 1, 2, 3
    """
    return domain.cells((_counted(row, what) for row in _rows(read, asked, rest)), target // domain.MICROSECOND)


def _counted(row: Any, what: Grouping | None = None) -> domain.Counted:
    cell: tuple[str, ...] = ()
    if what == "week":
        year, week, _ = row.cell.isocalendar()
        cell = (f"{year}-W{week:02d}",)
    elif what is not None:
        cell = (row.cell, row.other) if what == "pair" else (row.cell,)
    more = 0 if what is None else int(row.more)
    return domain.Counted(cell, row.ended, row.open, row.cleared, domain.durations(row.lasting), more)


def phases_of_cases(read: ReadTx, asked: VelocityQuery) -> list[domain.Phase]:
    """Return every phase over the cases; where a case was cleared, the phase in which it stood did not end."""
    numbered = list(enumerate(domain.PHASES))
    last = " ".join(f"WHEN {phase}_us IS NOT NULL THEN {number}" for number, phase in reversed(numbered))
    stands = " ".join(f"WHEN '{phase}' THEN {number}" for number, phase in numbered)
    sent = ", ".join(
        _sent(*one)
        for number, phase in numbered
        for one in (
            (f"{phase}_us", f"{phase}_finished", f"standing <> {number} AND {phase}_us IS NOT NULL"),
            (f"{phase}_us + since_us", f"{phase}_standing", f"standing = {number}"),  # it stands in a phase that it has
        )
    )
    rest = f"""
    SELECT {sent} FROM (
        SELECT {_PHASES}, since_us,
               CASE WHEN state = 'cleared' THEN CASE {last} END WHEN open_phase IS NULL THEN -1 ELSE CASE open_phase {stands} END END AS standing
        FROM asked OFFSET 0  -- each case is looked at once, not once for every phase
    ) AS x
    """
    (row,) = _rows(read, asked, rest)
    return [
        domain.phase(
            name,
            domain.sorted_durations(getattr(row, f"{name}_finished")),
            domain.sorted_durations(getattr(row, f"{name}_standing")),
        )
        for name in domain.PHASES
    ]


def open_cases_beyond(read: ReadTx, asked: VelocityQuery, us: int, *, limit: int) -> tuple[int, Sequence[Row[Any]]]:
    """Return how many open cases have lasted longer, and the longest of them."""
    rest = """
    SELECT case_id, cause_kind, severity, identified_at, elapsed_us, count(*) OVER () AS beyond
    FROM asked WHERE state = 'open' AND elapsed_us > :us ORDER BY elapsed_us DESC, case_id LIMIT :limit
    """
    rows = _rows(read, asked, rest, us=us, limit=limit)
    return (rows[0].beyond if rows else 0), rows
