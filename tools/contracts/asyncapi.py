"""One AsyncAPI 3.0 document of the whole system: topics, messages, who sends and who receives."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from schemas.base import Event
from schemas.envelope import CONTENT_TYPE
from schemas.topics import TOPICS, Topic
from tools.contracts.event_schemas import (
    Schema,
    envelope_of,
    events,
    finish,
    mark_sensitive,
    owner_of,
    says,
)

MILLISECONDS_PER_DAY = 86_400_000
ABOUT = (
    "The facts that Crossdock's services say to each other on Kafka. Every message is a structured-mode "
    "CloudEvent, keyed by the thing it is about, in order per key. In a world other than `live` the address "
    "starts with the world's name."
)


def asyncapi(hears: dict[str, list[str]]) -> Schema:
    """Answer the document; `hears` maps an event name to the services that listen to it."""
    by_topic: dict[str, list[type[Event]]] = {topic.name: [] for topic in TOPICS}
    for event in events():
        by_topic[event.event_topic.name].append(event)
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Crossdock", "version": "1.0.0", "description": ABOUT},
        "defaultContentType": CONTENT_TYPE,
        "channels": {topic.name: _channel(topic, by_topic[topic.name]) for topic in TOPICS},
        "operations": _operations(hears),
        "components": {
            "messages": {event.event_name: _message(event) for event in events()},
            "schemas": _schemas(),
        },
    }


def _channel(topic: Topic, events: list[type[Event]]) -> Schema:
    policy = ["compact"] if topic.compacted else ["delete"]
    settings = {"cleanup.policy": policy, "retention.ms": topic.retention_days * MILLISECONDS_PER_DAY}
    kafka = {"topic": topic.name, "partitions": topic.partitions, "topicConfiguration": settings}
    seen = f"Marked fields travel here: {', '.join(topic.clearance)}." if topic.clearance else ""
    about = f"Every fact about {' and '.join(topic.nouns)}, keyed by {topic.key}. {seen}".strip()
    return {
        "address": topic.name,
        "description": about,
        "messages": {event.event_name: _pointer("components", "messages", event.event_name) for event in events},
        "bindings": {"kafka": {**kafka, "bindingVersion": "0.5.0"}},
    }


def _message(event: type[Event]) -> Schema:
    return {
        "name": event.event_name,
        "title": event.__name__,
        "summary": says(event),
        "contentType": CONTENT_TYPE,
        "payload": _pointer("components", "schemas", f"{event.event_name}"),
        "bindings": {"kafka": {"key": {"type": "string", "format": "uuid"}, "bindingVersion": "0.5.0"}},
    }


def _operations(hears: dict[str, list[str]]) -> Schema:
    """Make one operation per service, verb and topic, with the messages it is about."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for event in events():
        topic = event.event_topic.name
        groups.setdefault((owner_of(event), "says", topic), []).append(event.event_name)
        for service in hears.get(event.event_name, []):
            groups.setdefault((service, "hears", topic), []).append(event.event_name)
    return {
        f"{service}.{verb}.{topic}": {
            "action": "send" if verb == "says" else "receive",
            "channel": _pointer("channels", topic),
            "summary": f"{service} {verb} {topic}",
            "messages": [_pointer("channels", topic, "messages", name) for name in names],
        }
        for (service, verb, topic), names in sorted(groups.items())
    }


def _schemas() -> Schema:
    """Generate all envelopes at once, so that a word shared by many is written once."""
    envelopes = {event: envelope_of(event) for event in events()}
    place, document = models_json_schema(
        [(envelope, "serialization") for envelope in envelopes.values()],
        ref_template="#/components/schemas/{model}",
    )
    definitions: dict[str, Schema] = document["$defs"]
    for event, envelope in envelopes.items():
        reference: str = place[(envelope, "serialization")]["$ref"]
        made = finish(definitions.pop(reference.rsplit("/", 1)[1]), event)
        mark_sensitive(definitions, event)
        definitions[event.event_name] = made
    return dict(sorted(definitions.items()))


def _pointer(*parts: str) -> dict[str, Any]:
    return {"$ref": "#/" + "/".join(parts)}
