"""Trials of the path: which faults, how often, and what the checker says of each."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from chassis.runtime import crash_points
from tests.faults import brokers, fold, growth, poison, stream
from tests.faults.checker import Verdict, check
from tests.faults.cluster import ThreeBrokers
from tests.faults.fault_injection import ALONE, SHORT, Course, Fault
from tests.faults.path import Trial
from tests.support.stack import Infrastructure

RATE = 400.0
KILLS, REBALANCES = 50, 20
FULL_TIMES = {"pauses": 20, "rebalances": REBALANCES, "database": 10, "cuts": 20, "relays": 10, "clock": 11}
MIXED_ROUNDS = 15
SHORT_FOLD_KILLS, FULL_FOLD_KILLS = 2, 50
Say = Callable[[str], None]
Plan = Sequence[tuple[Fault, int]]


@dataclass
class Report:
    """What one trial came to."""

    name: str
    seed: int
    seconds: float = 0.0
    inputs: int = 0
    outputs: int = 0
    again: int = 0
    courses: list[Course] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @property
    def late(self) -> list[str]:
        """Return a sentence for each time at which work flowed again too late."""
        return [sentence for course in self.courses for sentence in course.late]

    def as_json(self) -> dict[str, Any]:
        """Return all of it."""
        return {**asdict(self), "ok": not self.faults and not self.late}


def run(
    infra: Infrastructure,
    name: str,
    plan: Plan,
    *,
    seed: int,
    say: Say,
    made: Callable[..., Trial] = Trial,
    rate: float = RATE,
) -> Report:
    """Let faults loose on one world, one after the other, and check what is left when it rests."""
    begun, report, chance = time.monotonic(), Report(name, seed), random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="xd-path-") as folder:
        trial = made(infra, Path(folder), seed=seed)
        try:
            with trial.feeding(rate):
                trial.start("relay")
                trial.start("consumer")
                for fault, times in plan:
                    course = fault(trial, chance, times)
                    report.courses.append(course)
                    report.faults += course.faults
                    say(row_of(course))
            trial.start("relay")
            trial.start("consumer")
            trial.wait_until_rest()
            _take(report, check(trial.trail()))
            report.faults += trial.faults()
            report.counts |= trial.figures()
        except BaseException:
            say(trial.last_words())
            raise
        finally:
            trial.close()
    report.seconds = round(time.monotonic() - begun, 1)
    say(sum_of(report))
    return report


def run_fold(infra: Infrastructure, *, seed: int, times: int, say: Say) -> Report:
    """Kill the stream processor inside its fold and check its measures."""
    begun, report = time.monotonic(), Report(crash_points.IN_FOLD, seed)
    with tempfile.TemporaryDirectory(prefix="xd-fold-") as folder:
        course, report.inputs = fold.run(infra, Path(folder), seed=seed, times=times)
    report.courses, report.faults = [course], course.faults
    report.seconds = round(time.monotonic() - begun, 1)
    say(row_of(course))
    say(sum_of(report))
    return report


def short(infra: Infrastructure, *, seed: int, say: Say) -> list[Report]:
    """Let every fault strike once or twice, all in one world."""
    say(HEAD)
    return [
        run(infra, "short", list(SHORT.values()), seed=seed, say=say),
        run_fold(infra, seed=seed, times=SHORT_FOLD_KILLS, say=say),
    ]


def full(infra: Infrastructure, *, seed: int, say: Say, only: Sequence[str] = ()) -> list[Report]:
    """Let each fault strike alone, as often as the bars say, and then all of them mixed."""
    say(HEAD)
    reports = [
        run(infra, name, [(fault, FULL_TIMES.get(name, KILLS))], seed=seed, say=say)
        for name, fault in ALONE.items()
        if not only or name in only
    ]
    if not only or crash_points.IN_FOLD in only:
        reports.append(run_fold(infra, seed=seed, times=FULL_FOLD_KILLS, say=say))
    if not only or "mixed" in only:
        chance = random.Random(seed)
        plan = [(chance.choice(list(SHORT.values()))[0], 1) for _ in range(MIXED_ROUNDS)]
        reports.append(run(infra, "mixed", plan, seed=seed, say=say))
    return reports


def on_brokers(infra: ThreeBrokers, *, seed: int, say: Say, every: bool, only: Sequence[str] = ()) -> list[Report]:
    """Let the faults of three brokers strike: a few in one world, or each alone, as often as the bars say.

    Alone, because rebuilding takes as long as what is rebuilt: a world that has seen every fault has a long history.
    """
    say(HEAD)
    if not every and not only:
        return [run(infra, "three brokers", list(brokers.SHORT.values()), seed=seed, say=say, made=brokers.BrokerTrial)]
    return [
        run(infra, name, [strike], seed=seed, say=say, made=brokers.BrokerTrial)
        for name, strike in brokers.ALONE.items()
        if not only or name in only
    ]


def on_poison(infra: Infrastructure, *, seed: int, say: Say, every: bool) -> list[Report]:
    """Mix poison into a steady flow, in one world: a little, or as much as the bars say."""
    say(HEAD)
    form = poison.FULL if every else poison.SHORT
    made = partial(poison.PoisonTrial, form=form)
    plan = [(poison.fed_with_poison, form.events)]
    return [run(infra, "poison", plan, seed=seed, say=say, made=made, rate=poison.RATE)]


def on_stream(infra: Infrastructure, *, seed: int, say: Say, every: bool) -> list[Report]:
    """Kill, rebalance and freeze the stream's workers, rebuild their state, and ask SQL."""
    say(HEAD)
    begun, report = time.monotonic(), Report("stream", seed)
    with tempfile.TemporaryDirectory(prefix="xd-stream-") as folder:
        form = stream.FULL if every else stream.SHORT
        report.courses, report.inputs = stream.run(infra, Path(folder), seed=seed, form=form)
    report.faults = [fault for course in report.courses for fault in course.faults]
    report.seconds = round(time.monotonic() - begun, 1)
    for course in report.courses:
        say(row_of(course))
    say(sum_of(report))
    return [report]


