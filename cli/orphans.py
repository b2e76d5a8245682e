"""Facts whose cause nobody can show: dangling in the causal record, or unknown to the service that it names."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from cli.service_client import ServiceClient

READER = "planning-lead"
RECORD = "scorecard"
IDS_MAX = 500
EXTERNAL_KINDS = ("act", "signal", "timer")


def count_orphans(services: ServiceClient) -> int:
    """Count the facts of a quiet world whose cause does not resolve (FLOW 4.2)."""
    dangling = services.ask(RECORD, "/orphans", role=READER, quiet="true", limit=1)["count"]
    return int(dangling) + sum(int(cause["facts"]) for cause in unshown_causes(services))


def unshown_causes(services: ServiceClient) -> Iterator[dict[str, Any]]:
    """Return the acts, signals and timers that facts name and that their owners do not show."""
    for kind in EXTERNAL_KINDS:
        by_service: dict[str, list[dict[str, Any]]] = {}
        for cause in services.pages(RECORD, "/external-causes", role=READER, kind=kind):
            by_service.setdefault(cause["service"], []).append(cause)
        for service, causes in by_service.items():
            waiting = iter(causes)
            while part := list(islice(waiting, IDS_MAX)):
                shown = _resolved_ids(services, service, kind, part)
                yield from (cause for cause in part if cause["id"] not in shown)


def _resolved_ids(services: ServiceClient, service: str, kind: str, causes: list[dict[str, Any]]) -> set[str]:
    if service not in services.names:
        return set()
    body = {"ids": [cause["id"] for cause in causes], "kind": kind}
    answer = services.act(service, "/causes:resolve", body, role=READER)
    return {one["id"] for one in answer["found"]}
