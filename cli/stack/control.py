"""The control server of a running supervisor, on loopback. Its secret is in a file that only the owner of the data
folder can read. A response has one JSON line per step; the last line holds the result or the error."""

from __future__ import annotations

import hmac
import json
import secrets
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from cli.stack import lock
from cli.stack.state import Home, StackError, forget, read_json, write_json
from cli.stack.world_plan import WorldUnknown

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 300.0
BODY_LIMIT_BYTES = 100_000

Act = Callable[[dict[str, Any], Callable[[str], None]], Any]


class NotRunning(StackError):
    """No supervisor of this data folder answers."""


class AnswerCutOff(StackError):
    """The supervisor ended before it had answered."""


class Control:
    """Control server of the supervisor: it runs the acts that other processes request."""

    def __init__(self, home: Home, acts: dict[str, Act]) -> None:
        self._home = home
        self._acts = acts
        self._secret = secrets.token_urlsafe(32)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._answering())
        self._server.daemon_threads = True

    def open(self) -> None:
        """Listen and say where."""
        threading.Thread(target=self._server.serve_forever, name="control", daemon=True).start()
        address = f"http://127.0.0.1:{self._server.server_port}"
        write_json(self._home.control_file, {"url": address, "secret": self._secret}, secret=True)

    def close(self) -> None:
        """Listen no longer."""
        forget(self._home.control_file)
        self._server.shutdown()
        self._server.server_close()

    def act(self, name: str, arguments: dict[str, Any], report: Callable[[str], None]) -> Any:
        """Do what was asked, reporting its steps; raises StackError."""
        if name not in self._acts:
            raise StackError(f"The running supervisor does not know {name}: end it with `crossdock down`.")
        return self._acts[name](arguments, report)

    def knows(self, secret: str) -> bool:
        """Tell whether the caller could read the secret."""
        return hmac.compare_digest(secret.encode(), f"Bearer {self._secret}".encode())

    def _answering(self) -> type[BaseHTTPRequestHandler]:
        control = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                if not control.knows(self.headers.get("Authorization", "")):
                    self.send_error(HTTPStatus.UNAUTHORIZED)
                    return
                length = min(int(self.headers.get("Content-Length", 0)), BODY_LIMIT_BYTES)
                asked = json.loads(self.rfile.read(length) or b"{}")
                self.send_response(HTTPStatus.OK)
                self.end_headers()
                try:
                    result = control.act(self.path.strip("/"), asked, lambda step: self._say({"step": step}))
                    self._say({"result": result})
                except WorldUnknown as why:
                    self._say({"error": str(why), "kind": "unknown"})
                except (StackError, KeyError, TypeError) as why:
                    self._say({"error": str(why), "kind": type(why).__name__})

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing per request."""

            def _say(self, line: dict[str, Any]) -> None:
                try:
                    self.wfile.write(json.dumps(line, default=str).encode() + b"\n")
                    self.wfile.flush()
                except OSError:
                    # The one who asked has gone; what was begun is still finished.
                    self.close_connection = True

        return Handler


def ask(home: Home, act: str, report: Callable[[str], None] | None = None, **arguments: Any) -> Any:
    """Ask the running supervisor and return its result; raises NotRunning, WorldUnknown or StackError."""
    address = read_json(home.control_file)
    if address is None:
        raise NotRunning(_why_nobody_answers(home))
    timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
    headers = {"Authorization": f"Bearer {address['secret']}"}
    try:
        with httpx.stream(
            "POST", f"{address['url']}/{act}", json=arguments, headers=headers, timeout=timeout
        ) as answer:
            if answer.status_code != HTTPStatus.OK:
                raise NotRunning("Something else answers at the supervisor's address: try `crossdock up`.")
            return _read(answer, report)
    except httpx.HTTPError as why:
        raise NotRunning(_why_nobody_answers(home)) from why


def _why_nobody_answers(home: Home) -> str:
    """Say whether a supervisor is about to answer; its lock tells, wherever it was started from."""
    if not lock.is_held(home):
        return "The stack is not running: `crossdock up` starts it."
    pid = (read_json(home.stack_file) or {}).get("pid", "unknown")
    return f"The stack is starting or ending (process {pid}): ask again in a moment, or end it with `crossdock down`."


def _read(answer: httpx.Response, report: Callable[[str], None] | None) -> Any:
    for raw in answer.iter_lines():
        line = json.loads(raw)
        if "step" in line and report is not None:
            report(line["step"])
        if "result" in line:
            return line["result"]
        if "error" in line:
            raise (WorldUnknown if line.get("kind") == "unknown" else StackError)(line["error"])
    raise AnswerCutOff("The supervisor ended before it answered; `crossdock up` starts it again.")
