"""Items and sites: the master data that inventory owns and publishes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chassis.errors import Invalid
from schemas.base import Event
from schemas.inventory import ItemChanged, SiteChanged
from schemas.types import Money, subject_id


class UnknownZone(Invalid):
    """The zone is not an IANA name."""

    code = "unknown-zone"


@dataclass(frozen=True, slots=True)
class Item:
    """Something that is kept in stock and sold."""

    item_id: UUID
    code: str
    description: str
    unit: str
    unit_value: Money | None
    source: str
    """The source that registered it; of machines, only that source's may change it."""
    occurred_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Site:
    """A place where stock is; its days end in its zone, its working days are those of its calendar."""

    site_id: UUID
    code: str
    name: str
    country: str | None
    zone: str
    calendar: str
    source: str
    """The source that registered it; of machines, only that source's and the warehouse's own may change it."""
    occurred_at: datetime
    recorded_at: datetime


OWN_SOURCE = "crossdock"
"""The source of what persons enter here."""


def item_id(code: str) -> UUID:
    """Return the id that every service derives for an item."""
    return subject_id("item", "master", code)


def site_id(code: str) -> UUID:
    """Return the id that every service derives for a site."""
    return subject_id("site", "master", code)


def upsert_item(
    before: Item | None, *, code: str, description: str, unit: str, unit_value: Money | None, source: str, now: datetime
) -> tuple[Item, list[Event]]:
    """Register an item or change it; saying the same again changes nothing."""
    owner = source if before is None else before.source
    item = Item(item_id(code), code, description, unit, unit_value, owner, now, now)
    if before is not None and replace(item, occurred_at=before.occurred_at, recorded_at=before.recorded_at) == before:
        return before, []
    changed = ItemChanged(
        item_id=item.item_id, code=code, description=description, unit=unit, unit_value=unit_value, occurred_at=now
    )
    return item, [changed]


def upsert_site(
    before: Site | None,
    *,
    code: str,
    name: str,
    country: str | None,
    zone: str,
    calendar: str,
    source: str,
    now: datetime,
) -> tuple[Site, list[Event]]:
    """Register a site or change it; saying the same again changes nothing. Raises UnknownZone."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownZone(f"{zone!r} is not an IANA time zone such as Europe/Paris or UTC", field="zone") from error
    owner = source if before is None else before.source
    site = Site(site_id(code), code, name, country, zone, calendar, owner, now, now)
    if before is not None and replace(site, occurred_at=before.occurred_at, recorded_at=before.recorded_at) == before:
        return before, []
    changed = SiteChanged(
        site_id=site.site_id, code=code, name=name, country=country, zone=zone, calendar=calendar, occurred_at=now
    )
    return site, [changed]
