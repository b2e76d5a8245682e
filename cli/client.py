"""The command's HTTP client: it knows where a service of a world is and who asks, says a broken connection
again with the same key, and turns every refusal into one sentence and an exit code."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import httpx

from cli.errors import CommandFailed, NotAllowed, NotFound, Refused, Unreachable
from cli.stack.state import Home, read_json, write_json

TIMEOUT_SECONDS = 60.0
PATIENCE_SECONDS = 10.0
BACK_OFF_FIRST_SECONDS = 0.1
BACK_OFF_LIMIT_SECONDS = 2.0
KEY_HEADER = "Idempotency-Key"
AGAIN = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE}


def new_key() -> str:
    """Draw an Idempotency-Key for one act of a person."""
    return secrets.token_urlsafe(18)


class Tokens:
    """The logins of a data folder, one per world."""

    def __init__(self, home: Home) -> None:
        self._file = home.tokens_file

    def keep(self, world: str, token: str, *, role: str, expires_at: str) -> None:
        """Remember a login; only the owner of the folder can read it."""
        known = read_json(self._file) or {}
        known[world] = {"token": token, "role": role, "expires_at": expires_at}
        write_json(self._file, known, secret=True)

    def of(self, world: str) -> str | None:
        """Return the token of a world, if there is a login."""
        found = (read_json(self._file) or {}).get(world)
        return str(found["token"]) if found else None


class Client:
    """Requests to the services of one world."""

    def __init__(
        self,
        world: str,
        *,
        home: Home | None = None,
        token: str | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self.world = world
        self.home = home or Home.find()
        self.patience_seconds = patience_seconds
        self._token = token
        self.http = httpx.Client(timeout=httpx.Timeout(TIMEOUT_SECONDS, connect=5.0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.http.close()

    def address(self, service: str) -> str:
        """Return the base URL of a service; raises NotFound or Unreachable with what to do."""
        told = os.environ.get(f"CROSSDOCK_{service.upper()}_URL")
        if told:
            return told.rstrip("/")
        known = read_json(self.home.world_file(self.world))
        if known is None:
            raise NotFound(
                f"There is no world {self.world} here: `crossdock world list` shows those that are, "
                f"`crossdock world create {self.world}` makes it."
            )
        if service not in known["urls"]:
            raise NotFound(f"World {self.world} runs without {service}.")
        return str(known["urls"][service])

    def addresses(self) -> dict[str, str]:
        """Return the base URL of every service that the world runs; raises NotFound."""
        known = read_json(self.home.world_file(self.world))
        if known is None:
            raise NotFound(f"There is no world {self.world} here: `crossdock world list` shows those that are.")
        return {name: self.address(name) for name in known["urls"]}

    def headers(self, *, key: str | None = None) -> dict[str, str]:
        """Return the headers of a request; raises NotAllowed when nobody is logged in."""
        token = self._token or os.environ.get("CROSSDOCK_TOKEN") or Tokens(self.home).of(self.world)
        if token is None:
            raise NotAllowed(
                f"Nobody is logged in to world {self.world}: "
                f"`crossdock login --as viewer --world {self.world}` does it."
            )
        return {"Authorization": f"Bearer {token}", **({KEY_HEADER: key} if key else {})}

    def get(self, service: str, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """Ask a question and return the answer's JSON."""
        return self.request("GET", service, path, params=params)

    def post(self, service: str, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """Ask for an act; said again after a broken connection with the same key, so it is done once."""
        return self.request("POST", service, path, body=body, key=key or new_key())

    def request(
        self,
        method: str,
        service: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        key: str | None = None,
    ) -> Any:
        """Send a request and return its JSON; raises CommandFailed with one sentence and an exit code."""
        deadline = time.monotonic() + self.patience_seconds
        pause = BACK_OFF_FIRST_SECONDS
        while True:
            # The address is looked up each time: a service may come back elsewhere.
            url = f"{self.address(service)}{path}"
            try:
                answer = self.http.request(method, url, params=params, json=body, headers=self.headers(key=key))
                if answer.status_code not in AGAIN or time.monotonic() + pause > deadline:
                    return understood(answer, service)
            except httpx.TransportError as why:
                if time.monotonic() + pause > deadline:
                    raise Unreachable(
                        f"{service.capitalize()} of world {self.world} does not answer at {url}: "
                        "`crossdock status` shows how it stands, `crossdock up` starts the stack."
                    ) from why
            time.sleep(pause)
            pause = min(pause * 2, BACK_OFF_LIMIT_SECONDS)

    @contextmanager
    def stream(
        self, service: str, path: str, *, params: Mapping[str, Any] | None = None, headers: Mapping[str, str]
    ) -> Iterator[httpx.Response]:
        """Open an answer that does not end (the live stream); raises CommandFailed."""
        url = f"{self.address(service)}{path}"
        try:
            with self.http.stream(
                "GET",
                url,
                params=params,
                headers={**self.headers(), **headers},
                timeout=httpx.Timeout(TIMEOUT_SECONDS, read=None),
            ) as answer:
                if answer.is_error:
                    answer.read()
                    understood(answer, service)
                yield answer
        except httpx.TransportError as why:
            raise Unreachable(f"{service.capitalize()} of world {self.world} broke off: {why}.") from why


def understood(answer: httpx.Response, service: str) -> Any:
    """Return the JSON of an answer; raises the failure that its problem document (RFC 9457) describes."""
    if not answer.is_error:
        return answer.json() if answer.content else None
    sentence = _sentence(answer, service)
    if answer.status_code == HTTPStatus.NOT_FOUND:
        raise NotFound(sentence)
    if answer.status_code == HTTPStatus.UNAUTHORIZED:
        raise NotAllowed(f"{sentence} Log in again with `crossdock login --as ROLE`.")
    if answer.status_code == HTTPStatus.FORBIDDEN:
        raise NotAllowed(sentence)
    if answer.is_client_error:
        raise Refused(sentence)
    raise CommandFailed(sentence)


def _sentence(answer: httpx.Response, service: str) -> str:
    try:
        problem = answer.json()
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        return f"{service.capitalize()} answered {answer.status_code}: {answer.text[:200] or 'nothing more'}."
    words = str(problem.get("detail") or problem.get("title") or answer.reason_phrase).rstrip(".")
    field = f" (field {problem['field']})" if problem.get("field") else ""
    return f"{words}{field}."
