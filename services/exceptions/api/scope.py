"""What a reader may see of cases: by sites and customers; a machine, what it subscribed to."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.auth import Actor
from chassis.errors import Forbidden

TOPIC = "exceptions.case"


def must_see_case(actor: Actor, *, sites: Sequence[str], customers: Sequence[str]) -> None:
    """Raise Forbidden unless one of the case's sites and one of its customers are in scope (FLOW 4.3)."""
    site_seen = actor.sites is None or bool(actor.sites.intersection(sites))
    customer_seen = actor.customers is None or bool(actor.customers.intersection(customers))
    if not (site_seen and customer_seen):
        raise Forbidden(
            "outside your scope of sites and customers; ask the planning lead to widen it", code="outside-scope"
        )
