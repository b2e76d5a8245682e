"""The service under trial: small, on the chassis, each role a process of its own.

It counts what it hears of each subject and says each count; opens one group per cause, whichever process hears of it
first; and lets a timer fall due for some. All that it does is also written down, row by row, so that a checker that
knows nothing of it can check: `python -m tests.faults.tally consumer`. Some facts are poison to it: their unit says how.
"""

from __future__ import annotations

import hashlib
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID, uuid5

from sqlalchemy import BigInteger, Column, Identity, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import UUID as UuidColumn

from chassis import http
from chassis.messaging import dead_letters, kafka, redrive
from chassis.messaging.reactions import Reactions
from chassis.persistence.database import Database, Tx
from chassis.persistence.store import Store
from chassis.persistence.tables import aggregate_version, chassis_tables
from chassis.runtime import process
from chassis.runtime.clock import WorldClock
from chassis.runtime.settings import ServiceSettings
from chassis.scheduling.timers import Timer
from schemas.inventory import ItemChanged, SiteChanged

NAME, HEARS, SAYS = "tally", "inventory.item", "inventory.site"
COUNTED, OPENED, FELL_DUE = "counted", "opened", "fell-due"
DUE_TIMER, DUE = "tally-due", timedelta(milliseconds=300)
TIMED = "timed"  # the unit of a fact for which a timer shall fall due
RAISES, HANGS, SWELLS = "raises", "hangs", "swells"  # units of facts that are poison to who counts them
SWOLLEN = "swollen"
LETTERS_MAX = 500

metadata = MetaData()
chassis = chassis_tables(metadata)
counters = Table(
    "counters",
    metadata,
    Column("item_id", UuidColumn, primary_key=True),
    Column("inputs", Integer, nullable=False),
    Column("chain", Text, nullable=False),
    aggregate_version(),
)
groups = Table(
    "groups",
    metadata,
    Column("group_id", UuidColumn, primary_key=True),
    Column("members", Integer, nullable=False),
    aggregate_version(),
)
done = Table(
    "done",
    metadata,
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    Column("what", Text, nullable=False),
    Column("subject", UuidColumn, nullable=False),
    Column("mark", Text, nullable=False),
    Column("cause", UuidColumn, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Counter:
    """How often a subject was heard of, and a hash over the marks in their order."""

    item_id: UUID
    inputs: int = 0
    chain: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Everything that names the same cause."""

    group_id: UUID
    members: int = 0


counter_store = Store(Counter, counters, key="item_id")
group_store = Store(Group, groups, key="group_id")
reactions = Reactions()
mended = threading.Event()  # set in a release in which nothing hangs any more


class Poisoned(RuntimeError):
    """A fact that this service cannot stand."""


def group_of(cause: str) -> UUID:
    """Return the id of a cause's group."""
    return uuid5(UUID(int=0), cause)


def linked(chain: str, mark: str) -> str:
    """Return the chain with one more mark: it tells in which order all of them came."""
    return hashlib.sha256(f"{chain} {mark}".encode()).hexdigest()[:16]


def load_all(tx: Tx, events: Sequence[ItemChanged]) -> None:
    tx.load(counter_store, [e.item_id for e in events])
    tx.load(group_store, [group_of(e.description) for e in events])


@reactions.on(ItemChanged, loads=load_all)
def when_item_changed_count_it(tx: Tx, event: ItemChanged) -> None:
    if event.unit == RAISES:
        raise Poisoned(event.code)
    if event.unit == HANGS:
        mended.wait()
    counter = tx.find(counter_store, event.item_id) or Counter(event.item_id)
    tx.save(counter_store, replace(counter, inputs=counter.inputs + 1, chain=linked(counter.chain, event.code)))
    _did(tx, COUNTED, event.item_id, event.code)
    if event.unit == TIMED:
        tx.arm(DUE_TIMER, f"{event.item_id} {event.code}", due_at=tx.now + DUE)
    if event.unit == SWELLS:  # unchecked: no fact that was made as it should be grows so large
        tx.emit(
            [
                SiteChanged.model_construct(
                    occurred_at=tx.now,
                    site_id=event.item_id,
                    code=event.code,
                    name=SWOLLEN,
                    zone="x" * kafka.TOPIC_BYTES_MAX,
                    calendar="-",
                )
            ]
        )


@reactions.on(ItemChanged, loads=load_all)
def when_item_changed_join_its_group(tx: Tx, event: ItemChanged) -> None:
    if event.unit == RAISES:
        return  # what was never counted leaves no trace
    identity = group_of(event.description)
    group = tx.find(group_store, identity)
    tx.save(group_store, replace(group or Group(identity), members=group.members + 1 if group else 1))
    if group is None:
        _did(tx, OPENED, identity, event.description)


@reactions.at(DUE_TIMER)
def when_tally_due_say_it(tx: Tx, timer: Timer) -> None:
    subject, _, mark = timer.subject.partition(" ")
    tx.load(counter_store, [UUID(subject)])
    _did(tx, FELL_DUE, UUID(subject), mark)


def _did(tx: Tx, what: str, subject: UUID, mark: str) -> None:
    tx.append(done, {"what": what, "subject": subject, "mark": mark, "cause": tx.context.causation_id})
    tx.emit([SiteChanged(occurred_at=tx.now, site_id=subject, code=mark, name=what, zone="UTC", calendar="-")])


def redrive_all(settings: ServiceSettings) -> int:
    """Run every dead letter again, as an operator does once the hang is mended; returns the exit code."""
    mended.set()
    database = Database(
        settings.database_url,
        service=NAME,
        world=settings.world,
        tables=chassis,
        clock=WorldClock.parse(settings.world_clock),
    )
    after = 0
    while True:
        with database.reading() as read:
            letters = dead_letters.listed(read, dead_letters.DeadLetterFilter(), after=after, limit=LETTERS_MAX)
        if not letters:
            return process.EXIT_OK
        for letter in letters:
            redrive.redrive(database, reactions, letter, driven=settings.driven)
        after = letters[-1]["dead_letter_id"]


def parts() -> process.Parts:
    """Return what this service consists of."""
    return process.Parts(
        name=NAME, tables=chassis, routers=[http.Router()], reactions=reactions, own_roles={"redrive": redrive_all}
    )


if __name__ == "__main__":
    sys.exit(process.main(parts(), sys.argv[1:]))
