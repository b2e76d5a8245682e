"""Whatever a caller sends, the answer is about what was sent: no field, parameter or part of a path makes a door fail."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import pytest
from httpx import Response

from tests.access import world as worlds
from tests.access.calls import CALLS
from tests.access.matrix import SERVICES
from tests.access.test_cells import SentRequest, cells, send
from tests.access.world import World
from tests.support.odd import TEXTS, VALUES, Place, places, replaced
from tests.support.service import open_service

CONTROLS = ("kit\x1b[2K", "kit\x9b2K")  # C0 and C1: a terminal would obey them
CLOCK = "/world/advance"  # comes last: a world at the end of time does nothing more
IN_URLS = (*(quote(text, safe="") for text in TEXTS), "%ED%A0%80", "%FF")


class Odd(NamedTuple):
    """A request with one odd thing in it."""

    what: str
    path: str
    body: bytes | None
    must_be_refused: bool = False


def _was_taken(answer: Response) -> bool:
    """Say whether a body was accepted, or its one item where it was a batch."""
    results = answer.json().get("results", [{}]) if answer.status_code < 400 and answer.content else []
    return any(one.get("status") not in ("refused", "conflict") for one in results)


@pytest.fixture
def odd_world(fresh_database: Callable[[str], str]) -> Iterator[Callable[[str], World]]:
    """Return a world of a service for one test: what is odd and allowed stays in it."""
    opened = []

    def made(service: str) -> World:
        context = open_service(worlds.parts(service), fresh_database(service))
        opened.append(context)
        return worlds.build(service, context.__enter__())

    yield made
    for context in opened:
        context.__exit__(None, None, None)


def unsaid(document: dict[str, Any], operation: dict[str, Any], body: Any) -> Iterator[Place]:
    """Yield the places of fields that a sample body leaves out, of its items where it is a batch."""
    where: Place = ("items", 0) if "x-item" in operation else ()
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    reference = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    schema = operation.get("x-item") or document["components"]["schemas"].get(reference, {})
    said = body["items"][0] if where else body
    yield from ((*where, name) for name in schema.get("properties", {}) if name not in said)


def odd_requests(document: dict[str, Any], route: str, one: SentRequest) -> Iterator[Odd]:
    """Yield a request per part of the path, parameter and field, and odd value of it."""
    operation = document["paths"][route][one.method.lower()]
    query = f"?{urlencode(one.query)}" if one.query else ""
    said = None if one.body is None else json.dumps(one.body).encode()
    templates, parts = route.split("/"), one.path.split("/")
    for at, template in enumerate(templates):
        for text in IN_URLS if template.startswith("{") else ():
            yield Odd(f"{template}={text[:40]}", "/".join([*parts[:at], text, *parts[at + 1 :]]) + query, said)
    for parameter in operation.get("parameters", []):
        name = parameter["name"]
        for text in IN_URLS if parameter["in"] == "query" else ():
            rest = urlencode({key: value for key, value in one.query.items() if key != name})
            yield Odd(f"?{name}={text[:40]}", f"{one.path}?{name}={text}&{rest}", said)
    if one.method == "POST" and "requestBody" in operation:
        body = {} if one.body is None else one.body
        for place in (*places(body), *unsaid(document, operation, body)):
            for value in (*VALUES, *CONTROLS):
                wrong = json.dumps(replaced(body, place, value)).encode()
                yield Odd(f"{place}={str(value)[:40]!r}", one.path + query, wrong, value in CONTROLS)
        for raw in (b"", b"{", b"\xff\xfe", b"[" * 50_000):
            yield Odd(repr(raw[:10]), one.path + query, raw)


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_odd_is_a_failure(odd_world: Callable[[str], World], service: str) -> None:
    """A number that no column keeps, a day at the end of time, a text that is none: refused in words, or taken."""
    world = odd_world(service)
    document = world.service.get("/openapi.json").json()
    failed: list[str] = []
    for name in sorted((name for name in CALLS if name[0] == service), key=lambda name: (name[2] == CLOCK, name)):
        cell = next(cell for cell in cells(name) if cell.expected == "allowed" and cell.target == "own")
        one = send(world, CALLS[name], cell)
        for odd in odd_requests(document, name[2], one):
            head = one.head | {"Content-Type": "application/json"}
            answer = world.service.client.request(one.method, odd.path, content=odd.body, headers=head)
            if answer.status_code >= 500 or (odd.must_be_refused and _was_taken(answer)):
                failed.append(f"{name[1]} {name[2]} {odd.what}: {answer.status_code} {answer.text[:200]}")
    assert not failed, "\n".join(failed)
