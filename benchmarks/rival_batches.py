"""FastStream with batches on the asynchronous ORM: `python -m benchmarks.rival_batches consumer|relay`.

One transaction per 500 records: claims and outbox rows in one insert each, rows locked by one query in the order of
their ids, the ORM's unit of work for the rest. Its relay publishes a thousand rows and marks them in one statement.
Batches: https://faststream.ag2.ai/latest/confluent/Subscriber/batch_subscriber/
Bulk inserts: https://docs.sqlalchemy.org/en/21/orm/queryguide/dml.html
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal

from faststream import AckPolicy, FastStream
from faststream.confluent import KafkaBroker
from sqlalchemy import create_engine, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from benchmarks import rival_async, work
from benchmarks.rival_async import outbox_row, read
from benchmarks.rival_faststream import raw
from benchmarks.rival_orm import Outbox, Tally
from chassis.messaging import kafka
from chassis.persistence.partitions import made_on

BATCH, ROWS, POLL_SECONDS = 500, 1000, 0.05
STOP: list[int] = []


async def work_off(make: async_sessionmaker[AsyncSession], values: list[bytes]) -> None:
    """Do a batch in one transaction."""
    envelopes = [read(value) for value in values]
    async with make.begin() as session:
        inbox = work.chassis.inbox
        rows = [
            {"event_id": e.id, "reaction": "count", "made_on": made_on(e.id)}
            for e in sorted(envelopes, key=lambda e: e.id.int)
        ]
        claims = upsert(inbox).values(rows).on_conflict_do_nothing().returning(inbox.c.event_id)
        new = set((await session.scalars(claims)).all())
        ids = sorted({e.data.stock_id for e in envelopes}, key=lambda one: one.int)
        found = select(Tally).where(Tally.stock_id.in_(ids)).order_by(Tally.stock_id).with_for_update()
        known = {row.stock_id: row for row in (await session.scalars(found)).all()}
        said = []
        for envelope in envelopes:
            if envelope.id not in new:
                continue
            stock = envelope.data.stock_id
            if stock not in known:
                known[stock] = Tally(stock_id=stock, received=0, on_hand=Decimal(0), version=0)
                session.add(known[stock])
            row = outbox_row(known[stock], envelope)
            said.append({n: getattr(row, n) for n in ("event_id", "topic", "key", "type", "payload", "stored_at")})
        await session.flush()
        if said:
            await session.execute(insert(work.chassis.outbox), said)


def main() -> int:
    """Serve until SIGTERM."""
    broker = KafkaBroker(os.environ["KAFKA_BOOTSTRAP"], logger=None)
    make = rival_async.sessions()

    subscriber = broker.subscriber(
        os.environ["BENCH_INPUT"],
        group_id=f"{os.environ['WORLD']}.batches",
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.ACK,
        decoder=raw,
        batch=True,
        max_records=BATCH,
    )

    async def count(values: list[bytes]) -> None:
        await work_off(make, values)

    subscriber(count)
    asyncio.run(FastStream(broker, logger=None).run())
    return 0


def relay() -> int:
    """Look each 50 ms; publish a thousand, mark them at once."""
    signal.signal(signal.SIGTERM, lambda *_: STOP.append(1))
    engine = create_engine(os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1))
    producer = kafka.producer(os.environ["KAFKA_BOOTSTRAP"], "bench.batches")
    table = Outbox.__table__
    pending = select(table.c.position, table.c.topic, table.c.key, table.c.type, table.c.payload)
    pending = pending.where(table.c.published_at.is_(None)).order_by(table.c.position).limit(ROWS)
    while not STOP:
        with engine.begin() as connection:
            rows = connection.execute(pending).all()
            for row in rows:
                producer.produce(
                    row.topic, value=row.payload.encode(), key=row.key.encode(), headers={kafka.TYPE_HEADER: row.type}
                )
            producer.flush()
            if rows:
                mine = update(Outbox).where(Outbox.position.in_([r.position for r in rows]))
                connection.execute(
                    mine.values(published_at=datetime.now(UTC)).execution_options(synchronize_session=False)
                )
        if len(rows) < ROWS:
            time.sleep(POLL_SECONDS)
    return 0


if __name__ == "__main__":
    sys.exit(relay() if sys.argv[1] == "relay" else main())
