"""Aggregates of exceptions in and out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from chassis.persistence.database import Tx
from chassis.persistence.store import Store
from schemas.base import Event
from schemas.types import Cause
from services.exceptions import domain, tables

cases = Store(domain.Case, tables.cases, key="case_id", children={"tasks": tables.tasks})
causes = Store(domain.CauseRecord, tables.causes, key="cause_id")
playbooks = Store(domain.Playbook, tables.playbooks, key="kind")
thresholds = Store(domain.Thresholds, tables.thresholds, key="code")
calendars = Store(domain.KnownCalendar, tables.known_calendars, key="code")
rosters = Store(domain.KnownRoster, tables.known_rosters, key="function")
ladders = Store(domain.KnownLadder, tables.known_ladders, key="code")

THRESHOLDS = "standard"
RULES_LOCK = 0x72756C65  # held shared by whoever lets a signal wait, alone by whoever brings the rules it waits for
_PLAYBOOK: TypeAdapter[domain.Playbook] = TypeAdapter(domain.Playbook)
_THRESHOLDS: TypeAdapter[domain.Thresholds] = TypeAdapter(domain.Thresholds)
# What a timeline line leaves out: lists that belong to the case, where they are shown by the reader's scope.
_LEFT_OUT = {"case_id", "cause", "occurred_at", "sites", "customers", "lines", "affected", "by", "task_id"}


def load_causes(tx: Tx, cause_ids: Iterable[UUID]) -> None:
    """Lock and load many causes in one query."""
    tx.load(causes, cause_ids)


def load_causes_and_cases(tx: Tx, causes_by_id: Mapping[UUID, Cause]) -> None:
    """Lock causes and the case that each has, and look at the rules of their kinds, in one round trip (FLOW 1.2)."""
    rules = [(playbooks, kind) for kind in sorted({cause.kind for cause in causes_by_id.values()})]
    first = {domain.case_id_of(cause, 1) for cause in causes_by_id.values()}
    tx.load_together([(causes, causes_by_id), (cases, first)], [*rules, (thresholds, THRESHOLDS)])
    later = [record.case_id for cause_id in causes_by_id if (record := find_cause(tx, cause_id)) and record.case_id]
    load_cases(tx, later)  # where the first has ended


def find_cause(tx: Tx, cause_id: UUID) -> domain.CauseRecord | None:
    """Return a cause's record, locked, or None."""
    return tx.find(causes, cause_id)


def save_cause(tx: Tx, record: domain.CauseRecord) -> None:
    """Keep a cause's record."""
    tx.save(causes, record)


def load_cases(tx: Tx, case_ids: Iterable[UUID]) -> None:
    """Lock and load many cases with their tasks."""
    tx.load(cases, case_ids)


def find_case(tx: Tx, case_id: UUID) -> domain.Case | None:
    """Return a case, locked, or None."""
    return tx.find(cases, case_id)


def get_case(tx: Tx, case_id: UUID) -> domain.Case:
    """Return a case, locked; raises NotFound."""
    return tx.get(cases, case_id)


def read_case(tx: Tx, case_id: UUID) -> domain.Case | None:
    """Return a case without locking it, or None."""
    return tx.read(cases, case_id)


def save_case(tx: Tx, case: domain.Case) -> None:
    """Keep a case and its tasks."""
    tx.save(cases, case)


def add_to_timeline(tx: Tx, fact: Event) -> None:
    """Add a fact to its case's timeline, where nothing is ever changed."""
    by = getattr(fact, "by", None)
    row: dict[str, Any] = {
        "case_id": fact.subject,
        "task_id": getattr(fact, "task_id", None),
        "type": fact.event_name,
        "fact": type(fact).__name__,
        "occurred_at": fact.occurred_at,
        "recorded_at": tx.now,
        "by_subject": by.subject if by else None,
        "by_role": by.role if by else None,
        "content": fact.model_dump(mode="json", exclude=_LEFT_OUT, exclude_none=True),
        "caused_by": tx.context.causation_id,
        "caused_kind": tx.context.cause_kind,
    }
    tx.append(tables.case_timeline, row)


