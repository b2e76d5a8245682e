"""For tests and try-outs: the in-process broker that librdkafka carries. It speaks the real protocol and keeps nothing."""

from __future__ import annotations

import signal
import sys
import threading

from chassis.kafka import ASK_SECONDS_MAX, Producer


class InProcessBroker:
    """A broker inside this process, on a loopback port, in memory only (about 5 MB per partition)."""

    def __init__(self) -> None:
        self._holder = Producer({"bootstrap.servers": "", "test.mock.num.brokers": 1, "log_level": 3})
        metadata = self._holder.list_topics(timeout=ASK_SECONDS_MAX)
        broker = next(iter(metadata.brokers.values()))
        self.bootstrap = f"{broker.host}:{broker.port}"


def _serve() -> int:
    broker = InProcessBroker()
    print(broker.bootstrap, flush=True)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    stop.wait()
    return 0


if __name__ == "__main__":
    if sys.argv[1:] != ["broker"]:
        print("usage: python -m chassis.testing broker", file=sys.stderr)
        sys.exit(2)
    sys.exit(_serve())
