"""Shipments, carriers and lanes: one function per act."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis.ids import derived_id
from chassis.persistence.database import Tx
from chassis.runtime import metrics as chassis_metrics
from chassis.scheduling import timers
from chassis.scheduling.calendars import Calendar
from schemas.logistics import ShipmentLine
from schemas.types import DelayReason, subject_id
from services.logistics import domain, metrics, queries, repository
from services.logistics.settings import LogisticsSettings

DUE_TIMER = "shipment-due"


def plan_shipment(
    tx: Tx,
    *,
    source: str,
    reference: str,
    destination: str,
    promised_on: date,
    lines: Sequence[ShipmentLine],
    carrier: str | None = None,
    mode: str | None = None,
    origin: str | None = None,
) -> domain.Shipment:
    """Plan a shipment that is due when its promised day ends at its destination; raises ShipmentKnown."""
    shipment = _new_shipment(
        tx,
        source=source,
        reference=reference,
        destination=destination,
        promised_on=promised_on,
        lines=lines,
        carrier=carrier,
        mode=mode,
        origin=origin,
    )
    shipment, events = domain.plan_shipment(shipment, now=tx.now)
    _save_and_schedule(tx, shipment)
    tx.emit(events)
    return shipment


def import_shipment(tx: Tx, *, received_on: date, **plan: Any) -> domain.Shipment:
    """Bring a completed shipment in as history: plan and receipt in one act, no timer, no delay, no case."""
    shipment, planned = domain.plan_shipment(_new_shipment(tx, **plan), now=tx.now)
    shipment, received = domain.receive_shipment(
        shipment,
        milestone_id=derived_id("receipt", shipment.shipment_id),
        received_on=received_on,
        received_at=_start_of_day(tx, shipment.destination, received_on),
        now=tx.now,
        history=True,
    )
    repository.save(tx, shipment)
    tx.emit([*planned, *received])
    return shipment


def _new_shipment(
    tx: Tx,
    *,
    source: str,
    reference: str,
    destination: str,
    promised_on: date,
    lines: Sequence[ShipmentLine],
    carrier: str | None = None,
    mode: str | None = None,
    origin: str | None = None,
) -> domain.Shipment:
    shipment_id = subject_id("shipment", source, reference)
    if repository.find(tx, shipment_id) is not None:
        raise domain.ShipmentKnown(f"shipment {reference} of source {source} was planned before", field="reference")
    promised_at = _end_of_day(tx, destination, promised_on)
    return domain.Shipment(
        shipment_id=shipment_id,
        source=source,
        reference=reference,
        carrier=carrier,
        mode=mode,
        origin=origin,
        destination=destination,
        promised_on=promised_on,
        promised_at=promised_at,
        expected_at=promised_at,
        state="planned",
        planned_at=tx.now,
        recorded_at=tx.now,
        lines=tuple(sorted(lines, key=lambda line: line.line_id)),
    )


def record_milestone(
    tx: Tx,
    *,
    shipment_id: UUID,
    milestone_id: UUID,
    kind: domain.MilestoneKind,
    occurred_at: datetime,
    expected_at: datetime | None = None,
    reason: DelayReason = "unknown",
    note: str | None = None,
) -> domain.Shipment:
    """Record a milestone or an estimate of a shipment; raises NotFound, ShipmentOver, Invalid."""
    if kind == "received":
        return receive_shipment(tx, shipment_id=shipment_id, received_at=occurred_at)
    milestone = domain.Milestone(milestone_id, kind, occurred_at, tx.now, expected_at, reason, note)
    shipment, events = domain.record_milestone(
        repository.get(tx, shipment_id), milestone, tolerance=LogisticsSettings().tolerance, now=tx.now
    )
    _save_and_schedule(tx, shipment)
    tx.emit(events)
    _count_delays(tx, shipment, events)
    return shipment


def move_arrival(
    tx: Tx, *, shipment_id: UUID, expected_at: datetime, reason: DelayReason, note: str | None = None
) -> domain.Shipment:
    """Record a new expected arrival of a shipment; raises NotFound, ShipmentOver."""
    return record_milestone(
        tx,
        shipment_id=shipment_id,
        milestone_id=derived_id("estimate", shipment_id, tx.context.causation_id),
        kind="estimated",
        occurred_at=tx.now,
        expected_at=expected_at,
        reason=reason,
        note=note,
    )


def receive_shipment(
    tx: Tx, *, shipment_id: UUID, received_on: date | None = None, received_at: datetime | None = None
) -> domain.Shipment:
    """Record a receipt, by day or by instant, and settle a published delay; raises NotFound, ShipmentOver."""
    shipment = repository.get(tx, shipment_id)
    if received_on is None:
        received_at = received_at or tx.now
        received_on = _calendar(tx, shipment.destination).local_day(received_at)
    shipment, events = domain.receive_shipment(
        shipment,
        milestone_id=derived_id("receipt", shipment_id),
        received_on=received_on,
        received_at=received_at or _start_of_day(tx, shipment.destination, received_on),
        now=tx.now,
    )
    _save_and_schedule(tx, shipment)
    tx.emit(events)
    for finding in domain.findings_of_receipt(shipment, finding_id=derived_id("finding", shipment_id)):
        repository.append_finding(tx, finding)
        tx.count(metrics.findings.labels(finding.kind))
    return shipment


def get_shipment(tx: Tx, *, shipment_id: UUID) -> domain.Shipment:
    """Return a shipment, locked; raises NotFound."""
    return repository.get(tx, shipment_id)


def cancel_shipment(tx: Tx, *, shipment_id: UUID, reason: str) -> domain.Shipment:
    """Cancel a shipment; raises NotFound, ShipmentOver."""
    shipment, events = domain.cancel_shipment(repository.get(tx, shipment_id), reason=reason, now=tx.now)
    _save_and_schedule(tx, shipment)
    tx.emit(events)
    return shipment


def shipment_falls_due(tx: Tx, *, shipment_id: UUID) -> domain.Shipment:
    """Publish a delay when the promised day of a shipment ended without a receipt."""
    shipment, events = domain.shipment_falls_due(repository.get(tx, shipment_id), now=tx.now)
    _save_and_schedule(tx, shipment)
    tx.emit(events)
    _count_delays(tx, shipment, events)
    return shipment


def _save_and_schedule(tx: Tx, shipment: domain.Shipment) -> None:
    """Save a shipment and set the timer at which it becomes overdue.

    The timer stores the rule beside the instant, so that a changed calendar can move it (FLOW 5.5).
    """
    repository.save(tx, shipment)
    due_at = domain.next_due_at(shipment, tolerance=LogisticsSettings().tolerance)
    if due_at is None:
        tx.disarm(DUE_TIMER, str(shipment.shipment_id))
    else:
        rule = {"site": shipment.destination, "day": shipment.promised_on.isoformat()}
        tx.arm(DUE_TIMER, str(shipment.shipment_id), due_at=due_at, rule=rule, rule_key=f"site:{shipment.destination}")


def _count_delays(tx: Tx, shipment: domain.Shipment, events: Sequence[object]) -> None:
    if events and shipment.told_basis:
        tx.count(metrics.delays_published.labels(shipment.told_basis))


def load_shipments(tx: Tx, *, shipment_ids: Iterable[UUID]) -> None:
    """Lock and load the shipments that a batch will touch."""
    repository.load(tx, shipment_ids)


# ── when a day ends ──────────────────────────────────────────────────────────────────────────────


def _calendar(tx: Tx, site: str) -> Calendar:
    site_calendar = repository.read_site_calendar(tx, site)
    if site_calendar is None:
        tx.count(chassis_metrics.calendars_unknown_total.labels(tx.database.service))
        return Calendar(code="unknown")
    zone = repository.read_calendar_zone(tx, site_calendar.calendar)
    return Calendar(code=site_calendar.calendar, zone=zone.zone if zone else site_calendar.zone)


def _end_of_day(tx: Tx, site: str, day: date) -> datetime:
    return _calendar(tx, site).end_of_day(day)


def _start_of_day(tx: Tx, site: str, day: date) -> datetime:
    return datetime.combine(day, time(0, 0), tzinfo=ZoneInfo(_calendar(tx, site).zone))


def upsert_site_calendar(tx: Tx, *, site: str, zone: str, calendar: str) -> None:
    """Save a site's zone and calendar, and recompute the timers that depend on it (FLOW 5.5)."""
    repository.save_site_calendar(tx, domain.SiteCalendar(site, zone, calendar, tx.now))
    recompute_due_times(tx, site=site)