def on_growth(infra: Infrastructure, *, seed: int, say: Say, every: bool) -> list[Report]:
    """Add partitions to topics while consumers, and then the stream's workers, run or restart."""
    say(HEAD)
    form = growth.FULL if every else growth.SHORT
    plan = [(growth.grown_while_restarted(form), len(form.strikes))]
    # This fault feeds by itself, because it drains the topic before each growth.
    consumers = run(infra, "growth", plan, seed=seed, say=say, made=growth.GrownTrial, rate=0)
    begun, report = time.monotonic(), Report("growth, stream", seed)
    with tempfile.TemporaryDirectory(prefix="xd-growth-") as folder:
        course, report.inputs = growth.run_stream(infra, Path(folder), seed=seed, form=form)
    report.courses, report.faults = [course], course.faults
    report.seconds = round(time.monotonic() - begun, 1)
    say(row_of(course))
    say(sum_of(report))
    return [consumers, report]


def _take(report: Report, verdict: Verdict) -> None:
    report.inputs, report.outputs, report.again = verdict.inputs, verdict.outputs, verdict.again
    report.counts = verdict.counts()
    report.faults += verdict.faults()


HEAD = f"{'fault':<24} {'times':>5}  flow back: median, longest"


def row_of(course: Course) -> str:
    """Return the line of one fault."""
    back = f"{median(course.back):5.1f} s {max(course.back):5.1f} s" if course.back else ""
    notes = ", ".join(f"{number} {what}" for what, number in course.notes.items())
    return f"{course.name:<24} {course.times:>5}  {back}  {notes}".rstrip()


def sum_of(report: Report) -> str:
    """Return the lines of a trial's verdict."""
    counts = ", ".join(f"{number} {kind.replace('_', ' ')}" for kind, number in report.counts.items())
    lines = [
        f"  = {report.name}, seed {report.seed}: {report.inputs} facts in, {report.outputs} out ({report.again} told again), {report.seconds:.0f} s: {counts or 'measures as the fold says'}"
    ]
    lines += [f"  WRONG: {fault}" for fault in report.faults]
    return "\n".join(lines + [f"  LATE: {sentence}" for sentence in report.late])
