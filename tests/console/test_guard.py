"""Security headers on every answer, and what another site may not send."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from console.server.guard import POLICY, cookie_of, refused
from tests.console.served import LOCAL, Cases, Served

OWN, OTHER = "http://127.0.0.1:8000", "https://evil.example"


def _cookie(served: Served) -> dict[str, str]:
    return {"Cookie": f"{cookie_of(served.cases.world)}={served.cases.token()}"}


def test_the_policy_lets_no_inline_script_or_style_run_and_no_page_frame_it() -> None:
    """Neither a script nor a frame of another page runs in the session of a person."""
    assert "unsafe" not in POLICY
    assert "default-src 'none'" in POLICY
    assert "frame-ancestors 'none'" in POLICY


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/session", 401),
        ("POST", "/session", 401),
        ("GET", "/nowhere", 404),
        ("PUT", "/session", 405),
        ("POST", "/issuer/token", 422),
        ("GET", "/stream", 401),
        ("GET", "/assets/x.js", 404),
        ("GET", "/login?ticket=x", 403),
    ],
)
def test_every_answer_carries_the_headers(cases: Cases, method: str, path: str, status: int) -> None:
    with cases.served() as served:
        answer = httpx.request(method, f"{served.url}{path}")
        assert answer.status_code == status
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "strict-transport-security" not in answer.headers


def test_a_cross_site_post_is_refused(cases: Cases) -> None:
    """With the session's cookie, as a form of another page, and without any sign of where it comes from."""
    with cases.served() as served:
        cookie = _cookie(served)
        for told in (
            {"Origin": OTHER},
            {"Origin": "null"},
            {"Origin": served.url, "Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "cross-site"},
            {},
            {"Origin": served.url.replace("127.0.0.1", "localhost")},
            {"Origin": "http://127.0.0.1:1"},
        ):
            answer = httpx.delete(f"{served.url}/session", headers=cookie | told)
            assert (answer.status_code, answer.json()["code"]) == (403, "cross-site"), told
        assert httpx.get(f"{served.url}/session", headers=cookie).status_code == 200, "nothing was done"
        ours = httpx.delete(
            f"{served.url}/session", headers=cookie | {"Origin": served.url, "Sec-Fetch-Site": "same-origin"}
        )
        assert ours.status_code == 204


def test_a_session_that_was_ended_opens_nothing_any_more(cases: Cases) -> None:
    with cases.served() as served:
        cookie = _cookie(served)
        assert httpx.delete(f"{served.url}/session", headers=cookie | {"Origin": served.url}).status_code == 204
        answer = httpx.get(f"{served.url}/session", headers=cookie)
        assert (answer.status_code, answer.json()["code"]) == (401, "session-ended")
        assert (
            httpx.get(
                f"{served.url}/session", headers={"Cookie": f"{cookie_of(cases.world)}={cases.token('sales')}"}
            ).status_code
            == 200
        )


@pytest.mark.parametrize(
    ("method", "path", "headers", "by_cookie", "is_refused"),
    [
        ("POST", "/session", {}, False, False),  # a program with a bearer token
        ("POST", "/session", {"origin": OWN}, True, False),
        ("POST", "/issuer/token", {"origin": OTHER}, False, True),
        ("POST", "/session", {"sec-fetch-site": "same-site"}, False, True),  # another port of this machine
        ("GET", "/session", {"origin": OTHER}, False, True),
        ("GET", "/session", {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"}, False, True),
        (
            "GET",
            "/api/sales/orders",
            {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"},
            False,
            True,
        ),
        (
            "GET",
            "/",
            {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"},
            False,
            False,
        ),
        (
            "GET",
            "/",
            {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
            False,
            True,
        ),
        (
            "GET",
            "/login",
            {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"},
            False,
            True,
        ),
        (
            "GET",
            "/login/callback",
            {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"},
            False,
            False,
        ),
        (
            "GET",
            "/login",
            {"sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"},
            False,
            False,
        ),
        ("GET", "/stream", {"sec-fetch-site": "same-origin"}, True, False),
    ],
)
def test_who_is_taken_for_another_site(
    method: str, path: str, headers: dict[str, str], by_cookie: bool, is_refused: bool
) -> None:
    assert (refused(method, path, headers, OWN, by_cookie) is not None) is is_refused


def test_a_session_of_the_same_second_is_another_one(cases: Cases) -> None:
    with cases.served() as served:
        first, second = (
            httpx.post(f"{served.url}/issuer/token", json={"as": "sales"}, headers=LOCAL).json()["token"]
            for _ in range(2)
        )
        assert first != second


def test_behind_tls_the_origin_is_the_public_one_and_cookies_are_for_tls_only(cases: Cases) -> None:
    with cases.served(public_url="https://desk.example") as served:
        head = {"Authorization": f"Bearer {cases.token()}", "Origin": "https://desk.example"}
        made = httpx.post(f"{served.url}/session", headers=head)
        assert made.status_code == 204
        assert "secure" in made.headers["set-cookie"].lower()
        assert made.headers["strict-transport-security"]
        assert httpx.post(f"{served.url}/session", headers=head | {"Origin": served.url}).status_code == 403


def test_built_pages_are_served_with_their_names_kept_for_ever_and_no_way_out_of_the_folder(
    cases: Cases, tmp_path: Path
) -> None:
    web = tmp_path / "dist"
    (web / "assets").mkdir(parents=True)
    (web / "index.html").write_text("<p>desk</p>")
    (web / "favicon.svg").write_text("<svg/>")
    (web / "assets" / "a-1.js").write_text("1")
    (tmp_path / "secret").write_text("no")
    with cases.served(web_folder=str(web)) as served:
        html = {"Accept": "text/html"}
        for path in ("/", "/cases/1"):
            page = httpx.get(served.url + path, headers=html)
            assert (page.text, page.headers["cache-control"]) == ("<p>desk</p>", "no-cache")
        assert "immutable" in httpx.get(f"{served.url}/assets/a-1.js").headers["cache-control"]
        assert httpx.get(f"{served.url}/favicon.svg").text == "<svg/>"
        for path in (
            "/assets/..%2f..%2fsecret",
            "/..%2fsecret",
            "/assets/b.js",
            "/cases/1",
            "/a%00b",
            "/assets/a%00b",
            "/" + "x" * 300,
        ):
            assert httpx.get(served.url + path).status_code == 404, path
        assert httpx.get(served.url + "/" + "x" * 300, headers=html).text == "<p>desk</p>", (
            "any address may be a screen's"
        )
