"""What commands print: a table for people or JSON for scripts on stdout, progress on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
WorldOption = Annotated[
    str, typer.Option("--world", envvar="CROSSDOCK_WORLD", help="The world to look at.", show_default=True)
]


@cache
def out() -> Console:
    """Return the console of results; made when first written to, since it looks at the terminal."""
    return Console(soft_wrap=True, highlight=False)


@cache
def err() -> Console:
    """Return the console beside the result: progress and warnings."""
    return Console(stderr=True, soft_wrap=True, highlight=False)


def emit(data: Any, *, as_json: bool, show: Callable[[], None]) -> None:
    """Print data as JSON, or let the command show it to a person."""
    if as_json:
        print_json(data)
    else:
        show()


def print_json(data: Any, *, line: bool = False) -> None:
    """Print one JSON document, as it is, to stdout; `line`: on one line, where many follow each other."""
    sys.stdout.write(json.dumps(data, indent=None if line else 2, default=str, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def table(columns: Iterable[str], rows: Iterable[Iterable[Any]], *, title: str | None = None) -> None:
    """Print a table; nothing in it is taken for markup."""
    made = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*("" if cell is None else _plain(cell) for cell in row))
    out().print(made)


def say(text: str) -> None:
    """Print a line to a person."""
    out().print(text, markup=False)


def warn(text: str) -> None:
    """Print a line beside the result."""
    err().print(text, markup=False)


@contextmanager
def progress(first: str, *, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Show what is being done, on stderr: a spinner at a terminal, one line per step elsewhere."""
    if quiet:
        yield lambda _: None
    elif err().is_terminal:
        with err().status(first) as status:

            def turn(step: str) -> None:
                err().print(f"  {step}", style="dim", markup=False)
                status.update(step)

            yield turn
    else:
        warn(first)
        yield warn


def _plain(cell: Any) -> str:
    return str(cell).replace("[", r"\[")