# ── rules ────────────────────────────────────────────────────────────────────────────────────────


def read_playbook(tx: Tx, kind: str) -> domain.Playbook | None:
    """Return the current playbook of a cause kind, not locked, or None."""
    return tx.read_cached(playbooks, kind)


def read_thresholds(tx: Tx) -> domain.Thresholds | None:
    """Return the current thresholds, not locked, or None."""
    return tx.read_cached(thresholds, THRESHOLDS)


def read_rules(tx: Tx, kind: str, calendar: str | None) -> None:
    """Read ahead, in one round trip, what a case of this kind goes by."""
    tx.load_together([], [(playbooks, kind), (thresholds, THRESHOLDS), *([(calendars, calendar)] if calendar else [])])


def hold_rules(tx: Tx, kind: str) -> tuple[domain.Playbook | None, domain.Thresholds | None]:
    """Return the rules read anew, while nobody else can bring new ones until this transaction ends."""
    tx.cursor().execute("SELECT pg_advisory_xact_lock_shared(%s)", [RULES_LOCK])
    return tx.read(playbooks, kind), tx.read(thresholds, THRESHOLDS)


def change_rules(tx: Tx) -> None:
    """Wait until nobody lets a signal wait for want of rules, and keep it so until this transaction ends."""
    tx.cursor().execute("SELECT pg_advisory_xact_lock(%s)", [RULES_LOCK])


def find_playbook(tx: Tx, kind: str) -> domain.Playbook | None:
    """Return the current playbook of a cause kind, locked, or None."""
    return tx.find(playbooks, kind)


def save_playbook(tx: Tx, playbook: domain.Playbook) -> None:
    """Keep a new version as the current one, and for good."""
    tx.save(playbooks, playbook)
    content = _PLAYBOOK.dump_python(playbook, mode="json")
    row = {
        "kind": playbook.kind,
        "number": playbook.number,
        "content": content,
        "by_subject": playbook.by_subject,
        "recorded_at": playbook.recorded_at,
    }
    tx.append(tables.playbook_versions, row)


def find_thresholds(tx: Tx) -> domain.Thresholds | None:
    """Return the current thresholds, locked, or None."""
    return tx.find(thresholds, THRESHOLDS)


def save_thresholds(tx: Tx, version: domain.Thresholds) -> None:
    """Keep a new version as the current one, and for good."""
    tx.save(thresholds, version)
    content = _THRESHOLDS.dump_python(version, mode="json")
    row = {
        "code": version.code,
        "number": version.number,
        "content": content,
        "by_subject": version.by_subject,
        "recorded_at": version.recorded_at,
    }
    tx.append(tables.thresholds_versions, row)


# ── what collaboration publishes ─────────────────────────────────────────────────────────────────


def read_calendar(tx: Tx, code: str) -> domain.KnownCalendar | None:
    """Return a calendar as it was heard, or None."""
    return tx.read_cached(calendars, code)


def save_calendar(tx: Tx, calendar: domain.KnownCalendar) -> None:
    """Keep a calendar that was heard."""
    tx.save(calendars, calendar)


def read_roster(tx: Tx, function: str) -> domain.KnownRoster | None:
    """Return a function's roster as it was heard, or None."""
    return tx.read_cached(rosters, function)


def save_roster(tx: Tx, roster: domain.KnownRoster) -> None:
    """Keep a roster that was heard."""
    tx.save(rosters, roster)


def read_ladder(tx: Tx, code: str) -> domain.KnownLadder | None:
    """Return a ladder as it was heard, or None."""
    return tx.read_cached(ladders, code)


def save_ladder(tx: Tx, ladder: domain.KnownLadder) -> None:
    """Keep a ladder that was heard."""
    tx.save(ladders, ladder)
