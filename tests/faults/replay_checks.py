"""Checks of a replay: figures against the file, topics against outboxes, tasks against what started them."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from cli.stack import Stack
from cli.stack.worlds import World
from tests.faults import facts
from tests.records import oracle
from tests.support.command import COMMAND
from tests.support.needs import CHECKOUT

FIRST, LAST = 0.10, 0.90
COMMAND_SECONDS_MAX = 300.0
NOTHING_WRONG = {"quarantined_rows": 0, "duplicates": 0, "dead_letters": 0, "orphans": 0}
ONE_PER_CASE = {"sales.impact": "sales.impact.assessed.v1", "procurement.sourcing": "procurement.sourcing.opened.v1"}
PLAN_DOOR, DUE_TIMER = "plan-shipments", "shipment-due"
MEASURED = "scorecard.measure"  # said by the stream processor, which has no outbox


@dataclass(frozen=True)
class Kill:
    """One death: when it was meant to be and was, why it counts, who came after and when all was as before."""

    meant: float
    share: float
    victim: str
    why: str
    pid_before: int
    pid_after: int
    back_seconds: float


@dataclass
class Outcome:
    """What a replay came to, and every sentence that is wrong with it."""

    world: str
    seed: int
    latest: float = LAST
    kills: list[Kill] = field(default_factory=list)
    actual: dict[str, Any] = field(default_factory=dict)
    expected: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    topics: dict[str, Any] = field(default_factory=dict)
    why: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return all of it."""
        return {**asdict(self), "ok": not self.faults}


def environment(stack: Stack) -> dict[str, str]:
    """Return the environment of a command that speaks to this stack."""
    left_out = ("POSTGRES_URL", "KAFKA_BOOTSTRAP", "CROSSDOCK_TOKEN", "CROSSDOCK_WORLD")
    env = {name: value for name, value in os.environ.items() if name not in left_out}
    return env | {"CROSSDOCK_HOME": str(stack.home.root), "PYTHONUNBUFFERED": "1"}


def recorded(rows: list[oracle.Row], until: date | None) -> int:
    """Count the shipments whose delivery is recorded by a day."""
    last = until or date.max
    return len({r["ASN/DN #"] for r in rows if oracle.written_day(r["Delivery Recorded Date"]) <= last})


def expected(rows: list[oracle.Row], until: date | None) -> dict[str, Any]:
    """Count from the file what must come out."""
    last = until or date.max
    figures = {
        name: float(value) if isinstance(value, Decimal) else value
        for name, value in oracle.figures(rows, last).items()
    }
    return {**figures, **NOTHING_WRONG, "fingerprint": oracle.fingerprint(oracle.verdicts(rows, last))}


def differences(actual: Mapping[str, Any], expected: Mapping[str, Any]) -> list[str]:
    """Say of each figure that is not as it must be what it is."""
    return [
        f"{name} is {actual.get(name)!r}, and must be {value!r}"
        for name, value in expected.items()
        if actual.get(name) != value
    ]


def check(outcome: Outcome, stack: Stack, world: World) -> None:
    """Note everything that is wrong: figures, moments, topics against outboxes, causes."""
    outcome.faults += differences(outcome.actual, outcome.expected)
    outcome.faults += [f"the replay was told no to: {one}" for one in outcome.actual.get("refused", [])]
    outcome.faults += [
        f"{kill.victim} died at {kill.share:.1%}, outside {FIRST:.0%} to {outcome.latest:.0%}"
        for kill in outcome.kills
        if not FIRST <= kill.share <= outcome.latest
    ]
    outcome.faults += [
        f"{kill.victim} has the same process id after its death"
        for kill in outcome.kills
        if kill.pid_before == kill.pid_after
    ]
    _check_topics(outcome, stack, world)
    _check_causes(outcome, stack, world)


def _check_topics(outcome: Outcome, stack: Stack, world: World) -> None:
    stored = [row for service in world.services for row in facts.stored_facts(world.database_urls[service])]
    names = sorted({row.topic for row in stored} | set(ONE_PER_CASE))
    told = facts.published_facts(
        stack.kafka_bootstrap, {name: f"{world.name}.{name}" for name in names if name != MEASURED}
    )
    agreement = facts.compare((row for row in stored if row.topic != MEASURED), told)
    outcome.faults += agreement.faults()
    outcome.topics = {"facts": agreement.facts, "records": agreement.records, "told_again": agreement.again}
    for topic, kind in ONE_PER_CASE.items():
        ids = [record.event_id for record in told[topic] if record.type == kind]
        outcome.topics[kind] = {"facts": len(set(ids)), "records": len(ids)}
        if len(set(ids)) != outcome.expected["cases"]:
            outcome.faults.append(f"{len(set(ids))} {kind}, and must be {outcome.expected['cases']}")
        if not outcome.kills and len(ids) != len(set(ids)):
            outcome.faults.append(f"{len(ids) - len(set(ids))} {kind} told again, though nobody was killed")


def _check_causes(outcome: Outcome, stack: Stack, world: World) -> None:
    crossdock(stack, "login", "--as", "viewer", "--world", world.name)
    *tasks, total = documents(crossdock(stack, "why", "--all", "--world", world.name, "--json"))
    roots = Counter(str(task["root"].get("what")) for task in tasks)
    timers = Counter(str(timer.get("what")) for task in tasks for timer in task["timers"])
    without = [task["task"] for task in tasks if not task["timers"]]
    outcome.why = {
        "tasks": len(tasks),
        "roots": dict(roots),
        "timers": dict(timers),
        "orphans": total["orphans"]["count"],
    }
    if len(tasks) != sum(outcome.expected["tasks"].values()):
        outcome.faults.append(f"why --all walks {len(tasks)} tasks back")
    if set(roots) - {PLAN_DOOR}:
        outcome.faults.append(f"tasks go back to {dict(roots)}, and must all go back to the plan of a shipment")
    if without or set(timers) - {DUE_TIMER}:
        outcome.faults.append(f"{len(without)} tasks have no timer; timers are {dict(timers)}")
    if total["orphans"]["count"]:
        outcome.faults.append(f"{total['orphans']['count']} orphans: {total['orphans']['examples'][:3]}")


def documents(text: str) -> list[dict[str, Any]]:
    """Read JSON documents that follow each other."""
    found, at, decoder = [], 0, json.JSONDecoder()
    while at < len(text):
        one, end = decoder.raw_decode(text, at)
        found.append(one)
        while end < len(text) and text[end].isspace():
            end += 1
        at = end
    return found


def crossdock(stack: Stack, *words: str) -> str:
    """Run a command to its end and return what it printed. Raises RuntimeError with what it said."""
    done = subprocess.run(
        [*COMMAND, *words],
        cwd=CHECKOUT,
        env=environment(stack),
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS_MAX,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"crossdock {' '.join(words)} ended with {done.returncode}: {done.stderr[-1000:]}")
    return done.stdout
