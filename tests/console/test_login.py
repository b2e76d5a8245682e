"""Login with the built-in issuer, and the session's cookie."""

from __future__ import annotations

from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import httpx
import pytest

from console.server.guard import cookie_of
from console.server.tickets import TICKETS_MAX, TicketRefused, Tickets
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
        assert (cookie.key, cookie["httponly"], cookie["samesite"], cookie["path"]) == (
            cookie_of(cases.world),
            True,
            "strict",
            "/",
        )
        assert not cookie["domain"]
        head = {"Cookie": f"{cookie_of(cases.world)}={token}"}
        who = httpx.get(f"{served.url}/session", headers=head).json()
        assert (who["roles"], who["sites"], who["customers"]) == (["logistics"], ["Near"], "*")
        with httpx.stream("GET", f"{served.url}/stream", headers=head) as answer:
            assert answer.status_code == 200
        wrong = httpx.get(f"{served.url}/session", headers={"Cookie": f"{cookie_of(cases.world)}={token[:-4]}AAAA"})
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


def test_where_no_pages_are_built_a_browser_reads_what_to_do_instead(cases: Cases, tmp_path: Path) -> None:
    with cases.served(web_folder=str(tmp_path)) as served:
        answer = httpx.get(served.url)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
        assert "crossdock watch" in answer.text


def _ticket(served: Served) -> str:
    said = httpx.post(f"{served.url}/issuer/ticket", json={"as": "logistics", "sites": ["Near"]})
    return str(said.json()["ticket"])


def test_a_login_link_logs_in_once(cases: Cases) -> None:
    with cases.served() as served:
        ticket = _ticket(served)
        with httpx.Client(base_url=served.url) as browser:
            led = browser.get("/login", params={"ticket": ticket, "to": "/cases/1?tab=2"})
            assert (led.status_code, led.headers["location"]) == (303, "/cases/1?tab=2")
            assert led.headers["cache-control"] == "no-store"
            who = browser.get("/session").json()
            assert (who["roles"], who["sites"], who["world"]) == (["logistics"], ["Near"], cases.world)
        again = httpx.get(f"{served.url}/login", params={"ticket": ticket})
        assert (again.status_code, again.json()["code"]) == (403, "ticket-refused")
        assert "set-cookie" not in again.headers


@pytest.mark.parametrize("to", ["https://evil.example", "//evil.example", "/\\evil.example", "cases", "/a\nb"])
def test_a_login_link_leads_to_no_other_server(cases: Cases, to: str) -> None:
    with cases.served() as served:
        led = httpx.get(f"{served.url}/login", params={"ticket": _ticket(served), "to": to})
        assert (led.status_code, led.headers["location"]) == (303, "/")


def test_a_ticket_ends_soon_and_only_so_many_are_out() -> None:
    late = Tickets(seconds=0)
    with pytest.raises(TicketRefused):
        late.redeem(late.give("token"))
    many = Tickets()
    for _ in range(TICKETS_MAX):
        many.give("token")
    with pytest.raises(TicketRefused):
        many.give("token")


def test_without_a_key_or_a_provider_nobody_gets_in(cases: Cases) -> None:
    with cases.served(issuer_key="") as served:
        assert httpx.post(f"{served.url}/issuer/ticket", json={"as": "sales"}).status_code == 403
        assert httpx.get(f"{served.url}/login").status_code == 403
        assert httpx.get(f"{served.url}/login/callback", params={"code": "x", "state": "y"}).status_code == 403
