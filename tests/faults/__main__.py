"""Inject faults under load, then check the output: `python -m tests.faults path|brokers|poison|stream|growth|replay`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from cli.stack import Stack
from tests.faults import brokers, replay, trials
from tests.faults.cluster import ThreeBrokers
from tests.support.records import RECORDED, shared_file
from tests.support.stack import Infrastructure


def main(arguments: list[str]) -> int:
    """Run one of the trials; returns 0 only when nothing was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    trials_of = parser.add_subparsers(dest="trial", required=True)
    killed = trials_of.add_parser("replay", help="the delivery records, everything killed once")
    killed.add_argument("--seed", type=int, default=1)
    killed.add_argument("--until", type=date.fromisoformat, default=None)
    killed.add_argument("--file", type=Path, default=None)
    killed.add_argument("--twice", action="store_true", help="then once more into another world, undisturbed")
    killed.add_argument("--json", action="store_true")
    path = trials_of.add_parser("path", help="a small service on the chassis: kills at points, pauses, rebalances, ...")
    path.add_argument("--seed", type=int, default=1)
    path.add_argument("--full", action="store_true", help="as often as the bars say: over an hour")
    path.add_argument("--only", action="append", default=[], help="one fault of the full form")
    path.add_argument("--json", action="store_true")
    three = trials_of.add_parser("brokers", help="the small service on three brokers: leader killed, topics wiped, ...")
    three.add_argument("--seed", type=int, default=1)
    three.add_argument("--full", action="store_true", help="two frozen for 45 s, a folder deleted, a disk full too")
    three.add_argument(
        "--only", action="append", default=[], choices=list(brokers.ALONE), help="one fault of the full form"
    )
    three.add_argument("--json", action="store_true")
    bad = trials_of.add_parser("poison", help="the small service is told what it cannot read, stand or say")
    bad.add_argument("--seed", type=int, default=1)
    bad.add_argument("--full", action="store_true", help="as much as the bars say: 100,000 facts, ten minutes")
    bad.add_argument("--json", action="store_true")
    folded = trials_of.add_parser(
        "stream", help="the workers of decision velocity: killed, rebalanced, frozen, rebuilt"
    )
    folded.add_argument("--seed", type=int, default=1)
    folded.add_argument("--full", action="store_true", help="20 kills, 10 rebalances, 3 freezes")
    folded.add_argument("--json", action="store_true")
    grown = trials_of.add_parser("growth", help="topics gain partitions while consumers and the stream restart")
    grown.add_argument("--seed", type=int, default=1)
    grown.add_argument("--full", action="store_true", help="two members; within and after the session, by kill -9 too")
    grown.add_argument("--json", action="store_true")
    for trial in (path, three, bad, folded, grown):
        trial.add_argument(
            "--untimed", action="store_true", help="tell what was late and do not fail for it: the machine is busy"
        )
    told = parser.parse_args(arguments)
    work = {
        "replay": _replay,
        "path": _path,
        "brokers": _brokers,
        "poison": _seeded(trials.on_poison),
        "stream": _seeded(trials.on_stream),
        "growth": _seeded(trials.on_growth),
    }
    return work[told.trial](told)


@contextmanager
def a_stack() -> Iterator[Stack]:
    """A supervisor on servers of its own, in a temporary folder that goes with it."""
    servers = Infrastructure()
    try:
        told = {"postgres_url": servers.postgres_admin_url, "kafka_bootstrap": servers.kafka_bootstrap}
        with Stack.start(servers.home / "stack", **told) as stack:
            yield stack
    finally:
        servers.close()


def _replay(options: argparse.Namespace) -> int:
    file = options.file or shared_file(RECORDED)
    with a_stack() as stack:
        outcome = replay.run(
            stack, file, seed=options.seed, name=f"kills-{options.seed}", until=options.until, say=_say
        )
        outcomes = [outcome]
        if options.twice:
            stack.drop_world(outcome.world)
            outcomes.append(replay.run(stack, file, seed=0, name="calm", until=options.until, only=(), say=_say))
    for one in outcomes:
        replay.show(one, sys.stderr)
    if options.json:
        print(json.dumps([one.as_json() for one in outcomes], indent=1))
    return int(any(one.faults for one in outcomes))


def _path(options: argparse.Namespace) -> int:
    begun, servers = time.monotonic(), Infrastructure()
    try:
        if options.full or options.only:
            reports = trials.full(servers, seed=options.seed, say=_say, only=options.only)
        else:
            reports = trials.short(servers, seed=options.seed, say=_say)
    finally:
        servers.close()
    return _sum_up(reports, options, begun)


def _brokers(options: argparse.Namespace) -> int:
    begun, servers = time.monotonic(), ThreeBrokers()
    try:
        reports = trials.on_brokers(servers, seed=options.seed, say=_say, every=options.full, only=options.only)
    finally:
        servers.close()
    return _sum_up(reports, options, begun)


def _seeded(trial: Callable[..., list[trials.Report]]) -> Callable[[argparse.Namespace], int]:
    """Return the command of a trial that takes a seed and a form, and servers of its own."""

    def run(options: argparse.Namespace) -> int:
        begun, servers = time.monotonic(), Infrastructure()
        try:
            reports = trial(servers, seed=options.seed, say=_say, every=options.full)
        finally:
            servers.close()
        return _sum_up(reports, options, begun)

    return run


def _sum_up(reports: list[trials.Report], options: argparse.Namespace, started: float) -> int:
    faults = [fault for report in reports for fault in (*report.faults, *(() if options.untimed else report.late))]
    kills = sum(course.times for report in reports for course in report.courses)
    heard = sum(report.inputs for report in reports)
    _say(f"{heard} facts, struck {kills} times, {time.monotonic() - started:.0f} s: {len(faults) or 'nothing'} wrong")
    if options.json:
        print(json.dumps([report.as_json() for report in reports], indent=1))
    return int(bool(faults))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
