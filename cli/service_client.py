"""HTTP client for the services of one world: it sends batches, reads lists and moves the clock of a driven world.

A request whose connection broke is sent again with the same keys for up to RETRY_SECONDS_MAX, so a restart of a
service causes no duplicate. After that the client raises ServiceUnreachable.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from cli.errors import CommandFailed, Refused, Unreachable

BATCH_ITEMS_MAX = 500
PAGE_ITEMS = 500
RETRY_SECONDS_MAX = 120.0
RETRY_WAIT_SECONDS = 0.05
RETRY_WAIT_SECONDS_MAX = 1.0
QUIET_SECONDS_MAX = 300.0
QUIET_HOLD_MS = 1_000
QUIET_WAIT_SECONDS = 0.008
QUIET_WAIT_SECONDS_MAX = 0.05
REQUEST_SECONDS_MAX = 30.0
LATER = {429, 500, 502, 503, 504}
CLOCK_ROLE = "sre"

Token = Callable[[str, bool], str]


class ServiceUnreachable(Unreachable):
    """A service did not answer within RETRY_SECONDS_MAX; the message names it and says what to do."""


class RequestRefused(Refused):
    """A service refused a whole request; `problem` holds its problem details (RFC 9457)."""

    def __init__(self, what: str, status: int, problem: Mapping[str, Any]) -> None:
        detail = problem.get("detail") or problem.get("title") or "no reason given"
        super().__init__(f"{what} was refused ({status}): {detail}")
        self.status = status
        self.problem = problem


class NeverQuiet(CommandFailed):
    """Something was still on its way when the time was over; says where."""


@dataclass(frozen=True, slots=True)
class RefusedItem:
    """One item of a batch that was not taken."""

    service: str
    path: str
    key: str
    field: str
    reason: str


@dataclass
class ImportResult:
    """Counts of the items that were sent, and the items that a service refused."""

    created: int = 0
    unchanged: int = 0
    refused: list[RefusedItem] = field(default_factory=list)


class ServiceClient:
    """Sends requests to the services of one world; `token(role, renew)` returns a bearer token for a role."""

    def __init__(self, urls: Mapping[str, str], token: Token) -> None:
        self.names = tuple(urls)
        self._urls = dict(urls)
        self._token = token
        limits = httpx.Limits(max_connections=4 * len(urls), max_keepalive_connections=4 * len(urls))
        self._client = httpx.Client(timeout=REQUEST_SECONDS_MAX, limits=limits)
        self.retried = 0

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(self, service: str, path: str, *, role: str, **params: str | int) -> Any:
        """Return the answer to a question."""
        return self._send("GET", service, path, role=role, params=params)

    def act(self, service: str, path: str, body: Mapping[str, Any], *, role: str) -> Any:
        """Do one act and return its answer."""
        return self._send("POST", service, path, role=role, json=body)

    def pages(self, service: str, path: str, *, role: str, **params: str) -> Iterator[Any]:
        """Return every item of a list, page by page."""
        cursor: dict[str, str] = {}
        while True:
            answer = self.ask(service, path, role=role, limit=PAGE_ITEMS, **params, **cursor)
            yield from answer["items"]
            if not answer.get("next"):
                return
            cursor = {"cursor": answer["next"]}

    def tell(
        self,
        service: str,
        path: str,
        items: Sequence[Mapping[str, Any]],
        *,
        source: str,
        role: str,
        imported: ImportResult,
    ) -> None:
        """Tell items in batches; what was refused alone is noted in `told`, nothing else stops for it."""
        for start in range(0, len(items), BATCH_ITEMS_MAX):
            part = items[start : start + BATCH_ITEMS_MAX]
            answer = self.act(service, path, {"source": source, "items": part}, role=role)
            for result in answer["results"]:
                if result["status"] == "created":
                    imported.created += 1
                elif result["status"] == "unchanged":
                    imported.unchanged += 1
                else:
                    imported.refused.append(
                        RefusedItem(
                            service,
                            path,
                            result["key"],
                            result.get("field") or "",
                            result.get("reason") or "",
                        )
                    )

    def _send(self, method: str, service: str, path: str, *, role: str, **what: Any) -> Any:
        end = time.monotonic() + RETRY_SECONDS_MAX
        wait, renew = RETRY_WAIT_SECONDS, False
        while True:
            try:
                answer = self._client.request(
                    method,
                    self._urls[service] + path,
                    headers={"Authorization": f"Bearer {self._token(role, renew)}"},
                    **what,
                )
            except httpx.TransportError as error:
                said: object = error or type(error).__name__
            else:
                if answer.is_success:
                    return answer.json()
                if answer.status_code == httpx.codes.UNAUTHORIZED and not renew:
                    renew = True
                    continue
                if answer.status_code not in LATER:
                    raise RequestRefused(f"{method} {service} {path}", answer.status_code, _problem(answer))
                said = answer.status_code
            if time.monotonic() > end:
                raise ServiceUnreachable(
                    f"{service} did not answer {method} {path} for {RETRY_SECONDS_MAX:.0f} s (last: {said}). "
                    f"Look at its log with `crossdock logs {service}`, then run the same command again."
                )
            self.retried += 1
            time.sleep(wait)  # back-off before the same keys are sent again
            wait = min(2 * wait, RETRY_WAIT_SECONDS_MAX)


def _problem(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        return {"detail": answer.text[:200]}
    return said if isinstance(said, dict) else {"detail": str(said)[:200]}


class DrivenWorld:
    """The clock and the quiet of a world, asked of each of its services."""

    def __init__(
        self, services: ServiceClient, *, listeners: Iterable[str] = (), event_listener: str | None = None
    ) -> None:
        """`listeners` only listen; they are waited for when the whole world must be quiet.

        `ear` is a listener that hears every topic, so that its ends are the ends of all.
        """
        self._services = services
        self._listeners = frozenset(listeners)
        self._event_listener = event_listener if event_listener in services.names else None
        self._pool = ThreadPoolExecutor(len(services.names), thread_name_prefix="service")

    def close(self) -> None:
        """End the threads that ask."""
        self._pool.shutdown()

    def clocks(self) -> Mapping[str, datetime]:
        """Return the time of each service."""
        return {name: _instant(said["now"]) for name, said in self._ask(self._services.names).items()}

    def advance(self, to: datetime, *, only: Collection[str] | None = None) -> None:
        """Move the clocks of all services, or of some, to an instant."""
        body = {"to": to.isoformat().replace("+00:00", "Z")}
        moved = [
            self._pool.submit(self._services.act, name, "/world/advance", body, role=CLOCK_ROLE)
            for name in self._services.names
            if only is None or name in only
        ]
        for one in moved:
            one.result()

    def wait_until_quiet(self, *, whole: bool) -> Mapping[str, datetime | None]:
        """Ask until every service was seen idle and the ends of its topics are still those after the last of them.

        A service that was idle and has heard nothing since is idle still; where all ends are read after the
        last answer and equal what each service had read, there is a moment at which nothing was on its way
        anywhere (FLOW 6.3).
        """
        asked = tuple(name for name in self._services.names if whole or name not in self._listeners)
        end = time.monotonic() + QUIET_SECONDS_MAX
        while True:
            said = self._ask_until_idle(asked, end)
            if self._ends_stand(said):
                return {name: _instant_or_none(one["next_due"]) for name, one in said.items()}

    def _ends_stand(self, answers: Mapping[str, Any]) -> bool:
        """Read the ends once more and say whether they are those that were said."""
        later = {}
        if self._event_listener is not None:
            later = _topics(self._ask((self._event_listener,), sure="true")[self._event_listener])
        unheard = tuple(name for name, one in answers.items() if not _topics(one).keys() <= later.keys())
        later |= {place: at for one in self._ask(unheard, sure="true").values() for place, at in _topics(one).items()}
        return all(later[place] == at for one in answers.values() for place, at in _topics(one).items())

    def _ask_until_idle(self, names: Sequence[str], end: float) -> dict[str, Any]:
        """Ask everybody, and again those who were busy, until each was seen idle once."""
        said = self._ask(names, wait_ms=QUIET_HOLD_MS)
        wait = QUIET_WAIT_SECONDS
        while busy := {name: why for name in names if (why := _busy(said[name]))}:
            if time.monotonic() > end:
                where = "; ".join(f"{name}: {why}" for name, why in sorted(busy.items()))
                raise NeverQuiet(
                    f"The world was not quiet after {QUIET_SECONDS_MAX:.0f} s ({where}). "
                    "Look at `crossdock status` and `crossdock dead-letters list`; the same command goes on."
                )
            time.sleep(wait)  # between two questions; the condition is the answer
            wait = min(2 * wait, QUIET_WAIT_SECONDS_MAX)
            said |= self._ask(tuple(busy), wait_ms=QUIET_HOLD_MS)
        return said

    def _ask(self, names: Sequence[str], **query: Any) -> dict[str, Any]:
        asked = {
            name: self._pool.submit(self._services.ask, name, "/world/quiet", role=CLOCK_ROLE, **query)
            for name in names
        }
        return {name: answer.result() for name, answer in asked.items()}


def _topics(answer: Mapping[str, Any]) -> dict[str, int]:
    """Return the end of each topic partition that a service hears, whichever of its loops does."""
    return {place.rpartition(":")[2]: end for place, end in answer["ends"].items()}


def _busy(answer: Mapping[str, Any]) -> str | None:
    """Say what a service has still to do, or None when it is quiet."""
    behind = {
        place: end - answer["positions"].get(place, 0)
        for place, end in answer["ends"].items()
        if answer["positions"].get(place, 0) < end
    }
    if behind:
        place, records = max(behind.items(), key=lambda pair: pair[1])
        return f"{records} records behind on {place}"
    if answer["pending"]:
        return f"{answer['pending']} facts to publish"
    due = _instant_or_none(answer["next_due"])
    if due is not None and due <= _instant(answer["now"]):
        return f"a timer of {answer['next_due']} has to fire"
    return None


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _instant_or_none(text: str | None) -> datetime | None:
    return None if text is None else _instant(text)
