"""A test that measures time carries the mark `timing`, so that it runs alone and never beside busy processes."""

from __future__ import annotations

import pytest

from tests.layers.durations import unmarked
from tests.layers.small_tree import ROOT

HEAD = "import time\nimport pytest\n\n"
FAST = "def test_fast():\n    begun = time.monotonic()\n    work()\n    assert time.monotonic() - begun < 5\n"


def test_every_test_that_measures_time_carries_the_mark() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): names
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        if (names := unmarked(path.read_text(encoding="utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize(
    "text",
    [
        FAST,
        "def test_it():\n    begun = time.process_time()\n    work()\n    took = time.process_time() - begun\n    assert took < 60\n",
        "def test_it():\n    a, b = time.perf_counter(), 1\n    assert (time.perf_counter() - a) / b <= 2\n",
        "def test_it():\n    begun = machine_now()\n    assert (machine_now() - begun).total_seconds() < 30\n",
        "def took():\n    begun = time.monotonic()\n    work()\n    return time.monotonic() - begun\n\n\ndef test_it():\n    assert took() < 1\n",
        "def check():\n    begun = time.monotonic()\n    assert time.monotonic() - begun < 1\n\n\ndef test_it():\n    check()\n",
        "def test_it():\n    all_ = []\n    begun = time.monotonic()\n    all_.append(time.monotonic() - begun)\n    assert max(all_) < 1\n",
        "class TestIt:\n    async def test_it(self):\n        begun = time.monotonic()\n        assert 3 > time.monotonic() - begun\n",
    ],
    ids=["at once", "named", "in a tuple", "an instant", "returned", "in a helper", "collected", "in a class"],
)
def test_a_measurement_without_the_mark_is_found(text: str) -> None:
    """The violation, planted."""
    (name,) = unmarked(HEAD + text)
    assert name in ("test_fast", "test_it")


@pytest.mark.parametrize(
    "text",
    [
        "@pytest.mark.timing\n" + FAST,
        "pytestmark = [pytest.mark.kafka, pytest.mark.timing]\n\n\n" + FAST,
        "def test_it():\n    deadline = time.monotonic() + 60\n    while not done():\n        assert time.monotonic() < deadline\n",
        "def test_it():\n    stopped = time.monotonic()\n    wait_until(lambda: time.monotonic() - stopped > 3)\n    assert done()\n",
        "def test_it():\n    assert metric() > time.time() - 60\n",
        "def test_it():\n    now = machine_now()\n    assert oldest() == now - timedelta(days=20)\n",
    ],
    ids=["marked", "module marked", "a deadline", "a pause", "a recent instant", "a day"],
)
def test_a_marked_measurement_and_a_deadline_pass(text: str) -> None:
    """The other half of the rule."""
    assert unmarked(HEAD + text) == []
