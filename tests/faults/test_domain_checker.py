"""The checkers are tested: a sound trail passes, and each planted fault is found and called by its name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID, uuid5

import pytest

from tests.faults import facts, replay, replay_checks
from tests.faults.checker import COUNTED, FELL_DUE, OPENED, Did, Input, Output, Trail, check, ordered_as_fed


def an_id(name: str) -> str:
    return str(uuid5(UUID(int=0), name))


def a_trail() -> Trail:
    """Three subjects on two partitions, a group for each four facts, a timer for each third."""
    trail = Trail()
    for n in range(24):
        subject, mark, group, fact = f"s{n % 3}", str(n), f"g{n // 4}", an_id(f"fact {n}")
        partition = (n % 3) % 2
        trail.inputs.append(Input(partition, n, fact, subject, mark, group, n % 3 == 0))
        did(trail, partition, COUNTED, subject, mark, fact)
        if n % 4 == 0:
            did(trail, partition, OPENED, an_id(group), group, fact)
        if n % 3 == 0:
            did(trail, partition, FELL_DUE, subject, mark, an_id(f"timer {n}"), armed_by=fact)
        count, chain = trail.counters.get(subject, (0, ""))
        trail.counters[subject] = count + 1, hashlib.sha256(f"{chain} {mark}".encode()).hexdigest()[:16]
        trail.groups[group] = trail.groups.get(group, 0) + 1
    trail.inputs.append(trail.inputs[5]._replace(order=100))  # told again under its id: no fault
    trail.outputs.append(trail.outputs[7]._replace(order=100))
    return trail


def did(
    trail: Trail, partition: int, what: str, subject: str, mark: str, cause: str, armed_by: str | None = None
) -> None:
    number = len(trail.did)
    trail.outputs.append(Output(partition, number, an_id(f"said {number}"), what, subject, mark, cause, armed_by))
    trail.did.append(Did(number, what, subject, mark, cause, armed_by))


def lose_one_record(trail: Trail) -> None:
    del trail.outputs[4]


def lose_one_row(trail: Trail) -> None:
    del trail.did[4]


def lose_a_timer(trail: Trail) -> None:
    trail.did.remove(next(d for d in trail.did if d.what == FELL_DUE))


def lose_the_opening_of_a_group(trail: Trail) -> None:
    trail.outputs.remove(next(s for s in trail.outputs if s.what == OPENED))


def double_one_record(trail: Trail) -> None:
    trail.outputs.append(trail.outputs[0]._replace(order=200, event_id=an_id("another")))


def double_one_row(trail: Trail) -> None:
    trail.did.append(trail.did[0]._replace(number=200))


def open_a_group_twice(trail: Trail) -> None:
    opened = next(d for d in trail.did if d.what == OPENED)
    trail.did.append(opened._replace(number=200, subject=an_id("a twin")))


def swap_two_records(trail: Trail) -> None:
    mine = [n for n, s in enumerate(trail.outputs) if s.subject == "s1" and s.what == COUNTED]
    first, second = trail.outputs[mine[0]], trail.outputs[mine[1]]
    trail.outputs[mine[0]] = first._replace(order=second.order)
    trail.outputs[mine[1]] = second._replace(order=first.order)


def swap_two_rows(trail: Trail) -> None:
    mine = [n for n, d in enumerate(trail.did) if d.subject == "s1" and d.what == COUNTED]
    first, second = trail.did[mine[0]], trail.did[mine[1]]
    trail.did[mine[0]] = first._replace(number=second.number)
    trail.did[mine[1]] = second._replace(number=first.number)


def overwrite_one_change(trail: Trail) -> None:
    count, chain = trail.counters["s2"]
    trail.counters["s2"] = count - 1, chain


def fold_in_another_order(trail: Trail) -> None:
    count, _ = trail.counters["s2"]
    trail.counters["s2"] = count, "0" * 16


def overwrite_a_group(trail: Trail) -> None:
    trail.groups["g2"] -= 1


def say_what_nobody_caused(trail: Trail) -> None:
    trail.outputs[3] = trail.outputs[3]._replace(cause=an_id("nothing"))


def blame_another_fact(trail: Trail) -> None:
    trail.did[3] = trail.did[3]._replace(cause=trail.inputs[20].event_id)


def fire_a_timer_twice(trail: Trail) -> None:
    fired = next(s for s in trail.outputs if s.what == FELL_DUE)
    trail.outputs.append(fired._replace(order=200, event_id=an_id("another"), cause=an_id("a second timer")))


PLANTED: list[tuple[Callable[[Trail], None], str]] = [
    (lose_one_record, "lost"),
    (lose_one_row, "lost"),
    (lose_a_timer, "lost"),
    (lose_the_opening_of_a_group, "lost"),
    (double_one_record, "doubled"),
    (double_one_row, "doubled"),
    (open_a_group_twice, "doubled"),
    (swap_two_records, "out_of_order"),
    (swap_two_rows, "out_of_order"),
    (overwrite_one_change, "state"),
    (fold_in_another_order, "state"),
    (overwrite_a_group, "state"),
    (say_what_nobody_caused, "without_cause"),
    (blame_another_fact, "without_cause"),
    (fire_a_timer_twice, "two_timers"),
]


def test_a_sound_trail_passes_with_facts_told_again() -> None:
    verdict = check(a_trail())
    assert (verdict.faults(), verdict.again, verdict.inputs) == ([], 1, 25)


@pytest.mark.parametrize(("plant", "kind"), PLANTED, ids=[plant.__name__ for plant, _ in PLANTED])
def test_each_planted_fault_is_found_by_its_name(plant: Callable[[Trail], None], kind: str) -> None:
    trail = a_trail()
    plant(trail)
    found = {name for name, count in check(trail).counts().items() if count}
    assert found == {kind}


# ── outboxes against topics ─────────────────────────────────────────────────────────────────────

STORED = [facts.Stored(n, f"e{n}", "a.topic", f"k{n % 2}") for n in range(6)]
PUBLISHED = [facts.PublishedFact(n % 2, n, f"k{n % 2}", f"e{n}", "a.fact.v1") for n in range(6)]


def test_topics_that_hold_what_was_committed_pass_with_records_told_again() -> None:
    agreement = facts.compare(STORED, {"a.topic": [*PUBLISHED, PUBLISHED[2]._replace(offset=9)]})
    assert (agreement.faults(), agreement.again) == ([], 1)


@pytest.mark.parametrize(
    ("published", "kind"),
    [
        (PUBLISHED[1:], "lost"),
        ([*PUBLISHED, PUBLISHED[0]._replace(offset=9, event_id="another")], "unknown"),
        (
            [PUBLISHED[2]._replace(offset=0), PUBLISHED[0]._replace(offset=2), *PUBLISHED[3:], PUBLISHED[1]],
            "out_of_order",
        ),
    ],
)
def test_topics_that_differ_from_what_was_committed_are_found(published: list[facts.PublishedFact], kind: str) -> None:
    agreement = facts.compare(STORED, {"a.topic": published})
    assert [k for k in ("lost", "unknown", "out_of_order") if getattr(agreement, k)] == [kind]


# ── figures of a replay ─────────────────────────────────────────────────────────────────────────

FIGURES = {"lines": 3, "tasks": {"a": 1, "b": 1}, "value": 2.5, **replay_checks.NOTHING_WRONG, "fingerprint": "80d9"}


@pytest.mark.parametrize("name", list(FIGURES))
def test_one_figure_that_differs_is_found(name: str) -> None:
    assert replay_checks.differences(FIGURES, FIGURES) == []
    altered = {**FIGURES, name: "another"}
    (fault,) = replay_checks.differences(altered, FIGURES)
    assert fault.startswith(name)
    assert replay_checks.differences({k: v for k, v in FIGURES.items() if k != name}, FIGURES)


def test_the_plan_is_the_same_for_the_same_seed_and_kills_everything_once_between_10_and_90_per_cent() -> None:
    assert replay.plan(1) == replay.plan(1) != replay.plan(2)
    apart, deaths = replay.plan(3)
    assert sorted(name for _, name in deaths) == sorted(
        [*replay.SERVICES, f"{apart}-relay", replay.STREAM, replay.REPLAY]
    )
    assert all(replay_checks.FIRST <= share <= replay_checks.LAST for share, _ in deaths)


def moved(trail: Trail) -> Trail:
    """Return a trail whose input topic grew in the middle: later facts lie in other partitions, of smaller numbers."""
    heard = [h._replace(partition=9 - h.partition if int(h.mark) < 12 else h.partition) for h in trail.inputs]
    return replace(trail, inputs=heard)


def test_a_subject_that_moved_when_its_topic_grew_keeps_its_order() -> None:
    assert check(ordered_as_fed(moved(a_trail()))).faults() == []


def test_a_fact_of_a_new_partition_that_was_done_before_one_of_the_old_is_found() -> None:
    """The violation, planted: this is what growing a topic without draining it does."""
    trail = moved(a_trail())
    early, late = (next(d for d in trail.did if (d.what, d.mark) == (COUNTED, mark)) for mark in ("9", "12"))
    trail.did[trail.did.index(early)] = early._replace(number=late.number)
    trail.did[trail.did.index(late)] = late._replace(number=early.number)
    assert check(ordered_as_fed(trail)).counts()["out_of_order"] == 1
