"""Login at a provider on loopback that speaks the real flow: code, PKCE, state, nonce."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from console.server.oidc import STATE_COOKIE
from tests.console.provider import CLIENT, SECRET, Provider, provided
from tests.console.served import Cases, Served


@contextlib.contextmanager
def _both(cases: Cases, **settings: Any) -> Iterator[tuple[Served, Provider]]:
    with provided(f"crossdock.{cases.world}") as provider:
        own = {"auth_issuer": provider.url, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET, "issuer_key": ""}
        with cases.served(**own | settings) as served:
            yield served, provider


def _led_back(browser: httpx.Client, to: str = "/") -> str:
    """Go to the provider, as a browser does; return the address that it leads back to."""
    led = browser.get("/login", params={"to": to})
    assert led.status_code == 303
    return str(httpx.get(led.headers["location"]).headers["location"])


def test_a_person_logs_in_at_the_provider_and_is_led_to_where_it_wanted(cases: Cases) -> None:
    with _both(cases) as (served, _), httpx.Client(base_url=served.url) as browser:
        back = _led_back(browser, "/cases/1")
        done = browser.get(back)
        assert (done.status_code, done.headers["location"]) == (303, "/cases/1")
        cookies = done.headers["set-cookie"].lower()
        assert "samesite=strict" in cookies
        assert "httponly" in cookies
        who = browser.get("/session").json()
        assert (who["subject"], who["roles"], who["sites"]) == ("ada", ["sales"], ["Near"])
        again = browser.get(back)
        assert again.status_code == 401, "a code is used once"


def test_what_was_begun_elsewhere_is_not_ended_here(cases: Cases) -> None:
    """The state: who is led back with a code of another's login gets no session."""
    with (
        _both(cases) as (served, _),
        httpx.Client(base_url=served.url) as one,
        httpx.Client(base_url=served.url) as two,
    ):
        back = _led_back(one)
        _led_back(two)
        stolen = two.get(back)
        assert (stolen.status_code, stolen.json()["code"]) == (401, "login-unknown")
        bare = httpx.get(back)
        assert (bare.status_code, bare.json()["code"]) == (401, "login-unknown")
        forged = httpx.get(back, headers={"Cookie": f"{STATE_COOKIE}=e30.e30.x"})
        assert forged.status_code == 401


@pytest.mark.parametrize(
    "lie", [{"nonce": "of another login"}, {"aud": "somebody else"}, {"iss": "https://evil.example"}, {"exp": 1}]
)
def test_an_identity_token_that_is_not_of_this_login_opens_nothing(cases: Cases, lie: dict[str, Any]) -> None:
    with _both(cases) as (served, provider), httpx.Client(base_url=served.url) as browser:
        provider.lies = lie
        answer = browser.get(_led_back(browser))
        assert answer.status_code == 401
        assert browser.get("/session").status_code == 401


def test_an_access_token_that_no_service_would_take_is_no_session(cases: Cases) -> None:
    with _both(cases) as (served, provider), httpx.Client(base_url=served.url) as browser:
        provider.token_claims = {"aud": "crossdock.another"}
        assert browser.get(_led_back(browser)).status_code == 401


def test_without_the_right_secret_the_provider_refuses_in_words(cases: Cases) -> None:
    with _both(cases, oidc_client_secret="wrong") as (served, _), httpx.Client(base_url=served.url) as browser:
        answer = browser.get(_led_back(browser))
        assert (answer.status_code, answer.json()["code"]) == (401, "login-refused")


def test_a_provider_that_is_away_is_said_to_be(cases: Cases) -> None:
    with cases.served(auth_issuer="http://127.0.0.1:1", oidc_client_id=CLIENT) as served:
        answer = httpx.get(f"{served.url}/login")
        assert (answer.status_code, answer.json()["code"]) == (502, "provider-failed")
