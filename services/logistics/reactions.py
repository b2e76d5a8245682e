"""What logistics does when it hears a fact, or when a promised day ends."""

from __future__ import annotations

from uuid import UUID

from chassis.messaging.reactions import Reactions
from chassis.persistence.database import Tx
from chassis.scheduling.timers import Timer
from schemas.collaboration import CalendarChanged
from schemas.inventory import SiteChanged
from services.logistics import operations

reactions = Reactions()


@reactions.on(SiteChanged)
def when_site_changed_keep_its_calendar(tx: Tx, event: SiteChanged) -> None:
    """A promised day ends in the destination's calendar."""
    operations.upsert_site_calendar(tx, site=event.code, zone=event.zone, calendar=event.calendar)


@reactions.on(CalendarChanged)
def when_calendar_changed_keep_its_zone(tx: Tx, event: CalendarChanged) -> None:
    """A changed calendar arms again what hangs on it."""
    operations.upsert_calendar_zone(tx, code=event.code, zone=event.zone)


@reactions.at(operations.DUE_TIMER)
def when_shipment_due_tell_delay(tx: Tx, timer: Timer) -> None:
    """The promised day ended: silence is a delay too."""
    operations.shipment_falls_due(tx, shipment_id=UUID(timer.subject))
