"""The facts of a case as they come from the topic, and a case as it lies in the stream's table. Pure."""

from __future__ import annotations

import json
from dataclasses import replace
from struct import Struct
from typing import Any, NamedTuple, get_args
from uuid import UUID, uuid5

import velocity
from schemas.base import REGISTER
from schemas.exceptions import (
    CaseFact,
    CaseHandedOver,
    CasePaused,
    HandoverAccepted,
)
from schemas.scorecard import MeasureRecorded
from schemas.types import CauseKind, Severity
from velocity import CLOCK_KINDS, Case, ClockFact, Measure, add, instant
from velocity.event_log import RootSignalEvent, parse_case_event

CASE_FACTS = frozenset(name for name, fact in REGISTER.items() if issubclass(fact, CaseFact))
KINDS, SEVERITIES = frozenset(get_args(CauseKind)), frozenset(get_args(Severity))
_CODES = {kind: number for number, kind in enumerate(CLOCK_KINDS)}


def kind_of(event_name: str) -> str:
    """Return `case.opened` of `exceptions.case.opened.v1`."""
    return event_name.split(".", 1)[1].rsplit(".", 1)[0]


class DecodedFact(NamedTuple):
    """A fact as the stream takes it: what it says, and what of its envelope a measure carries on as it was written."""

    event: RootSignalEvent
    occurred_at: str
    recorded_at: str
    correlation_id: str
    traceparent: str | None


