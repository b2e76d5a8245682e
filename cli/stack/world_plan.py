"""Plan of a world, and checks of its name, seed and currency; this module starts no process."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cli import seed
from cli.stack.state import Home, StackError

NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
LIVE, DEMO = "live", "demo"


class WorldRefused(StackError):
    """A world cannot be made as asked."""


class WorldUnknown(StackError):
    """There is no such world."""


class PortInUse(StackError):
    """Somebody else listens on a port that was asked for."""


@dataclass(frozen=True)
class WorldPlan:
    """Plan of a world: its clock, its processes, and additional environment variables per process."""

    clock: str = "wall"
    services: list[str] | None = None
    env: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Extra environment by process name; `*` is for all."""
    copies: Mapping[str, int] = field(default_factory=dict)
    split: list[str] = field(default_factory=list)
    """Services that run one process per role, or one role apart (`logistics:relay`)."""
    ports: Mapping[str, int] = field(default_factory=dict)
    """The HTTP port of a process, where a person chose it."""

    currency: str = seed.CURRENCIES[seed.EVERYDAY]
    """The reporting currency: thresholds and limits are stated in it."""
    seed: str = seed.EVERYDAY

    @property
    def driven(self) -> bool:
        return self.clock == "driven"


def check_name(name: str) -> str:
    """Return the name, or raise WorldRefused when no world may be called so."""
    if not NAME.fullmatch(name):
        raise WorldRefused(
            f"{name!r} cannot name a world: a small letter, then up to 30 small letters, digits or hyphens."
        )
    return name


def check_currency(code: str) -> str:
    """Return the code, or raise WorldRefused when it is no currency's."""
    if not re.fullmatch(r"[A-Z]{3}", code):
        raise WorldRefused(f"{code!r} is no currency: give its three letters of ISO 4217, such as EUR.")
    return code


def stored_currency(name: str, stored: Mapping[str, Any]) -> str:
    """Return the currency stored with a world; a world from before currencies has that of its amounts (demo: USD)."""
    if "currency" in stored:
        return str(stored["currency"])
    driven = stored.get("clock") == "driven"
    of_seed = stored.get("plan", {}).get("seed", seed.REPLAY if driven else seed.EVERYDAY)
    return "USD" if name == DEMO else seed.currency_of(of_seed, driven=driven)


def world_names(home: Home) -> list[str]:
    """Name the worlds that the data folder holds, running or not."""
    return sorted(path.parent.name for path in home.worlds.glob("*/world.json"))
