"""What one reader may see of a fact, and which facts it asked for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from chassis.http.auth import Actor
from schemas.envelope import Envelope


@dataclass(frozen=True)
class Filter:
    """What a reader asked for; None means everything."""

    types: tuple[str, ...] | None = None  # prefixes, such as exceptions.task or exceptions.case.opened
    severities: tuple[str, ...] | None = None
    functions: tuple[str, ...] | None = None
    cases: tuple[str, ...] | None = None
    sites: tuple[str, ...] | None = None
    customers: tuple[str, ...] | None = None

    def takes(self, envelope: Envelope, actor: Actor) -> bool:
        """Say whether a fact is asked for, by what its reader may see of it; a case fact belongs to every function."""
        if self is EVERYTHING:
            return True
        data = envelope.data
        function = getattr(data, "function", None)
        return (
            (self.types is None or envelope.type.startswith(self.types))
            and (self.severities is None or data.severity in self.severities)
            and (self.functions is None or function is None or function in self.functions)
            and (self.cases is None or envelope.subject in self.cases)
            and (self.sites is None or bool(set(self.sites) & set(_narrowed(data.sites, actor.sites))))
            and (self.customers is None or bool(set(self.customers) & set(_narrowed(data.customers, actor.customers))))
        )


EVERYTHING = Filter()


def scope_of(actor: Actor) -> object:
    """Return what decides how a fact looks to a reader; readers of the same scope share one encoding."""
    return (actor.sites, actor.customers)


def visible_json(envelope: Envelope, actor: Actor) -> bytes | None:
    """Return the fact as JSON on one line, as this reader may see it; None when it may not."""
    told = envelope.data
    if not actor.sees_any(sites=told.sites, customers=told.customers):
        return None
    whole = envelope.model_dump(mode="json", exclude_none=True)
    data = whole["data"]
    hidden = 0
    if "lines" in data:
        seen = [line for line in data["lines"] if actor.sees(site=line["site"], customer=line.get("customer"))]
        data["lines_out_of_scope"] = hidden = len(data["lines"]) - len(seen)
        data["lines"] = seen
    if "value_at_risk" in data and (hidden or not actor.sees_whole(sites=told.sites, customers=told.customers)):
        _narrow_value(data)
    if "affected" in data:
        data["affected"] = [one for one in data["affected"] if actor.sees(customer=one["customer"])]
    data["sites"] = _narrowed(data["sites"], actor.sites)
    data["customers"] = _narrowed(data["customers"], actor.customers)
    return json.dumps(whole, separators=(",", ":")).encode()


def _narrow_value(data: dict[str, Any]) -> None:
    """Replace the money at risk by that of the lines which the reader sees; without lines in the fact, leave it out."""
    whole = data.pop("value_at_risk")
    if "lines" in data:
        values = {line["line_id"]: line["value"] for line in data["lines"]}.values()
        amounts = (Decimal(value["amount"]) for value in values if value["currency"] == whole["currency"])
        data["value_at_risk"] = whole | {"amount": str(sum(amounts, Decimal(0)))}


def _narrowed(names: Sequence[Any], scope: frozenset[str] | None) -> Sequence[Any]:
    return names if scope is None else [name for name in names if name in scope]
