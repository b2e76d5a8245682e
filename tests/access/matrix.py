"""Reads docs/rules/access.md, and the access of all routes from their OpenAPI documents, and compares the two."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.access import PERSONS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rules" / "access.md"
SERVICES = (
    "forecast", "inventory", "logistics", "procurement", "exceptions", "sales", "scorecard", "collaboration",
)  # fmt: skip
NONE = "–"
Name = tuple[str, str, str]  # service, method, path
Cells = tuple[str, ...]


@dataclass(frozen=True)
class RouteAccess:
    """Who may use a route: persons by role, machines by a claim that they hold or by a topic that they subscribed to."""

    roles: frozenset[str]
    claims: frozenset[str] = frozenset()
    topic: str | None = None
    act: str | None = None


@dataclass(frozen=True)
class AccessRow:
    """One row of the page's tables of acts, with the routes of its section and the machine claims of its act names."""

    number: str
    act: str
    persons: frozenset[str]
    conditions: Mapping[str, str]
    routes: Mapping[Name, RouteAccess]
    machines: Mapping[str, frozenset[str]]

    @property
    def roles(self) -> frozenset[str]:
        """Every role that may do the act, under a condition or without one."""
        return self.persons | frozenset(self.conditions)


def rows(text: str) -> list[AccessRow]:
    """Return the rows of ACCESS 1 and ACCESS 3; raises ValueError where a row has no section or a section no row."""
    parts = _sections(text)
    tables = [(page, cells) for page in ("1", "3") for cells in _table(parts[page])]
    numbers = {cells[0] for _, cells in tables}
    sections = {number for number in parts if "." in number}
    if missing := sorted(numbers - sections):
        raise ValueError(f"rows without a section of their routes: {', '.join(missing)}")
    if extra := sorted(sections - numbers):
        raise ValueError(f"sections without a row in their table: {', '.join(extra)}")
    return [_row(cells, parts[cells[0]], with_conditions=page == "1") for page, cells in tables]


def marks(text: str) -> dict[str, frozenset[str]]:
    """Return the roles that see the fields of each mark (ACCESS 2)."""
    return {cells[1].strip("`"): _roles(cells[3]) for cells in _table(_sections(text)["2"])}


def _sections(text: str) -> dict[str, str]:
    """Return the text of each section by its number."""
    found = re.split(r"^#{2,3} ACCESS (\d+(?:\.\d+)?) .*$", text, flags=re.MULTILINE)
    return dict(zip(found[1::2], found[2::2], strict=True))


def _table(text: str) -> list[Cells]:
    """Return the rows of the only table in a text, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines[2:]]


def _row(cells: Cells, section: str, *, with_conditions: bool) -> AccessRow:
    number, act, persons = cells[:3]
    always = _roles(persons)
    under = _conditions(cells[3]) if with_conditions else {}
    access, machines = dict[Name, RouteAccess](), dict[str, frozenset[str]]()
    for name, claims, service, routes in _table(section):
        found = RouteAccess(
            roles=(always | frozenset(under)) - {"machine"},
            claims=_claims(claims) | (always & {"machine"}),
            topic=claims.split("`")[1] if claims.startswith("topic ") else None,
            act=None if name == NONE else name.strip("`"),
        )
        if found.act:
            machines[found.act] = machines.get(found.act, frozenset()) | found.claims
        access |= dict.fromkeys(_names(service, routes), found)
    return AccessRow(number, act, always, under, access, machines)


def _roles(text: str) -> frozenset[str]:
    named = frozenset(_parts(text.replace("every person", ", ".join(PERSONS)), ","))
    if unknown := named - {*PERSONS, "machine", "nobody"}:
        raise ValueError(f"unknown roles: {', '.join(sorted(unknown))}")
    return named


def _conditions(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in _parts(text, ";"):
        roles, _, condition = part.partition(":")
        found |= dict.fromkeys(_roles(roles), condition.strip())
    return found


def _claims(text: str) -> frozenset[str]:
    return frozenset({"topics"}) if text.startswith("topic ") else frozenset(_parts(text, " or "))


def _names(service: str, routes: str) -> Iterator[Name]:
    for one in SERVICES if service == "every service" else (service,):
        for route in _parts(routes, ","):
            method, path = route.strip("`").split(" ")
            yield one, method, path


def _parts(text: str, sign: str) -> list[str]:
    return [part.strip() for part in text.split(sign) if part.strip() and part.strip() != NONE]


def documented(documents: Mapping[str, dict[str, Any]]) -> dict[Name, RouteAccess]:
    """Return who may use each route, as the OpenAPI documents state it."""
    return {
        (service, method.upper(), path): RouteAccess(
            frozenset(route.get("x-roles", ())) - {"machine"},
            frozenset(route.get("x-machine", ())) | (frozenset(route.get("x-roles", ())) & {"machine"}),
            route.get("x-topic"),
            route.get("x-act"),
        )
        for service, document in documents.items()
        for path, methods in document["paths"].items()
        for method, route in methods.items()
    }


def differences(page: list[AccessRow], routes: Mapping[Name, RouteAccess]) -> list[str]:
    """Return each difference between the page and the routes, in words; an empty list where they agree."""
    found: list[str] = []
    named: dict[Name, RouteAccess] = {}
    for row in page:
        for name, access in row.routes.items():
            if name in named:
                found.append(f"{' '.join(name)}: in two rows of the page")
            named[name] = access
    named = {name: access for name, access in named.items() if name[0] != "ops"}
    found += [f"{' '.join(name)}: no row of the page names it" for name in sorted(routes.keys() - named.keys())]
    found += [f"{' '.join(name)}: there is no such route" for name in sorted(named.keys() - routes.keys())]
    for name in sorted(routes.keys() & named.keys()):
        for what in ("roles", "claims", "topic", "act"):
            ours, theirs = getattr(named[name], what), getattr(routes[name], what)
            if ours != theirs:
                found.append(f"{' '.join(name)}: {what}: the route has {_words(theirs)}, the page has {_words(ours)}")
    return found


def _words(value: Any) -> str:
    return ", ".join(sorted(value)) or "none" if isinstance(value, frozenset) else str(value)
