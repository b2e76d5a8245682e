"""Walk the causes of many facts at once: scorecard knows facts, services show acts, signals and timers (FLOW 4.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from cli.client import Client

IDS_MAX = 500
TASK = "exceptions.task.opened.v1"
Fact = dict[str, Any]


def resolved(client: Client, service: str, kind: str, ids: list[str]) -> list[dict[str, Any]]:
    """Ask the owner of acts, signals or timers to show them."""
    shown: list[dict[str, Any]] = []
    for start in range(0, len(ids), IDS_MAX):
        asked = {"ids": ids[start : start + IDS_MAX], "kind": kind}
        shown += client.post(service, "/causes:resolve", asked)["found"]
    return shown


class Walk:
    """All tasks of a world, back to what started them, level by level."""

    def __init__(self, client: Client, report: Callable[[str], None]) -> None:
        self._client, self._report = client, report
        self._facts: dict[str, Fact] = {}
        self._resolved: dict[str, dict[str, Any]] = {}

    def tasks(self) -> Iterator[dict[str, Any]]:
        """Yield each task with its chain of facts, the timers on it, and its root as its owner shows it."""
        tasks = list(self._pages("/facts", type=TASK))
        self._facts |= {fact["fact_id"]: fact for fact in tasks}
        self._levels(tasks)
        self._show_roots()
        for task in tasks:
            yield self._explained(task)

    def orphans(self) -> dict[str, Any]:
        """Count facts without a cause: those in scorecard's record, and acts, signals and timers that no service shows."""
        found = self._client.get("scorecard", "/orphans", {"quiet": "true", "limit": 100})
        unshown = [
            cause
            for kind in ("act", "signal", "timer")
            for cause in self._external(kind)
            if cause["id"] not in self._resolved
        ]
        by_reason = {**found["by_reason"], **({"not-shown": len(unshown)} if unshown else {})}
        return {
            "count": sum(by_reason.values()),
            "by_reason": by_reason,
            "examples": [*found["items"][:20], *unshown[:20]],
        }

    def _external(self, kind: str) -> list[dict[str, Any]]:
        causes = list(self._pages("/external-causes", kind=kind))
        by_service: dict[str, list[str]] = {}
        for cause in causes:
            if cause["id"] not in self._resolved:
                by_service.setdefault(cause["service"], []).append(cause["id"])
        for service, ids in by_service.items():
            self._keep(resolved(self._client, service, kind, ids))
        return causes

    def _levels(self, level: list[Fact]) -> None:
        depth = 0
        while level:
            depth += 1
            self._report(f"level {depth}: {len(level)} facts")
            wanted = {i for fact in level for i in _parents(fact)} - self._facts.keys()
            level = []
            ids = sorted(wanted)
            for start in range(0, len(ids), IDS_MAX):
                level += self._client.post("scorecard", "/causes:walk", {"ids": ids[start : start + IDS_MAX]})["found"]
            self._facts |= {fact["fact_id"]: fact for fact in level}

    def _show_roots(self) -> None:
        wanted: dict[tuple[str, str], set[str]] = {}
        for fact in self._facts.values():
            service = str(fact["source"]).rsplit("/", 1)[-1]
            if fact["cause_kind"] != "event":
                wanted.setdefault((service, fact["cause_kind"]), set()).add(fact["cause_id"])
            if fact["armed_kind"] in ("act", "signal"):
                wanted.setdefault((service, fact["armed_kind"]), set()).add(fact["armed_by"])
        for (service, kind), ids in wanted.items():
            self._keep(resolved(self._client, service, kind, sorted(i for i in ids if i)))

    def _keep(self, facts: list[dict[str, Any]]) -> None:
        self._resolved |= {one["id"]: one for one in facts}

    def _explained(self, task: Fact) -> dict[str, Any]:
        chain, timers, fact = [], [], task
        while True:
            chain.append({"fact_id": fact["fact_id"], "type": fact["type"]})
            cause, kind = fact["cause_id"], fact["cause_kind"]
            if kind == "timer":
                timers.append(self._resolved.get(cause) or {"id": cause, "what": "nobody can show it"})
                cause, kind = fact["armed_by"], fact["armed_kind"]
            if kind != "event" or cause not in self._facts:
                break
            fact = self._facts[cause]
        root = self._resolved.get(cause) or {"id": cause, "kind": kind, "what": "nobody can show it"}
        return {"task": task["subject"], "fact_id": task["fact_id"], "chain": chain, "timers": timers, "root": root}

    def _pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        cursor: str | None = None
        while True:
            page = self._client.get(
                "scorecard", path, {**query, "limit": IDS_MAX, **({"cursor": cursor} if cursor else {})}
            )
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return


def _parents(fact: Fact) -> list[str]:
    """Return the facts that led to this one, through its timer where one did."""
    if fact["cause_kind"] == "event":
        return [fact["cause_id"]]
    return [fact["armed_by"]] if fact["cause_kind"] == "timer" and fact["armed_kind"] == "event" else []
