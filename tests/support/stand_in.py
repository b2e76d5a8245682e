"""A process that stands in for a service where the supervisor is what is tested: it answers /ready and says
what it was told. `STAND_IN` makes it misbehave: `dies`, `never-ready`, `stubborn` (does not hear SIGTERM)."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOLD = (
    "WORLD",
    "WORLD_CLOCK",
    "WORLD_CURRENCY",
    "DATABASE_URL",
    "KAFKA_BOOTSTRAP",
    "AUTH_AUDIENCE",
    "SERVICES_URLS",
    "INSTANCE",
)


class Answer(BaseHTTPRequestHandler):
    """Answer /ready, /told and the seed's posts."""

    def do_GET(self) -> None:
        ready = os.environ.get("STAND_IN") != "never-ready"
        self._send(200 if ready else 503, {name: os.environ.get(name) for name in TOLD})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        asked = json.loads(self.rfile.read(length) or b"null")
        print(json.dumps({"path": self.path, "key": self.headers.get("Idempotency-Key"), "body": asked}))
        self._send(200, {"path": self.path})

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing per request."""

    def _send(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    mood = os.environ.get("STAND_IN")
    if mood == "dies":
        sys.exit("the stand-in dies as it was told")
    if mood == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    servers = [ThreadingHTTPServer(("127.0.0.1", int(os.environ[name])), Answer) for name in ("HTTP_PORT", "OPS_PORT")]
    threading.Thread(target=servers[0].serve_forever, daemon=True).start()
    servers[1].serve_forever()


if __name__ == "__main__":
    main()
