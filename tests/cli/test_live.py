"""The live screen of `watch`: what is kept, in which order, what is late and what is stale."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from cli.commands.lookup import money
from cli.live.board import Board, rank
from cli.live.events import parse_events

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def case(name: str, **fields: Any) -> dict[str, Any]:
    task = {
        "holder": "sales",
        "required": True,
        "state": "open",
        "commit_by": "2026-03-02T11:00:00Z",
        "complete_by": "2026-03-03T11:00:00Z",
    }
    return {
        "case_id": name,
        "state": "open",
        "severity": "high",
        "headline": f"truck {name}",
        "breaching": False,
        "owner": None,
        "value_at_risk": {"amount": "100.00", "currency": "USD"},
        "opened_at": "2026-03-02T08:00:00Z",
        "due_at": "2026-03-02T14:00:00Z",
        "tasks": [task],
        **fields,
    }


def drawn(board: Board, *, monotonic: float = 0.0, rows: int = 10, width: int = 200) -> str:
    console = Console(width=width, height=40, record=True, file=io.StringIO())
    console.print(board.drawn(now=NOW, monotonic=monotonic, rows=rows, width=width))
    return console.export_text()


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        ("819.64", "EUR", "819.64 EUR"),
        ("600000.00", "JPY", "600,000 JPY"),
        ("1.125", "KWD", "1.125 KWD"),
        ("12345678901234.56", "USD", "12,345,678,901,234.56 USD"),
    ],
)
def test_an_amount_is_shown_with_the_decimals_of_its_currency(amount: str, currency: str, words: str) -> None:
    assert money({"amount": amount, "currency": currency}) == words


def test_money_at_risk_counts_for_each_hour_that_is_left() -> None:
    assert rank(case("a"), NOW) == 50.0
    assert rank(case("a", due_at="2026-03-02T11:00:00Z"), NOW) == 100.0
    assert rank(case("a", due_at=None), NOW) < 0.1


def test_what_is_not_open_any_more_or_out_of_sight_goes() -> None:
    board = Board("demo")
    board.keep([case("a"), case("b"), case("c")])
    board.keep([case("a", state="closed")], ["a", "b"])
    assert list(board.cases) == ["c"]


def test_passed_deadlines_come_first_then_the_rank() -> None:
    board = Board("demo")
    dear = {"amount": "900.00", "currency": "USD"}
    board.keep([case("a"), case("b", value_at_risk=dear), case("c", breaching=True)])
    assert [one["case_id"] for one in board.ranked(NOW)] == ["c", "b", "a"]


def test_the_screen_tells_in_words_what_is_late_who_has_it_and_what_is_not_shown() -> None:
    board = Board("demo")
    board.keep([case("a", severity="critical"), case("b"), case("c")])
    text = drawn(board, rows=2)
    assert "World demo   open 3   unowned 3   past a deadline 0" in text
    assert "▲▲ critical" in text
    assert "sales late" in text
    assert "nobody" in text
    assert "1 more · live" in text


def test_a_lost_stream_is_told_with_the_age_of_what_is_shown() -> None:
    board = Board("demo", last_event_at=100.0)
    assert "live" in drawn(board, monotonic=104.0)
    assert "the stream broke off: this is 7 s old" in drawn(board, monotonic=107.0)


def test_a_narrow_terminal_keeps_what_a_case_is() -> None:
    board = Board("demo")
    board.keep([case("a")])
    text = drawn(board, width=80)
    assert "truck a" in text
    assert "Functions" not in text


def test_an_event_has_an_id_and_a_fact_and_a_heartbeat_only_an_id() -> None:
    lines = ["retry: 1000", "id: t/0=1", ": ", "", "id: t/0=2", "event: x", 'data: {"a": 1}', ""]
    assert list(parse_events(lines)) == [("t/0=1", None), ("t/0=2", {"a": 1})]
