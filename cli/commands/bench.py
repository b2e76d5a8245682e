"""`bench`: the measurements, in a process of their own, on servers of their own."""

from __future__ import annotations

import subprocess
import sys
from typing import Annotated

import typer

from cli.exit_codes import ExitCode
from cli.output import JsonOption
from cli.stack.state import CHECKOUT


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: crossdock bench pipeline light")(bench)


def bench(
    names: Annotated[list[str] | None, typer.Argument(help="Figures; all where none is named.")] = None,
    full: Annotated[bool, typer.Option(help="Long runs, three times, the median counts.")] = False,
    resume: Annotated[bool, typer.Option(help="Go on with the last run, where it was interrupted.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure this machine, calibration first, each figure beside its bar and its rivals."""
    told = [word for word, given in (("--full", full), ("--resume", resume), ("--json", as_json)) if given]
    done = subprocess.run([sys.executable, "-m", "benchmarks", *(names or []), *told], cwd=CHECKOUT, check=False)
    if done.returncode:
        raise typer.Exit(done.returncode if done.returncode == ExitCode.USAGE else ExitCode.FAILED)
