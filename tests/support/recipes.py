"""Recipes of small worlds for the tests of the supervisor."""

from __future__ import annotations

import sys
from pathlib import Path

from cli.stack.recipe import ProcessSpec, Recipe

STAND_IN = (sys.executable, "-m", "tests.support.stand_in")


def small(notes: Path | None = None, *, plants_seed: bool = False) -> Recipe:
    """Two services, a stream and a console, all of them stand-ins; topic commands append to the notes."""
    note = f"open({str(notes)!r}, 'a').write" if notes else "str"

    def topics(word: str) -> tuple[str, ...]:
        return (sys.executable, "-c", f"import os; {note}('{word} ' + os.environ['WORLD'] + chr(10))")

    return Recipe(
        (
            ProcessSpec("logistics", (*STAND_IN, "all"), service="logistics", serves="logistics"),
            ProcessSpec("exceptions", (*STAND_IN, "all"), service="exceptions", serves="exceptions"),
            ProcessSpec("scorecard-stream", STAND_IN, service="scorecard"),
            ProcessSpec("console", STAND_IN, serves="console"),
        ),
        topics("made"),
        topics("dropped"),
        plants_seed=plants_seed,
    )
