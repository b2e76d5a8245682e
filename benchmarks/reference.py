"""The baseline: the same SQL statements without any abstraction, `python -m benchmarks.reference consumer|relay`.

It validates with the same adapter, claims in the same inbox and writes the same outbox, but has no logs, metrics,
retries or parked subjects. The difference is the cost of the chassis.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime
from typing import Any

import psycopg

from benchmarks.work import NOBODY, Tally, counted
from chassis.ids import time_ordered_id
from chassis.messaging import kafka
from chassis.persistence.partitions import made_on
from schemas.envelope import Envelope, decode, encode, wrap

BATCH = 500
STOP: list[int] = []


def main(role: str) -> int:
    """Run one role until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: STOP.append(1))
    url = os.environ["DATABASE_URL"].replace("+psycopg", "")
    with psycopg.connect(
        url, autocommit=role == "relay", prepare_threshold=None if role == "relay" else 5
    ) as connection:
        (relay if role == "relay" else consume)(connection)
    return 0


def consume(connection: psycopg.Connection[Any]) -> None:
    """Consume, do, commit."""
    consumer = kafka.group_consumer(
        os.environ["KAFKA_BOOTSTRAP"], f"{os.environ['WORLD']}.reference", int(os.environ.get("INSTANCE", "0"))
    )
    consumer.subscribe([os.environ["BENCH_INPUT"]])
    cursor = connection.cursor()
    while not STOP:
        first = consumer.poll(0.05)
        if first is None:
            continue
        messages = [first, *consumer.consume(BATCH - 1, timeout=0)]
        envelopes = [decode(m.value() or b"", "inventory.stock.changed.v1") for m in messages]
        work(cursor, envelopes)
        connection.commit()
        consumer.commit(asynchronous=True)
    consumer.close()


def work(cursor: psycopg.Cursor[Any], envelopes: list[Envelope]) -> None:
    """Claim, load, count, save, store."""
    told = sorted(e.id for e in envelopes)
    claimed = cursor.execute(
        "INSERT INTO inbox (event_id, reaction, made_on) SELECT * FROM unnest(%b::uuid[], %b::text[], %b::date[])"
        " ON CONFLICT DO NOTHING RETURNING event_id",
        [told, ["count"] * len(told), [made_on(one) for one in told]],
        binary=True,
    ).fetchall()
    new = {row[0] for row in claimed}
    ids = sorted({e.data.stock_id for e in envelopes})
    rows = cursor.execute(
        "SELECT stock_id, received, on_hand, version FROM tallies WHERE stock_id = ANY(%b::uuid[])"
        " ORDER BY stock_id FOR UPDATE",
        [ids],
        binary=True,
    ).fetchall()
    known = {row[0]: Tally(*row[:3]) for row in rows}
    payloads, keys, types, event_ids = [], [], [], []
    now = datetime.now(UTC)
    for envelope in envelopes:
        if envelope.id not in new:
            continue
        stock = envelope.data.stock_id
        known[stock], said = counted(known.get(stock) or Tally(stock), envelope.data)
        out = wrap(
            said,
            id=time_ordered_id(),
            source="/crossdock/bench/inventory",
            recorded_at=now,
            correlation_id=NOBODY,
            causation_id=envelope.id,
            cause_kind="event",
            traceparent=envelope.traceparent,
        )
        payloads.append(encode(out).decode())
        keys.append(out.subject)
        types.append(out.type)
        event_ids.append(out.id)
    changed = [known[i] for i in ids]
    cursor.execute(
        "INSERT INTO tallies (stock_id, received, on_hand, version)"
        " SELECT *, 1 FROM unnest(%b::uuid[], %b::int[], %b::numeric[])"
        " ON CONFLICT (stock_id) DO UPDATE"
        " SET received = EXCLUDED.received, on_hand = EXCLUDED.on_hand, version = tallies.version + 1",
        [ids, [t.received for t in changed], [t.on_hand for t in changed]],
    )
    cursor.execute(
        "INSERT INTO outbox (event_id, topic, key, type, payload, stored_at)"
        " SELECT u.e, %s, u.k, u.t, u.p, %s FROM unnest(%b::uuid[], %b::text[], %b::text[], %b::text[])"
        " WITH ORDINALITY AS u(e, k, t, p, n) ORDER BY n",
        [os.environ["BENCH_OUTPUT"], now, event_ids, keys, types, payloads],
    )
    cursor.execute("NOTIFY outbox")


def relay(connection: psycopg.Connection[Any]) -> None:
    """Publish what is pending, in order, and mark it."""
    connection.execute("LISTEN outbox")
    connection.execute("ANALYZE outbox")
    producer = kafka.producer(os.environ["KAFKA_BOOTSTRAP"], "bench.reference")
    while not STOP:
        rows = connection.execute(
            "SELECT position, topic, key, type, payload, stored_at FROM outbox"
            " WHERE published_at IS NULL ORDER BY position LIMIT 1000",
            prepare=False,
        ).fetchall()
        for _, topic, key, name, payload, _ in rows:
            producer.produce(topic, value=payload.encode(), key=key.encode(), headers={kafka.TYPE_HEADER: name})
        producer.flush()
        if rows:
            connection.execute(
                "UPDATE outbox SET published_at = %s WHERE published_at IS NULL"
                " AND position = ANY(%b::bigint[]) AND stored_at BETWEEN %s AND %s",
                [datetime.now(UTC), [r[0] for r in rows], min(r[5] for r in rows), max(r[5] for r in rows)],
            )
        if len(rows) < 1000:
            for _ in connection.notifies(timeout=0.05, stop_after=1):
                pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
