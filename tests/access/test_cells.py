"""One real request per cell: route × role × scope, against the real apps on a real PostgreSQL.

All refusals come first, so that they meet things as they were made; what is allowed may then meet a thing that moved on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from schemas.access import PERSONS
from tests.access import matrix
from tests.access.calls import CALLS, Call
from tests.access.matrix import AccessRow, Name, RouteAccess
from tests.access.world import CUSTOMER, OFFERED, OWNER, SITE, TASKS, World
from tests.support.service import token

ROWS = matrix.rows(matrix.PAGE.read_text(encoding="utf-8"))
ROUTES: dict[Name, tuple[AccessRow, RouteAccess]] = {
    name: (row, access) for row in ROWS for name, access in row.routes.items() if name[0] not in ("ops", "console")
}
NAMES = [pytest.param(name, id=" ".join(name)) for name in ROUTES]
ELSEWHERE = {"far": {"sites": [SITE["own"]]}, "theirs": {"customers": [CUSTOMER["own"]]}}
WORDS = {"far": "Farsite", "theirs": "Theirclinic"}
MACHINES = {  # a claim, whose it is, and whose it is not
    "source": ({"source": "erp"}, {"source": "tms"}),
    "carrier": ({"carrier": "northline"}, {"carrier": "southline"}),
    "supplier": ({"supplier": "Acme"}, {"supplier": "Bolt"}),
    "warehouse": ({"warehouse": SITE["own"]}, {"warehouse": SITE["far"]}),
}


@dataclass(frozen=True)
class Cell:
    """Who asks, with which claims, about which target, and what is expected: refused, item, hidden or allowed."""

    who: str
    role: str
    claims: dict[str, Any]
    target: str
    expected: str
    speaks_for: str | None = None  # the source of a batch, where it is not the machine's own


def cells(name: Name) -> Iterator[Cell]:
    """Return every cell of a route."""
    (row, access), call = ROUTES[name], CALLS[name]
    for role in PERSONS:
        if role not in row.roles:
            yield Cell(role, role, {}, "own", "refused")
            continue
        if role in row.conditions:
            yield Cell(f"{role} without its condition", role, {}, "own", "refused")
            yield _under_condition(name, role)
        else:
            yield Cell(role, role, {}, "own", "allowed")
        yield from _elsewhere(call, role, {"sub": OWNER})
    yield from _machines(call, access)


def _under_condition(name: Name, role: str) -> Cell:
    expected = "refused" if name[2].endswith("/assign") else "allowed"  # FLOW 2.3: the planning lead assigns
    return Cell(f"{role} under its condition", role, {"sub": OWNER} if "/cases/" in name[2] else {}, "own", expected)


def _elsewhere(call: Call, role: str, claims: dict[str, Any]) -> Iterator[Cell]:
    for target, narrowed in ELSEWHERE.items():
        reach = call.site if target == "far" else call.customer
        if reach == "open":
            yield Cell(f"{role} of other scope", role, claims | narrowed, "own", "allowed")
        else:
            yield Cell(f"{role}, {target}", role, claims | narrowed, target, reach)


def _machines(call: Call, access: RouteAccess) -> Iterator[Cell]:
    yield Cell("machine", "machine", {}, "own", "refused")
    if access.topic:
        subscribed = {"topics": [access.topic]}
        yield Cell("a subscriber", "machine", subscribed, "own", "allowed")
        yield Cell("a subscriber of something else", "machine", {"topics": ["other.topic"]}, "own", "refused")
        yield from _elsewhere(call, "machine", subscribed)
        if call.foreign != "open":
            yield Cell("a subscriber of another source", "machine", subscribed | {"source": "tms"}, "own", call.foreign)
        if call.elsewhere != "open":
            bound = subscribed | {"warehouse": SITE["far"]}
            yield Cell("a subscriber of another warehouse", "machine", bound, "own", call.elsewhere)
        return
    for claim, (own, foreign) in MACHINES.items():
        if claim not in access.claims:
            yield Cell(f"a machine with a {claim}", "machine", own, "own", "refused")
            continue
        yield Cell(f"a machine of this {claim}", "machine", own, "own", "allowed")
        is_batch = call.name[2].endswith(":batch")
        reach = "item" if is_batch and claim != "source" else "refused"
        yield Cell(f"a machine of another {claim}", "machine", foreign, "own", reach)
        yield from _elsewhere(call, "machine", own)
        if is_batch:
            yield Cell(
                f"a machine of this {claim} that speaks for another source", "machine", own, "own", "refused", "tms"
            )


# ── asking ───────────────────────────────────────────────────────────────────────────────────────


class SentRequest(NamedTuple):
    """One request, whole."""

    method: str
    path: str
    body: Any
    query: dict[str, str]
    head: dict[str, str]


def ask(world: World, call: Call, cell: Cell) -> Any:
    """Ask a route as a cell says; returns the response."""
    one = send(world, call, cell)
    return world.service.client.request(one.method, one.path, json=one.body, params=one.query, headers=one.head)


def send(world: World, call: Call, cell: Cell) -> SentRequest:
    """Return the request of a cell."""
    ids = world.ids[cell.target] | {"kind": "shipment-delay"}
    body = call.body(cell.target) if call.body else None
    if call.name[0] == "exceptions" and "/tasks/{task_id}/" in call.name[2] and cell.target == "own":
        ids["task_id"] = ids[_task(call.name[2].rpartition("/")[2], cell)]
    if "/sourcings/{sourcing_id}/" in call.name[2]:
        dear = "dear_" if cell.who == "procurement without its condition" else ""
        ids["sourcing_id"] = ids[f"{dear}sourcing_id"]
        body = {"alternative_id": ids[f"{dear}alternative_id"], "rationale": "the nearest"}
        if call.name[2].endswith("decline"):
            body = {"line_id": ids[f"{dear}line_id"], "reason": "nobody needs it"}
    if isinstance(body, dict) and "items" in body and cell.role == "machine":
        body |= {
            "source": cell.speaks_for
            or (body["source"] if "source" in cell.claims else _own_name(cell) or body["source"])
        }
    claims = {"sites": "*", "customers": "*"} | cell.claims
    head = {"Authorization": f"Bearer {token(cell.role, **claims)}"}
    query = call.query(cell.target, ids) if call.query else {}
    return SentRequest(call.name[1], call.path(ids, cell.target, cell.who), body, query, head)


def _own_name(cell: Cell) -> str | None:
    """Return the name that a machine without a source speaks in."""
    return next((cell.claims[name] for name in ("carrier", "supplier", "warehouse") if name in cell.claims), None)


def _task(act: str, cell: Cell) -> str:
    """Name the task that is the role's where its condition holds, and another function's where it does not."""
    wanted = OFFERED if act in ("accept", "return") else TASKS
    mine = [kind for kind, function in wanted.items() if function == cell.role] or ["notify-customers"]
    others = [kind for kind in TASKS if kind not in mine]
    return f"task-{act}/{others[0] if 'without' in cell.who else mine[0]}"


def verdict(world: World, call: Call, cell: Cell) -> str | None:
    """Ask, and return what is wrong with the answer; None when it is as the tables say."""
    answer = ask(world, call, cell)
    said = f"{cell.who} {cell.claims}: {answer.status_code}, expected {cell.expected}: {answer.text[:200]}"
    if cell.expected == "refused":
        # 404: the scorecard does not even say that a fact of another scope exists
        fine = answer.status_code == 403 or (answer.status_code == 404 and cell.target != "own")
    elif cell.expected == "item":
        fine = answer.status_code == 403 or _scopes_of_items(answer)
    elif cell.expected == "hidden":
        fine = answer.status_code == 200 and not _shows(answer.text, world, cell)
    else:
        fine = answer.status_code in (200, 201, 409) or (answer.status_code == 404 and "dead_letter_id" in call.name[2])
        fine = fine and "outside your scope" not in answer.text
    return None if fine else said


def _scopes_of_items(answer: Any) -> bool:
    results = answer.json().get("results", [])
    return bool(results) and all(
        one["status"] == "refused"
        and ("outside your scope" in one["reason"] or "only what belongs to its own" in one["reason"])
        for one in results
    )


def _shows(text: str, world: World, cell: Cell) -> bool:
    """Say whether an answer names the target's site or customer, or one of the things that only it has."""
    if cell.target == "own":  # a machine of another source: everything here is erp's
        return any(ident in text for name, ident in world.ids["own"].items() if name.endswith("_id"))
    theirs = {ident for name, ident in world.ids[cell.target].items() if name.endswith("_id") and name != "cause_id"}
    return WORDS[cell.target] in text or any(ident in text for ident in theirs)


