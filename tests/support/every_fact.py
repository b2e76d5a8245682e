"""Every event type with each optional field present and absent: what any producer may send, the same on every call."""

from __future__ import annotations

import copy
import json
import types
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin
from uuid import UUID, uuid5

from pydantic import BaseModel

from schemas.base import Event
from schemas.catalogue import REGISTER
from schemas.envelope import Envelope, decode
from schemas.types import NAMESPACE
from tests.support.needs import CHECKOUT
from tools.make_examples import example_of

EXAMPLES = CHECKOUT / "schemas" / "examples"
ONCE = {"logistics.shipment.received.v1"}  # of a shipment there is one such fact
ENVELOPE_OPTIONAL = ("traceparent", "armedby", "armedkind")
FieldPath = tuple[str, ...]


class Variant(NamedTuple):
    """One message: its event type, which optional fields it has, and its bytes."""

    type: str
    fields: str
    value: bytes

    @property
    def envelope(self) -> Envelope:
        return decode(self.value)


def published_examples() -> list[Variant]:
    """Return the published example of each event type."""
    return [Variant(path.stem, "the published example", path.read_bytes()) for path in sorted(EXAMPLES.iterdir())]


@cache
def every_fact() -> tuple[Variant, ...]:
    """Return each event type with all of its optional fields, with none, with all but one, and with one alone.

    Every message comes twice: about the subjects that all examples share, so that it meets the state that others
    left, and about subjects of its own, so that it is the first of them.
    """
    found = [*published_examples()]
    for name, event in sorted(REGISTER.items()):
        for number, (fields, message) in enumerate(_variants(event)):
            fact_id = uuid5(NAMESPACE, f"every-fact/{name}/{number}")
            shared = _stamped(message, fact_id, len(found))
            alone = _stamped(_with_own_subjects(message, fact_id), uuid5(fact_id, "alone"), len(found) + 1)
            found += [] if name in ONCE else [Variant(name, fields, shared)]
            found.append(Variant(name, f"{fields}, about its own subjects", alone))
    return tuple(found)


def _variants(event: type[Event]) -> Iterator[tuple[str, dict[str, Any]]]:
    whole: dict[str, Any] = json.loads(example_of(event))
    whole |= {"armedby": str(uuid5(NAMESPACE, "example/armedby")), "armedkind": "event"}
    optional: list[FieldPath] = [(name,) for name in ENVELOPE_OPTIONAL]
    optional += [("data", *path) for path in _optional_paths(event)]
    bare = _without(whole, optional)
    yield "with every optional field", whole
    yield "without optional fields", bare
    for path in optional:
        name = ".".join(path)
        yield f"without {name}", _without(whole, [path])
        if len([one for one in optional if one == path[: len(one)]]) == 1:  # its parents are always there
            yield f"with {name} alone", _without(whole, [one for one in optional if one != path])


def _optional_paths(model: type[BaseModel]) -> Iterator[FieldPath]:
    """Yield the path of each field that need not be there; lists and nested models are passed through."""
    for name, field in model.model_fields.items():
        if not field.is_required():
            yield (name,)
        for nested in _models_in(field.annotation):
            yield from ((name, *path) for path in _optional_paths(nested))


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (Annotated, Union, types.UnionType, tuple):
        for inside in get_args(annotation):
            yield from _models_in(inside)


def _without(message: dict[str, Any], paths: list[FieldPath]) -> dict[str, Any]:
    left = copy.deepcopy(message)
    for path in paths:
        for holder in _holders(left, path[:-1]):
            holder.pop(path[-1], None)
    return left


def _holders(value: Any, path: FieldPath) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for item in value:
            yield from _holders(item, path)
    elif isinstance(value, dict):
        if not path:
            yield value
        elif path[0] in value:
            yield from _holders(value[path[0]], path[1:])


def _with_own_subjects(message: dict[str, Any], space: UUID) -> dict[str, Any]:
    """Return the message with every id of its data exchanged, equal ones for equal ones."""

    def exchanged(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: exchanged(part) for name, part in value.items()}
        if isinstance(value, list):
            return [exchanged(part) for part in value]
        try:
            return str(uuid5(space, str(UUID(value)))) if isinstance(value, str) else value
        except ValueError:
            return value

    data = exchanged(message["data"])
    return message | {"data": data, "subject": data[REGISTER[message["type"]].event_key]}


def _stamped(message: dict[str, Any], fact_id: UUID, number: int) -> bytes:
    """Return the bytes with an id of its own, recorded after all messages before."""
    recorded = datetime.fromisoformat(message["recordedtime"]) + timedelta(seconds=number)
    return json.dumps(message | {"id": str(fact_id), "recordedtime": recorded.isoformat()}).encode()
