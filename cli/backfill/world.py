"""Which world a response log goes into: the one it is in already, the one that was named, or a new one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from cli.errors import Refused
from cli.replay_world import DRIVEN, NAMES_MAX, NOTE
from cli.stack.recipe import CONSOLE, STREAM
from cli.stack.state import Home, read_json, write_json
from cli.stack.world_plan import LIVE, check_name, world_names

BACKFILL_NOTE = "backfill.json"
BASE = "backfill"
PROCESSES = ["exceptions", "scorecard", STREAM, CONSOLE]
"""Who keeps cases, who measures them, and who gives tokens: nobody else has anything to say to a foreign log."""


def digest_of(*parts: bytes) -> str:
    """Return what stands for a file and its map."""
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def choose(home: Home, *, digest: str, named: str | None) -> str:
    """Return the world's name; raises Refused for one that a foreign log must not go into."""
    if named is not None:
        check_name(named)
        kept = read_json(home.world_file(named))
        if named == LIVE:
            raise Refused(
                "A foreign log is never brought into live: its cases would be counted as your own answers. Leave --world"
                " out for a new world, or name another one."
            )
        if kept is not None and kept["clock"] != DRIVEN:
            raise Refused(
                f"World {named} follows the clock {kept['clock']}, so its open cases would last until today: leave --world"
                " out for a new world, or name one made with `crossdock world create NAME --clock driven`."
            )
        return named
    for path in sorted(home.worlds.glob(f"*/{BACKFILL_NOTE}")):
        if (read_json(path) or {}).get("digest") == digest:
            return path.parent.name
    taken = {*world_names(home), *_noted(home, BACKFILL_NOTE), *_noted(home, NOTE)}
    names = (BASE if number == 1 else f"{BASE}-{number}" for number in range(1, NAMES_MAX))
    return next(name for name in names if name not in taken)


def note(home: Home, world: str, *, digest: str) -> None:
    """Remember what is brought into a world, so that the same command comes back to it."""
    write_json(home.world(world) / BACKFILL_NOTE, {"digest": digest})


def _noted(home: Home, name: str) -> Iterable[str]:
    return (path.parent.name for path in home.worlds.glob(f"*/{name}"))


def stamp(at: datetime) -> str:
    """Return an instant as the services read it."""
    return at.isoformat().replace("+00:00", "Z")
