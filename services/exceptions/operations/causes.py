"""What a fact of another service does to the case of its cause (FLOW 1, FLOW 2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from chassis.persistence.database import Tx
from chassis.runtime import log
from schemas.base import Event
from schemas.inventory import ShortageAverted, ShortagePredicted
from schemas.logistics import ShipmentSettled
from schemas.procurement import AlternativeChosen, AlternativeDeclined
from schemas.sales import ImpactAssessed
from schemas.types import Cause
from services.exceptions import domain, metrics, queries, repository
from services.exceptions.operations.keeping import record_case, rulebook


def load_causes(tx: Tx, events: Iterable[Any]) -> None:
    """Lock the causes and the cases that a batch of facts is about, each in one query (FLOW 1.2)."""
    repository.load_causes_and_cases(tx, {domain.cause_id_of(e.cause): e.cause for e in events if e.cause is not None})


def load_cases(tx: Tx, events: Iterable[Any]) -> None:
    """Lock the cases that a batch of facts names."""
    repository.load_cases(tx, {e.case_id for e in events})


def open_case(tx: Tx, *, event: domain.RootSignalEvent) -> domain.Case | None:
    """Open the case of a root signal's cause; extend the one that is active, bring back one that ended lately (FLOW 1.3).

    Without a playbook or thresholds the signal waits in its cause, counted, and None is returned.
    """
    signal = domain.signal_of(event)
    record, case = _cause_and_case(tx, signal.cause)
    rules = rulebook(tx, kind=signal.cause.kind, calendar=None if case is None else case.calendar)
    if rules is None:
        repository.save_cause(tx, domain.with_signal(record, signal))
        tx.count(metrics.without_playbook.labels(signal.cause.kind))
        tx.after_commit(
            lambda: log.get().warning(
                "case.without_playbook", cause_kind=signal.cause.kind, cause_id=str(signal.cause.id)
            )
        )
        return None
    return _follow_signal(tx, record, case, signal, rules)


def _follow_signal(
    tx: Tx, record: domain.CauseRecord, case: domain.Case | None, signal: domain.Signal, rules: domain.Rulebook
) -> domain.Case:
    course = domain.next_action(case, rules=rules, now=tx.now)
    before, facts = case, list[Event]()
    if course == "extend" and case is not None:
        case, facts = domain.extend_case(case, signal=signal, rules=rules, now=tx.now)
    elif course == "reopen" and case is not None:
        case, facts = domain.reopen_case(case, signal=signal, reason=signal.headline, by=None, rules=rules, now=tx.now)
    else:
        previous = None if case is None else case.case_id
        rules = rulebook(tx, kind=signal.cause.kind) or rules  # a new case goes by the playbook's calendar of today
        record = domain.with_next_case(record)
        case, facts = domain.open_case(
            signal=signal, cycle=record.cycle, previous_case_id=previous, rules=rules, now=tx.now
        )
        before = None
        tx.count(metrics.cases_opened.labels(case.cause_kind, case.severity))
    case, folded = _fold(tx, record, case, rules)
    repository.save_cause(tx, domain.with_nothing_waiting(record))
    outcome = {"extend": "extended", "reopen": "reopened", "open": "opened"}[course]
    tx.count(metrics.signals.labels(signal.cause.kind, outcome))
    return record_case(tx, before=before, case=case, facts=[*facts, *folded])


def _fold(
    tx: Tx, record: domain.CauseRecord, case: domain.Case, rules: domain.Rulebook
) -> tuple[domain.Case, list[Event]]:
    """Fold in what came before the case was there (FLOW 1.2)."""
    facts: list[Event] = []
    if record.impact is not None:
        case, more = domain.reassess_impact(case, impact=record.impact, rules=rules, now=tx.now)
        facts += more
    for shortage in record.shortages:
        case, more = domain.reassess_shortage(case, shortage=shortage, rules=rules, now=tx.now)
        facts += more
    return case, facts


def open_waiting_cases(tx: Tx, *, kinds: Sequence[str]) -> int:
    """Open the cases whose signals waited for rules; returns how many."""
    opened = 0
    for kind in kinds:
        while waiting := queries.waiting_causes(tx, kind):
            repository.load_causes(tx, waiting)
            for cause_id in waiting:
                record = repository.find_cause(tx, cause_id)
                if record is not None and record.signal is not None:
                    case = repository.find_case(tx, record.case_id) if record.case_id else None
                    rules = rulebook(tx, kind=kind, calendar=None if case is None else case.calendar)
                    if rules is None:
                        return opened
                    _follow_signal(tx, record, case, record.signal, rules)
                    opened += 1
    return opened


def clear_case(tx: Tx, *, cause: Cause, reason: str) -> domain.Case | None:
    """Clear the open case of a cause that went away; an implemented or closed one stays as it is, counted (FLOW 2.4)."""
    record, case = _cause_and_case(tx, cause)
    if record.signal is not None:
        repository.save_cause(tx, domain.with_signal(record, None))
    if case is None:
        return _ignored(tx, cause.kind)
    after, facts = domain.clear_case(case, reason=reason, now=tx.now)
    return _recorded(tx, case, after, facts, cause.kind, "cleared")


def settle_case(tx: Tx, *, event: ShipmentSettled) -> domain.Case | None:
    """Say on the case that its cause ended badly, and the response stays to be finished; in time after all clears it."""
    if event.verdict == "in-time":
        return clear_case(tx, cause=event.cause, reason=domain.settled_reason(event))
    record, case = _cause_and_case(tx, event.cause)
    if case is None:
        return _ignored(tx, record.kind)
    after, facts = domain.settle_case(case, days_late=event.days_late, now=tx.now)
    return _recorded(tx, case, after, facts, record.kind, "settled")


def reassess_impact(tx: Tx, *, event: ImpactAssessed) -> domain.Case | None:
    """Complete a case by who is hurt; an impact that is early waits in its cause (FLOW 1.2)."""
    impact = domain.impact_of(event)
    record, case = _cause_and_case(tx, event.cause)
    rules = _rules_of(tx, case)
    if case is None or rules is None:
        repository.save_cause(tx, domain.with_impact(record, impact))
        return _waits(tx, "impact")
    after, facts = domain.reassess_impact(case, impact=impact, rules=rules, now=tx.now)
    return _recorded(tx, case, after, facts, "impact", "reassessed")


def apply_predicted_shortage(tx: Tx, *, event: ShortagePredicted) -> domain.Case | None:
    """Fold a shortage into the case of the delay behind it, or open a case where nothing is behind it (FLOW 1.1)."""
    if event.cause.kind == "shortage":
        return open_case(tx, event=event)
    shortage = domain.shortage_of(event)
    record, case = _cause_and_case(tx, event.cause)
    rules = _rules_of(tx, case)
    if case is None or rules is None:
        repository.save_cause(tx, domain.with_shortage(record, shortage))
        return _waits(tx, "shortage")
    after, facts = domain.reassess_shortage(case, shortage=shortage, rules=rules, now=tx.now)
    return _recorded(tx, case, after, facts, "shortage", "reassessed")


def apply_averted_shortage(tx: Tx, *, event: ShortageAverted) -> domain.Case | None:
    """Take a shortage back: it clears a case of its own, and is taken out of the case of another cause."""
    if event.cause.kind == "shortage":
        return clear_case(
            tx, cause=event.cause, reason=f"the shortage of {event.item} at {event.site} is averted: {event.reason}"
        )
    record, case = _cause_and_case(tx, event.cause)
    rules = _rules_of(tx, case)
    if case is None or rules is None:
        repository.save_cause(tx, domain.without_shortage(record, event.stock_id))
        return _waits(tx, "shortage-averted")
    after, facts = domain.reassess_averted(case, stock_id=event.stock_id, rules=rules, now=tx.now)
    return _recorded(tx, case, after, facts, "shortage-averted", "reassessed")


def finish_notices(tx: Tx, *, case_id: UUID, task_id: UUID) -> domain.Case | None:
    """Complete the task to notify once the last notice of the case was sent."""
    case = repository.find_case(tx, case_id)
    if case is None:
        return _ignored(tx, "notice")
    outcome = "every affected customer was told"  # without a name: readers of some customers see this task too
    after, facts = domain.complete_by_fact(case, task_id=task_id, outcome=outcome, now=tx.now)
    return _recorded(tx, case, after, facts, "notice", "completed")


def follow_choice(tx: Tx, *, event: AlternativeChosen) -> domain.Case | None:
    """Let a chosen alternative decide the case, and complete its task once no line is left without one."""
    case = repository.find_case(tx, event.case_id)
    if case is None:
        return _ignored(tx, "choice")
    after, facts = domain.decide_by_choice(
        case,
        by=event.by,
        choice=f"other supplier: {event.supplier}",
        rationale=event.rationale,
        alternative_id=event.alternative_id,
        automatic=event.automatic,
        now=tx.now,
    )
    if event.remaining_lines == 0:
        outcome = f"ordered from {event.supplier}"
        after, done = domain.complete_by_fact(after, task_id=event.task_id, outcome=outcome, now=tx.now)
        facts = [*facts, *done]
    return _recorded(tx, case, after, facts, "choice", "decided")


def follow_decline(tx: Tx, *, event: AlternativeDeclined) -> domain.Case | None:
    """Complete the task to find a source once no line is left; where nothing was chosen, that is the decision."""
    case = repository.find_case(tx, event.case_id)
    if case is None or event.remaining_lines > 0:
        return _ignored(tx, "decline")
    choice = "no other source is taken"
    after, facts = domain.decide_by_choice(
        case, by=event.by, choice=choice, rationale=event.reason, alternative_id=None, automatic=False, now=tx.now
    )
    outcome = choice if facts else "every line is chosen for or declined"
    after, done = domain.complete_by_fact(after, task_id=event.task_id, outcome=outcome, now=tx.now)
    return _recorded(tx, case, after, [*facts, *done], "decline", "decided" if facts else "completed")


# ── shared ───────────────────────────────────────────────────────────────────────────────────────


def _cause_and_case(tx: Tx, cause: Cause) -> tuple[domain.CauseRecord, domain.Case | None]:
    """Return the locked record of a cause, new where nobody came before, and its latest case."""
    record = repository.find_cause(tx, domain.cause_id_of(cause)) or domain.new_cause(cause, now=tx.now)
    return record, None if record.case_id is None else repository.find_case(tx, record.case_id)


def _rules_of(tx: Tx, case: domain.Case | None) -> domain.Rulebook | None:
    """Return the rules of a case that is active, else None."""
    return rulebook(tx, kind=case.cause_kind, calendar=case.calendar) if case is not None and case.is_active else None


def _recorded(
    tx: Tx, before: domain.Case, after: domain.Case, facts: list[Event], signal: str, outcome: str
) -> domain.Case | None:
    if after == before:
        return _ignored(tx, signal)
    tx.count(metrics.signals.labels(signal, outcome))
    return record_case(tx, before=before, case=after, facts=facts)


def _waits(tx: Tx, signal: str) -> domain.Case | None:
    """Count a consequence that waits in its cause; there is no case to return."""
    tx.count(metrics.signals.labels(signal, "kept"))
    return None


def _ignored(tx: Tx, signal: str) -> domain.Case | None:
    """Count and log a fact that changes nothing, and return no case: silence is not success."""
    tx.count(metrics.signals.labels(signal, "ignored"))
    caused_by = tx.context.causation_id
    tx.after_commit(lambda: log.get().info("case.unchanged", signal=signal, caused_by=str(caused_by)))
    return None
