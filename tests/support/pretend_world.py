"""A stand-in for the services of a driven world: real HTTP, no database; it notes what a driver does wrong.

Logistics arms a timer per planned shipment and takes it back when the delivery is recorded; exceptions hears
of a delay some answers later, arms two deadlines, and drops them when the delivery turns out in time.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
MESSAGES_HEARD_BETWEEN_QUESTIONS = 8
SERVICES = ("inventory", "procurement", "sales", "logistics", "exceptions", "scorecard")


@dataclass
class Service:
    """One pretended service: its clock, its timers, what it was told and what is on its way to it."""

    now: datetime = BEGINNING
    timers: dict[str, datetime] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)
    on_its_way: list[tuple[str, str, datetime]] = field(default_factory=list)
    heard: int = 0


class PretendWorld:
    """What happened in the world and what should not have happened (`wrongs`)."""

    def __init__(self) -> None:
        self.services = {name: Service() for name in SERVICES}
        self.delayed: list[tuple[str, datetime]] = []
        self.settled: dict[str, tuple[datetime, bool]] = {}
        self.escalated: list[tuple[datetime, str]] = []
        self.wrongs: list[str] = []
        self.due: dict[str, datetime] = {}
        self.latest_told = BEGINNING
        self.requests = 0
        self.advances = 0
        self.lists: dict[str, list[dict[str, Any]]] = {}
        self.shown: dict[str, str] = {}
        self.figures: dict[str, dict[str, Any]] = {}
        self.before_answer: Callable[[int], bool] = lambda number: False
        self._lock = threading.Lock()

    def answer(self, method: str, service: str, path: str, body: dict[str, Any]) -> tuple[int, Any, bool]:
        """Do what a request asks; return status, body, and whether the connection breaks before."""
        with self._lock:
            self.requests += 1
            broken = self.before_answer(self.requests)
            if (said := self._said(service, path, body)) is None:
                return 404, {"title": "Not found", "detail": f"{service} has no {path}"}, False
            return 200, said, broken

    def _said(self, service: str, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        known: dict[str, Callable[[], dict[str, Any]]] = {
            "/world/quiet": lambda: self._quiet(service),
            "/world/advance": lambda: self._advance(service, datetime.fromisoformat(body["to"])),
            "/figures": lambda: self.figures[service],
            "/causes:resolve": lambda: {
                "found": [
                    {"id": one, "kind": body["kind"]} for one in body["ids"] if self.shown.get(one) == body["kind"]
                ]
            },
        }
        if service + path in self.lists:
            return self._page(service + path, body)
        if path in known:
            return known[path]()
        if ":" in path:
            return {"results": [self._take(service, path, item) for item in body["items"]]}
        return None

    def _page(self, name: str, query: dict[str, Any]) -> dict[str, Any]:
        first, rows = int(query.get("cursor", 0)), self.lists[name]
        last = first + min(int(query["limit"]), 2)
        return {"items": rows[first:last], "next": str(last) if last < len(rows) else None, "count": 1}

    def _quiet(self, name: str) -> dict[str, Any]:
        service = self.services[name]
        heard = SERVICES if name == "scorecard" else (name,)
        said = {
            "service": name,
            "positions": {f"consumer:for-{one}/0": self.services[one].heard for one in heard},
            "ends": {
                f"consumer:for-{one}/0": self.services[one].heard + len(self.services[one].on_its_way) for one in heard
            },
            "pending": 0,
            "next_due": _instant(min(service.timers.values(), default=None)),
            "now": _instant(service.now),
        }
        for message in service.on_its_way[:MESSAGES_HEARD_BETWEEN_QUESTIONS]:
            service.on_its_way.pop(0)
            service.heard += 1
            if name == "exceptions":
                self._hear(service, *message)
        return said

    def _hear(self, service: Service, kind: str, shipment: str, at: datetime) -> None:
        if kind == "delayed":
            service.timers[f"{shipment}/1"] = at + timedelta(days=1)
            service.timers[f"{shipment}/2"] = at + timedelta(days=2, hours=5)
        elif kind == "cleared":
            for name in (f"{shipment}/1", f"{shipment}/2"):
                service.timers.pop(name, None)

    def _advance(self, name: str, to: datetime) -> dict[str, Any]:
        service = self.services[name]
        self.advances += 1
        if to > service.now and self.services["exceptions"].on_its_way:
            started = any(other.now == to for other in self.services.values())
            if not started:
                self.wrongs.append(f"advanced {name} to {to} while messages were on their way")
        service.now = max(service.now, to)
        for timer, due in sorted(service.timers.items(), key=lambda pair: (pair[1], pair[0])):
            if due <= service.now:
                del service.timers[timer]
                self._fire(name, timer, due)
        return {"now": _instant(service.now)}

    def _fire(self, service: str, timer: str, due: datetime) -> None:
        if self.latest_told >= due.replace(hour=0) + timedelta(days=1):
            self.wrongs.append(f"{timer} fired for {due} after {self.latest_told} had been told")
        if service == "logistics":
            self.delayed.append((timer, due))
            self.services["exceptions"].on_its_way.append(("delayed", timer, due))
            self.services["scorecard"].on_its_way.append(("delayed", timer, due))
        else:
            self.escalated.append((due, timer))

    def _take(self, service: str, path: str, item: dict[str, Any]) -> dict[str, Any]:
        content = {name: value for name, value in item.items() if name != "known_at"}
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        key = f"{path} {item['key']}"
        before = self.services[service].seen.setdefault(key, digest)
        known_at = datetime.fromisoformat(item.get("known_at", BEGINNING.isoformat()))
        if before is not digest:
            status = "unchanged" if before == digest else "conflict"
            return {"key": item["key"], "status": status}
        if known_at < self.services[service].now:
            self.wrongs.append(f"{key} was told too late: {known_at} is over")
        self.latest_told = max(self.latest_told, known_at)
        if path == "/shipments:batch":
            self._plan(item)
        elif path == "/receipts:batch":
            self._receive(item, known_at)
        return {"key": item["key"], "status": "created"}

    def _plan(self, item: dict[str, Any]) -> None:
        promised = min(date.fromisoformat(line["promised_on"]) for line in item["lines"])
        due = datetime.combine(promised + timedelta(days=1), time.min, UTC)
        self.due[item["key"]] = due
        self.services["logistics"].timers[item["key"]] = due

    def _receive(self, item: dict[str, Any], known_at: datetime) -> None:
        name = item["shipment"]
        late = datetime.combine(date.fromisoformat(item["received_on"]), time.min, UTC) >= self.due[name]
        self.settled[name] = (known_at, late)
        if self.services["logistics"].timers.pop(name, None) is None and not late:
            self.services["exceptions"].on_its_way.append(("cleared", name, known_at))


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")


@contextmanager
def serving(world: PretendWorld) -> Iterator[dict[str, str]]:
    """Serve a pretended world on a port that the system picks; yield the address of each service."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._serve(dict(parse_qsl(self.path.partition("?")[2])))

        def do_POST(self) -> None:
            self._serve(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _serve(self, body: dict[str, Any]) -> None:
            _, service, path = self.path.split("?")[0].split("/", 2)
            status, answer, broken = world.answer(self.command, service, f"/{path}", body)
            if broken:
                self.close_connection = True
                return
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing; a test reads the world itself."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """Say nothing of a connection that its other end broke; a test does that on purpose."""
            if not isinstance(sys.exception(), ConnectionError):
                super().handle_error(request, client_address)

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield {name: f"http://127.0.0.1:{server.server_port}/{name}" for name in SERVICES}
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def kill_at(pid: int, request: int) -> Callable[[int], bool]:
    """Return a hook that kills a process when a request has been done and before it is answered."""

    def hook(number: int) -> bool:
        if number == request:
            os.kill(pid, signal.SIGKILL)
        return number == request

    return hook
