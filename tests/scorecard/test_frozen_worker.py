"""A stream worker that hangs: the other one has its partitions within the time of the bar."""

from __future__ import annotations

import random
import signal

import pytest

from tests.scorecard.logs import random_log
from tests.scorecard.test_stream import streams
from tests.scorecard.workers import PATIENCE_SECONDS, Streams, woven
from tests.support.service import wait_until

REPLACED_SECONDS_MAX = 45.0
__all__ = ["streams"]  # the fixture


@pytest.mark.timing
def test_a_worker_that_stands_still_is_replaced_within_45_seconds(streams: Streams) -> None:
    """FLOW 4.4: it answers nobody, does not end, and holds two of four partitions."""
    logs = [random_log(f"case {n}", random.Random(n)) for n in range(100)]
    facts = woven(logs)
    workers = [streams.worker(0), streams.worker(1)]
    wait_until(lambda: all(w.ready() for w in workers), seconds=PATIENCE_SECONDS)
    streams.say(facts[: len(facts) // 2])
    wait_until(lambda: all(w.metric("scorecard_stream_measures_total") > 0 for w in workers), seconds=PATIENCE_SECONDS)
    workers[0].process.send_signal(signal.SIGSTOP)
    streams.say(facts[len(facts) // 2 :])
    streams.expect(logs, seconds=REPLACED_SECONDS_MAX)
    assert workers[0].process.poll() is None
