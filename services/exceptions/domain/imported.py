"""A response that another system's log tells: its clock points with both their times, and nothing to be done about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, NamedTuple

from chassis.errors import Invalid
from schemas.base import Event
from schemas.exceptions import CaseAcknowledged, CaseHandedOver, CaseImplemented, CaseOpened
from schemas.types import By, Cause, Money, Severity, subject_id
from services.exceptions.domain.case import NO_CURRENCY, Case, case_fields, case_id_of
from services.exceptions.domain.rules import WorkingDuration

ImportedKind = Literal["opened", "acknowledged", "handed-over", "implemented"]
ONCE: tuple[ImportedKind, ...] = ("opened", "acknowledged", "implemented")
IMPORTED = "imported"
"""What stands for playbook, calendar, ladder and role: nobody here answered by any."""
NEVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ImportedFact:
    """One fact of a foreign log: when it was so, and when that log knew it."""

    kind: ImportedKind
    occurred_at: datetime
    recorded_at: datetime
    from_group: str | None = None
    to_group: str | None = None


class RecordedFact(NamedTuple):
    """A fact and when it became known."""

    recorded_at: datetime
    fact: Event


def incident_of(source: str, reference: str) -> Cause:
    """Return the cause of a response that a source's log names; the same record always gives the same."""
    return Cause(kind="incident", id=subject_id("incident", source, reference))


def import_case(
    *, source: str, reference: str, headline: str, severity: Severity, facts: Sequence[ImportedFact]
) -> tuple[Case, list[RecordedFact]]:
    """Return a case as a foreign log tells it, without task or deadline, and its facts; raises Invalid."""
    for kind in ONCE:
        if sum(f.kind == kind for f in facts) > 1:
            raise Invalid(f"a case is {kind} once; send the first as {kind}", field="facts")
    points = {f.kind: f.occurred_at for f in facts if f.kind in ONCE}
    if "opened" not in points:
        raise Invalid("a case begins with its opening; send a fact of kind opened", field="facts")
    case = _case(incident_of(source, reference), headline, severity, points)
    # The opening is told first: of facts known at one time, those that follow from it come after it.
    ordered = sorted(facts, key=lambda f: (f.kind != "opened", f.recorded_at, f.kind == "implemented"))
    return case, [RecordedFact(f.recorded_at, _fact(case, f, By(subject=source, role=IMPORTED))) for f in ordered]


def _case(cause: Cause, headline: str, severity: Severity, points: dict[ImportedKind, datetime]) -> Case:
    opened_at, implemented_at = points["opened"], points.get("implemented")
    return Case(
        case_id=case_id_of(cause, 1),
        cause_kind=cause.kind,
        cause_subject_id=cause.id,
        cycle=1,
        recurrence=0,
        previous_case_id=None,
        state="open" if implemented_at is None else "implemented",
        ending=None,
        severity=severity,
        headline=headline,
        provisional=False,
        playbook=IMPORTED,
        playbook_version=0,
        calendar=IMPORTED,
        calendar_known=False,
        ladder=IMPORTED,
        sites=(),
        customers=(),
        lines=(),
        affected=(),
        impact_version=0,
        shortages=(),
        value_at_risk=Money(amount=Decimal(0), currency=NO_CURRENCY),
        needed_on=opened_at.date(),
        cause_occurred_at=opened_at,
        opened_at=opened_at,
        clock_from=opened_at,
        acknowledge_within=WorkingDuration(minutes=0),
        acknowledge_by=NEVER,
        deadline_percent=100,
        tasks=(),
        acknowledged_at=points.get("acknowledged"),
        implemented_at=implemented_at,
    )


def _fact(case: Case, imported: ImportedFact, by: By) -> Event:
    common = case_fields(case, imported.occurred_at)
    match imported.kind:
        case "opened":
            return CaseOpened(
                **common,
                headline=case.headline,
                recurrence=case.recurrence,
                cause_occurred_at=imported.occurred_at,
                playbook=case.playbook,
                playbook_version=case.playbook_version,
                value_at_risk=case.value_at_risk,
                lines=(),
            )
        case "acknowledged":
            return CaseAcknowledged(**common, by=by)
        case "handed-over":
            if not imported.from_group or not imported.to_group or imported.from_group == imported.to_group:
                raise Invalid("a hand-over names two different groups: from_group and to_group", field="facts")
            return CaseHandedOver(**common, from_group=imported.from_group, to_group=imported.to_group)
        case "implemented":
            return CaseImplemented(**common)
