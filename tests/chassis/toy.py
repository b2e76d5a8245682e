"""A service of one table, to hold the chassis to its promises: it counts what it hears and repeats it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, Integer, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import UUID as UuidColumn

from chassis import http
from chassis.messaging.reactions import Reactions
from chassis.persistence.database import Tx
from chassis.persistence.store import Store
from chassis.persistence.tables import aggregate_version, chassis_tables
from chassis.runtime import process
from chassis.scheduling.timers import Timer
from schemas.inventory import ItemChanged, SiteChanged

metadata = MetaData()
chassis = chassis_tables(metadata)
counters = Table(
    "counters",
    metadata,
    Column("item_id", UuidColumn, primary_key=True),
    Column("heard", Integer, nullable=False),
    Column("trail", Text, nullable=False),
    aggregate_version(),
    CheckConstraint("heard <> 1313", name="counters_heard_not_1313"),
    Index("counters_trail_once", "trail", unique=True, postgresql_where=text("trail LIKE 'only%'")),
)


@dataclass(frozen=True, slots=True)
class Counter:
    item_id: UUID
    heard: int = 0
    trail: str = ""


store = Store(Counter, counters, key="item_id")
reactions = Reactions()
router = http.Router()
WAITS, GATE = "waits", 7  # the description of a fact whose reaction waits for this lock of the database
deeds: dict[str, Callable[[Tx, UUID], object]] = {}  # name → what an item of a batch does besides counting
faults: dict[str, type[Exception]] = {}  # description of a fact → what its reaction raises


def load_counters(tx: Tx, events: Sequence[ItemChanged]) -> None:
    tx.load(store, [e.item_id for e in events])


def count(tx: Tx, item_id: UUID, mark: str) -> Counter:
    counter = tx.find(store, item_id) or Counter(item_id)
    counter = replace(counter, heard=counter.heard + 1, trail=counter.trail + mark)
    tx.save(store, counter)
    return counter


@reactions.on(ItemChanged, loads=load_counters)
def when_item_changed_count_it(tx: Tx, event: ItemChanged) -> None:
    if event.description == WAITS:
        tx.cursor().execute("SELECT pg_advisory_xact_lock(%s)", [GATE])
    if event.description in faults:
        raise faults[event.description](event.description)
    count(tx, event.item_id, event.description)


@reactions.on(ItemChanged)
def when_item_changed_repeat_it(tx: Tx, event: ItemChanged) -> None:
    tx.find(store, event.item_id)
    tx.emit(
        [
            SiteChanged(
                occurred_at=event.occurred_at,
                site_id=event.item_id,
                code=event.code,
                name=event.description,
                zone="UTC",
                calendar="c",
            )
        ]
        if tx.find(store, event.item_id)
        else []
    )


@reactions.at("toy-due")
def when_toy_due_count_it(tx: Tx, timer: Timer) -> None:
    if timer.subject in faults:
        raise faults[timer.subject](timer.subject)
    count(tx, UUID(int=9), timer.subject)


@router.act("/counters/{item_id}", may="operate", status=201)
def count_item(item_id: UUID, act: http.ActContext) -> http.Response:
    """Count over HTTP."""
    count(act.tx, item_id, "h")
    tell(act.tx, item_id)
    return http.Response()


class CountItem(http.Item):
    """One item of a batch: it counts, and then does something else, such as to fail."""

    item_id: UUID
    then: str = ""


@router.batch("/counters:batch", may="operate", item=CountItem)
def count_items(body: http.RawBatch, act: http.ActContext) -> http.BatchAnswer:
    """Count up to 500 times over HTTP."""

    def each(tx: Tx, item: CountItem) -> UUID:
        count(tx, item.item_id, "b")
        tell(tx, item.item_id)
        if item.then:
            deeds[item.then](tx, item.item_id)
        return item.item_id

    return http.run_batch(act, body, door="count-items", item=CountItem, each=each)


def tell(tx: Tx, item_id: UUID) -> None:
    tx.emit([ItemChanged(occurred_at=tx.now, item_id=item_id, code="x", description="told", unit="each")])


def arm(tx: Tx, subject: str, *, minutes: int) -> None:
    tx.arm("toy-due", subject, due_at=tx.now + timedelta(minutes=minutes))


def parts() -> process.Parts:
    return process.Parts(name="toy", tables=chassis, routers=[router], reactions=reactions)


if __name__ == "__main__":
    sys.exit(process.main(parts(), sys.argv[1:]))
