"""What commands print: a table for people or JSON for scripts on stdout, progress on stderr."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
WorldOption = Annotated[
    str, typer.Option("--world", envvar="CROSSDOCK_WORLD", help="The world to look at.", show_default=True)
]


# C0 but tab and line feed, DEL, C1, and the marks that turn the direction of what follows.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_NOT_ESCAPED_BY_JSON = re.compile("[\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """Return a text as a terminal may show it: control characters stand as `\\x1b`, `\\u202e`.

    Services refuse them; data of an older world, an error's words and a log line may still hold some.
    """
    return _UNSEEN.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def json_line(data: Any, *, indent: int | None = None) -> str:
    """Return a JSON document in which no character moves the terminal's cursor."""
    text = json.dumps(data, indent=indent, default=str, ensure_ascii=False)
    return _NOT_ESCAPED_BY_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


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
    sys.stdout.write(json_line(data, indent=None if line else 2) + "\n")
    sys.stdout.flush()


def table(columns: Iterable[str], rows: Iterable[Iterable[Any]], *, title: str | None = None) -> None:
    """Print a table; nothing in it is taken for markup or for a command to the terminal."""
    made = Table(
        title=None if title is None else Text(visible(title)),
        title_justify="left",
        header_style="bold",
        box=None,
        pad_edge=False,
    )
    for column in columns:
        made.add_column(Text(visible(column)), overflow="fold")
    for row in rows:
        made.add_row(*(Text("" if cell is None else visible(str(cell))) for cell in row))
    out().print(made)


def say(text: str) -> None:
    """Print a line to a person."""
    out().print(visible(text), markup=False)


def warn(text: str) -> None:
    """Print a line beside the result."""
    err().print(visible(text), markup=False)


@contextmanager
def progress(first: str, *, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Show what is being done, on stderr: a spinner at a terminal, one line per step elsewhere."""
    if quiet:
        yield lambda _: None
    elif err().is_terminal:
        with err().status(Text(visible(first))) as status:

            def turn(step: str) -> None:
                err().print(f"  {visible(step)}", style="dim", markup=False)
                status.update(Text(visible(step)))

            yield turn
    else:
        warn(first)
        yield warn
