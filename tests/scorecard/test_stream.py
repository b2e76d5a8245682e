"""The stream processor on a real Kafka, as processes of its own: two workers, kills, restarts, duplicates, planted bugs."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid5

import httpx
import pytest

from chassis.messaging import topics
from schemas.envelope import Envelope
from schemas.topics import INTERNAL, TOPICS
from tests.scorecard.logs import Log, random_log
from tests.scorecard.workers import CASES, CHECKOUT, PATIENCE_SECONDS, UNREAD_SECONDS_MAX, Streams, expected, woven
from tests.support.service import ServiceUnderTest, wait_until
from tests.support.stack import Infrastructure


@pytest.fixture
def streams(infra: Infrastructure, tmp_path: Path) -> Iterator[Streams]:
    opened = Streams(infra, tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def one_partition(infra: Infrastructure, tmp_path: Path) -> Iterator[Streams]:
    opened = Streams(infra, tmp_path, partitions=1)
    yield opened
    opened.close()


def test_velocity_of_a_thousand_cases_survives_a_kill_and_equals_sql(
    streams: Streams, scorecard: ServiceUnderTest
) -> None:
    """FLOW 4.4, 5.6: four partitions, two workers each with cases, kill -9 of one in the middle."""
    logs = [random_log(f"case {n}", random.Random(n)) for n in range(CASES)]
    facts = woven(logs)
    workers = [streams.worker(0), streams.worker(1)]
    wait_until(lambda: all(w.ready() for w in workers), seconds=PATIENCE_SECONDS)
    feeding = threading.Thread(target=feed, args=(streams, facts))
    feeding.start()
    wait_until(
        lambda: all(w.metric("scorecard_stream_measures_total") > 300 for w in workers), seconds=PATIENCE_SECONDS
    )
    victim = workers[1]
    before = victim.process.pid
    victim.kill()
    victim.start()
    feeding.join()
    assert victim.process.pid != before
    streams.expect(logs)
    assert all(w.metric(r'scorecard_stream_facts_total\{outcome="folded"\}') > 0 for w in workers)
    scorecard.consume(*facts)
    scorecard.consume(*streams.measures)
    check = scorecard.get("/velocity/check", params={"quiet": True}).json()
    assert (check["compared"], check["differences"]) == (CASES, 0)
    assert {e.id for e in streams.measures} == {uuid5(f.data.case_id, str(f.id)) for f in facts}


def feed(streams: Streams, facts: list[Envelope]) -> None:
    for start in range(0, len(facts), 500):
        streams.say(facts[start : start + 500])


def test_a_worker_that_stays_away_is_replaced_by_the_other(streams: Streams) -> None:
    """FLOW 4.4: the state is in the changelog; whoever gets the partition goes on from it."""
    logs = [random_log(f"case {n}", random.Random(n)) for n in range(200)]
    facts = woven(logs)
    workers = [streams.worker(0), streams.worker(1)]
    wait_until(lambda: all(w.ready() for w in workers), seconds=PATIENCE_SECONDS)
    streams.say(facts[: len(facts) // 2])
    wait_until(lambda: all(w.metric("scorecard_stream_measures_total") > 0 for w in workers), seconds=PATIENCE_SECONDS)
    workers[0].kill()
    streams.say(facts[len(facts) // 2 :])
    streams.expect(logs)
    assert [*streams.temporary.iterdir(), *CHECKOUT.glob("*-data")] == [], "what is killed leaves no folder behind"


LONG_SESSION = """
import sys
from services.scorecard import __main__ as scorecard
from services.scorecard.stream import app
from chassis.runtime import process
app.SESSION_SECONDS = app.REQUEST_SECONDS_MAX = 120.0
sys.exit(process.main(scorecard.parts(), ["stream"]))
"""


def test_partitions_added_while_a_worker_restarts_within_its_session_are_folded(streams: Streams) -> None:
    """The broker gives it its former partitions back and starts no rebalance (KIP-814); its session outlasts a slow start."""
    before = [random_log(f"before {n}", random.Random(n)) for n in range(10)]
    worker = streams.worker(0, "-c", LONG_SESSION)
    streams.say(woven(before))
    streams.expect(before)
    worker.end()
    streams.grow(2 * streams.partitions)
    worker.start()
    wait_until(worker.ready, seconds=PATIENCE_SECONDS)
    after = [random_log(f"after {n}", random.Random(n)) for n in range(40)]
    streams.say(woven(after))
    streams.expect(before + after, seconds=UNREAD_SECONDS_MAX)


def test_partitions_added_while_workers_run_are_folded(streams: Streams) -> None:
    """Their producers have sent to the former partitions, and send to the new ones without a restart."""
    before = [random_log(f"before {n}", random.Random(n)) for n in range(40)]
    workers = [streams.worker(0), streams.worker(1)]
    wait_until(lambda: all(worker.ready() for worker in workers), seconds=PATIENCE_SECONDS)
    streams.say(woven(before))
    streams.expect(before)
    streams.grow(2 * streams.partitions)
    after = [random_log(f"after {n}", random.Random(n)) for n in range(40)]
    streams.say(woven(after))
    streams.expect(before + after, seconds=UNREAD_SECONDS_MAX)
    assert [worker.process.poll() for worker in workers] == [None, None]


def test_facts_that_repeat_or_come_in_the_wrong_order_measure_the_same(one_partition: Streams) -> None:
    """FLOW 4.4: state per case id; a replay changes nothing."""
    logs = [random_log(f"case {n}", random.Random(n)) for n in range(60)]
    facts = [e for log in logs for e in log.envelopes]
    chance = random.Random(4)
    shuffled = facts + chance.sample(facts, len(facts) // 2)
    chance.shuffle(shuffled)
    worker = one_partition.worker()
    one_partition.say(shuffled)
    whole = [log for log in logs if log.envelopes]
    wanted = {log.case_id: (r := expected(log)).facts and (r.state, r.phases, r.severity, r.rank) for log in whole}
    wait_until(
        lambda: {i: (r.state, r.phases, r.severity, r.rank) for i, r in one_partition.readings().items()} == wanted,
        seconds=PATIENCE_SECONDS,
        every=0.2,
    )
    assert worker.end() == 0


def test_the_histogram_counts_each_implemented_case_and_phase_once(one_partition: Streams) -> None:
    """METRICS 3.1: under a replay of the topic and a restart; the sum is the velocity of the very cases."""
    logs = [Log(f"{h} h").implemented_after(h) for h in (1, 2, 5)]
    facts = [e for log in logs for e in log.envelopes]
    whole = r'scorecard_decision_seconds_{0}\{{cause="shipment-delay",phase="whole",severity="high"\}}'
    worker = one_partition.worker()
    one_partition.say(facts + facts)
    wait_until(
        lambda: worker.ready() and worker.metric(r"scorecard_stream_measures_total") == 2 * len(facts),
        seconds=PATIENCE_SECONDS,
    )
    assert (worker.metric(whole.format("count")), worker.metric(whole.format("sum"))) == (3, 8 * 3600)
    assert worker.metric(whole.format("bucket").replace("phase", 'le="\\+Inf",phase')) == 3
    assert worker.end() == 0
    worker.start()
    more = Log("7 h").implemented_after(7)
    one_partition.say(facts + more.envelopes)
    wait_until(
        lambda: worker.ready() and worker.metric(r"scorecard_stream_measures_total") >= len(facts),
        seconds=PATIENCE_SECONDS,
    )
    wait_until(lambda: worker.metric(whole.format("count")) == 1)
    assert worker.metric(whole.format("sum")) == 7 * 3600


def test_open_cases_and_lag_are_shown(one_partition: Streams) -> None:
    """LAYERS 8: names and labels of the stream."""
    begun = time.time()
    one_partition.say([*Log("open").opened().asked("sales").envelopes, *Log("done").implemented_after(1).envelopes])
    worker = one_partition.worker()
    wait_until(lambda: worker.ready() and worker.metric(r"scorecard_cases_open\{") == 1, seconds=PATIENCE_SECONDS)
    wait_until(lambda: worker.metric("scorecard_stream_lag_events") == 0)
    assert worker.metric(r"scorecard_stream_progress_timestamp_seconds") >= begun
    assert httpx.get(f"http://127.0.0.1:{worker.port}/health", timeout=PATIENCE_SECONDS).status_code == 200


def test_what_cannot_be_read_is_counted_and_holds_nobody_up(one_partition: Streams) -> None:
    """Faust swallows what it cannot decode; silence is not success."""
    log = Log("good").implemented_after(1)
    one_partition.say_bytes("x", b"no json")
    one_partition.say_bytes("x", b'{"type": "exceptions.case.opened.v1"}')
    one_partition.say_bytes("x", b'{"type": "exceptions.case.danced.v1"}')
    one_partition.say_bytes("x", None)
    one_partition.say(log.envelopes)
    worker = one_partition.worker()
    one_partition.expect([log])
    assert worker.metric(r'scorecard_stream_facts_total\{outcome="unreadable"\}') == 4


STUCK = """
import sys, types
from faust.types import TP
from services.scorecard.stream import watchdog as stream
from chassis.runtime import log
from chassis.runtime.settings import ServiceSettings
stream.STUCK_SECONDS, stream.LOOK_SECONDS = 1.0, 0.1
settings = ServiceSettings()
log.configure("scorecard", "stream", settings.world)
tp = TP(settings.topic(stream.SOURCE), 0)
consumer = types.SimpleNamespace(assignment=lambda: {tp}, _committed_offset={})
worker = types.SimpleNamespace(settings=settings, states=types.SimpleNamespace(read=0), positions={tp: int(sys.argv[1])}, ends={}, app=types.SimpleNamespace(consumer=consumer))
watchdog = stream.Watchdog(worker)
watchdog.start()
watchdog.join(float(sys.argv[2]))
"""


@pytest.mark.parametrize(("position", "seconds", "code"), [(1, 60, 75), (4, 4, 0)])
def test_a_worker_with_facts_to_fold_that_does_not_move_is_ended(
    one_partition: Streams, position: int, seconds: int, code: int
) -> None:
    """A watchdog that exits when lag > 0 and nothing moves; one with nothing to do is left alone."""
    one_partition.say(Log("stuck").implemented_after(1).envelopes)
    environment = os.environ | {
        "WORLD": one_partition.name,
        "KAFKA_BOOTSTRAP": one_partition.bootstrap,
        "AUTH_ISSUER": "-",
        "AUTH_AUDIENCE": "-",
        "AUTH_JWKS": "-",
        "CURSOR_SECRET": "-",
    }
    command = [sys.executable, "-c", STUCK, str(position), str(seconds)]
    done = subprocess.run(
        command, env=environment, cwd=CHECKOUT, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert ("stream.stuck" in done.stdout) == bool(code)


def test_a_worker_without_its_topics_ends_and_says_what_to_do(infra: Infrastructure, tmp_path: Path) -> None:
    """Topics are made from the register, never by a client."""
    bare = Streams(infra, tmp_path, partitions=0)
    try:
        worker = bare.worker()
        assert worker.process.wait(PATIENCE_SECONDS) == 1
        assert "tools.apply_topics" in worker.log.read_text()
    finally:
        bare.close()


@pytest.mark.parametrize("other", ["scorecard.measure", INTERNAL[0].name])
def test_a_worker_whose_topics_are_divided_otherwise_ends(infra: Infrastructure, tmp_path: Path, other: str) -> None:
    """A measure and a state go to the partition of their fact: one divided otherwise would take them astray."""
    bare = Streams(infra, tmp_path, partitions=0)
    wanted = topics.wanted(bare.name, (*TOPICS, *INTERNAL), partitions=4, replication=1)
    for topic in wanted:
        topic.num_partitions = 5 if topic.topic == f"{bare.name}.{other}" else 4
    topics.apply(bare.bootstrap, wanted)
    try:
        worker = bare.worker()
        assert worker.process.wait(PATIENCE_SECONDS) == 1
        assert "topics.wrong" in worker.log.read_text()
    finally:
        bare.close()
