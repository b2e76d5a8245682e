"""Read a log of CloudEvents (JSON lines) into case facts and calendars; other event types are ignored."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from velocity.case import CLOCK_KINDS, TASK_KINDS, Case, ClockFact, add, micros

FAMILY, VERSION = "exceptions.", ".v1"
CALENDAR = "collaboration.calendar.changed.v1"
EXTRA_FIELDS = {
    "task.handover-accepted": ("from_function", "to_function"),
    "case.handed-over": ("from_group", "to_group"),
    "case.paused": ("reason",),
    "case.merged": ("into_case_id",),
}
SINCE = {"case.opened": "cause_occurred_at", "case.reopened": "stopped_at"}
# Raised for an event with a missing field or a value of the wrong type.
UNFIT = (KeyError, ValueError, TypeError, AttributeError)
DAY_US = 86_400_000_000
WINDOW_US = 7 * DAY_US


class Unreadable(ValueError):
    """A line of the log is not a valid event; the message gives the line number."""


@dataclass(frozen=True, slots=True)
class RootSignalEvent:
    """One fact of a case, parsed from its event."""

    case_id: UUID
    cause_kind: str
    severity: str
    fact: ClockFact
    recurrence: int = 0


@dataclass(frozen=True, slots=True)
class Calendar:
    """When a function works: weekdays count from Monday = 0, times are local to the zone."""

    code: str
    zone: ZoneInfo
    weekdays: frozenset[int]
    opens: time
    closes: time
    holidays: frozenset[date]
    order: tuple[int, UUID]


@dataclass(frozen=True, slots=True)
class Options:
    """Options of a log. Without `as_of_us` the answers are as of the last record of the world."""

    as_of_us: int | None = None
    world: str = "live"
    horizon_us: int | None = None
    window_us: int = WINDOW_US


@dataclass(frozen=True, slots=True)
class Log:
    """A log that was read: the facts and calendars of one world in the order of its lines."""

    options: Options
    events: tuple[RootSignalEvent, ...]
    calendars: tuple[Calendar, ...]


def logs(stream: Iterable[str]) -> Iterator[list[str]]:
    """Yield the logs of a stream line by line; an empty line ends one."""
    lines: list[str] = []
    for line in stream:
        if line.strip():
            lines.append(line)
        elif lines:
            yield lines
            lines = []
    if lines:
        yield lines


def read(lines: Iterable[str]) -> Log:
    """Read a log; any line may hold options, the last of which count; raises Unreadable."""
    options: dict[str, Any] = {}
    events: list[tuple[int, dict[str, Any]]] = []
    facts: list[RootSignalEvent] = []
    calendars: list[Calendar] = []
    number = 0
    try:
        for number, line in enumerate(filter(str.strip, lines), start=1):
            entry = json.loads(line)
            if "options" in entry:
                options |= entry["options"]
            else:
                events.append((number, entry))
        chosen = _options(options)
        for number, event in events:  # noqa: B007  the line at fault is named
            if event["type"] == CALENDAR and world_of(event["source"]) == chosen.world:
                calendars.append(_calendar(event))
            elif (fact := _fact_of(event, chosen.world)) is not None:
                facts.append(fact)
    except UNFIT as error:
        raise Unreadable(f"line {number} is no event: {type(error).__name__} {error}") from error
    return Log(chosen, tuple(facts), tuple(calendars))


def world_of(source: str) -> str:
    """Return the world of a source `/crossdock/<world>/<service>`; any other source is of the live world."""
    parts = source.split("/")
    return parts[2] if source.startswith("/crossdock/") else "live"


def cases_as_of(log: Log, as_of_us: int) -> dict[UUID, Case]:
    """Return every case of which something was recorded by then, folded from what was recorded by then."""
    cases: dict[UUID, Case] = {}
    for one in log.events:
        if one.fact.recorded_us <= as_of_us:
            cases[one.case_id] = add(
                cases.get(one.case_id), one.fact, case_id=one.case_id, cause_kind=one.cause_kind, severity=one.severity
            )
    return cases


def calendars_as_of(log: Log, as_of_us: int) -> dict[str, Calendar]:
    """Return the calendars as they were known then, by code: the last in order counts."""
    by_code: dict[str, Calendar] = {}
    for calendar in sorted(log.calendars, key=lambda one: one.order):
        if calendar.order[0] <= as_of_us:
            by_code[calendar.code] = calendar
    return by_code


def as_of(log: Log) -> int:
    """Return the as-of time in microseconds since 1970: the option, else the last record, else 0."""
    return (
        log.options.as_of_us
        if log.options.as_of_us is not None
        else max((one.fact.recorded_us for one in log.events), default=0)
    )


def moment(text: str) -> int:
    """Return whole microseconds since 1970 of an instant as RFC 3339 writes it."""
    return micros(datetime.fromisoformat(text))


def _options(document: dict[str, Any]) -> Options:
    as_of_text = document.get("as_of")
    return Options(
        None if as_of_text is None else moment(as_of_text),
        document.get("world", "live"),
        document.get("horizon_us"),
        int(document["window_days"]) * DAY_US if "window_days" in document else WINDOW_US,
    )


def _fact_of(event: dict[str, Any], world: str) -> RootSignalEvent | None:
    """Return the fact of a case of this world, else None; a kind that the specification does not name may lack anything."""
    if not (event["type"].startswith(FAMILY) and event["type"].endswith(VERSION)):
        return None
    try:
        return parse_case_event(event) if world_of(event["source"]) == world else None
    except UNFIT:
        if _kind_of(event) in CLOCK_KINDS:
            raise
        return None


def parse_case_event(event: dict[str, Any]) -> RootSignalEvent:
    """Return the fact of a case that an event is; raises KeyError, ValueError, TypeError or AttributeError where it is none.

    Only the facts about a task that the specification names are read for their task: others may name one, too.
    """
    kind, data = _kind_of(event), event["data"]
    since = data.get(SINCE[kind]) if kind in SINCE else None
    task_id, function, required = None, "", False
    if kind in TASK_KINDS:
        task_id, function, required = UUID(data["task_id"]), data["function"], bool(data["required"])
    occurred = moment(event["time"])
    fact = ClockFact(
        UUID(event["id"]),
        kind,
        occurred,
        moment(event["recordedtime"]) if "recordedtime" in event else occurred,
        None if since is None else moment(since),
        task_id,
        function,
        required,
        tuple(data[name] for name in EXTRA_FIELDS.get(kind, ())),
    )
    cause = (data.get("cause") or {}).get("kind") or ""
    recurrence = int(data.get("recurrence") or 0) if kind == "case.opened" else 0
    return RootSignalEvent(UUID(data["case_id"]), cause, data.get("severity") or "", fact, recurrence)


def _kind_of(event: dict[str, Any]) -> str:
    """Return `case.opened` of `exceptions.case.opened.v1`."""
    name: str = event["type"]
    return name.removeprefix(FAMILY).removesuffix(VERSION)


def _calendar(event: dict[str, Any]) -> Calendar:
    data = event["data"]
    return Calendar(
        data["code"],
        ZoneInfo(data["zone"]),
        frozenset(data["weekdays"]),
        time.fromisoformat(data["opens"]),
        time.fromisoformat(data["closes"]),
        frozenset(date.fromisoformat(day) for day in data["holidays"]),
        (moment(event.get("recordedtime", event["time"])), UUID(event["id"])),
    )


__all__ = [
    "CLOCK_KINDS",
    "Calendar",
    "Log",
    "Options",
    "RootSignalEvent",
    "Unreadable",
    "as_of",
    "calendars_as_of",
    "cases_as_of",
    "moment",
    "parse_case_event",
    "read",
    "world_of",
]
