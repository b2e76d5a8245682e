"""Every reader of ours reads every fact that a producer may send, whichever of its optional fields are there."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from chassis.http.auth import Actor
from chassis.messaging.effects import EffectRunner
from chassis.messaging.kafka import TYPE_HEADER
from chassis.runtime.process import Parts
from cli import seed
from cli.live.events import parse_events
from console.server import view
from schemas.base import REGISTER
from schemas.exceptions import CaseFact
from services.scorecard import domain
from tests.layers.small_tree import SERVICES
from tests.scorecard.logs import hear, measure_envelope
from tests.support.every_fact import Variant, every_fact, published_examples
from tests.support.service import ServiceUnderTest, open_service

CASE_TOPIC = "exceptions.case"
CASE_FACTS = [one for one in every_fact() if issubclass(REGISTER[one.type], CaseFact)]


def parts_of(service: str) -> Parts:
    made: Parts = importlib.import_module(f"services.{service}.__main__").parts()
    return made


def plant(opened: ServiceUnderTest, service: str) -> None:
    """Bring the everyday seed of a service, where it has one."""
    for request in seed.requests():
        if request["service"] == service:
            assert opened.post(request["path"], request["body"], key=request["key"]).is_success


def test_the_walk_sends_every_optional_field_present_and_absent() -> None:
    """The walk itself: each type whole and bare, and each variant a message of its own that its class reads."""
    by_type = {name: {one.fields for one in every_fact() if one.type == name} for name in REGISTER}
    assert all(
        {"the published example", "without optional fields, about its own subjects"} <= f for f in by_type.values()
    )
    escalated = by_type["exceptions.case.escalated.v1"]
    assert {"with data.task_id alone", "without data.task_id", "without optional fields"} <= escalated
    assert {"without data.lines.customer", "with data.lines.customer alone"} <= by_type["exceptions.case.opened.v1"]
    assert len({one.envelope.id for one in every_fact()}) == len(every_fact())
    assert {one.type for one in published_examples()} == set(REGISTER)


@pytest.mark.parametrize("service", SERVICES)
def test_every_reaction_takes_every_fact(service: str, fresh_database: Callable[[str], str]) -> None:
    """A fact that a reaction cannot read would park its subject: nothing may become a dead letter."""
    with open_service(parts_of(service), fresh_database(service)) as opened:
        plant(opened, service)
        opened.consume(*(one.envelope for one in every_fact()))
        dead = opened.rows("SELECT DISTINCT reaction, type, cause, detail FROM dead_letters ORDER BY type")
        assert dead == []


class Message:
    """A record of Kafka, as far as an effect looks at it."""

    def __init__(self, world: str, topic: str, variant: Variant, offset: int) -> None:
        self._topic, self._variant, self._offset = f"{world}.{topic}", variant, offset

    def topic(self) -> str:
        return self._topic

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset

    def key(self) -> bytes:
        return self._variant.envelope.subject.encode()

    def value(self) -> bytes:
        return self._variant.value

    def headers(self) -> list[tuple[str, bytes]]:
        return [(TYPE_HEADER, self._variant.type.encode())]


def test_every_effect_takes_every_fact(fresh_database: Callable[[str], str]) -> None:
    parts = parts_of("sales")
    assert parts.effects.by_event, "sales tells customers"
    with open_service(parts, fresh_database("sales")) as opened:
        runner = EffectRunner(opened.database, parts.effects, opened.settings)
        for offset, one in enumerate(every_fact()):
            topic = REGISTER[one.type].event_topic.name
            message: Any = Message(opened.settings.world, topic, one, offset)
            runner._tell(message)
        dead = opened.rows("SELECT type, cause, detail FROM dead_letters WHERE cause <> 'NotFound'")
        assert dead == [], "a notice of the walk is not known, so nothing is sent; anything else is a fault of reading"


def test_stream_and_sql_measure_every_fact_of_a_case_alike(fresh_database: Callable[[str], str]) -> None:
    """The stream once dropped the escalation of a task, which SQL counted."""
    table: dict[UUID, bytes] = {}
    measures = []
    for one in CASE_FACTS:
        envelope = one.envelope
        before = table.get(envelope.data.case_id)
        case = hear(None if before is None else domain.deserialize(before), envelope)
        table[case.case_id] = domain.serialize(case)
        measures.append(measure_envelope(case, envelope))
    with open_service(parts_of("scorecard"), fresh_database("scorecard")) as scorecard:
        scorecard.consume(*(one.envelope for one in CASE_FACTS))
        scorecard.consume(*(one for one in measures if one is not None))
        check = scorecard.get("/velocity/check", params={"quiet": True}).json()
    assert check["listed"] == []
    opened = [case_id for case_id, state in table.items() if domain.measure(domain.deserialize(state)) is not None]
    assert check["compared"] == len(opened) > 20


SCOPES = (None, frozenset({"Rotterdam"}), frozenset({"Nowhere"}))
FILTERS = [
    view.Filter(),
    view.Filter(types=("exceptions.task",)),
    view.Filter(severities=("high",)),
    view.Filter(functions=("sales",)),
    view.Filter(cases=("x",)),
    view.Filter(sites=("Rotterdam",)),
    view.Filter(customers=("Hofmann Machines",)),
]


def test_the_live_view_shows_every_fact_of_its_topic() -> None:
    """Desk and command follow `exceptions.case` through the console, and ask again for the case that a fact names."""
    follows = [one for one in every_fact() if REGISTER[one.type].event_topic.name == CASE_TOPIC]
    assert follows
    for sites, customers in itertools.product(SCOPES, SCOPES):
        reader = Actor(subject="ada", roles=frozenset({"viewer"}), sites=sites, customers=customers)
        for one in follows:
            envelope = one.envelope
            for chosen in FILTERS:
                chosen.takes(envelope, reader)
            shown = view.visible_json(envelope, reader)
            if shown is not None:
                ((_, fact),) = parse_events([f"data: {shown.decode()}", ""])
                assert fact is not None
                assert fact["data"]["case_id"] == str(envelope.data.case_id), one.fields
