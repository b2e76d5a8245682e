"""Customers: who is told, how important they are and how they are reached."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chassis.errors import Invalid
from schemas.types import Tier, subject_id


class ZoneUnknown(Invalid):
    """The zone is no IANA time zone."""


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer; `contact` is the address that notices go to."""

    customer_id: UUID
    code: str
    name: str
    tier: Tier
    contact: str | None
    zone: str
    source: str
    occurred_at: datetime
    recorded_at: datetime


def customer_id_of(code: str) -> UUID:
    """Return the id of the customer with this code."""
    return subject_id("customer", "master", code)


def upsert_customer(
    current: Customer | None,
    *,
    code: str,
    name: str,
    tier: Tier,
    contact: str | None,
    zone: str,
    source: str,
    now: datetime,
) -> Customer:
    """Return the customer as it is now; raises ZoneUnknown. Its source stays the one that registered it."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ZoneUnknown(f"zone {zone!r} is not an IANA time zone such as Europe/Paris", field="zone") from error
    return Customer(
        customer_id=customer_id_of(code),
        code=code,
        name=name,
        tier=tier,
        contact=contact,
        zone=zone,
        source=source if current is None else current.source,
        occurred_at=now,
        recorded_at=now,
    )
