"""Carriers, lanes, and the calendars of destinations. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.errors import Invalid


class UnknownCarrier(Invalid):
    """The carrier is not registered."""

    code = "unknown-carrier"


@dataclass(frozen=True, slots=True)
class Carrier:
    """A carrier; its machine accounts may record milestones of its own shipments."""

    carrier_id: UUID
    code: str
    name: str
    active: bool
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Lane:
    """A connection between two sites by a carrier, with its usual transit time in days."""

    lane_id: UUID
    origin: str
    destination: str
    carrier: str
    mode: str
    transit_days: int
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class SiteCalendar:
    """The time zone and the calendar of a destination, as published by inventory."""

    site: str
    zone: str
    calendar: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class CalendarZone:
    """The time zone of a business calendar, as published by collaboration."""

    code: str
    zone: str
    recorded_at: datetime
