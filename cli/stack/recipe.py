"""Which processes one world is made of. A test may hand the stack another recipe."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

SERVICES = (
    "collaboration",
    "forecast",
    "inventory",
    "logistics",
    "procurement",
    "exceptions",
    "sales",
    "scorecard",
)
STREAM = "scorecard-stream"
CONSOLE = "console"
ROLES = ("api", "consumer", "relay", "effects")
APART = ("exceptions:consumer",)
"""Cases are what people look at while they open: whoever asks and what opens them must not wait for one interpreter."""


@dataclass(frozen=True)
class ProcessSpec:
    """One process of a world: its name, what runs, whose database it uses and what it serves."""

    name: str
    command: tuple[str, ...]
    service: str | None = None
    """The service whose database it uses."""
    serves: str | None = None
    """The name under which others find its API, if it has one."""
    instance: int = 0


@dataclass(frozen=True)
class Recipe:
    """The processes of a world and the commands that make and drop its topics."""

    processes: tuple[ProcessSpec, ...]
    make_topics: tuple[str, ...]
    drop_topics: tuple[str, ...]
    plants_seed: bool = True


def whole() -> Recipe:
    """Return the recipe of the whole system: one process per service, the stream and the console."""
    python = sys.executable
    services = tuple(
        ProcessSpec(name, (python, "-m", f"services.{name}", "all"), service=name, serves=name) for name in SERVICES
    )
    stream = ProcessSpec(STREAM, (python, "-m", "services.scorecard", "stream"), service="scorecard")
    console = ProcessSpec(CONSOLE, (python, "-m", "console.server"), serves=CONSOLE)
    topics = (python, "-m", "tools.apply_topics")
    return Recipe((*services, stream, console), topics, (*topics, "--drop"))


def chosen(recipe: Recipe, names: list[str] | None) -> list[ProcessSpec]:
    """Return the processes of these names, all where none are given; raises KeyError for an unknown one."""
    if names is None:
        return list(recipe.processes)
    known = {spec.name: spec for spec in recipe.processes}
    return [known[name] for name in names]


def split_roles(specs: list[ProcessSpec], split: list[str]) -> list[ProcessSpec]:
    """Replace each of these services by one process per role, as in production.

    `logistics:relay` takes the relay alone apart: `logistics` keeps the other roles.
    """
    result: list[ProcessSpec] = []
    for spec in specs:
        apart = [word.partition(":")[2] for word in split if word.partition(":")[0] == spec.name]
        if not apart or spec.serves is None or spec.service is None:
            result.append(spec)
            continue
        alone = ROLES if "" in apart else tuple(role for role in ROLES if role in apart)
        if rest := tuple(role for role in ROLES if role not in alone):
            result.append(_with_roles(spec, spec.name, rest))
        result += [_with_roles(spec, f"{spec.name}-{role}", (role,)) for role in alone]
    return result


def _with_roles(spec: ProcessSpec, name: str, roles: tuple[str, ...]) -> ProcessSpec:
    serves = spec.serves if "api" in roles else None
    return replace(spec, name=name, command=(*spec.command[:-1], *roles), serves=serves)


def with_copies(specs: list[ProcessSpec], copies: dict[str, int]) -> list[ProcessSpec]:
    """Add further copies of processes: `{"scorecard-stream": 2}` adds `scorecard-stream-1`."""
    result = list(specs)
    for spec in specs:
        for number in range(1, copies.get(spec.name, 1)):
            result.append(replace(spec, name=f"{spec.name}-{number}", serves=None, instance=number))
    return result