def upsert_calendar_zone(tx: Tx, *, code: str, zone: str) -> None:
    """Save a calendar's zone, and recompute the timers at every site that uses it."""
    repository.save_calendar_zone(tx, domain.CalendarZone(code, zone, tx.now))
    for site in queries.sites_with_calendar(tx, code):
        recompute_due_times(tx, site=site)


def recompute_due_times(tx: Tx, *, site: str) -> None:
    """Recompute when the promised days of a site's open shipments end."""
    pending = timers.pending_with_rule(tx, f"site:{site}")
    load_shipments(tx, shipment_ids=[UUID(timer.subject) for timer in pending])
    for timer in pending:
        shipment = repository.get(tx, UUID(timer.subject))
        _save_and_schedule(tx, domain.promise_ends(shipment, promised_at=_end_of_day(tx, site, shipment.promised_on)))


# ── carriers and lanes ───────────────────────────────────────────────────────────────────────────


def upsert_carrier(tx: Tx, *, code: str, name: str, active: bool = True) -> domain.Carrier:
    """Register a carrier or change it."""
    carrier = domain.Carrier(subject_id("carrier", "master", code), code, name, active, tx.now)
    repository.save_carrier(tx, carrier)
    return carrier


def upsert_lane(tx: Tx, *, origin: str, destination: str, carrier: str, mode: str, transit_days: int) -> domain.Lane:
    """Register a lane or change its transit time; raises UnknownCarrier."""
    if repository.find_carrier(tx, subject_id("carrier", "master", carrier)) is None:
        raise domain.UnknownCarrier(f"carrier {carrier!r} is not registered; register it first", field="carrier")
    lane_id = subject_id("lane", carrier, f"{origin}>{destination}/{mode}")
    lane = domain.Lane(lane_id, origin, destination, carrier, mode, transit_days, tx.now)
    repository.save_lane(tx, lane)
    return lane
