"""Aggregates of logistics in and out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from uuid import UUID

from chassis.persistence.database import Tx
from chassis.persistence.store import Store
from services.logistics import domain, tables

shipments = Store(
    domain.Shipment,
    tables.shipments,
    key="shipment_id",
    children={"lines": tables.shipment_lines, "milestones": tables.milestones},
)
carriers = Store(domain.Carrier, tables.carriers, key="carrier_id")
lanes = Store(domain.Lane, tables.lanes, key="lane_id")
calendar_zones = Store(domain.CalendarZone, tables.calendar_zones, key="code")
site_calendars = Store(domain.SiteCalendar, tables.site_calendars, key="site")


def load(tx: Tx, shipment_ids: Iterable[UUID]) -> None:
    """Lock and load many shipments in one query."""
    tx.load(shipments, shipment_ids)


def find(tx: Tx, shipment_id: UUID) -> domain.Shipment | None:
    """Return a shipment, locked, or None."""
    return tx.find(shipments, shipment_id)


def get(tx: Tx, shipment_id: UUID) -> domain.Shipment:
    """Return a shipment, locked; raises NotFound."""
    return tx.get(shipments, shipment_id)


def save(tx: Tx, shipment: domain.Shipment) -> None:
    """Keep a shipment."""
    tx.save(shipments, shipment)


def append_finding(tx: Tx, finding: domain.Finding) -> None:
    """Add a finding, once."""
    tx.append(tables.data_quality_findings, asdict(finding), on_conflict="ON CONFLICT DO NOTHING")


def read_site_calendar(tx: Tx, site: str) -> domain.SiteCalendar | None:
    """Return what is known of a site's calendar, or None."""
    return tx.read_cached(site_calendars, site)


def save_site_calendar(tx: Tx, site: domain.SiteCalendar) -> None:
    """Keep a site's calendar."""
    tx.save(site_calendars, site)


def read_calendar_zone(tx: Tx, calendar: str) -> domain.CalendarZone | None:
    """Return the zone of a business calendar, or None."""
    return tx.read_cached(calendar_zones, calendar)


def save_calendar_zone(tx: Tx, zone: domain.CalendarZone) -> None:
    """Keep a calendar's zone."""
    tx.save(calendar_zones, zone)


def find_carrier(tx: Tx, carrier_id: UUID) -> domain.Carrier | None:
    """Return a carrier, locked, or None."""
    return tx.find(carriers, carrier_id)


def save_carrier(tx: Tx, carrier: domain.Carrier) -> None:
    """Keep a carrier."""
    tx.save(carriers, carrier)


def save_lane(tx: Tx, lane: domain.Lane) -> None:
    """Keep a lane."""
    tx.save(lanes, lane)
