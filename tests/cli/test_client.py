"""The command's HTTP client: where it asks, as whom, and what becomes of refusals and broken connections."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cli.client import Client, Tokens
from cli.errors import CommandFailed, NotAllowed, NotFound, Refused, Unreachable
from cli.exit_codes import ExitCode
from cli.stack.state import Home, write_json

Answers = list[tuple[int, Any] | None]
"""What the next requests get: status and JSON, or None for a connection that breaks off."""


class StubServer:
    """An HTTP server that answers what it was told to and remembers what it was asked."""

    def __init__(self, answers: Answers) -> None:
        self.requests: list[dict[str, Any]] = []
        stub_server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                body = json.loads(self.rfile.read(length) or b"null")
                stub_server.requests.append({"path": self.path, "body": body, **self.headers})
                answer = answers.pop(0)
                if answer is None:
                    self.close_connection = True
                    return
                content = json.dumps(answer[1]).encode()
                self.send_response(answer[0])
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing per request."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def stub_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., StubServer]]:
    """Open a server that stands for the service exceptions."""
    opened: list[StubServer] = []

    def open_server(*answers: tuple[int, Any] | None) -> StubServer:
        opened.append(StubServer(list(answers)))
        monkeypatch.setenv("CROSSDOCK_EXCEPTIONS_URL", opened[-1].url)
        return opened[-1]

    yield open_server
    for one in opened:
        one.server.shutdown()
        one.server.server_close()


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.delenv("CROSSDOCK_TOKEN", raising=False)
    home = Home(tmp_path)
    Tokens(home).keep("demo", "secret", role="viewer", expires_at="2030-01-01T00:00:00Z")
    with Client("demo", home=home, patience_seconds=60.0) as made:
        yield made


def test_a_question_carries_the_token_of_its_world(stub_server: Callable[..., StubServer], client: Client) -> None:
    opened = stub_server((200, {"items": []}))
    assert client.get("exceptions", "/cases", {"state": "open"}) == {"items": []}
    assert opened.requests[0]["path"] == "/cases?state=open"
    assert opened.requests[0]["authorization" if "authorization" in opened.requests[0] else "Authorization"] == (
        "Bearer secret"
    )


def test_an_act_whose_connection_broke_is_said_again_with_the_same_key(
    stub_server: Callable[..., StubServer], client: Client
) -> None:
    opened = stub_server(None, (503, {"title": "busy"}), (200, {"done": True}))
    assert client.post("exceptions", "/cases/1/acknowledge", {"note": "seen"}) == {"done": True}
    keys = [value for asked in opened.requests for name, value in asked.items() if name.lower() == "idempotency-key"]
    assert len(keys) == 3 and len(set(keys)) == 1
    assert [asked["body"] for asked in opened.requests] == [{"note": "seen"}] * 3


@pytest.mark.parametrize(
    ("status", "problem", "failure", "code", "sentence"),
    [
        (404, {"detail": "no case 7"}, NotFound, ExitCode.NOT_FOUND, "no case 7."),
        (409, {"title": "Closed", "detail": "the round is closed"}, Refused, ExitCode.REFUSED, "the round is closed."),
        (
            422,
            {"detail": "must be in the future", "field": "committed_for"},
            Refused,
            ExitCode.REFUSED,
            "must be in the future (field committed_for).",
        ),
        (403, {"detail": "not for viewers"}, NotAllowed, ExitCode.NOT_ALLOWED, "not for viewers."),
        (500, {"title": "It broke"}, CommandFailed, ExitCode.FAILED, "It broke."),
        (500, "nothing useful", CommandFailed, ExitCode.FAILED, 'Exceptions answered 500: "nothing useful".'),
    ],
)
def test_a_problem_becomes_one_sentence_and_an_exit_code(
    stub_server: Callable[..., StubServer],
    client: Client,
    status: int,
    problem: Any,
    failure: type[CommandFailed],
    code: ExitCode,
    sentence: str,
) -> None:
    stub_server((status, problem))
    with pytest.raises(failure) as raised:
        client.get("exceptions", "/cases/7")
    assert (raised.value.code, str(raised.value)) == (code, sentence)


def test_an_expired_login_says_how_to_log_in_again(stub_server: Callable[..., StubServer], client: Client) -> None:
    stub_server((401, {"detail": "the token has expired"}))
    with pytest.raises(NotAllowed, match=r"the token has expired\. Log in again with `crossdock login"):
        client.get("exceptions", "/cases")


def test_a_service_that_does_not_answer_is_unreachable_and_says_what_to_try(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROSSDOCK_SALES_URL", "http://127.0.0.1:1")
    client.patience_seconds = 0.2
    with pytest.raises(Unreachable, match=r"Sales of world demo does not answer.*crossdock status"):
        client.get("sales", "/orders")


def test_addresses_come_from_the_world_and_an_unknown_world_is_not_found(client: Client) -> None:
    with pytest.raises(NotFound, match="There is no world demo here"):
        client.address("logistics")
    write_json(client.home.world_file("demo"), {"urls": {"logistics": "http://127.0.0.1:5"}})
    assert client.address("logistics") == "http://127.0.0.1:5"
    with pytest.raises(NotFound, match="World demo runs without sales"):
        client.address("sales")


def test_without_a_login_the_sentence_says_how_to_get_one(
    stub_server: Callable[..., StubServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CROSSDOCK_TOKEN", raising=False)
    opened = stub_server((200, {}))
    with Client("demo", home=Home(tmp_path / "empty")) as nobody:
        with pytest.raises(NotAllowed, match="crossdock login --as viewer --world demo"):
            nobody.get("exceptions", "/cases")
        monkeypatch.setenv("CROSSDOCK_TOKEN", "from-the-environment")
        nobody.get("exceptions", "/cases")
    assert "Bearer from-the-environment" in opened.requests[0].values()


def test_only_the_owner_can_read_the_tokens(client: Client) -> None:
    assert client.home.tokens_file.stat().st_mode & 0o077 == 0
