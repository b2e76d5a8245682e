"""How the command speaks to a running supervisor: a loopback door with a secret that only the owner of the
data folder can read. An answer is a line of JSON per step, the last one with the result or the error."""

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

from cli.stack.stack import Stack
from cli.stack.state import Home, StackError, forget, read_json, write_json
from cli.stack.worlds import WorldUnknown

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 300.0
BODY_LIMIT_BYTES = 100_000

Act = Callable[[dict[str, Any], Callable[[str], None]], Any]


class NotRunning(StackError):
    """No supervisor of this data folder answers."""


class Control:
    """The supervisor's side of the door."""

    def __init__(self, stack: Stack, end: Callable[[], None]) -> None:
        self.stack = stack
        self._secret = secrets.token_urlsafe(32)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._answering())
        self._server.daemon_threads = True
        self._acts: dict[str, Act] = {
            "status": lambda *_: stack.status(),
            "create-world": lambda asked, report: stack.create_world(**asked, report=report).describe(),
            "drop-world": lambda asked, _: stack.drop_world(asked["name"]),
            "process": self._process,
            "down": lambda *_: end(),
        }

    def open(self) -> None:
        """Listen and say where."""
        threading.Thread(target=self._server.serve_forever, name="control", daemon=True).start()
        address = f"http://127.0.0.1:{self._server.server_port}"
        write_json(self.stack.home.control_file, {"url": address, "secret": self._secret}, secret=True)

    def close(self) -> None:
        """Listen no longer."""
        forget(self.stack.home.control_file)
        self._server.shutdown()
        self._server.server_close()

    def act(self, name: str, asked: dict[str, Any], report: Callable[[str], None]) -> Any:
        """Do what was asked, reporting its steps; raises StackError."""
        if name not in self._acts:
            raise StackError(f"The running supervisor does not know {name}: end it with `crossdock down`.")
        return self._acts[name](asked, report)

    def knows(self, secret: str) -> bool:
        """Tell whether the caller could read the secret."""
        return hmac.compare_digest(secret.encode(), f"Bearer {self._secret}".encode())

    def _process(self, asked: dict[str, Any], _: Callable[[str], None]) -> dict[str, Any]:
        world, process, what = self.stack.world(asked["world"]), asked["process"], asked["what"]
        before = world.pid(process)
        acts: dict[str, Callable[[str], Any]] = {
            "kill": world.kill,
            "stop": world.stop,
            "start": world.start,
            "restart": world.restart,
        }
        acts[what](process)
        return {"pid_before": before, "pid": world.pid(process)}

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


def ask(home: Home, act: str, report: Callable[[str], None] | None = None, **asked: Any) -> Any:
    """Ask the running supervisor and return its result; raises NotRunning, WorldUnknown or StackError."""
    address = read_json(home.control_file)
    if address is None:
        raise NotRunning("The stack is not running: `crossdock up` starts it.")
    timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
    headers = {"Authorization": f"Bearer {address['secret']}"}
    try:
        with httpx.stream("POST", f"{address['url']}/{act}", json=asked, headers=headers, timeout=timeout) as answer:
            if answer.status_code != HTTPStatus.OK:
                raise NotRunning("Something else answers at the supervisor's address: try `crossdock up`.")
            return _read(answer, report)
    except httpx.HTTPError as why:
        raise NotRunning("The stack does not answer: `crossdock up` starts it.") from why


def _read(answer: httpx.Response, report: Callable[[str], None] | None) -> Any:
    for raw in answer.iter_lines():
        line = json.loads(raw)
        if "step" in line and report is not None:
            report(line["step"])
        if "result" in line:
            return line["result"]
        if "error" in line:
            raise (WorldUnknown if line.get("kind") == "unknown" else StackError)(line["error"])
    raise StackError("The supervisor ended before it answered; `crossdock up` starts it again.")
