"""What the scorecard keeps of what it hears, and that hearing again changes nothing."""

from __future__ import annotations

import random
from typing import Any
from uuid import UUID

from schemas.catalogue import REGISTER
from schemas.envelope import Envelope
from schemas.exceptions import CaseFact
from services.scorecard.reactions import reactions
from tests.scorecard.logs import Log, hear, measure_envelope, random_log
from tests.support.service import ServiceUnderTest


def measures(log: Log) -> list[Envelope]:
    """Return what the stream says while it hears a log."""
    case, told = None, []
    for fact in log.envelopes:
        case = hear(case, fact)
        if (measure := measure_envelope(case, fact)) is not None:
            told.append(measure)
    return told


def whole(scorecard: ServiceUnderTest) -> list[list[dict[str, Any]]]:
    return [scorecard.rows(f"SELECT * FROM {table} ORDER BY 1") for table in ("facts", "case_facts", "readings")]


def test_every_kind_of_fact_is_a_line_of_the_causal_record() -> None:
    """FLOW 4.2: the causal record takes every fact."""
    heard = {name for name, listening in reactions.by_event.items() if listening}
    assert heard == set(REGISTER)
    for name, kind in REGISTER.items():
        keeps = [r for r in reactions.by_event[name] if r.act.__name__ == "when_case_fact_is_heard_keep_it"]
        assert len(keeps) == issubclass(kind, CaseFact)


def test_a_fact_is_kept_with_its_cause_and_once(scorecard: ServiceUnderTest) -> None:
    """FLOW 4.2: one row per fact of every topic, in any order."""
    log = random_log("kept", random.Random(5))
    said = [*log.envelopes, *measures(log)]
    random.Random(1).shuffle(said)
    scorecard.consume(*said)
    before = whole(scorecard)
    assert [len(rows) for rows in before] == [len(said), len(log.envelopes), 1]
    kept = {row["fact_id"]: row for row in before[0]}
    one = log.envelopes[0]
    row = kept[one.id]
    assert (row["type"], row["source"], row["subject"]) == (one.type, one.source, one.subject)
    assert (row["cause_id"], row["cause_kind"]) == (one.causationid, one.causekind)
    scorecard.consume(*said)
    assert whole(scorecard) == before
    assert scorecard.emitted() == []


def test_the_reading_that_knows_the_most_is_kept_whatever_arrives_last(scorecard: ServiceUnderTest) -> None:
    """FLOW 4.4: latest by the order of facts, not by arrival."""
    log = random_log("late", random.Random(9))
    told = measures(log)
    for envelope in (told[-1], *told[:-1]):
        scorecard.consume(envelope)
    reading = scorecard.rows("SELECT * FROM readings")[0]
    assert (reading["case_id"], reading["fact_id"]) == (log.case_id, told[-1].data.fact_id)
    assert reading["elapsed_us"] == told[-1].data.elapsed_us


def test_a_measure_said_again_under_the_same_id_changes_nothing(scorecard: ServiceUnderTest) -> None:
    """FLOW 4.4: the id of a measure comes from the case and the fact, so a stream that is killed says it again."""
    told = measures(Log("again").implemented_after(2))
    scorecard.consume(*told, *told)
    before = whole(scorecard)
    scorecard.consume(*told)
    assert whole(scorecard) == before


def test_a_fact_without_a_cause_is_kept_as_such(scorecard: ServiceUnderTest) -> None:
    """FLOW 4.2: a missing cause is an orphan and no dead letter."""
    one = Log("none").opened().envelopes[0]
    scorecard.consume(one.model_copy(update={"causationid": UUID(int=0)}))
    assert scorecard.rows("SELECT cause_id FROM facts") == [{"cause_id": None}]


__all__ = ["measures"]
