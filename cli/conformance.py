"""Runs programs over the golden logs of decision velocity: ours and anybody's, the same way."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cli.errors import CommandFailed
from cli.stack.state import CHECKOUT
from velocity.conformance import GoldenLog, differences

LOG_SECONDS_MAX = 60  # what a program may take for one log
ALL_SECONDS_MAX = 600  # and for all of them at once
SHOWN_MAX = 10  # differences shown of one log
OURS = {
    "pure": [sys.executable, "-m", "velocity"],
    "stream": [sys.executable, "-m", "tools.velocity_stream"],
    "sql": [sys.executable, "-m", "tools.velocity_sql"],
}


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of one golden log with one program."""

    log: str
    differences: tuple[str, ...]


def judge(command: Sequence[str], logs: Sequence[GoldenLog], *, at_once: bool) -> list[Judged]:
    """Run a program over golden logs: once for each, or once for all, with an empty line between two."""
    if not at_once:
        return [_judged(log, *_documents(command, log.events, LOG_SECONDS_MAX)) for log in logs]
    found, failure = _documents(command, "\n".join(log.events for log in logs), ALL_SECONDS_MAX)
    missing = [None] * (len(logs) - len(found))
    return [
        _judged(log, [] if one is None else [one], failure)
        for log, one in zip(logs, [*found, *missing][: len(logs)], strict=True)
    ]


def program(words: str) -> list[str]:
    """Return a command line as its words; raises CommandFailed for none."""
    command = shlex.split(words)
    if not command:
        raise CommandFailed(
            "--program is empty: give the command line of a program that reads events and prints answers."
        )
    return command


def _judged(log: GoldenLog, answers: list[Any], failure: str) -> Judged:
    if len(answers) != 1:
        return Judged(log.name, (failure or f"printed {len(answers)} documents for one log",))
    return Judged(log.name, tuple(differences(log.expected, answers[0])))


def _documents(command: Sequence[str], events: str, seconds_max: int) -> tuple[list[Any], str]:
    """Return the JSON documents that a program prints, and in a sentence why there may be too few."""
    try:
        done = subprocess.run(
            list(command), input=events, capture_output=True, text=True, cwd=CHECKOUT, timeout=seconds_max, check=False
        )
    except FileNotFoundError as error:
        raise CommandFailed(f"{command[0]} is no program: give its path.") from error
    except subprocess.TimeoutExpired:
        return [], f"took longer than {seconds_max} s"
    said = (done.stderr.strip().splitlines() or [""])[-1]
    failure = f"ended with {done.returncode}: {said}" if done.returncode else ""
    try:
        return _all_in(done.stdout), failure
    except ValueError as error:
        return [], failure or f"printed no JSON: {error}"


def _all_in(printed: str) -> list[Any]:
    found, place, decoder = [], 0, json.JSONDecoder()
    while place < len(printed.rstrip()):
        place += len(printed[place:]) - len(printed[place:].lstrip())
        document, place = decoder.raw_decode(printed, place)
        found.append(document)
    return found
