"""Items and sites: one function per act."""

from __future__ import annotations

from collections.abc import Iterable

from chassis.persistence.database import Tx
from schemas.types import Money
from services.inventory import domain, repository


def load_items(tx: Tx, *, codes: Iterable[str]) -> None:
    """Lock and load the items that a batch will touch."""
    repository.load_items(tx, [domain.item_id(code) for code in codes])


def find_item(tx: Tx, *, code: str) -> domain.Item | None:
    """Return an item, locked, or None."""
    return repository.find_item(tx, domain.item_id(code))


def upsert_item(
    tx: Tx, *, code: str, description: str, unit: str, unit_value: Money | None, source: str = domain.OWN_SOURCE
) -> domain.Item:
    """Register an item or change it; its source stays the one that registered it."""
    before = repository.find_item(tx, domain.item_id(code))
    item, events = domain.upsert_item(
        before, code=code, description=description, unit=unit, unit_value=unit_value, source=source, now=tx.now
    )
    repository.save_item(tx, item)
    tx.emit(events)
    return item


def load_sites(tx: Tx, *, codes: Iterable[str]) -> None:
    """Lock and load the sites that a batch will touch."""
    repository.load_sites(tx, [domain.site_id(code) for code in codes])


def find_site(tx: Tx, *, code: str) -> domain.Site | None:
    """Return a site, locked, or None."""
    return repository.find_site(tx, domain.site_id(code))


def upsert_site(
    tx: Tx, *, code: str, name: str, country: str | None, zone: str, calendar: str, source: str = domain.OWN_SOURCE
) -> domain.Site:
    """Register a site or change it; its source stays the one that registered it. Raises UnknownZone."""
    before = repository.find_site(tx, domain.site_id(code))
    site, events = domain.upsert_site(
        before, code=code, name=name, country=country, zone=zone, calendar=calendar, source=source, now=tx.now
    )
    repository.save_site(tx, site)
    tx.emit(events)
    return site
