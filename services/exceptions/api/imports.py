"""Responses of other systems over HTTP, each fact with both its times; never into `live`."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field, model_validator

from chassis import http
from chassis.http import Body
from chassis.persistence.database import Tx
from schemas.types import Code, Instant, Severity, Text
from services.exceptions import domain, operations

FACTS_MAX = 500
router = http.Router()


class ImportedFactBody(Body):
    """One fact: when it was so (`occurred_at`), and when the log knew it (`recorded_at`)."""

    kind: domain.ImportedKind
    occurred_at: Instant
    recorded_at: Instant
    from_group: Code | None = None
    to_group: Code | None = None

    @model_validator(mode="after")
    def _known_after_it_was_so(self) -> ImportedFactBody:
        if self.recorded_at < self.occurred_at:
            raise ValueError("recorded_at is before occurred_at: nothing is known before it is so")
        if any((group is not None) != (self.kind == "handed-over") for group in (self.from_group, self.to_group)):
            raise ValueError("from_group and to_group belong to a fact of kind handed-over, both, and to no other")
        return self


class ImportCaseItem(http.Item):
    """One case of a foreign log; its key is the record's own name, the same forever."""

    headline: Text
    severity: Severity
    facts: Annotated[list[ImportedFactBody], Field(min_length=1, max_length=FACTS_MAX)]


@router.batch("/cases:import", may="import", item=ImportCaseItem)
def import_cases(body: http.RawBatch, act: http.ActContext) -> http.BatchAnswer:
    """Bring in up to 500 cases of one log: figures follow from them, and no task, timer, notice or effect."""
    operations.must_not_be_live(act.tx)
    keys = [str(raw["key"]) for raw in body.items if isinstance(raw.get("key"), str)]
    operations.load_imported(act.tx, source=body.source, references=keys)

    def each(tx: Tx, item: ImportCaseItem) -> UUID:
        facts = [domain.ImportedFact(**fact.model_dump()) for fact in item.facts]
        return operations.import_case(
            tx, source=body.source, reference=item.key, headline=item.headline, severity=item.severity, facts=facts
        ).case_id

    return http.run_batch(act, body, door="import-cases", item=ImportCaseItem, each=each)
