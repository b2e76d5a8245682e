"""CloudEvents 1.0 names around one Event, with correlation, causation and both times."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, TypeAdapter

from schemas.base import REGISTER, Event
from schemas.types import Instant

CauseOfFact = Literal["event", "act", "signal", "timer"]
CONTENT_TYPE = "application/cloudevents+json"


class UnknownEvent(ValueError):
    """The bytes name a type that no class of this release stands for."""


class Envelope(BaseModel):
    """One fact as it travels: structured-mode CloudEvent, whole by itself.

    `time` is when the fact occurred, `recordedtime` when this system learned it. `causationid` names what
    `causekind` says: a fact, the audit row of an act, a raw signal, or a timer whose `armedby` names the fact,
    act or signal (`armedkind`) that armed it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: Literal["1.0"] = "1.0"
    id: UUID
    source: str
    type: str
    subject: str
    time: Instant
    datacontenttype: Literal["application/json"] = "application/json"
    recordedtime: Instant
    correlationid: UUID
    causationid: UUID
    causekind: CauseOfFact
    armedby: UUID | None = None
    armedkind: CauseOfFact | None = None
    traceparent: str | None = None
    data: Any


_ADAPTERS: dict[type[Event], TypeAdapter[Envelope]] = {}


def _adapter_of(event_class: type[Event]) -> TypeAdapter[Envelope]:
    """Return the one reused adapter that reads this class's envelopes straight from bytes."""
    if event_class not in _ADAPTERS:
        _ADAPTERS[event_class] = _made_adapter(event_class)
    return _ADAPTERS[event_class]


def _made_adapter(event_class: type[Event]) -> TypeAdapter[Envelope]:
    typed = type(
        f"{event_class.__name__}Envelope",
        (Envelope,),
        {"__annotations__": {"data": event_class}, "__module__": __name__},
    )
    return TypeAdapter(typed)


_HEAD: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


def type_of(value: bytes) -> str:
    """Return the event name inside structured bytes; raise ValueError where there is none."""
    head = _HEAD.validate_json(value)
    name = head.get("type")
    if not isinstance(name, str):
        raise ValueError("no attribute 'type' in the message")
    return name


def decode(value: bytes, name: str | None = None) -> Envelope:
    """Return the envelope with its typed Event in `data`.

    Raises UnknownEvent when no class stands for the type, ValueError (pydantic) when the bytes do not fit it.
    """
    name = name or type_of(value)
    event_class = REGISTER.get(name)
    if event_class is None:
        raise UnknownEvent(name)
    return _adapter_of(event_class).validate_json(value)


def wrap(
    event: Event,
    *,
    id: UUID,
    source: str,
    recorded_at: datetime,
    correlation_id: UUID,
    causation_id: UUID,
    cause_kind: CauseOfFact,
    armed_by: UUID | None = None,
    armed_kind: CauseOfFact | None = None,
    traceparent: str | None = None,
) -> Envelope:
    """Return the envelope of a fact that is about to be stored in an outbox."""
    return _adapter_of(type(event)).validate_python(
        {
            "id": id,
            "source": source,
            "type": event.event_name,
            "subject": event.subject,
            "time": event.occurred_at,
            "recordedtime": recorded_at,
            "correlationid": correlation_id,
            "causationid": causation_id,
            "causekind": cause_kind,
            "armedby": armed_by,
            "armedkind": armed_kind,
            "traceparent": traceparent,
            "data": event,
        }
    )


def encode(envelope: Envelope) -> bytes:
    """Return the structured-mode bytes of an envelope, without empty optional fields (CloudEvents has no null)."""
    return _adapter_of(type(envelope.data)).dump_json(envelope, exclude_none=True)
