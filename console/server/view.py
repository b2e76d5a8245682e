"""What one reader may see of a fact, and which facts it asked for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chassis.auth import Actor
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


def in_scope(envelope: Envelope, actor: Actor) -> bool:
    """Say whether one of the fact's sites, and one of its customers where it names any, is the reader's (FLOW 4.3)."""
    data = envelope.data
    at_site = actor.sites is None or bool(actor.sites & set(data.sites))
    of_customer = actor.customers is None or not data.customers or bool(actor.customers & set(data.customers))
    return at_site and of_customer


def shown(envelope: Envelope, actor: Actor) -> bytes | None:
    """Return the fact as JSON on one line, as this reader may see it; None when it may not."""
    if not in_scope(envelope, actor):
        return None
    whole = envelope.model_dump(mode="json", exclude_none=True)
    data = whole["data"]
    if "lines" in data:
        seen = [line for line in data["lines"] if actor.sees(site=line.get("site"), customer=line.get("customer"))]
        data["lines_out_of_scope"] = len(data["lines"]) - len(seen)
        data["lines"] = seen
    if "affected" in data:
        data["affected"] = [one for one in data["affected"] if actor.sees(customer=one["customer"])]
    data["sites"] = _narrowed(data["sites"], actor.sites)
    data["customers"] = _narrowed(data["customers"], actor.customers)
    return json.dumps(whole, separators=(",", ":")).encode()


def _narrowed(names: Sequence[Any], scope: frozenset[str] | None) -> Sequence[Any]:
    return names if scope is None else [name for name in names if name in scope]