def decode_fact(value: bytes) -> DecodedFact:
    """Read of a fact's bytes what moves a clock; raises ValueError where they are no fact of a case that is known here."""
    try:
        event = json.loads(value)
        if event["type"] not in CASE_FACTS:
            raise ValueError(f"{event['type']!r} is no fact of a case that is known here")
        case_event = parse_case_event(event)
        decoded = DecodedFact(
            case_event, event["time"], event["recordedtime"], event["correlationid"], event.get("traceparent")
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no fact of a case: {type(error).__name__} {error}") from error
    if case_event.cause_kind not in KINDS or case_event.severity not in SEVERITIES:
        raise ValueError(f"no cause or severity that is known here: {case_event.cause_kind!r}, {case_event.severity!r}")
    return decoded


def fold(case: Case | None, event: RootSignalEvent) -> Case:
    """Return the case with one more fact; one that is known already changes nothing."""
    return add(case, event.fact, case_id=event.case_id, cause_kind=event.cause_kind, severity=event.severity)


def merge(one: Case | None, other: Case) -> Case:
    """Return what two workers know of a case together."""
    if one is None:
        return other
    later = max(one, other, key=lambda case: case.latest)
    return replace(later, facts={**one.facts, **other.facts}, observed=one.observed | other.observed)


def details_of(event: CaseFact) -> tuple[str, ...]:
    """Return the giver and the taker of a hand-over, or the reason of a pause."""
    if isinstance(event, HandoverAccepted):
        return (event.from_function, event.to_function)
    if isinstance(event, CaseHandedOver):
        return (event.from_group, event.to_group)
    return (event.reason,) if isinstance(event, CasePaused) else ()


def measure(case: Case, *, until_us: int | None = None) -> Measure | None:
    """Return what the clock says at `until_us` (without it: at the last fact); None before the opening is known."""
    return velocity.measure(case, until_us=case.latest[0] if until_us is None else until_us)


def observe(case: Case, what: frozenset[str]) -> Case:
    """Return the case with this much counted in a histogram."""
    return case if what <= case.observed else replace(case, observed=case.observed | what)


def observable(measured: Measure, observed: frozenset[str]) -> dict[str, int]:
    """Return what a histogram may count of an implemented case now and has not counted before, in microseconds."""
    if measured.decision_us is None:
        return {}
    durations: dict[str, int] = {p.phase: p.duration_us for p in measured.phases if not p.open}
    durations["whole"] = measured.decision_us
    if measured.coordination_us is not None:
        durations["coordination"] = measured.coordination_us
    return {phase: us for phase, us in durations.items() if phase not in observed}


def encode_measure(case: Case, measured: Measure, fact: DecodedFact, *, source: str) -> bytes:
    """Return the envelope of the measure to which one more fact of a case led, as `scorecard.measure.recorded.v1`.

    The case and the fact make its id (FLOW 4.4), so that it is the same whoever says it again.
    Written directly: two validations of what was just computed cost more than the fold itself.
    """
    data = {
        "occurred_at": fact.occurred_at,
        "case_id": str(case.case_id),
        "fact_id": str(fact.event.fact.fact_id),
        "cause_kind": case.cause_kind,
        "severity": case.severity,
        "state": measured.state,
        "identified_at": _rfc3339(measured.identified_us),
        "as_of": _rfc3339(measured.until_us),
        "elapsed_us": measured.elapsed_us,
        "decision_us": measured.decision_us,
        "coordination_us": measured.coordination_us,
        "excluded_us": measured.excluded_us,
        "phases": [{"phase": p.phase, "duration_us": p.duration_us, "open": p.open} for p in measured.phases],
        "inversions": measured.inversions,
        "critical_function": measured.critical_function,
        "reopened": measured.reopened,
        "handoffs": measured.handoffs,
        "acknowledged_us": measured.acknowledged_us,
        "facts": len(case.facts),
        "latest_fact_id": str(case.latest[1]),
    }
    envelope = {
        "specversion": "1.0",
        "id": str(uuid5(case.case_id, str(fact.event.fact.fact_id))),
        "source": source,
        "type": MeasureRecorded.event_name,
        "subject": data["case_id"],
        "time": fact.occurred_at,
        "datacontenttype": "application/json",
        "recordedtime": fact.recorded_at,
        "correlationid": fact.correlation_id,
        "causationid": data["fact_id"],
        "causekind": "event",
        "traceparent": fact.traceparent,
        "data": _without_nulls(data),
    }
    return json.dumps(_without_nulls(envelope), separators=(",", ":")).encode()


def _without_nulls(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _rfc3339(us: int) -> str:
    return instant(us).isoformat().replace("+00:00", "Z")


# ── the state as it lies in the stream's table: small, and the same bytes for the same facts ─────────


_FACT = Struct("<16sBqqqHH")  # id, kind, occurred, recorded, since, number of its task, number of what more it says
_NONE, _NEVER = 0xFFFF, -(2**63)


def serialize(case: Case, state: str = "") -> bytes:
    """Return a case as bytes: a head in JSON with what is shared by many facts, then each fact in a record of one length."""
    tasks: dict[tuple[str, str, int], int] = {}
    more: dict[tuple[str, ...], int] = {}
    records = [
        _FACT.pack(
            f.fact_id.bytes,
            _CODES[f.kind],
            f.occurred_us,
            f.recorded_us,
            _NEVER if f.since_us is None else f.since_us,
            _NONE if f.task_id is None else tasks.setdefault((f.task_id.hex, f.function, int(f.required)), len(tasks)),
            more.setdefault(f.more, len(more)) if f.more else _NONE,
        )
        for f in sorted(case.facts.values(), key=lambda f: (f.recorded_us, f.fact_id.int))
    ]
    head = {
        "c": case.case_id.hex,
        "k": case.cause_kind,
        "s": case.severity,
        "l": [case.latest[0], case.latest[1].hex],
        "t": list(tasks),
        "m": list(more),
        "o": sorted(case.observed),
        "w": state,
    }
    return b"\n".join((json.dumps(head, separators=(",", ":")).encode(), b"".join(records)))


def peek_header(value: bytes) -> tuple[str, str, str]:
    """Return cause, severity and state of a case inside such bytes; raises ValueError where they are none."""
    head = json.loads(value.partition(b"\n")[0])
    return head["k"], head["s"], head["w"]


def deserialize(value: bytes) -> Case:
    """Return the case inside such bytes; raises ValueError where they are none."""
    written, _, records = value.partition(b"\n")
    head: dict[str, Any] = json.loads(written)
    tasks = [(UUID(hex=task_id), function, bool(required)) for task_id, function, required in head["t"]]
    more = [tuple(words) for words in head["m"]]
    facts: dict[UUID, ClockFact] = {}
    for fact_id, code, occurred, recorded, since, task, words in _FACT.iter_unpack(records):
        task_id, function, required = (None, "", False) if task == _NONE else tasks[task]
        fact = ClockFact(
            UUID(bytes=fact_id),
            CLOCK_KINDS[code],
            occurred,
            recorded,
            None if since == _NEVER else since,
            task_id,
            function,
            required,
            () if words == _NONE else more[words],
        )
        facts[fact.fact_id] = fact
    return Case(
        UUID(hex=head["c"]), head["k"], head["s"], (head["l"][0], UUID(hex=head["l"][1])), facts, frozenset(head["o"])
    )
