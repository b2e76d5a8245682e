"""Write a first golden example for every event that has none; then read it and correct it by hand.

The values tell one story, the same each time: shipment SH-1001 to Rotterdam is a day late, its customer is
told and another supplier is found. An example that is there already is never touched.
"""

from __future__ import annotations

import json
import sys
import types
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin
from uuid import UUID, uuid5

from pydantic import BaseModel

from schemas.base import Event
from schemas.envelope import encode, wrap
from schemas.types import NAMESPACE
from tools.contracts.event_schemas import events, owner_of

Model = TypeVar("Model", bound=BaseModel)
FOLDER = Path(__file__).resolve().parents[1] / "schemas" / "examples"
DAY_ZERO = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

TEXTS = {
    "source": "erp",
    "reference": "SH-1001",
    "item": "Bolt M8 zinc",
    "site": "Rotterdam",
    "destination": "Rotterdam",
    "origin": "Hamburg",
    "customer": "Hofmann Machines",
    "supplier": "Nordic Fasteners",
    "carrier": "Rhine Trucking",
    "mode": "Truck",
    "currency": "EUR",
    "subject": "lena.vogel",
    "person": "lena.vogel",
    "role": "planning-lead",
    "headline": "Shipment SH-1001 to Rotterdam is expected a day late",
    "kind": "notify-customers",
    "title": "Tell the customers of shipment SH-1001",
    "playbook": "shipment-delay",
    "choice": "Buy from Nordic Fasteners",
    "rationale": "Arrives before the day of need at the lowest landed cost",
    "outcome": "The customer confirmed the new day",
    "reason": "Breakdown on the road near Osnabrück",
    "override_reason": "Promotion in week 12",
    "note": "The driver calls again at noon",
    "transport": "recording",
    "code": "standard",
    "name": "Rotterdam distribution center",
    "country": "NL",
    "zone": "Europe/Amsterdam",
    "calendar": "standard",
    "description": "Hexagon bolt M8 x 40, zinc plated",
    "unit": "piece",
    "on_time_share": "0.94",
    "recipients": "planning-lead",
}
NUMBERS = {
    "recurrence": 0,
    "version": 1,
    "playbook_version": 1,
    "promise_version": 1,
    "level": 1,
    "rank": 1,
    "attempt": 1,
    "lines": 1,
    "delay_minutes": 1440,
    "days_late": 1,
    "hours_left": 72,
    "remaining": 0,
    "weekdays": 0,
    "after_minutes": 60,
    "max_escalations": 3,
    "duration_us": 1_500_000,
    "decision_us": 5_400_000_000,
    "coordination_us": 3_600_000_000,
}
DECIMALS = {"amount": Decimal("1250.00"), "worse_by": Decimal(40), "on_hand": Decimal(260)}
CHOICES = {
    "to_function": "procurement",
    "rung": "planning-lead",
    "tier": "key",
    "severity": "high",
    "state": "implemented",
}
TRUE = {"required", "feasible", "final", "active"}
QUANTITY = Decimal(100)
# Days after day zero; what is not named happened on day zero.
DAYS = {
    "promised_on": 2,
    "promised_at": 2,
    "needed_on": 2,
    "requested_on": 1,
    "expected_at": 3,
    "expected_on": 3,
    "proposed_on": 3,
    "received_on": 3,
    "received_at": 3,
    "short_on": 3,
    "short_at": 3,
    "arrives_on": 2,
    "acknowledge_by": 1,
    "commit_by": 1,
    "complete_by": 2,
    "committed_to": 2,
    "due_at": 1,
    "previous_on": 2,
    "expires_on": 30,
    "ends_at": 5,
    "confirmed_on": 2,
    "week_on": 7,
}


def example_of(event: type[Event]) -> str:
    """Answer the event's example message as the text of a file, the same on every call."""
    data = _model(event)
    ids = (uuid5(NAMESPACE, f"example/{event.event_name}/{part}") for part in ("id", "correlation", "cause"))
    fact, correlation, cause = ids
    envelope = wrap(
        data,
        id=fact,
        source=f"/crossdock/live/{owner_of(event)}",
        recorded_at=data.occurred_at + timedelta(seconds=2),
        correlation_id=correlation,
        causation_id=cause,
        cause_kind="event",
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )
    return json.dumps(json.loads(encode(envelope)), indent=2, ensure_ascii=False) + "\n"


def _model(kind: type[Model]) -> Model:
    fields = {name: _value(name, field.annotation) for name, field in kind.model_fields.items()}
    return kind.model_validate(fields)


def _value(name: str, annotation: Any) -> Any:
    """Make the value of a field from its name and type; an optional field is filled."""
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _value(name, inside[0])
    if origin is Literal:
        return CHOICES.get(name) if CHOICES.get(name) in inside else inside[0]
    if origin in (Union, types.UnionType):
        return _value(name, next(kind for kind in inside if kind is not type(None)))
    if origin is tuple:
        return (_value(name, inside[0]),)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _model(annotation)
    return _plain(name, annotation)


def _plain(name: str, kind: type) -> Any:
    moment = DAY_ZERO + timedelta(days=DAYS.get(name, 0))
    makers: dict[type, Any] = {
        UUID: lambda: uuid5(NAMESPACE, f"example/{name}"),
        bool: lambda: name in TRUE,
        int: lambda: NUMBERS.get(name, 0),
        Decimal: lambda: DECIMALS.get(name, QUANTITY),
        date: moment.date,
        datetime: lambda: moment,
        time: lambda: time(17) if name == "closes" else time(9),
        str: lambda: TEXTS.get(name) or TEXTS.get(name.removesuffix("s")) or name.replace("_", " "),
    }
    maker = makers.get(kind) or makers[datetime]
    return maker()


def main() -> int:
    """Write what is missing; answer 0."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    made = [event for event in events() if not (FOLDER / f"{event.event_name}.json").exists()]
    for event in made:
        (FOLDER / f"{event.event_name}.json").write_text(example_of(event), encoding="utf-8")
        print(f"{event.event_name}.json")
    print(f"{len(made)} examples made; read them and correct them by hand")
    return 0


if __name__ == "__main__":
    sys.exit(main())
