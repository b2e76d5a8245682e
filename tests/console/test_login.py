"""Login with the built-in issuer, and the session's cookie."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any

import httpx
import pytest

from console.server.app import COOKIE
from tests.console.served import Cases, Served


def _log_in(served: Served, **said: Any) -> httpx.Response:
    return httpx.post(f"{served.url}/issuer/token", json=said)


def test_a_demo_role_gets_a_token_and_a_session_cookie_that_no_script_and_no_other_site_can_use(cases: Cases) -> None:
    """FLOW 4.3: the stream is read with the cookie alone, in the scope that its token says."""
    with cases.served() as served:
        token = _log_in(served, **{"as": "logistics"}, sites=["Near"]).json()["token"]
        made = httpx.post(f"{served.url}/session", headers={"Authorization": f"Bearer {token}"})
        assert made.status_code == 204
        (cookie,) = SimpleCookie(made.headers["set-cookie"]).values()
        assert (cookie.key, cookie["httponly"], cookie["samesite"], cookie["path"]) == (COOKIE, True, "strict", "/")
        assert not cookie["domain"]
        head = {"Cookie": f"{COOKIE}={token}"}
        who = httpx.get(f"{served.url}/session", headers=head).json()
        assert (who["roles"], who["sites"], who["customers"]) == (["logistics"], ["Near"], "*")
        with httpx.stream("GET", f"{served.url}/stream", headers=head) as answer:
            assert answer.status_code == 200
        wrong = httpx.get(f"{served.url}/session", headers={"Cookie": f"{COOKIE}={token[:-4]}AAAA"})
        assert wrong.status_code == 401


def test_without_a_token_there_is_no_session(cases: Cases) -> None:
    with cases.served() as served:
        assert httpx.get(f"{served.url}/session").status_code == 401
        assert httpx.post(f"{served.url}/session").status_code == 401
        assert httpx.post(f"{served.url}/session", headers={"Authorization": "Bearer abc"}).status_code == 401


@pytest.mark.parametrize(
    ("said", "field"), [({"as": "emperor"}, "as"), ({"as": "sales", "colour": "red"}, "colour"), ({}, "as")]
)
def test_an_unknown_role_gets_nothing(cases: Cases, said: dict[str, str], field: str) -> None:
    with cases.served() as served:
        answer = _log_in(served, **said)
        assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_without_a_key_there_is_no_built_in_issuer(cases: Cases) -> None:
    with cases.served(issuer_key="") as served:
        assert _log_in(served, **{"as": "sales"}).status_code == 403


def test_a_browser_that_comes_by_reads_what_to_do_instead(cases: Cases) -> None:
    with cases.served() as served:
        answer = httpx.get(served.url)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
        assert "crossdock watch" in answer.text
