"""Login with the built-in issuer, and the session's cookie."""

from __future__ import annotations

import os
import subprocess
import sys
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from console.server.guard import cookie_of
from console.server.settings import ConsoleSettings
from console.server.tickets import TICKETS_MAX, TicketRefused, Tickets
from tests.console.served import LOCAL, Cases, Served


def _log_in(served: Served, **body: Any) -> httpx.Response:
    return httpx.post(f"{served.url}/issuer/token", json=body, headers=LOCAL)


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
    ("body", "field"), [({"as": "emperor"}, "as"), ({"as": "sales", "colour": "red"}, "colour"), ({}, "as")]
)
def test_an_unknown_role_gets_nothing(cases: Cases, body: dict[str, str], field: str) -> None:
    with cases.served() as served:
        answer = _log_in(served, **body)
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
    said = httpx.post(f"{served.url}/issuer/ticket", json={"as": "logistics", "sites": ["Near"]}, headers=LOCAL)
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
        assert httpx.post(f"{served.url}/issuer/ticket", json={"as": "sales"}, headers=LOCAL).status_code == 403
        assert httpx.get(f"{served.url}/login").status_code == 403
        assert httpx.get(f"{served.url}/login/callback", params={"code": "x", "state": "y"}).status_code == 403


# ── the local secret ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("what", ["token", "ticket"])
@pytest.mark.parametrize("head", [{}, {"X-Local-Secret": ""}, {"X-Local-Secret": "guessed"}])
def test_the_built_in_issuer_gives_nothing_without_the_local_secret(
    cases: Cases, what: str, head: dict[str, str]
) -> None:
    with cases.served() as served:
        answer = httpx.post(f"{served.url}/issuer/{what}", json={"as": "viewer"}, headers=head)
        assert (answer.status_code, answer.json()["code"]) == (401, "local-secret-missing")
        assert "crossdock desk" in answer.json()["detail"]


def test_a_session_changes_its_role_without_the_secret(cases: Cases) -> None:
    """The cookie of a session that holds, sent by our own page; a bearer token is no session."""
    with cases.served() as served:
        viewer = cases.token("viewer")
        cookie = {"Cookie": f"{cookie_of(cases.world)}={viewer}", "Origin": served.url}
        given = httpx.post(f"{served.url}/issuer/ticket", json={"as": "sales"}, headers=cookie)
        assert given.status_code == 200
        for head in (
            {"Authorization": f"Bearer {viewer}"},
            cookie | {"Cookie": f"{cookie_of(cases.world)}={viewer[:-4]}AAAA"},
            cookie | {"Cookie": f"another={viewer}"},
        ):
            assert httpx.post(f"{served.url}/issuer/ticket", json={"as": "sales"}, headers=head).status_code == 401
        assert httpx.delete(f"{served.url}/session", headers=cookie).status_code == 204
        assert httpx.post(f"{served.url}/issuer/ticket", json={"as": "sales"}, headers=cookie).status_code == 401


# ── the names of this server ─────────────────────────────────────────────────────────────────────


def test_a_page_whose_name_leads_here_gets_no_token(cases: Cases) -> None:
    """H5: the name is the page's own origin, so that nothing else tells it from our own pages."""
    with cases.served() as served:
        name = f"rebind.evil.example:{served.port}"
        head = {"Host": name, "Origin": f"http://{name}", "Sec-Fetch-Site": "same-origin"} | LOCAL
        for method, path in (
            ("POST", "/issuer/token"),
            ("GET", "/"),
            ("GET", "/session"),
            ("GET", "/api/sales/customers"),
        ):
            answer = httpx.request(
                method, served.url + path, headers=head, json={"as": "sre"} if method == "POST" else None
            )
            assert (answer.status_code, answer.json()["code"]) == (421, "misdirected")
            assert answer.headers["content-security-policy"]


def test_the_public_name_and_those_that_are_allowed_are_taken(cases: Cases) -> None:
    with cases.served(public_url="https://desk.example", hosts_allowed="console, other.example") as served:
        for host, status in (
            ("desk.example", 401),
            ("console:8000", 401),
            ("other.example", 401),
            ("evil.example", 421),
        ):
            assert httpx.get(f"{served.url}/session", headers={"Host": host}).status_code == status


LOCAL_STACK = {
    "world": "live",
    "kafka_bootstrap": "127.0.0.1:1",
    "auth_issuer": "i",
    "auth_audience": "a",
    "auth_jwks": "j",
    "cursor_secret": "c",
    "issuer_key": "key.pem",
    "local_secret_file": "secret",
}


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"http_host": "0.0.0.0"}, "HTTP_HOST is 0.0.0.0"),
        ({"public_url": "https://desk.example"}, "PUBLIC_URL is desk.example"),
        ({"hosts_allowed": "localhost,desk.example"}, "HOSTS_ALLOWED is desk.example"),
        ({"local_secret_file": ""}, "LOCAL_SECRET_FILE"),
    ],
)
def test_the_built_in_issuer_never_starts_in_live_outside_loopback(settings: dict[str, str], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        ConsoleSettings(**LOCAL_STACK | settings)  # type: ignore[arg-type]  # each is a text
    assert ConsoleSettings(**LOCAL_STACK | settings | {"issuer_key": ""}).issuer_key == ""  # type: ignore[arg-type]  # as above


def test_the_built_in_issuer_starts_on_loopback_and_outside_live(cases: Cases) -> None:
    for told in (
        {},
        {"http_host": "::1"},
        {"public_url": "http://localhost:8080"},
        {"world": "demo", "http_host": "0.0.0.0"},
    ):
        assert ConsoleSettings(**LOCAL_STACK | told).issuer_key  # type: ignore[arg-type]  # each is a text


def test_a_console_that_may_not_start_says_why_in_one_line() -> None:
    names = {name.upper(): value for name, value in (LOCAL_STACK | {"http_host": "0.0.0.0"}).items()}
    ended = subprocess.run(
        [sys.executable, "-m", "console.server"],
        env=os.environ | names,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    (line,) = ended.stderr.strip().splitlines()
    assert "ISSUER_KEY" in line
    assert "HTTP_HOST is 0.0.0.0" in line
