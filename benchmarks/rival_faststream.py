"""FastStream, one async transaction per message: `python -m benchmarks.rival_faststream consumer|relay`.

Messages are acknowledged manually after the commit, as its documentation advises, so that none is lost.
https://faststream.ag2.ai/latest/confluent/ack/ and https://faststream.ag2.ai/latest/getting-started/acknowledgement/
Its relay is that of benchmarks.rival_orm.
"""

from __future__ import annotations

import asyncio
import os
import sys

from faststream import AckPolicy, FastStream
from faststream.confluent import KafkaBroker

from benchmarks import rival_async, rival_orm


async def raw(message: object) -> bytes:
    """Give the handler the record's bytes: they are validated by the adapter that everybody uses."""
    body: bytes = message.body  # type: ignore[attr-defined]  # FastStream names no type for what a decoder is given
    return body


def main() -> int:
    """Serve until SIGTERM."""
    broker = KafkaBroker(os.environ["KAFKA_BOOTSTRAP"], logger=None)
    make = rival_async.sessions()

    subscriber = broker.subscriber(
        os.environ["BENCH_INPUT"],
        group_id=f"{os.environ['WORLD']}.faststream",
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.ACK,
        decoder=raw,
    )

    async def count(value: bytes) -> None:
        await rival_async.one(make, value)

    subscriber(count)
    asyncio.run(FastStream(broker, logger=None).run())
    return 0


if __name__ == "__main__":
    sys.exit(rival_orm.main("relay") if sys.argv[1] == "relay" else main())
