"""The command prints data as data: no markup is parsed, no control character reaches the terminal."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from rich.console import Console

from cli import output
from cli.live.board import Board

HOSTILE = "MK\\[/nosuch] [link=http://x.example]y[/] \x1b]0;PWNED\x07 \x9b2K \u202e \x7f"
SHOWN = "MK\\[/nosuch] [link=http://x.example]y[/] \\x1b]0;PWNED\\x07 \\x9b2K \\u202e \\x7f"


def raw_controls(printed: str) -> set[str]:
    """Return the characters of a print that would move a terminal."""
    return {letter for letter in printed if letter != "\n" and not letter.isprintable()}


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the console anew on the captured stream, wide enough for a line."""
    monkeypatch.setenv("COLUMNS", "300")
    for made in (output.out, output.err):
        made.cache_clear()


@pytest.mark.parametrize("way", ["table", "title", "column", "say", "warn", "progress"])
def test_a_hostile_reference_is_shown_and_stops_nothing(capsys: pytest.CaptureFixture[str], way: str) -> None:
    """An operator who lists cases reads a reference with escape sequences as text; the list goes on after it."""
    if way == "progress":
        with output.progress(HOSTILE):
            pass
    else:
        {
            "table": lambda: output.table(("Case",), [(HOSTILE,), ("next",)]),
            "title": lambda: output.table(("Case",), [("next",)], title=HOSTILE),
            "column": lambda: output.table((HOSTILE,), [("next",)]),
            "say": lambda: output.say(HOSTILE),
            "warn": lambda: output.warn(HOSTILE),
        }[way]()
    printed = "".join(capsys.readouterr())
    assert SHOWN in printed
    assert raw_controls(printed) == set()


def test_json_says_the_same_without_a_raw_control_character(capsys: pytest.CaptureFixture[str]) -> None:
    """A script reads the stored text unchanged; a terminal that shows the JSON is not moved."""
    output.print_json({"reference": HOSTILE, "name": "Société"})
    printed = capsys.readouterr().out
    assert json.loads(printed) == {"reference": HOSTILE, "name": "Société"}
    assert raw_controls(printed) == set()
    assert "Société" in printed


def test_the_live_screen_shows_it_too() -> None:
    """Headline and owner come from machines and tokens."""
    case = {
        "case_id": "0" * 36,
        "severity": "high",
        "state": "open",
        "headline": HOSTILE,
        "tasks": [],
        "breaching": False,
        "due_at": None,
        "opened_at": "2026-03-02T08:00:00+00:00",
        "value_at_risk": {"amount": "1.00", "currency": "EUR"},
        "owner": {"subject": "[/x]\x1b"},
    }
    board = Board("demo", {case["case_id"]: case})
    console = Console(width=400, record=True, file=open("/dev/null", "w"))  # noqa: SIM115 — the console closes it
    console.print(board.drawn(now=datetime(2026, 3, 2, 9, tzinfo=UTC), monotonic=0.0, rows=5, width=400))
    printed = console.export_text()
    assert SHOWN in printed and "[/x]\\x1b" in printed
    assert raw_controls(printed) == set()


@pytest.mark.parametrize("text", ["two\nlines\twith a tab", "Société générale, 東京 🚚"])
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert output.visible(text) == text
