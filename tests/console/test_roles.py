"""Every route of the console's server, asked as nobody, as each role and as a machine: what the matrix says, and nothing more."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from cli.stack import spawn
from schemas.access import ROLES
from tests.access import matrix
from tests.console.served import LOCAL, Cases, Served
from tools.contracts import openapi

ROUTES = {name[1:]: access for name, access in matrix.documented({"console": openapi.documents()["console"]}).items()}
# What a route is asked with, so that only who asks decides; the streams are asked for a place that is none.
ASKED: dict[tuple[str, str], tuple[str, object]] = {
    ("GET", "/stream"): ("/stream?from=nowhere", None),
    ("GET", "/api/{service}/{path}"): ("/api/sales/orders", None),
    ("POST", "/api/{service}/{path}"): ("/api/sales/orders", {}),
    ("POST", "/issuer/token"): ("/issuer/token", {"as": "viewer"}),
    ("POST", "/issuer/ticket"): ("/issuer/ticket", {"as": "viewer"}),
    ("GET", "/assets/{file}"): ("/assets/none.js", None),
    ("GET", "/{screen}"): ("/velocity", None),
}
TURNED_AWAY = (401, 403)
LOGIN = "/login"  # without a ticket or a provider it turns everybody away, whoever asks


@pytest.fixture
def served(cases: Cases) -> Iterator[Served]:
    with cases.served(services_urls={"sales": f"http://127.0.0.1:{spawn.free_port()}"}) as running:
        yield running


def _ask(served: Served, route: tuple[str, str], token: str | None) -> int:
    method, path = route
    asked, body = ASKED.get(route, (path, None))
    head = {"Authorization": f"Bearer {token}"} if token else {}
    head |= LOCAL if path.startswith("/issuer/") else {}
    return httpx.request(method, served.url + asked, headers=head, json=body).status_code


@pytest.mark.parametrize("route", [one for one in ROUTES if not one[1].startswith(LOGIN)], ids=" ".join)
def test_a_route_is_for_whom_the_matrix_says(served: Served, cases: Cases, route: tuple[str, str]) -> None:
    access = ROUTES[route]
    nobody = _ask(served, route, None)
    assert (nobody == 401) is ("nobody" not in access.roles), nobody
    for role in ROLES:
        claims = {"topics": ["exceptions.case"]} if "topics" in access.claims else {}
        may = "nobody" in access.roles or role in access.roles or (role == "machine" and bool(access.claims))
        answer = _ask(served, route, cases.token(role, **claims))
        assert (answer not in TURNED_AWAY) is may, f"{role}: {answer}"


@pytest.mark.parametrize("route", [one for one in ROUTES if one[0] == "POST"] + [("DELETE", "/session")], ids=" ".join)
def test_another_site_posts_nothing(served: Served, cases: Cases, route: tuple[str, str]) -> None:
    asked, body = ASKED.get(route, (route[1], None))
    head = {"Authorization": f"Bearer {cases.token('sre')}", "Origin": "https://evil.example"}
    answer = httpx.request(route[0], served.url + asked, headers=head, json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "cross-site")