# ── the cells ────────────────────────────────────────────────────────────────────────────────────


def test_every_route_of_the_tables_has_a_request() -> None:
    assert set(CALLS) == set(ROUTES)


@pytest.mark.parametrize("name", NAMES)
def test_who_may_not_is_refused_and_reads_nothing_of_another_scope(
    service_world: Callable[[str], World], name: Name
) -> None:
    """FLOW 4.3, ACCESS 1: ids outside the scope, lists among them."""
    world, call = service_world(name[0]), CALLS[name]
    asked = [cell for cell in cells(name) if cell.expected != "allowed"]
    assert [wrong for cell in asked if (wrong := verdict(world, call, cell))] == []
    bare = world.service.client.request(name[1], call.path(world.ids["own"] | {"kind": "shortage"}, "own", ""))
    assert bare.status_code == 401, "without a token"


@pytest.mark.parametrize("name", NAMES)
def test_who_may_is_not_refused(service_world: Callable[[str], World], name: Name) -> None:
    """ACCESS 1: persons, and machines for what is theirs."""
    world, call = service_world(name[0]), CALLS[name]
    asked = [cell for cell in cells(name) if cell.expected == "allowed"]
    assert [wrong for cell in asked if (wrong := verdict(world, call, cell))] == []
    for target, reach in (("far", call.site), ("theirs", call.customer)):
        if reach == "hidden":
            whole = ask(world, call, Cell("planning-lead", "planning-lead", {}, target, "allowed"))
            assert _shows(whole.text, world, Cell("", "", {}, target, "")), f"nothing of {target} to hide"
