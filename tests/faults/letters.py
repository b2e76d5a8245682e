"""The checker of poison: what is bad lies in the dead letters as it came, nobody good waited for it, a re-drive adds nothing.

It reads the input log, the output topic and the database, and knows nothing of how they came about. Each function is
given plain rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple

SHOWN_MAX = 5
GOOD_SECONDS_MAX = 1.0
RESTART_SECONDS_MAX = 12.0  # as after any death of a process
CATCH_UP_SECONDS_MAX = 2.0  # after it: all that was produced since the hang waits

GOOD = "good"
BROKEN, WRONG_TYPE, UNKNOWN_EVENT, UNKNOWN_VERSION = "broken", "wrong-type", "unknown-event", "unknown-version"
UNREAD = (BROKEN, WRONG_TYPE, UNKNOWN_EVENT, UNKNOWN_VERSION)
RAISES, HANGS, SWELLS = "raises", "hangs", "swells"
COUNTS = "when_item_changed_count_it"
HUNG, PARKED, OUTBOX, TOO_LARGE = "hung", "parked", "outbox", "too-large"
EXPECTED_CAUSES = {
    BROKEN: ("unreadable", "undecodable"),
    WRONG_TYPE: ("unreadable", "undecodable"),
    UNKNOWN_EVENT: ("unreadable", "unknown"),
    UNKNOWN_VERSION: ("unreadable", "unknown"),
    RAISES: (COUNTS, "Poisoned"),
    HANGS: (COUNTS, HUNG),
}
Place = tuple[int, int]


class Fed(NamedTuple):
    """A record of the input log; `at` is when it was produced."""

    partition: int
    offset: int
    at: float
    kind: str
    key: str
    event_id: str  # empty where it cannot be read
    value: bytes

    @property
    def place(self) -> Place:
        return self.partition, self.offset


class Answered(NamedTuple):
    """A record of the output topic, and the fact it answers."""

    cause: str
    at: float


class Letter(NamedTuple):
    """A row of the dead letters; partition -1 where it never left its own service."""

    partition: int
    offset: int
    reaction: str
    value: bytes
    cause: str
    at: float


class Unsaid(NamedTuple):
    """An outbox row over the limit, and the fact that caused it."""

    position: int
    cause: str
    payload: bytes


class Standing(NamedTuple):
    """What the database holds at rest: effects in their order, state, and each letter with its bytes and whether it is done with."""

    did: Sequence[tuple[str, str, str]]
    state: Mapping[str, object]
    letters: Mapping[tuple[int, int, str], tuple[str, str, bool]]


@dataclass
class Findings:
    """What is wrong, by kind, and how long the slowest took."""

    missing: list[str] = field(default_factory=list)
    altered: list[str] = field(default_factory=list)
    wrong_cause: list[str] = field(default_factory=list)
    good_but_dead: list[str] = field(default_factory=list)
    delayed: list[str] = field(default_factory=list)
    free_ms: list[int] = field(default_factory=list)
    held_ms: list[int] = field(default_factory=list)

    def faults(self) -> list[str]:
        """Return a sentence for each kind of which there is one."""
        kinds = ("missing", "altered", "wrong_cause", "good_but_dead", "delayed")
        return [
            f"{len(found)} {kind.replace('_', ' ')}: {'; '.join(found[:SHOWN_MAX])}"
            for kind in kinds
            if (found := getattr(self, kind))
        ]


def check_letters(fed: Sequence[Fed], unsaid: Sequence[Unsaid], letters: Iterable[Letter], findings: Findings) -> None:
    """See that all poison is in the dead letters, with cause and bytes, and nothing else."""
    left = {(letter.partition, letter.offset, letter.reaction): letter for letter in letters}
    seen: set[str] = set()
    for one in sorted(fed):
        if one.kind in EXPECTED_CAUSES:
            reaction, cause = EXPECTED_CAUSES[one.kind]
            if one.kind not in UNREAD and one.key in seen:
                cause = PARKED  # told again: it waits behind the first of its subject
            seen.add(one.key)
            _expect(left.pop((*one.place, reaction), None), f"{one.kind} at {one.place}", cause, one.value, findings)
    for row in unsaid:
        letter = left.pop((-1, row.position, OUTBOX), None)
        _expect(letter, f"outbox row {row.position}", TOO_LARGE, row.payload, findings)
    caused = Counter(row.cause for row in unsaid)
    for event_id in sorted({one.event_id for one in fed if one.kind == SWELLS}):
        if caused[event_id] != 1:
            findings.missing.append(f"{event_id} swelled {caused[event_id]} times")
    findings.good_but_dead += [f"{place}: {letter.cause}" for place, letter in sorted(left.items())]


def _expect(letter: Letter | None, what: str, cause: str, value: bytes, findings: Findings) -> None:
    if letter is None:
        findings.missing.append(what)
    elif letter.value != value:
        findings.altered.append(what)
    elif letter.cause != cause:
        findings.wrong_cause.append(f"{what}: {letter.cause} instead of {cause}")


def check_delays(
    fed: Sequence[Fed],
    answers: Iterable[Answered],
    letters: Iterable[Letter],
    findings: Findings,
    *,
    hang_seconds: float,
) -> None:
    """See that no good fact was answered late; who shares a partition with a hang may wait until it is in its letter.

    Events without any answer are found by the checker in checker.py.
    """
    answered: dict[str, float] = {}
    for answer in answers:
        answered[answer.cause] = min(answer.at, answered.get(answer.cause, answer.at))
    firsts = {one.event_id: one for one in sorted(fed, reverse=True) if one.event_id}
    buried = {(letter.partition, letter.offset): letter.at for letter in letters if letter.cause == HUNG}
    holds = []
    for hang in firsts.values():
        if hang.kind == HANGS:
            latest = hang.at + hang_seconds + RESTART_SECONDS_MAX
            end = min(latest, buried.get(hang.place, latest)) + CATCH_UP_SECONDS_MAX
            holds.append((hang.partition, hang.at - GOOD_SECONDS_MAX, end))
    for one in sorted(firsts.values()):
        if one.kind not in (GOOD, SWELLS) or one.event_id not in answered:
            continue
        took, free = answered[one.event_id] - one.at, one.at + GOOD_SECONDS_MAX
        held = [end for partition, begin, end in holds if partition == one.partition and begin <= one.at and free < end]
        (findings.held_ms if held else findings.free_ms).append(round(took * 1000))
        if answered[one.event_id] > max([free, *held]):
            findings.delayed.append(f"{one.key} at {one.place} by {took:.2f} s")


def check_hangs(fed: Sequence[Fed], marks: Iterable[tuple[int, int, str]]) -> list[str]:
    """See that each hang was known by its attempt mark, and nothing else was taken for one."""
    hung = {one.event_id: one for one in sorted(fed, reverse=True) if one.kind == HANGS}
    wanted, seen = {(*one.place, COUNTS) for one in hung.values()}, Counter(marks)
    faults = [f"no attempt mark of the hang at {place}" for place in sorted(wanted - set(seen))]
    faults += [f"an attempt mark at {place}, where nothing hangs" for place in sorted(set(seen) - wanted)]
    return faults + [f"{times} attempt marks at {place}" for place, times in sorted(seen.items()) if times > 1]


def check_redrives(
    before: Standing, first: Standing, second: Standing, mended: AbstractSet[tuple[str, str]]
) -> list[str]:
    """See that a re-drive does once what can be done now and leaves the rest dead, and that another adds nothing.

    `mended` are the facts, by subject and mark, that can be done now.
    """
    faults = []
    done = Counter(first.did) - Counter(before.did)
    wanted = Counter(("counted", subject, mark) for subject, mark in mended)
    if done != wanted or Counter(before.did) - Counter(first.did):
        faults.append(f"re-drive did {sorted(done - wanted)[:SHOWN_MAX]} and not {sorted(wanted - done)[:SHOWN_MAX]}")
    nothing = ("nothing", "", False)
    changed = [
        f"{place} {before.letters.get(place, nothing)[0]} is {first.letters.get(place, nothing)[0]}"
        for place in sorted({*before.letters, *first.letters})
        if before.letters.get(place, nothing)[:2] != first.letters.get(place, nothing)[:2]
    ]
    if changed:
        faults.append(f"re-drive changed {len(changed)} letters: {'; '.join(changed[:SHOWN_MAX])}")
    if first != second:
        faults.append("the second re-drive changed something")
    return faults
