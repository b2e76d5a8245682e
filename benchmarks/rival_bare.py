"""`python -m benchmarks.rival_bare`: an aiokafka consumer that reads the input topic to its end and does nothing with it.

What the stream processor could do at most, were folding free: https://aiokafka.readthedocs.io/en/stable/consumer.html
"""

from __future__ import annotations

import asyncio
import os
import time

from aiokafka import AIOKafkaConsumer, TopicPartition

PARTITIONS = 4


async def main() -> float:
    """Return records a second."""
    consumer = AIOKafkaConsumer(bootstrap_servers=os.environ["KAFKA_BOOTSTRAP"], enable_auto_commit=False)
    await consumer.start()
    places = [TopicPartition(os.environ["BENCH_INPUT"], p) for p in range(PARTITIONS)]
    consumer.assign(places)
    await consumer.seek_to_beginning(*places)
    left = sum((await consumer.end_offsets(places)).values())
    told, begun = int(left), time.perf_counter()
    async for _ in consumer:
        left -= 1
        if not left:
            break
    seconds = time.perf_counter() - begun
    await consumer.stop()
    return told / seconds


if __name__ == "__main__":
    print(asyncio.run(main()))
