"""What other systems' logs tell of their responses: kept and said with the times they give, and nothing set off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chassis.errors import Conflict
from chassis.persistence.database import Tx
from schemas.types import Cause, Severity
from services.exceptions import domain, metrics, repository

LIVE = "live"


class LiveWorld(Conflict):
    """What is brought in from elsewhere must never be taken for this company's own response."""

    code = "live-world"


class KnownCase(Conflict):
    """The case is here already."""

    code = "known-case"


def must_not_be_live(tx: Tx) -> None:
    """Raise LiveWorld in the world `live`."""
    if tx.database.world == LIVE:
        raise LiveWorld(
            "cases of another system's log are never brought into live: they would be counted as answers of your own; make a"
            " world for them with `crossdock world create NAME --clock driven`, or let `crossdock backfill responses` make it"
        )


def load_imported(tx: Tx, *, source: str, references: Iterable[str]) -> None:
    """Lock and load what a batch of records names, in one round trip."""
    causes: list[Cause] = [domain.incident_of(source, reference) for reference in references]
    repository.load_causes_and_cases(tx, {domain.cause_id_of(cause): cause for cause in causes})


def import_case(
    tx: Tx, *, source: str, reference: str, headline: str, severity: Severity, facts: Sequence[domain.ImportedFact]
) -> domain.Case:
    """Keep a case that a foreign log tells and say each of its facts at the time it gives; raises Invalid, KnownCase."""
    case, recorded_facts = domain.import_case(
        source=source, reference=reference, headline=headline, severity=severity, facts=facts
    )
    if repository.find_case(tx, case.case_id) is not None:
        raise KnownCase(f"case {reference} of {source} is here already: {case.case_id}", field="key")
    record = domain.new_cause(case.cause, now=min(one.recorded_at for one in recorded_facts))
    repository.save_cause(tx, domain.with_next_case(record))
    repository.save_case(tx, case)
    for recorded_at, fact in recorded_facts:
        with tx.within(tx.context._replace(now=recorded_at)):
            tx.emit([fact])
            repository.add_to_timeline(tx, fact)
        tx.count(metrics.acts.labels(fact.event_name))
    tx.count(metrics.cases_opened.labels(case.cause_kind, case.severity))
    return case
