"""For tests and try-outs: the in-process broker that librdkafka carries, alone with `python -m chassis.messaging.testing`.

It speaks the real protocol and keeps nothing.
"""

from __future__ import annotations

import signal

from chassis.messaging.kafka import ASK_SECONDS_MAX, Producer


class InProcessBroker:
    """A broker inside this process, on a loopback port, in memory only (about 5 MB per partition)."""

    def __init__(self) -> None:
        self._holder = Producer({"bootstrap.servers": "", "test.mock.num.brokers": 1, "log_level": 3})
        metadata = self._holder.list_topics(timeout=ASK_SECONDS_MAX)
        broker = next(iter(metadata.brokers.values()))
        self.bootstrap = f"{broker.host}:{broker.port}"


if __name__ == "__main__":
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    broker = InProcessBroker()  # it lasts as long as somebody holds it
    print(broker.bootstrap, flush=True)
    signal.sigwait(ends)
