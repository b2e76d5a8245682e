"""What the asynchronous rivals share: the same tables on an asynchronous ORM session, and one message's work.

As SQLAlchemy's "Asynchronous I/O" page advises: one AsyncSession per unit of work, `expire_on_commit=False`, asyncpg.
https://docs.sqlalchemy.org/en/21/orm/extensions/asyncio.html
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from benchmarks import work
from benchmarks.rival_orm import Outbox, Tally
from chassis.ids import time_ordered_id
from chassis.persistence.partitions import made_on
from schemas.envelope import Envelope, decode, encode, wrap


def sessions() -> async_sessionmaker[AsyncSession]:
    """Return what makes a session on the run's database."""
    url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://", 1)
    return async_sessionmaker(create_async_engine(url), expire_on_commit=False)


def read(value: bytes) -> Envelope:
    """Validate a record with the adapter that everybody uses."""
    return decode(value, "inventory.stock.changed.v1")


def outbox_row(row: Tally, envelope: Envelope) -> Outbox:
    """Count a fact on its row; return the outbox row that says so."""
    after, said = work.counted(work.Tally(row.stock_id, row.received, row.on_hand), envelope.data)
    row.received, row.on_hand, row.version = after.received, after.on_hand, row.version + 1
    out = wrap(
        said,
        id=time_ordered_id(),
        source="/crossdock/bench/inventory",
        recorded_at=datetime.now(UTC),
        correlation_id=work.NOBODY,
        causation_id=envelope.id,
        cause_kind="event",
    )
    return Outbox(
        event_id=out.id,
        topic=os.environ["BENCH_OUTPUT"],
        key=out.subject,
        type=out.type,
        payload=encode(out).decode(),
        stored_at=datetime.now(UTC),
    )


async def one(make: async_sessionmaker[AsyncSession], value: bytes) -> None:
    """Do one message in one transaction: claim, load, count, save, store."""
    envelope = read(value)
    async with make.begin() as session:
        claim = (
            insert(work.chassis.inbox)
            .values(event_id=envelope.id, reaction="count", made_on=made_on(envelope.id))
            .on_conflict_do_nothing()
        )
        if (await session.execute(claim.returning(work.chassis.inbox.c.event_id))).first() is None:
            return
        found = select(Tally).where(Tally.stock_id == envelope.data.stock_id).with_for_update()
        row = (await session.scalars(found)).first()
        if row is None:
            row = Tally(stock_id=envelope.data.stock_id, received=0, on_hand=Decimal(0), version=0)
            session.add(row)
        session.add(outbox_row(row, envelope))
