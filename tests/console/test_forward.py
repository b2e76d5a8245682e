"""Calls to services through the console: with the reader's token, to known services only, within limits."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from cli.stack import spawn
from console.server.guard import cookie_of
from tests.console.served import Cases, Served

TOLD_SECONDS_MAX = 5.0


class Service(BaseHTTPRequestHandler):
    """Answers with what it was asked; `/silent` never ends."""

    over = threading.Event()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        if self.path.endswith("/silent"):
            self.over.wait(30)
        asked = {"method": self.command, "path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}}
        said = json.dumps(asked | {"body": body}).encode()
        self.send_response(409 if self.path.endswith("/conflict") else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("ETag", '"7"')
        self.send_header("Set-Cookie", "a=b")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.wfile.write(said)

    do_GET = do_POST = _answer

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def console(cases: Cases) -> Iterator[Served]:
    Service.over.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    urls = {"sales": f"http://127.0.0.1:{server.server_port}", "logistics": f"http://127.0.0.1:{spawn.free_port()}"}
    try:
        with cases.served(services_urls=urls) as served:
            yield served
    finally:
        Service.over.set()
        server.shutdown()
        server.server_close()


def test_a_page_asks_a_service_with_the_sessions_token_and_nothing_else_of_its_headers(console: Served) -> None:
    token = console.cases.token("sales")
    head = {
        "Cookie": f"{cookie_of(console.cases.world)}={token}",
        "Origin": console.url,
        "Idempotency-Key": "k",
        "X-Forwarded-For": "1.2.3.4",
        "X-Roles": "sre",
    }
    answer = httpx.post(f"{console.url}/api/sales/orders/a%2Fb?x=1&x=%20", headers=head, json={"a": 1})
    asked = answer.json()
    assert (asked["method"], asked["path"], asked["body"]) == ("POST", "/orders/a%2Fb?x=1&x=%20", '{"a":1}')
    assert asked["headers"]["authorization"] == f"Bearer {token}"
    assert asked["headers"]["idempotency-key"] == "k"
    assert not {"cookie", "x-forwarded-for", "x-roles", "origin"} & set(asked["headers"])
    assert (answer.headers["etag"], answer.headers["cache-control"]) == ('"7"', "no-store")
    assert "set-cookie" not in answer.headers


def test_a_services_refusal_comes_as_it_was_said(console: Served) -> None:
    head = {"Authorization": f"Bearer {console.cases.token('sales')}"}
    assert httpx.get(f"{console.url}/api/sales/conflict", headers=head).status_code == 409


def test_without_a_session_or_from_another_site_nothing_is_asked(console: Served) -> None:
    assert httpx.get(f"{console.url}/api/sales/orders").status_code == 401
    head = {
        "Cookie": f"{cookie_of(console.cases.world)}={console.cases.token('sales')}",
        "Origin": "https://evil.example",
    }
    assert httpx.post(f"{console.url}/api/sales/orders", headers=head).status_code == 403


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("nobody/orders", 404),
        ("sales/%2e%2e/x", 422),
        ("sales/a/..%2fb", 422),
        ("sales/%09X", 422),
        ("sales/%0d%0aX", 404),
    ],
)
def test_what_leads_elsewhere_is_refused(console: Served, path: str, status: int) -> None:
    head = {"Authorization": f"Bearer {console.cases.token('sales')}"}
    assert httpx.get(f"{console.url}/api/{path}", headers=head).status_code == status


@pytest.mark.timing
@pytest.mark.parametrize(
    ("path", "status", "code"), [("logistics/shipments", 502, "service-down"), ("sales/silent", 503, "service-slow")]
)
def test_a_service_that_is_down_or_silent_is_named_within_five_seconds(
    console: Served, path: str, status: int, code: str
) -> None:
    """The screen can say so within five seconds."""
    head = {"Authorization": f"Bearer {console.cases.token('sales')}"}
    began = time.monotonic()
    answer = httpx.get(f"{console.url}/api/{path}", headers=head, timeout=30)
    assert time.monotonic() - began < TOLD_SECONDS_MAX
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert path.split("/", maxsplit=1)[0] in answer.json()["detail"]
