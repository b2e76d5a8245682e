"""From the rows of a foreign response log to its cases, each fact with both its times. Pure.

Rows of a case count in the order of the file. A row that cannot be used takes its whole case out, never half of it; where
a row does not even say which case it belongs to, the file is refused whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Literal, NamedTuple

from cli.backfill.maps import Point, ResponseMap, in_zone
from formats.dialect import RawRow, WrongFile, read_sheet

FactKind = Literal["opened", "acknowledged", "handed-over", "implemented"]
WORDS_MAX = 80
EXPECTED = "a response log with one row per update (CSV or tab-separated, UTF-8, plain or gzip, with its header row)"


class Fact(NamedTuple):
    """One fact of a case: when it was so, and when the log knew it."""

    kind: FactKind
    occurred_at: datetime
    recorded_at: datetime
    from_group: str | None = None
    to_group: str | None = None


@dataclass(frozen=True, slots=True)
class ResponseCase:
    """One case as the log tells it."""

    key: str
    headline: str
    severity: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A case that is left out whole: the row and the column at fault, what stands there, what was expected."""

    case: str
    row: int
    column: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"case {self.case} is left out: row {self.row}, column {self.column}: {self.found!r} {self.expected}"


@dataclass(frozen=True, slots=True)
class ResponseLog:
    """All that a file said: each of its cases is in one of the two lists."""

    cases: tuple[ResponseCase, ...]
    left_out: tuple[LeftOut, ...]
    rows: int

    @property
    def end(self) -> datetime:
        """Return the last time at which the log knew something."""
        return max(fact.recorded_at for case in self.cases for fact in case.facts)


class _Unusable(Exception):
    def __init__(self, row: int, column: str, found: str, expected: str) -> None:
        super().__init__(expected)
        self.row, self.column, self.found, self.expected = row, column, found[:WORDS_MAX], expected


def read_responses(content: bytes, responses: ResponseMap) -> ResponseLog:
    """Read a log by a map; raise `WrongFile` when the file as a whole cannot be used."""
    sheet = read_sheet(content, required=responses.columns, expected=EXPECTED)
    place = {name: position for position, name in enumerate(sheet.header)}
    by_case: dict[str, list[RawRow]] = {}
    for row in sheet.rows:
        by_case.setdefault(_named(row, place[responses.case], responses), []).append(row)
    reader = _Reader(responses, place)
    cases: list[ResponseCase] = []
    left_out: list[LeftOut] = []
    for key, rows in by_case.items():
        try:
            cases.append(reader.case(key, rows))
        except _Unusable as why:
            left_out.append(LeftOut(key, why.row, why.column, why.found, why.expected))
    if not cases:
        raise WrongFile(
            f"Not one of the {len(by_case)} cases can be used; {left_out[0]}.",
            expected=EXPECTED,
            advice="Check that the map belongs to this file.",
        )
    return ResponseLog(tuple(cases), tuple(left_out), len(sheet.rows))


def _named(row: RawRow, position: int, responses: ResponseMap) -> str:
    """Return the case that a row belongs to; a row that names none could leave half a case behind."""
    fault = row.fault
    if fault is None:
        key = row.fields[position].strip()
        if key not in responses.missing:
            return key
        fault = f"column {responses.case!r} says {key!r} where the name of its case is expected"
    raise WrongFile(
        f"Row {row.row} does not say which case it belongs to: {fault}.",
        expected=EXPECTED,
        advice="Put the row right or take its whole case out; nothing of the file was brought in.",
    )


class _Reader:
    def __init__(self, responses: ResponseMap, place: dict[str, int]) -> None:
        self._map, self._place, self._zone = responses, place, responses.timezone
        self._missing = frozenset(responses.missing)
        self._parsed_times: dict[str, datetime] = {}  # most times stand on several rows

    def case(self, key: str, rows: Sequence[RawRow]) -> ResponseCase:
        words = [self._word(rows[0], column) for column in self._map.headline]
        severity = self._severity(rows[0])
        return ResponseCase(key, " · ".join(w for w in words if w) or key, severity, tuple(self._facts(rows)))

    def _facts(self, rows: Sequence[RawRow]) -> Iterator[Fact]:
        first, last, told = rows[0], rows[-1], self._map
        opened = self._point("opened", first, told.opened)
        if opened is None:
            raise self._expected(first, told.opened.at[0], "is missing, and a case begins with its opening")
        yield opened
        if told.acknowledged is not None:
            where = told.acknowledged.first_row_where
            taken = next((row for row in rows if where.holds(self._text(row, where.column))), None)
            fact = None if taken is None else self._point("acknowledged", taken, told.acknowledged)
            if fact is not None:
                yield fact
        yield from self._handoffs(rows)
        done = told.implemented.last_row_where
        if done is None or done.holds(self._text(last, done.column)):
            fact = self._point("implemented", last, told.implemented)
            if fact is not None:
                yield fact

    def _handoffs(self, rows: Sequence[RawRow]) -> Iterator[Fact]:
        handoff = self._map.handoff
        if handoff is None:
            return
        for before, after in pairwise(rows):
            giver, taker = self._word(before, handoff.column), self._word(after, handoff.column)
            if giver and taker and giver != taker:
                fact = self._point("handed-over", after, handoff)
                if fact is None:
                    raise self._expected(after, handoff.at[0], "is missing where a case was handed over")
                yield fact._replace(from_group=giver, to_group=taker)

    def _point(self, kind: FactKind, row: RawRow, point: Point) -> Fact | None:
        column = next((name for name in point.at if self._word(row, name) is not None), None)
        if column is None:
            return None
        at = self._time(row, column)
        if point.known is None or self._word(row, point.known) is None:
            return Fact(kind, at, at)
        known = self._time(row, point.known)
        if known < at:
            raise self._expected(row, point.known, f"is before {column}: nothing is known before it is so")
        return Fact(kind, at, known)

    def _severity(self, row: RawRow) -> str:
        asked = self._map.severity
        word = None if asked.column is None else self._word(row, asked.column)
        found = asked.otherwise if word is None else asked.words.get(word, asked.otherwise)
        if found is None:
            raise self._expected(row, asked.column or "severity", f"is none of {', '.join(map(repr, asked.words))}")
        return found

    def _time(self, row: RawRow, column: str) -> datetime:
        text = self._text(row, column)
        if text not in self._parsed_times:
            try:
                read = datetime.strptime(text, self._map.time)
                self._parsed_times[text] = in_zone(read, self._zone) if read.tzinfo is None else read.astimezone(UTC)
            except ValueError as why:
                left_out = str(why) if "left out" in str(why) else f"is no time such as {self._map.time!r}"
                raise self._expected(row, column, left_out) from why
        return self._parsed_times[text]

    def _text(self, row: RawRow, column: str) -> str:
        return row.fields[self._place[column]].strip()

    def _word(self, row: RawRow, column: str) -> str | None:
        """Return what stands in a column, None where nothing does."""
        word = self._text(row, column)
        return None if word in self._missing else word

    def _expected(self, row: RawRow, column: str, expected: str) -> _Unusable:
        return _Unusable(row.row, column, self._text(row, column) if column in self._place else "", expected)
