"""The checker: it reads the input log, the output topic and the database, and knows nothing of how they came about.

Each function is given plain rows. What it finds is outputs with its place: lost, doubled, out of order per subject,
effect without cause, two timers for one due time, state that is not the sum of what was inputs.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

SHOWN_MAX = 5
COUNTED, OPENED, FELL_DUE = "counted", "opened", "fell-due"


class Input(NamedTuple):
    """A record of the input log; `order` is its place in the partition."""

    partition: int
    order: int
    event_id: str
    subject: str
    mark: str
    group: str
    timed: bool


class Output(NamedTuple):
    """A record of the output topic."""

    partition: int
    order: int
    event_id: str
    what: str
    subject: str
    mark: str
    cause: str
    armed_by: str | None


class Did(NamedTuple):
    """A row that the service wrote beside its state, in the transaction of what it did."""

    number: int
    what: str
    subject: str
    mark: str
    cause: str
    armed_by: str | None


@dataclass
class Trail:
    """Everything there is to check."""

    inputs: list[Input] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    did: list[Did] = field(default_factory=list)
    counters: dict[str, tuple[int, str]] = field(default_factory=dict)
    groups: dict[str, int] = field(default_factory=dict)


@dataclass
class Verdict:
    """What is wrong, by kind."""

    inputs: int = 0
    outputs: int = 0
    again: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)
    without_cause: list[str] = field(default_factory=list)
    two_timers: list[str] = field(default_factory=list)
    state: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Return how many of each kind."""
        kinds = ("lost", "doubled", "out_of_order", "without_cause", "two_timers", "state")
        return {kind: len(getattr(self, kind)) for kind in kinds}

    def faults(self) -> list[str]:
        """Return a sentence for each kind of which there is one."""
        return [
            f"{count} {kind.replace('_', ' ')}: {'; '.join(getattr(self, kind)[:SHOWN_MAX])}"
            for kind, count in self.counts().items()
            if count
        ]


def check(trail: Trail) -> Verdict:
    """Check a service that has come to rest."""
    verdict = Verdict(inputs=len(trail.inputs))
    outputs = _once(trail.outputs, verdict)
    inputs = _inputs(trail.inputs)
    _effects(inputs, [(s.what, s.subject, s.mark, s.cause, s.armed_by) for s in outputs], "topic", verdict)
    _effects(inputs, [(d.what, d.subject, d.mark, d.cause, d.armed_by) for d in sorted(trail.did)], "database", verdict)
    _order(inputs, [(s.subject, s.mark) for s in outputs if s.what == COUNTED], "topic", verdict)
    _order(inputs, [(d.subject, d.mark) for d in sorted(trail.did) if d.what == COUNTED], "database", verdict)
    _state(inputs, trail, verdict)
    return verdict


def _once(outputs: Sequence[Output], verdict: Verdict) -> list[Output]:
    """Leave out what was told again under its own id: at least once is what a topic promises."""
    found = {s.event_id: s for s in sorted(outputs, reverse=True)}  # the first of each stays
    verdict.outputs, verdict.again = len(found), len(outputs) - len(found)
    return sorted(found.values())


def _inputs(inputs: Sequence[Input]) -> list[Input]:
    found = {h.event_id: h for h in sorted(inputs, reverse=True)}
    return sorted(found.values())


def ordered_as_fed(trail: Trail) -> Trail:
    """Return a trail whose input topic grew: a subject's facts lie in several partitions, in the order of their numbers."""
    return replace(trail, inputs=[h._replace(partition=0, order=int(h.mark)) for h in trail.inputs])


Effect = tuple[str, str, str, str, str | None]


def _effects(inputs: Sequence[Input], effects: Sequence[Effect], where: str, verdict: Verdict) -> None:
    """Every cause has its effects once, and every effect a cause."""
    causes = {h.event_id: h for h in inputs}
    found = Counter((what, subject, mark) for what, subject, mark, _, _ in effects)
    wanted: list[tuple[str, str, str]] = [(COUNTED, h.subject, h.mark) for h in inputs]
    wanted += [(FELL_DUE, h.subject, h.mark) for h in inputs if h.timed]
    opened = Counter(mark for what, _, mark, _, _ in effects if what == OPENED)
    verdict.lost += [f"{where}: {' '.join(one)}" for one in wanted if one not in found]
    verdict.lost += [f"{where}: {OPENED} {group}" for group in sorted({h.group for h in inputs}) if group not in opened]
    for one, times in found.items():
        if times > 1 or (one[0] == OPENED and opened[one[2]] > times):
            (verdict.two_timers if one[0] == FELL_DUE else verdict.doubled).append(f"{where}: {' '.join(one)}")
    for what, subject, mark, cause, armed_by in effects:
        named = causes.get(cause if what != FELL_DUE else armed_by or "")
        if what == OPENED:
            right = named is not None and named.group == mark
        else:
            right = named is not None and (named.subject, named.mark) == (subject, mark)
        if not right:
            verdict.without_cause.append(f"{where}: {what} {subject} {mark} names {cause}")


def _order(inputs: Sequence[Input], effects: Iterable[tuple[str, str]], where: str, verdict: Verdict) -> None:
    """What was done of one subject follows the order of the input log."""
    place: dict[tuple[str, str], int] = {}
    for number, h in enumerate(inputs):
        place.setdefault((h.subject, h.mark), number)
    latest: dict[str, int] = defaultdict(lambda: -1)
    for subject, mark in dict.fromkeys(effects):  # one that is done again is doubled, which is counted elsewhere
        at = place.get((subject, mark))
        if at is None:
            continue
        if at < latest[subject]:
            verdict.out_of_order.append(f"{where}: {subject} {mark}")
        latest[subject] = max(latest[subject], at)


def _state(inputs: Sequence[Input], trail: Trail, verdict: Verdict) -> None:
    """The state is what the whole input log folds to; an overwritten change shows here."""
    chains: dict[str, tuple[int, str]] = {}
    members: Counter[str] = Counter()
    for h in inputs:
        count, chain = chains.get(h.subject, (0, ""))
        chains[h.subject] = count + 1, hashlib.sha256(f"{chain} {h.mark}".encode()).hexdigest()[:16]
        members[h.group] += 1
    verdict.state += _unequal("counter", chains, trail.counters)
    verdict.state += _unequal("group", dict(members), trail.groups)


def _unequal(what: str, expected: Mapping[str, Hashable], actual: Mapping[str, Hashable]) -> list[str]:
    return [
        f"{what} {key} is {actual.get(key)}, and must be {expected.get(key)}"
        for key in sorted({*expected, *actual})
        if expected.get(key) != actual.get(key)
    ]
