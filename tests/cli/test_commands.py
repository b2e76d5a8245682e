"""The command line itself: help with examples, exit codes, sentences in place of tracebacks, logs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.app import build, run
from cli.exit_codes import ExitCode
from cli.stack.state import Home, write_json


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """An empty data folder."""
    monkeypatch.setenv("CROSSDOCK_HOME", str(tmp_path))
    monkeypatch.delenv("CROSSDOCK_WORLD", raising=False)
    return Home(tmp_path)


def _commands() -> Iterator[tuple[str, Any]]:
    import typer.main  # the only way to walk what was registered

    def walk(path: str, command: Any) -> Iterator[tuple[str, Any]]:
        children = getattr(command, "commands", None)
        if children is None:
            yield path, command
            return
        for name, child in children.items():
            yield from walk(f"{path} {name}".strip(), child)

    yield from walk("", typer.main.get_command(build()))


@pytest.mark.parametrize("name", [name for name, _ in _commands()])
def test_every_command_has_help_an_example_and_json(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*name.split(), "--help"]) == ExitCode.OK
    said = capsys.readouterr().out
    assert f"Example: crossdock {name}" in said
    assert "--json" in said


def test_a_command_that_is_not_there_is_a_usage_error_with_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["statu"]) == ExitCode.USAGE
    assert capsys.readouterr().err.strip() == (
        "No such command 'statu'. Did you mean 'status'? Try `crossdock --help`."
    )


def test_a_wrong_option_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["up", "--port", "many"]) == ExitCode.USAGE
    assert "Try `crossdock up --help`." in capsys.readouterr().err


def test_status_of_a_stack_that_does_not_run_is_unreachable(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status"]) == ExitCode.UNREACHABLE
    assert capsys.readouterr().err.strip() == "The stack is not running: `crossdock up` starts it."
    assert run(["status", "--json"]) == ExitCode.UNREACHABLE
    assert json.loads(capsys.readouterr().out) == {
        "error": "The stack is not running: `crossdock up` starts it.",
        "exit_code": 4,
    }


def test_down_where_nothing_runs_is_fine(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["down", "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out) == {"ended": False}


def test_dropping_or_asking_a_world_that_is_not_there_is_not_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["world", "drop", "gone"]) == ExitCode.NOT_FOUND
    assert run(["login", "--as", "viewer", "--world", "gone"]) == ExitCode.NOT_FOUND
    assert run(["logs", "--world", "gone"]) == ExitCode.NOT_FOUND
    assert "Traceback" not in capsys.readouterr().err


def test_a_console_that_does_not_answer_is_unreachable(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    write_json(home.world_file("demo"), {"urls": {"console": "http://127.0.0.1:1"}})
    assert run(["login", "--as", "viewer", "--world", "demo"]) == ExitCode.UNREACHABLE
    assert "crossdock up" in capsys.readouterr().err


def test_logs_show_the_last_lines_of_one_process_or_of_all(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    home.logs("demo").mkdir(parents=True)
    (home.logs("demo") / "sales.log").write_text("one\ntwo\nthree\n")
    (home.logs("demo") / "logistics.log").write_text("[bold]four[/]\n")
    assert run(["logs", "sales", "--world", "demo", "--lines", "2"]) == ExitCode.OK
    assert capsys.readouterr().out == "two\nthree\n"
    assert run(["logs", "--world", "demo"]) == ExitCode.OK
    assert capsys.readouterr().out == "logistics: [bold]four[/]\nsales: one\nsales: two\nsales: three\n"
    assert run(["logs", "nonsense", "--world", "demo"]) == ExitCode.NOT_FOUND
    assert "there are logistics, sales" in capsys.readouterr().err


def test_the_worlds_that_are_kept_are_listed_while_nothing_runs(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    write_json(home.world_file("kept"), {"clock": "driven", "urls": {}})
    assert run(["world", "list", "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out) == [
        {"world": "kept", "clock": "driven", "currency": "USD", "state": "stopped", "urls": {}}
    ]
