"""The public services, as anybody outside uses them: over HTTP, with the token of a role."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

PATIENCE_SECONDS = 90.0  # a busy machine answers late; a wait costs nothing once its condition comes


class Refused(RuntimeError):
    """A service said no; the text is its own."""


class ServiceClient:
    """The services of one world, asked in the name of any demo role."""

    def __init__(self, urls: dict[str, str], secret: str) -> None:
        self._urls, self._secret = urls, secret
        self._http = httpx.Client(timeout=30)
        self._tokens: dict[tuple[str, str], str] = {}
        self._turn = threading.Lock()
        self._currency: str | None = None

    @classmethod
    def from_environment(cls) -> ServiceClient:
        """Read SERVICES_URLS, a JSON object of service name to base URL, and what LOCAL_SECRET_FILE holds."""
        secret = Path(os.environ["LOCAL_SECRET_FILE"]).read_text(encoding="utf-8").strip()
        return cls(json.loads(os.environ["SERVICES_URLS"]), secret)

    @property
    def currency(self) -> str:
        """The world's reporting currency, asked once of the console."""
        if self._currency is None:
            self._currency = str(_content(self._http.get(f"{self._urls['console']}/about"))["currency"])
        return self._currency

    def token(self, role: str, **narrow: Any) -> str:
        """Return a token of a demo role, asked once of the built-in issuer."""
        key = (role, json.dumps(narrow, sort_keys=True))
        with self._turn:
            if key not in self._tokens:
                url, head = f"{self._urls['console']}/issuer/token", {"X-Local-Secret": self._secret}
                answer = self._http.post(url, json={"as": role, **narrow}, headers=head)
                self._tokens[key] = _content(answer)["token"]
            return self._tokens[key]

    def get(self, role: str, service: str, path: str, **query: Any) -> Any:
        """Ask a service."""
        head = {"Authorization": f"Bearer {self.token(role)}"}
        return _content(self._http.get(self._urls[service] + path, params=query, headers=head))

    def post(self, role: str, service: str, path: str, body: dict[str, Any], **narrow: Any) -> Any:
        """Act at a service, once: a connection that breaks is tried again with the same key."""
        head = {"Authorization": f"Bearer {self.token(role, **narrow)}", "Idempotency-Key": str(uuid4())}
        for left in (2, 1, 0):
            try:
                return _content(self._http.post(self._urls[service] + path, json=body, headers=head))
            except httpx.TransportError:
                if not left:
                    raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    def batch(
        self, role: str, service: str, path: str, source: str, items: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """Bring items through a `:batch` route; raises Refused when one of them is."""
        results: list[dict[str, Any]] = []
        for start in range(0, len(items), 500):
            part = {"source": source, "items": items[start : start + 500]}
            narrow = {"source": source} if role == "machine-erp" else {}
            results += self.post(role, service, path, part, **narrow)["results"]
        bad = [r for r in results if r["status"] in ("refused", "conflict")]
        if bad:
            raise Refused(f"{service}{path}: {bad[0]}")
        return results

    def follow(self, role: str, start: str = "now", **query: Any) -> Iterator[tuple[float, dict[str, Any]]]:
        """Follow the live exception stream; yields when each fact came (seconds of the machine) and the fact."""
        head = {"Authorization": f"Bearer {self.token(role)}"}
        with httpx.stream(
            "GET", f"{self._urls['console']}/stream", params={"from": start, **query}, headers=head, timeout=None
        ) as stream:
            for line in stream.iter_lines():
                if line.startswith("data: "):
                    yield time.monotonic(), json.loads(line[6:])


def _content(answer: httpx.Response) -> Any:
    if answer.is_success:
        return answer.json() if answer.content else None
    try:
        said = answer.json()
    except ValueError:
        said = {"detail": answer.text[:300]}
    raise Refused(
        f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {said.get('field') or ''} {said.get('detail')}"
    )


def until(question: Callable[[], Any], what: str, *, seconds: float = PATIENCE_SECONDS) -> Any:
    """Ask until the answer is true; raises Refused when it never is."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise Refused(f"waited {seconds:.0f} s for {what}")
        pause.wait(0.01)
