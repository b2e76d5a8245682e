"""The figures of a world, each asked from the service that owns it; nothing here is counted from a file."""

from __future__ import annotations

from typing import Any

from cli.orphans import count_orphans
from cli.replay import fingerprint
from cli.service_client import ServiceClient

READER = "planning-lead"
OPERATOR = "sre"
FIGURES = "/figures"

OWNERS: dict[str, tuple[str, ...]] = {
    "logistics": (
        "lines",
        "shipments",
        "units",
        "value",
        "late_lines",
        "on_time_line_share",
        "late_shipments",
        "delayed_shipments",
        "confirmed_late",
        "reported_late_only",
    ),
    "exceptions": ("cases", "tasks", "value_at_risk", "duplicates"),
    "procurement": (
        "cases_with_candidate_for_every_line",
        "cases_with_candidate_for_some_line",
        "candidates_total",
    ),
}
ORDER = (
    "lines",
    "shipments",
    "units",
    "value",
    "late_lines",
    "on_time_line_share",
    "late_shipments",
    "delayed_shipments",
    "confirmed_late",
    "reported_late_only",
    "cases",
    "tasks",
    "value_at_risk",
    "cases_with_candidate_for_every_line",
    "cases_with_candidate_for_some_line",
    "candidates_total",
    "duplicates",
    "dead_letters",
    "orphans",
    "fingerprint",
)


def ask_figures(services: ServiceClient) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the figures, and for each the route that it was asked from."""
    found: dict[str, Any] = {}
    routes: dict[str, str] = {}
    for service, names in OWNERS.items():
        if service not in services.names:  # a world may be made of some services only
            found |= dict.fromkeys(names)
            routes |= dict.fromkeys(names, f"{service} is not part of this world")
            continue
        answer = services.ask(service, FIGURES, role=READER)
        for name in names:
            found[name] = _number(answer[name])
            routes[name] = f"GET {service}{FIGURES}"
    dead = [one for service in services.names for one in services.pages(service, "/dead-letters", role=OPERATOR)]
    found["dead_letters"] = len(dead)
    routes["dead_letters"] = "GET /dead-letters of every service"
    found["orphans"], routes["orphans"] = None, "scorecard is not part of this world"
    if "scorecard" in services.names:
        found["orphans"] = count_orphans(services)
        routes["orphans"] = "GET scorecard/orphans; GET scorecard/external-causes, shown by POST /causes:resolve"
    found["fingerprint"] = ask_fingerprint(services)
    routes["fingerprint"] = "GET logistics/shipments, GET procurement/candidates"
    return {name: found[name] for name in ORDER}, routes


def ask_fingerprint(services: ServiceClient) -> str:
    """Hash what the services say of every shipment: due day, verdict, and who else could deliver its lines."""
    candidates: dict[str, list[tuple[str, str]]] = {}
    for one in services.pages("procurement", "/candidates", role=READER):
        candidates.setdefault(one["cause"]["id"], []).append((one["line"], one["supplier"]))
    return fingerprint(
        (one["reference"], one["promised_on"], one["verdict"], candidates.get(one["shipment_id"], []))
        for one in services.pages("logistics", "/shipments", role=READER)
    )


def _number(value: Any) -> Any:
    """Return decimals, which travel as text, as JSON numbers; every figure here fits a float exactly."""
    if isinstance(value, list):
        return _amount(value)
    if not isinstance(value, str):
        return value
    return float(value) if "." in value else int(value)


def _amount(money: list[dict[str, Any]]) -> Any:
    """Return the amount of money in one currency; amounts in several are kept apart, by currency."""
    amounts = {one["currency"]: _number(one["amount"]) for one in money}
    if not amounts:
        return 0
    return next(iter(amounts.values())) if len(amounts) == 1 else amounts
