"""Named points of the path: they end a process that was told so, and nobody else."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from chassis.runtime import crash_points

PASSES = """
import sys
from chassis.runtime import crash_points
crash_points.configure(sys.argv[1])
for number in range(4):
    crash_points.hit(crash_points.AFTER_COMMIT)
    print(number, flush=True)
"""


def passes(told: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", PASSES, told], capture_output=True, text=True, check=False, timeout=60)


def test_the_process_ends_by_kill_9_when_its_point_is_reached_for_the_last_time() -> None:
    done = passes("after-commit:3")
    assert (done.returncode, done.stdout.split()) == (-signal.SIGKILL, ["0", "1"])


@pytest.mark.parametrize("told", ["", "after-claim:1"])
def test_nobody_else_ends(told: str) -> None:
    assert (passes(told).returncode, passes(told).stdout.split()) == (0, ["0", "1", "2", "3"])


@pytest.mark.parametrize("told", ["after-lunch:1", "after-commit", "after-commit:0", "after-commit:often"])
def test_a_point_that_nobody_knows_is_refused(told: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        crash_points.configure(told)
