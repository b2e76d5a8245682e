"""The stream processor of decision velocity: facts a second on one worker, and how long its state takes to be rebuilt.

Beside it a bare aiokafka consumer does the same in a straight line, and once more only reads: the same client library.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from benchmarks.figures import Figure
from chassis.ids import derived_id
from chassis.messaging import kafka, topics
from cli.stack import Stack, spawn
from schemas import exceptions as events
from schemas.base import Event
from schemas.envelope import encode, wrap
from schemas.topics import INTERNAL, TOPICS
from schemas.types import By, Cause, Money

CASES, CASES_FULL, CASES_KNOWN_FULL, PARTITIONS = 4_000, 20_000, 100_000, 4
WARM_SHARE = 0.1
PATIENCE_SECONDS, LOOK_SECONDS = 120.0, 0.02
SOURCE, TARGET, CHANGELOG = "exceptions.case", "scorecard.measure", "scorecard.stream-cases-changelog"
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
BY, MONEY = By(subject="somebody", role="logistics"), Money(amount=Decimal("1250.00"), currency="USD")


def measure(stack: Stack, full: bool) -> Iterator[Figure]:
    """Fold the facts of many cases, beside a bare consumer."""
    cases = CASES_FULL if full else CASES
    with _world(stack, "stream") as (world, env, folder):
        facts = _fill(stack.infrastructure.kafka_bootstrap, world, cases)
        with _world(stack, "stream-bare") as (other, _, _):
            events = {"BENCH_CHANGELOG": f"{other}.{CHANGELOG}", "BENCH_OUTPUT": f"{other}.{TARGET}"}
            reads, folds = _bare(env, "read"), _bare(env | events, "fold")
        with _worker(env, folder) as (process, _):
            rate = _folded(stack.infrastructure.kafka_bootstrap, world, facts, process)
    yield Figure("stream.facts", rate, "facts/s", at_least=3_000, beside={"bare_consumer": folds, "bare_reader": reads})
    yield Figure("stream.to_bare_consumer", rate / folds, "×", at_least=0.35)


def measure_known_again(stack: Stack, full: bool) -> Iterator[Figure]:
    """Fold the facts of very many cases, kill the worker, and wait until the next one knows them."""
    cases = CASES_KNOWN_FULL if full else CASES
    with _world(stack, "stream-known") as (world, env, folder):
        facts = _fill(stack.infrastructure.kafka_bootstrap, world, cases)
        with _worker(env, folder) as (process, _):
            _folded(stack.infrastructure.kafka_bootstrap, world, facts, process)
            process.kill()
            process.wait()
        began = time.monotonic()
        with _worker(env, folder) as (process, port):
            _ready(port, process)
            rebuilt = time.monotonic() - began
    yield Figure(f"stream.rebuilt_{cases}_cases", rebuilt, "s", at_most=15)


@contextmanager
def _world(stack: Stack, world: str) -> Iterator[tuple[str, dict[str, str], Path]]:
    bootstrap = stack.infrastructure.kafka_bootstrap
    topics.apply(bootstrap, topics.wanted(world, (*TOPICS, *INTERNAL), partitions=PARTITIONS, replication=1))
    folder = stack.home.root / f"bench-{world}"
    folder.mkdir(parents=True, exist_ok=True)
    env = os.environ | {
        "WORLD": world,
        "KAFKA_BOOTSTRAP": bootstrap,
        "AUTH_ISSUER": "-",
        "AUTH_AUDIENCE": "-",
        "AUTH_JWKS": "-",
        "CURSOR_SECRET": "-",
        "BENCH_INPUT": f"{world}.{SOURCE}",
    }
    try:
        yield world, env, folder
    finally:
        topics.drop(bootstrap, world)


@contextmanager
def _worker(env: dict[str, str], folder: Path) -> Iterator[tuple[spawn.Popen, int]]:
    port = spawn.free_port()
    command, told = [sys.executable, "-m", "services.scorecard", "stream"], {"OPS_PORT": str(port)}
    process = spawn.spawn(command, log=folder / "stream.log", env=env | told)
    try:
        yield process, port
    finally:
        process.kill()
        process.wait()


def _bare(env: dict[str, str], what: str) -> float:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.rival_bare", what], env=env, stdout=subprocess.PIPE, check=True, text=True
    )
    return float(done.stdout)


def _folded(bootstrap: str, world: str, facts: int, process: spawn.Popen) -> float:
    """Wait until a measure of each fact is out; return facts a second after the warm-up."""
    admin, warm, begun = kafka.admin(bootstrap), facts * WARM_SHARE, None
    moved_at, last = time.monotonic(), 0
    places = [kafka.TopicPartition(f"{world}.{TARGET}", p) for p in range(PARTITIONS)]
    while (there := sum(kafka.ends(admin, places).values())) < facts:
        now = time.monotonic()
        if begun is None and there >= warm:
            begun = (now, there)
        if there > last:
            moved_at, last = now, there
        if now - moved_at > PATIENCE_SECONDS or process.poll() is not None:
            raise RuntimeError(f"{there} of {facts} facts were folded")
        time.sleep(LOOK_SECONDS)
    assert begun is not None
    return (there - begun[1]) / (time.monotonic() - begun[0])


def _ready(port: int, process: spawn.Popen) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(LOOK_SECONDS)
    raise RuntimeError("the worker is not ready again")


def _fill(bootstrap: str, world: str, cases: int) -> int:
    """Tell the facts of so many cases, a hundred at a time side by side; returns how many facts there are."""
    producer, told = kafka.producer(bootstrap, "bench"), 0
    for first in range(0, cases, 100):
        for facts in zip(*(_facts(n) for n in range(first, min(first + 100, cases))), strict=True):
            for key, value, name in facts:
                producer.produce(f"{world}.{SOURCE}", key=key, value=value, headers={kafka.TYPE_HEADER: name})
                told += 1
            producer.poll(0)
    assert producer.flush(60) == 0
    return told


def _facts(number: int) -> Iterable[tuple[bytes, bytes, str]]:
    """Yield what is said of one case that two functions answer: key, value and name of each fact."""
    case_id = derived_id("bench", "case", number)
    common = {
        "case_id": case_id,
        "cause": Cause(kind="shipment-delay", id=derived_id("bench", "cause", number)),
        "severity": "high",
        "sites": ("Lagos",),
        "customers": ("Acme",),
    }
    tasks = [
        {"task_id": derived_id(str(case_id), function), "kind": kind, "function": function, "required": True}
        for function, kind in (("sales", "notify-customers"), ("procurement", "find-alternative-source"))
    ]
    asked = {"title": "do it", "lines": (), "needed_on": START.date(), "commit_by": START, "complete_by": START}
    steps: list[tuple[type[Event], dict[str, Any]]] = [
        (
            events.CaseOpened,
            {
                "headline": "late",
                "recurrence": 0,
                "cause_occurred_at": START,
                "playbook": "delay",
                "playbook_version": 1,
                "value_at_risk": MONEY,
                "lines": (),
            },
        ),
        *((events.TaskOpened, task | asked) for task in tasks),
        (events.CaseAcknowledged, {"by": BY}),
        *((events.TaskCommitted, task | {"by": BY, "committed_to": START}) for task in tasks),
        (events.CaseDecided, {"by": BY, "choice": "another supplier"}),
        *((events.TaskCompleted, task | {"by": BY, "outcome": "done"}) for task in tasks),
        (events.CaseImplemented, {}),
        (events.CaseVerified, {"by": BY, "outcome": "all well"}),
    ]
    for minute, (what, fields) in enumerate(steps):
        at = START + timedelta(minutes=minute * 7 + number % 5)
        fact = wrap(
            what.model_validate({"occurred_at": at, **common, **fields}),
            id=UUID(int=(minute + 1) << 96 | case_id.int & ((1 << 96) - 1)),
            source="/crossdock/bench/exceptions",
            recorded_at=at,
            correlation_id=case_id,
            causation_id=case_id,
            cause_kind="signal",
        )
        yield str(case_id).encode(), encode(fact), what.event_name
