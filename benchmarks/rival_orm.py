"""A conventional ORM implementation with a polling relay: `python -m benchmarks.rival_orm consumer|relay`.

One transaction per message, tuned as the documentation of SQLAlchemy and confluent-kafka advises: one session per unit
of work with `expire_on_commit=False`, prepared statements, offsets stored after the commit and committed in the
background, one producer flush per hundred rows, a poll every 50 ms.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import create_engine, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, sessionmaker

from benchmarks import work
from chassis.ids import time_ordered_id
from chassis.messaging import kafka
from chassis.persistence.partitions import made_on
from schemas.envelope import decode, encode, wrap

POLL_SECONDS, ROWS = 0.05, 100
STOP: list[int] = []


class Base(DeclarativeBase):
    """Maps the tables that everybody has."""

    metadata = work.metadata


class Tally(Base):
    """Count and last level of one stock."""

    __table__ = work.tallies
    stock_id: Mapped[UUID]
    received: Mapped[int]
    on_hand: Mapped[Decimal]
    version: Mapped[int]


class Outbox(Base):
    """One event to be published."""

    __table__ = work.chassis.outbox
    __mapper_args__ = {"primary_key": [__table__.c.position, __table__.c.stored_at]}  # noqa: RUF012  read by SQLAlchemy
    position: Mapped[int]
    topic: Mapped[str]
    key: Mapped[str]
    type: Mapped[str]
    payload: Mapped[str]
    stored_at: Mapped[datetime]
    published_at: Mapped[datetime | None]


def main(role: str) -> int:
    """Run one role until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: STOP.append(1))
    engine = create_engine(os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1))
    (relay if role == "relay" else consume)(sessionmaker(engine, expire_on_commit=False))
    return 0


def consume(sessions: sessionmaker[Session]) -> None:
    """One message, one transaction."""
    consumer = kafka.group_consumer(
        os.environ["KAFKA_BOOTSTRAP"], f"{os.environ['WORLD']}.orm", int(os.environ.get("INSTANCE", "0"))
    )
    consumer.subscribe([os.environ["BENCH_INPUT"]])
    while not STOP:
        message = consumer.poll(POLL_SECONDS)
        if message is None:
            continue
        with sessions.begin() as session:
            handle(session, message.value() or b"")
        consumer.commit(message=message, asynchronous=True)
    consumer.close()


def handle(session: Session, value: bytes) -> None:
    """Claim, load, count, save, store."""
    envelope = decode(value, "inventory.stock.changed.v1")
    claim = (
        insert(work.chassis.inbox)
        .values(event_id=envelope.id, reaction="count", made_on=made_on(envelope.id))
        .on_conflict_do_nothing()
    )
    if session.execute(claim.returning(work.chassis.inbox.c.event_id)).first() is None:
        return
    row = session.scalars(select(Tally).where(Tally.stock_id == envelope.data.stock_id).with_for_update()).first()
    if row is None:
        row = Tally(stock_id=envelope.data.stock_id, received=0, on_hand=Decimal(0), version=0)
        session.add(row)
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
    session.add(
        Outbox(
            event_id=out.id,
            topic=os.environ["BENCH_OUTPUT"],
            key=out.subject,
            type=out.type,
            payload=encode(out).decode(),
            stored_at=datetime.now(UTC),
        )
    )


def relay(sessions: sessionmaker[Session]) -> None:
    """Look each 50 ms; publish a hundred, mark them."""
    producer = kafka.producer(os.environ["KAFKA_BOOTSTRAP"], "bench.orm")
    while not STOP:
        with sessions.begin() as session:
            pending = select(Outbox).where(Outbox.published_at.is_(None)).order_by(Outbox.position).limit(ROWS)
            rows = session.scalars(pending.with_for_update()).all()
            for row in rows:
                producer.produce(
                    row.topic, value=row.payload.encode(), key=row.key.encode(), headers={kafka.TYPE_HEADER: row.type}
                )
            producer.flush()
            for row in rows:
                row.published_at = datetime.now(UTC)
        if len(rows) < ROWS:
            time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
