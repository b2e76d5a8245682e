"""JSON Schema of each event as it travels: the whole CloudEvent with its data."""

from __future__ import annotations

import json
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter, create_model

from schemas.base import Event
from schemas.catalogue import REGISTER
from schemas.envelope import Envelope
from schemas.types import Sensitive

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# Attributes that every message carries, although some have a default in the class.
ALWAYS = (
    "specversion",
    "id",
    "source",
    "type",
    "subject",
    "time",
    "datacontenttype",
    "recordedtime",
    "correlationid",
    "causationid",
    "causekind",
    "data",
)
Schema = dict[str, Any]


def envelope_of(event: type[Event]) -> type[Envelope]:
    """Answer the envelope class whose data is this event."""
    return create_model(f"{event.__name__}Envelope", __base__=Envelope, data=(event, ...))


def schema_of(event: type[Event]) -> Schema:
    """Answer the JSON Schema of the event's message, standing by itself."""
    schema = TypeAdapter(envelope_of(event)).json_schema(mode="serialization")
    schema = finish(schema, event)
    mark_sensitive(schema.get("$defs", {}), event)
    return {"$schema": DIALECT, "$id": f"{event.event_name}.json", **schema}


def finish(schema: Schema, event: type[Event]) -> Schema:
    """Say in an envelope's schema what holds for this event alone."""
    properties = {**schema["properties"]}
    properties["type"] = {"const": event.event_name, "type": "string"}
    properties["source"] = {
        **properties["source"],
        "description": f"`/crossdock/<world>/{owner_of(event)}`",
    }
    properties["subject"] = {**properties["subject"], "description": f"The Kafka key: {event.event_key}."}
    kept = {key: value for key, value in schema.items() if key not in ("properties", "required", "title")}
    return {
        "title": event.event_name,
        **kept,
        "description": says(event),
        "x-topic": event.event_topic.name,
        "x-key": event.event_key,
        "required": list(ALWAYS),
        "properties": properties,
    }


def mark_sensitive(definitions: dict[str, Schema], event: type[Event]) -> None:
    """Carry the mark of a field that not everybody may see into its schema."""
    for model in models_of(event):
        # Two services may have a model of the same name; generated together, each goes by its module too.
        full_name = f"{model.__module__}.{model.__name__}".replace(".", "__")
        definition = definitions.get(full_name) or definitions.get(model.__name__, {})
        for name, kind in sensitive_fields(model).items():
            definition["properties"][name]["x-sensitive"] = kind


def sensitive_fields(model: type[BaseModel]) -> dict[str, str]:
    """Map each marked field of a model to the kind of its mark."""
    return {
        name: mark.kind
        for name, field in model.model_fields.items()
        for mark in field.metadata
        if isinstance(mark, Sensitive)
    }


def models_of(model: type[BaseModel]) -> list[type[BaseModel]]:
    """List the model and every model inside its fields, each once."""
    found: list[type[BaseModel]] = []
    waiting: list[Any] = [model]
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            if kind not in found:
                found.append(kind)
                waiting += [field.annotation for field in kind.model_fields.values()]
        else:
            waiting += get_args(kind)
    return found


def owner_of(event: type[Event]) -> str:
    """Answer the service that says the event."""
    return event.event_name.split(".", 1)[0]


def says(event: type[Event]) -> str:
    """Answer the event's docstring on one line."""
    return " ".join((event.__doc__ or "").split())


def events() -> list[type[Event]]:
    """List every event class by its name."""
    return [REGISTER[name] for name in sorted(REGISTER)]


def render(document: Schema) -> str:
    """Write a document as the text of a generated file."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
