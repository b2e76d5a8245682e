"""Tell a response log to a world through its public APIs, wait until it is measured, and ask for the figures."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime
from typing import Any

from cli.backfill.reading import Fact, ResponseCase, ResponseLog
from cli.backfill.world import stamp
from cli.figures import OPERATOR, READER
from cli.service_client import BATCH_ITEMS_MAX, DrivenWorld, ImportResult, NeverQuiet, ServiceClient

IMPORT = "/cases:import"
LISTENERS = ("scorecard",)
EAR = "scorecard"
STANDS_SECONDS_MAX = 120.0
LOOK_SECONDS, LOOK_COST = 0.25, 2
US_PER_HOUR = 3_600_000_000


def bring(log: ResponseLog, services: ServiceClient, *, source: str, progress: Callable[[int], None]) -> ImportResult:
    """Tell every case, move the world's clock to the end of the log, and wait until all of it is measured."""
    told = ImportResult()
    for start in range(0, len(log.cases), BATCH_ITEMS_MAX):
        part = log.cases[start : start + BATCH_ITEMS_MAX]
        services.tell("exceptions", IMPORT, [item_of(case) for case in part], source=source, role=READER, imported=told)
        progress(len(part))
    with closing(DrivenWorld(services, listeners=LISTENERS, event_listener=EAR)) as world:
        now = max(world.clocks().values())
        world.advance(max(now, log.end))
        world.wait_until_quiet(whole=True)
        _wait_until_measured(services, world)
    return told


def _wait_until_measured(services: ServiceClient, world: DrivenWorld) -> None:
    """Wait until the stream says of every case what SQL says; it reads its topic apart and is in no service's quiet."""
    least, moved_at = None, time.monotonic()
    while True:
        asked_at = time.monotonic()
        found = services.ask("scorecard", "/velocity/check", role=OPERATOR, quiet="true")
        left, now = found["differences"], time.monotonic()
        if not left:
            return
        if least is None or left < least:
            least, moved_at = left, now
        elif now - moved_at > STANDS_SECONDS_MAX:
            raise NeverQuiet(
                f"{left} of {found['compared']} cases stay unmeasured since {now - moved_at:.0f} s: look at `crossdock"
                " velocity check` and `crossdock status`; the same command goes on."
            )
        # Whoever asks what costs much waits long: the question itself holds up what it asks about.
        time.sleep(max(LOOK_SECONDS, LOOK_COST * (now - asked_at)))
        world.wait_until_quiet(whole=True)


def item_of(case: ResponseCase) -> dict[str, Any]:
    """Return a case as the service takes it."""
    facts = [_fact(fact) for fact in case.facts]
    return {"key": case.key, "headline": case.headline, "severity": case.severity, "facts": facts}


def _fact(fact: Fact) -> dict[str, Any]:
    told = {"kind": fact.kind, "occurred_at": stamp(fact.occurred_at), "recorded_at": stamp(fact.recorded_at)}
    if fact.from_group is not None and fact.to_group is not None:
        told |= {"from_group": fact.from_group, "to_group": fact.to_group}
    return told


def ask_velocity(services: ServiceClient, *, as_of: datetime | None) -> dict[str, Any]:
    """Return the figures as the scorecard says them, in hours."""
    asked = {} if as_of is None else {"as_of": stamp(as_of)}
    said = services.ask("scorecard", "/velocity", role=READER, kind="incident", **asked)
    return {
        "cases": said["n"],
        "open": said["open"],
        "p50_hours": _hours(said["p50_us"]),
        "p90_hours": _hours(said["p90_us"]),
        "p95_hours": _hours(said["p95_us"]),
        "naive_p50_hours": _hours(said["naive_p50_us"]),
        "handoffs": said["handoffs"],
        "acknowledge_p50_hours": _hours(said["acknowledge_p50_us"]),
        "findings": said["findings"],
    }


def _hours(us: int | None) -> float | None:
    return None if us is None else round(us / US_PER_HOUR, 4)


def counts(cases: Sequence[ResponseCase]) -> dict[str, int]:
    """Count facts by kind."""
    found: dict[str, int] = {}
    for case in cases:
        for fact in case.facts:
            found[fact.kind] = found.get(fact.kind, 0) + 1
    return found
