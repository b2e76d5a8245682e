"""Which world a replay goes into: the one it was broken off in, the one that was named, or a new one."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cli.errors import Refused
from cli.stack import daemon, lock
from cli.stack.control import NotRunning, ask
from cli.stack.state import Home, make_folder, read_json, write_json
from cli.stack.world_plan import check_name, stored_currency, world_names
from formats.scms_requests import CURRENCY

NOTE = "replay.json"
LOCK = "replay.lock"
DRIVEN = "driven"
NAMES_MAX = 1000

Report = Callable[[str], None]


@dataclass(frozen=True)
class Target:
    """The world of a replay and whether an earlier run into it was broken off."""

    world: str
    goes_on: bool


def choose(home: Home, *, file_hash: str, until: str | None, into: str | None, base: str) -> Target:
    """Return where the replay goes; raises Refused for a world whose clock cannot be driven."""
    if into is not None:
        check_name(into)
        kept = read_json(home.world_file(into))
        if kept is not None and kept["clock"] != DRIVEN:
            raise Refused(
                f"World {into} follows the clock {kept['clock']}, and a replay moves the clock: leave --into out for a "
                "new world, or name one made with `crossdock world create NAME --clock driven`."
            )
        if kept is not None and (currency := stored_currency(into, kept)) != CURRENCY:
            raise Refused(
                f"World {into} reports in {currency}, and these records are in {CURRENCY}: leave --into out for a new world, or"
                f" name one made with `crossdock world create NAME --clock driven --currency {CURRENCY}`."
            )
        note = read_json(home.world(into) / NOTE) or {}
        return Target(into, bool(note) and not note.get("done", True))
    for path in sorted(home.worlds.glob(f"*/{NOTE}")):
        note = read_json(path) or {}
        same = note.get("file") == file_hash and note.get("until") == until and not note.get("done", True)
        if same and not _is_held(home, path.parent.name):
            return Target(path.parent.name, True)
    taken = {*world_names(home), *(path.parent.name for path in home.worlds.glob(f"*/{NOTE}"))}
    names = (base if number == 1 else f"{base}-{number}" for number in range(1, NAMES_MAX))
    return Target(next(name for name in names if name not in taken), False)


@contextmanager
def held(home: Home, world: str) -> Iterator[None]:
    """Be the only replay into a world; raises Refused while another one runs."""
    make_folder(home.world(world))
    with (home.world(world) / LOCK).open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as why:
            raise Refused(
                f"Another replay runs into world {world}: wait for it, or leave --into out for a new world."
            ) from why
        yield


def note(home: Home, world: str, *, file_hash: str, until: str | None, done: bool) -> None:
    """Remember what is replayed into a world, so that the same command goes on after it was killed."""
    write_json(home.world(world) / NOTE, {"file": file_hash, "until": until, "done": done})


def open_world(
    home: Home, world: str, report: Report, *, services: list[str] | None = None, seed: str | None = None
) -> None:
    """Make the world, or start the kept one, unless it runs already."""
    started = not lock.is_held(home)
    if started:
        daemon.detach(home, report=report, world=None)
    try:
        running = {str(one["world"]) for one in _status(home) if one["state"] != "stopped"}
        if world not in running:
            ask(home, "create-world", report, name=world, clock=DRIVEN, services=services, seed=seed)
    except BaseException:
        if started:
            daemon.end(home)
        raise


def _status(home: Home) -> list[dict[str, Any]]:
    try:
        worlds: list[dict[str, Any]] = ask(home, "status")["worlds"]
    except NotRunning:
        return []
    return worlds


def _is_held(home: Home, world: str) -> bool:
    try:
        with held(home, world):
            return False
    except Refused:
        return True
