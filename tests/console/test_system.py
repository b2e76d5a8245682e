"""How processes stand: figures from a page of metrics, one that is down told as down, and who may ask."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from console.server.system import figures
from tests.console.served import Cases
from tests.support.service import PATIENCE_SECONDS, wait_until

METRICS = b"""# TYPE consumer_lag_events gauge
consumer_lag_events{topic="a",partition="0"} 3.0
consumer_lag_events{topic="a",partition="1"} 4.0
# TYPE outbox_oldest_pending_seconds gauge
outbox_oldest_pending_seconds{service="sales"} 1.5
# TYPE dead_letters gauge
dead_letters{service="sales"} 2.0
"""


def test_figures_are_sums_over_labels_and_what_a_process_lacks_is_absent() -> None:
    assert figures(METRICS.decode()) == {"lag_events": 7.0, "outbox_oldest_seconds": 1.5, "dead_letters": 2.0}


class _Ops(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        ready = self.path == "/ready"
        body = b'{"api": true, "relay": false}' if ready else METRICS
        self.send_response(503 if ready else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def ops() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Ops)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_every_process_is_told_and_a_silent_one_is_down(cases: Cases, ops: str) -> None:
    with cases.served(ops_urls={"sales": ops, "gone": "http://127.0.0.1:1"}) as served:
        head = {"Authorization": f"Bearer {cases.token('viewer')}"}

        def processes() -> list[dict[str, Any]] | None:
            """Return what is told once the one that answers did so within the time that the console gives it."""
            found = httpx.get(f"{served.url}/processes", headers=head, timeout=PATIENCE_SECONDS).json()["processes"]
            return found if any(one["up"] for one in found) else None

        gone, sales = wait_until(processes)
        assert (gone["name"], gone["up"], gone["lag_events"]) == ("gone", False, None)
        assert (sales["up"], sales["ready"], sales["parts"]) == (True, False, {"api": True, "relay": False})
        assert sales["lag_events"] == 7.0
        assert httpx.get(f"{served.url}/processes").status_code == 401
        machine = {"Authorization": f"Bearer {cases.token('machine', topics=['exceptions.case'])}"}
        assert httpx.get(f"{served.url}/processes", headers=machine).status_code == 403
