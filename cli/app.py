"""The `crossdock` command: its parts, and how every failure becomes one sentence and an exit code."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any

import typer

from cli.errors import CommandFailed
from cli.exit_codes import ExitCode
from cli.output import print_json, visible
from cli.stack.control import NotRunning
from cli.stack.state import StackError
from cli.stack.world_plan import WorldUnknown

COMMANDS = (
    "cli.commands.stack",
    "cli.commands.world",
    "cli.commands.login",
    "cli.commands.demo",
    "cli.commands.desk",
    "cli.commands.response",
    "cli.commands.sourcing",
    "cli.commands.watch",
    "cli.commands.planning",
    "cli.commands.processes",
    "cli.commands.causes",
    "cli.commands.velocity",
    "cli.commands.dead_letters",
    "cli.commands.records",
    "cli.commands.backfill",
    "cli.commands.bench",
)
"""Modules with a `register(app)`, in the order of `--help`."""

FAILURES: tuple[tuple[type[BaseException], ExitCode], ...] = (
    (NotRunning, ExitCode.UNREACHABLE),
    (WorldUnknown, ExitCode.NOT_FOUND),
    (StackError, ExitCode.FAILED),
)


def build() -> typer.Typer:
    """Put the command together."""
    app = typer.Typer(
        name="crossdock",
        help="Crossdock: a delay becomes a coordinated response.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    for module in COMMANDS:
        importlib.import_module(module).register(app)
    return app


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; no failure that was foreseen shows a traceback."""
    told = list(sys.argv[1:] if arguments is None else arguments)
    command = build()
    try:
        code = command(told, prog_name="crossdock", standalone_mode=False)
        result = int(code) if isinstance(code, int) else int(ExitCode.OK)
        if result == ExitCode.INTERRUPTED:
            # Typer turns Ctrl-C into this code without a word.
            _fail("Interrupted.", ExitCode.INTERRUPTED, told)
    except (KeyboardInterrupt, typer.Abort):
        result = _fail("Interrupted.", ExitCode.INTERRUPTED, told)
    except typer.TyperException as why:
        result = _fail(_usage(why), ExitCode.USAGE, told)
    except CommandFailed as why:
        result = _fail(str(why), why.code, told)
    except StackError as why:
        result = _fail(str(why), next(code for kind, code in FAILURES if isinstance(why, kind)), told)
    except BrokenPipeError:
        result = int(ExitCode.OK)
    return result


def _usage(why: Any) -> str:
    context = getattr(why, "ctx", None)
    words = str(why.format_message() if hasattr(why, "format_message") else why).strip()
    if words.startswith("Usage:"):
        return words
    ended = words if words.endswith((".", "?")) else f"{words}."
    return f"{ended} Try `{context.command_path if context else 'crossdock'} --help`."


def _fail(sentence: str, code: ExitCode, arguments: list[str]) -> int:
    if "--json" in arguments:
        print_json({"error": sentence, "exit_code": int(code)})
    else:
        print(visible(sentence), file=sys.stderr)
    return int(code)
