"""`python -m benchmarks.rival_bare read|fold`: what aiokafka does without Faust.

`read` takes the input topic to its end and does nothing with it. `fold` does in a straight line what the stream
processor does for each fact: decode, fold, keep the state in a changelog, say the measure, commit what the broker has.
https://aiokafka.readthedocs.io/en/stable/consumer.html and https://aiokafka.readthedocs.io/en/stable/producer.html
"""

from __future__ import annotations

import asyncio
import os
import sys
import time

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from chassis.messaging import topics
from schemas import catalogue  # noqa: F401  every class of fact must be known before the first is decoded
from schemas.scorecard import MeasureRecorded
from services.scorecard import domain

PARTITIONS, BATCH = 4, 500
HEADERS = [(topics.TYPE_HEADER, MeasureRecorded.event_name.encode())]


async def main(what: str) -> float:
    """Return records a second."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=os.environ["KAFKA_BOOTSTRAP"], group_id="bench.bare", enable_auto_commit=False
    )
    await consumer.start()
    places = [TopicPartition(os.environ["BENCH_INPUT"], p) for p in range(PARTITIONS)]
    consumer.assign(places)
    await consumer.seek_to_beginning(*places)
    facts = sum((await consumer.end_offsets(places)).values())
    begun = time.perf_counter()
    await (_read if what == "read" else _fold)(consumer, facts)
    seconds = time.perf_counter() - begun
    await consumer.stop()
    return float(facts / seconds)


async def _read(consumer: AIOKafkaConsumer, left: int) -> None:
    async for _ in consumer:
        left -= 1
        if not left:
            return


async def _fold(consumer: AIOKafkaConsumer, left: int) -> None:
    changelog, target = os.environ["BENCH_CHANGELOG"], os.environ["BENCH_OUTPUT"]
    cases: dict[bytes, domain.Case] = {}
    async with AIOKafkaProducer(bootstrap_servers=os.environ["KAFKA_BOOTSTRAP"], acks="all", linger_ms=5) as producer:
        while left:
            sent = []
            for place, records in (await consumer.getmany(max_records=BATCH)).items():
                for record in records:
                    heard = domain.decode_fact(record.value)
                    case = domain.fold(cases.get(record.key), heard.event)
                    found = domain.measure(case)
                    new = {} if found is None else domain.observable(found, case.observed)
                    cases[record.key] = case = domain.observe(case, frozenset(new))
                    state = domain.serialize(case, "unknown" if found is None else found.state)
                    sent.append(await producer.send(changelog, state, record.key, place.partition))
                    if found is not None:
                        measure = domain.encode_measure(case, found, heard, source="/crossdock/bench/scorecard")
                        sent.append(await producer.send(target, measure, record.key, place.partition, headers=HEADERS))
                left -= len(records)
            await asyncio.gather(*sent)
            await consumer.commit()


if __name__ == "__main__":
    print(uvloop.run(main(sys.argv[1])))
