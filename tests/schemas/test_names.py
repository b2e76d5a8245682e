"""Names, topics and owners agree, and the class line refuses a fact that breaks the grammar."""

from __future__ import annotations

import importlib
import re
from uuid import UUID

import pytest

from schemas.base import REGISTER, Event
from schemas.topics import BY_NOUN, CLEARANCES, TOPICS
from tests.layers.small_tree import SERVICES
from tools.contracts.event_schemas import events, models_of, sensitive_fields

EVENTS = events()


def _pascal(words: str) -> str:
    return "".join(word.capitalize() for word in words.split("-"))


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.event_name)
def test_an_event_lives_in_its_owners_module_on_its_owners_topic(event: type[Event]) -> None:
    """The first part of the name is the service, its module and the owner of the topic (FLOW 4.1)."""
    service, noun, _, _ = event.event_name.split(".")
    assert event.__module__.split(".")[:2] == ["schemas", service]
    assert event.event_topic.owner == service
    assert noun in event.event_topic.nouns
    assert event.event_key == event.event_topic.key


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.event_name)
def test_the_class_is_called_subject_and_participle(event: type[Event]) -> None:
    """A suffix appears from V2 on; the participle alone is enough when it says its subject."""
    _, noun, participle, version = event.event_name.split(".")
    suffix = "" if version == "v1" else version.upper()
    names = {_pascal(noun) + _pascal(participle) + suffix, _pascal(participle) + suffix}
    assert event.__name__ in names


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.event_name)
def test_a_marked_field_travels_only_on_a_topic_that_is_cleared_for_it(event: type[Event]) -> None:
    """FLOW 4.3: no field marked Sensitive is on exceptions.case; elsewhere the register says which are."""
    kinds = {kind for model in models_of(event) for kind in sensitive_fields(model).values()}
    assert kinds <= set(event.event_topic.clearance)
    if event.event_topic.name == "exceptions.case":
        assert not kinds


@pytest.mark.parametrize("name", [event.event_name for event in EVENTS if event.event_topic.name == "exceptions.case"])
def test_every_fact_of_a_case_carries_its_scope(name: str) -> None:
    """FLOW 4.3: sites and customers known at that time travel with every fact on exceptions.case."""
    assert {"sites", "customers", "cause"} <= set(REGISTER[name].model_fields)


def test_topics_are_spelled_with_dots_and_hyphens_and_owned_by_a_service() -> None:
    """Dots and underscores collide in Kafka's metric names; a version is no part of a topic."""
    for topic in TOPICS:
        assert re.fullmatch(r"[a-z]+\.[a-z]+(-[a-z]+)*", topic.name)
        assert topic.owner in SERVICES
        assert topic.partitions >= 1
        assert topic.retention_days >= 1
    assert len({topic.name for topic in TOPICS}) == len(TOPICS)


def test_every_noun_of_every_topic_is_said_by_some_event() -> None:
    """An orphan noun or topic is a leftover."""
    said = {(event.event_name.split(".")[0], event.event_name.split(".")[1]) for event in EVENTS}
    assert said == set(BY_NOUN)


def test_every_service_has_its_module_of_facts() -> None:
    """LAYERS 6: one module per service, and each says something."""
    for service in SERVICES:
        importlib.import_module(f"schemas.{service}")
        assert any(event.event_name.startswith(f"{service}.") for event in EVENTS), service


def test_clearances_name_services_and_marks_that_travel() -> None:
    """A clearance for a mark that nobody uses would open a door to nothing."""
    assert set(CLEARANCES) <= set(SERVICES)


def _refused(sentence: str, body: dict[str, object], **line: str) -> None:
    before = dict(REGISTER)
    with pytest.raises(TypeError, match=sentence):
        type("ShipmentLost", (Event,), {"__module__": "schemas.logistics", **body}, **line)
    assert before == REGISTER


FIELDS: dict[str, object] = {"__annotations__": {"shipment_id": UUID}, "__doc__": "It is lost."}


@pytest.mark.parametrize(
    "name",
    [
        "logistics.shipment.v1",
        "logistics.shipment.lost",
        "Logistics.shipment.lost.v1",
        "logistics.shipment.lost.v0",
        "logistics.shipment_line.lost.v1",
        "logistics.shipment.lost.v1 ",
    ],
)
def test_a_malformed_name_is_refused_when_the_class_is_read(name: str) -> None:
    """At import time, not at run time."""
    _refused("is not <service>", FIELDS, name=name, key="shipment_id")


def test_a_missing_name_is_refused() -> None:
    """Only a class marked abstract goes without one."""
    _refused("is not <service>", FIELDS, key="shipment_id")


def test_a_taken_name_is_refused() -> None:
    """One class per fact."""
    _refused("is taken by ShipmentDelayed", FIELDS, name="logistics.shipment.delayed.v1", key="shipment_id")


def test_a_noun_without_a_topic_is_refused() -> None:
    """FLOW 4.1: schemas/topics.py lists the nouns of each topic."""
    _refused("no topic", FIELDS, name="logistics.truck.lost.v1", key="shipment_id")


def test_a_key_that_is_no_field_is_refused() -> None:
    """FLOW 4.1: the key names the aggregate that the fact is about."""
    _refused("is not one of its fields", FIELDS, name="logistics.shipment.lost.v1", key="case_id")


def test_a_key_that_is_not_the_topics_key_is_refused() -> None:
    """FLOW 4.1: all facts of one topic are keyed alike, or order per key is lost."""
    fields = {**FIELDS, "__annotations__": {"shipment_id": UUID, "lane_id": UUID}}
    _refused("is keyed by 'shipment_id'", fields, name="logistics.shipment.lost.v1", key="lane_id")


def test_a_fact_without_a_docstring_is_refused() -> None:
    """The catalogue is written from it."""
    body: dict[str, object] = {"__annotations__": {"shipment_id": UUID}}
    _refused("docstring", body, name="logistics.shipment.lost.v1", key="shipment_id")
