"""The three programs answer every golden log, and random logs alike to the last key; a bug planted in one is seen."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.conformance import OURS, judge
from schemas.envelope import encode
from tests.layers.small_tree import ROOT
from tests.scorecard.logs import START, random_log
from tests.support.every_fact import every_fact
from velocity import answers, read
from velocity.conformance import differences, golden_logs

LOGS = golden_logs()


@pytest.mark.parametrize("name", ["pure", "stream"])
def test_a_program_without_servers_answers_every_golden_log(name: str) -> None:
    """The fold and the stream processor give the expected answers."""
    assert {one.log: one.differences for one in judge(OURS[name], LOGS, at_once=True) if one.differences} == {}


def test_sql_answers_every_golden_log(fresh_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Other input, no shared Python."""
    monkeypatch.setenv("DATABASE_URL", fresh_database("scorecard"))
    assert {one.log: one.differences for one in judge(OURS["sql"], LOGS, at_once=True) if one.differences} == {}


def some_logs() -> list[str]:
    """Return logs of random cases as the service says them, each asked as of some time, as lines of a program's input."""
    made = []
    for seed in range(12):
        chance = random.Random(seed)
        told = [
            e
            for n in range(8)
            for e in random_log(f"{seed}/{n}", chance, start=START + timedelta(days=2 * n)).envelopes
        ]
        as_of = START + timedelta(days=chance.random() * 20, microseconds=chance.randrange(1_000_000))
        lines = [encode(envelope).decode() for envelope in told]
        made.append("\n".join([json.dumps({"options": {"as_of": as_of.isoformat(), "world": "test"}}), *lines]) + "\n")
    return made


UNNEEDED: list[dict[str, Any]] = [
    {"type": "exceptions.case.danced.v1"},
    {"type": "exceptions.case.danced.v1", "source": "/crossdock/live/exceptions", "data": None},
    {"type": "exceptions.ladder.bent.v1", "source": 7, "id": "none", "time": "soon", "data": {"case_id": "INC0001"}},
    {"type": "exceptions.case.opened.v2", "data": []},
    {"type": "weather.storm.named.v1"},
]


def log_of_every_fact() -> str:
    """Return every event type of ours, each optional field present and absent, and events that nobody here knows."""
    lines = [*(json.dumps(json.loads(one.value)) for one in every_fact()), *map(json.dumps, UNNEEDED)]
    return "\n".join(lines) + "\n"


def printed(name: str, logs: list[str]) -> list[dict[str, Any]]:
    done = subprocess.run(
        OURS[name], input="\n".join(logs), capture_output=True, text=True, cwd=ROOT, check=True, timeout=300
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_stream_and_sql_say_of_any_log_what_the_pure_module_says(
    fresh_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the last key, both ways; what the specification does not name is passed over, whatever it lacks."""
    monkeypatch.setenv("DATABASE_URL", fresh_database("scorecard"))
    logs = [*some_logs(), log_of_every_fact()]
    pure = [answers(read(log.splitlines())) for log in logs]
    assert sum(answer["cases"] for answer in pure[:-1]) > 50
    assert pure[-1]["cases"] > 20, "the walk opens a case of its own with each variant of an opening"
    for name in ("stream", "sql"):
        for expected, answer in zip(pure, printed(name, logs), strict=True):
            assert list(differences(expected, answer)) == []
            assert list(differences(answer, expected)) == []


@pytest.mark.parametrize(
    ("bug", "seen"),
    [
        ("a['p50_us'] = a['naive_p50_us']", "003-open-cases-count"),
        ("a['measures'] = a['measures'][::-1]", "018-as-of-nothing-later-exists"),
        ("a.pop('handoffs')", "026-handed-over"),
    ],
)
def test_a_bug_in_a_program_is_seen(bug: str, seen: str, tmp_path: Path) -> None:
    """A program of a stranger, run as anybody's, once for each log."""
    program = tmp_path / "theirs.py"
    program.write_text(
        "import json, sys\nfrom velocity import answers, read\n"
        f"a = answers(read(sys.stdin))\n{bug}\nprint(json.dumps(a, indent=1))\n",
        encoding="utf-8",
    )
    command = [
        sys.executable,
        "-c",
        f"import runpy, sys; sys.path.insert(0, {str(ROOT)!r}); runpy.run_path({str(program)!r})",
    ]
    found = judge(command, [log for log in LOGS if log.name in (seen, "060-said-in-another-zone")], at_once=False)
    assert {one.log for one in found if one.differences} == {seen}


@pytest.mark.parametrize("words", ["exit(3)", "print('no json')", "pass"])
def test_a_program_that_fails_is_told(words: str) -> None:
    """Silence is not success, nor is rubbish."""
    for at_once in (True, False):
        assert all(one.differences for one in judge([sys.executable, "-c", words], LOGS[:2], at_once=at_once))
