"""Traces go on where their form is whole, and begin anew where it is not; ids rise, whoever makes them."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from chassis.ids import random_64, time_ordered_id
from chassis.runtime import trace

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
FORM = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01")
EACH = 5_000  # of four threads: more than one block of randomness each


def test_a_child_stays_in_its_trace_with_a_span_of_its_own() -> None:
    child = trace.child(f"00-{TRACE}-{SPAN}-00")
    assert (child[:36], child[-3:]) == (f"00-{TRACE}-", "-00")
    assert child[36:52] != SPAN
    assert trace.trace_id(child) == TRACE


@pytest.mark.parametrize(
    "parent",
    [None, "", "no trace", f"01-{TRACE}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE.upper()}-{SPAN}-01"],
)
def test_what_is_no_trace_begins_one(parent: str | None) -> None:
    made = trace.child(parent)
    assert FORM.fullmatch(made)
    assert TRACE not in made
    assert trace.trace_id(parent) is None


def test_ids_of_many_threads_are_all_different_and_rise_in_each() -> None:
    def make(_: int) -> list[int]:
        return [time_ordered_id().int for _ in range(EACH)]

    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(make, range(4)))
        drawn = [
            number for part in threads.map(lambda _: [random_64() for _ in range(EACH)], range(4)) for number in part
        ]
    assert all(part == sorted(part) for part in made)
    assert len({number for part in made for number in part}) == 4 * EACH
    assert len(set(drawn)) == 4 * EACH, "no two threads are given the same randomness"
