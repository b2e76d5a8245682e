"""The two tables "Who may do what" as data, and the routes of all doors as their OpenAPI documents show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("who_may_do_what.tsv")
SERVICES = (
    "forecast",
    "inventory",
    "logistics",
    "procurement",
    "exceptions",
    "sales",
    "scorecard",
    "collaboration",
)
COLUMNS = ("table", "row", "allowed", "persons", "persons_when", "routes")
Name = tuple[str, str, str]  # service, method, path


@dataclass(frozen=True)
class Door:
    """Who may use a route: persons by role, machines by a claim that they hold or a topic that they subscribed to."""

    roles: frozenset[str]
    claims: frozenset[str] = frozenset()
    topic: str | None = None


@dataclass(frozen=True)
class Line:
    """One row of the tables, with the routes that it covers."""

    table: str
    row: str
    allowed: str
    persons: frozenset[str]
    persons_when: Mapping[str, str]
    routes: Mapping[Name, Door]
    kinds: tuple[str, ...] = ()

    @property
    def roles(self) -> frozenset[str]:
        """Everybody who may, under a condition or without one."""
        return self.persons | frozenset(self.persons_when)


def lines(text: str) -> list[Line]:
    """Read the file; raises ValueError where it is not what its head says."""
    rows = [row.split("\t") for row in text.splitlines() if row and not row.startswith("#")]
    if tuple(rows[0]) != COLUMNS or any(len(row) != len(COLUMNS) for row in rows):
        raise ValueError(f"each line has the columns {', '.join(COLUMNS)}")
    return [_line(*row) for row in rows[1:]]


def _line(table: str, row: str, allowed: str, persons: str, when: str, last: str) -> Line:
    always = frozenset(_parts(persons, ","))
    under = dict(_pair(one, ":") for one in _parts(when, "|"))
    if table == "fields":
        return Line(table, row, allowed, always, under, {}, tuple(last.split()))
    roles = always.union(under) - {"machine"}
    return Line(table, row, allowed, always, under, dict(_route(one, roles, always) for one in _parts(last, ";")))


def _route(text: str, roles: frozenset[str], always: frozenset[str]) -> tuple[Name, Door]:
    name, claim = _pair(text, "<-")
    service, method, path = name.split(" ")
    if claim.startswith("topics:"):
        return (service, method, path), Door(roles, frozenset({"topics"}), claim.removeprefix("topics:"))
    claims = frozenset(_parts(claim, "|")) | (always & {"machine"})
    return (service, method, path), Door(roles, claims)


def _parts(text: str, sign: str) -> list[str]:
    return [part.strip() for part in text.split(sign) if part.strip()]


def _pair(text: str, sign: str) -> tuple[str, str]:
    first, _, second = text.partition(sign)
    return first.strip(), second.strip()


def doors(found: Mapping[str, dict[str, Any]]) -> dict[Name, Door]:
    """Return who may use each route, as the documents say it."""
    return {
        (service, method.upper(), path): Door(
            frozenset(said.get("x-roles", ())) - {"machine"},
            frozenset(said.get("x-machine", ())) | (frozenset(said.get("x-roles", ())) & {"machine"}),
            said.get("x-topic"),
        )
        for service, document in found.items()
        for path, methods in document["paths"].items()
        for method, said in methods.items()
    }


def differences(file: list[Line], routes: Mapping[Name, Door]) -> list[str]:
    """Return what the file and the routes say differently; nothing where they agree."""
    said: list[str] = []
    seen: dict[Name, Door] = {}
    for line in file:
        for name, door in line.routes.items():
            if name in seen:
                said.append(f"{' '.join(name)}: in two lines")
            seen[name] = door
    told = {name: door for name, door in seen.items() if name[0] != "ops"}
    said += [f"{' '.join(name)}: no line of the file names it" for name in sorted(routes.keys() - told.keys())]
    said += [f"{' '.join(name)}: there is no such route" for name in sorted(told.keys() - routes.keys())]
    for name in sorted(routes.keys() & told.keys()):
        for what in ("roles", "claims", "topic"):
            ours, theirs = getattr(told[name], what), getattr(routes[name], what)
            if ours != theirs:
                said.append(f"{' '.join(name)}: {what} are {_words(theirs)}, the table says {_words(ours)}")
    return said


def _words(value: Any) -> str:
    return ", ".join(sorted(value)) if isinstance(value, frozenset) else str(value)
