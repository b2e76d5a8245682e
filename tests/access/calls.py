"""One real request per route: its path, its body for a target, and what a reader elsewhere is answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from tests.access.matrix import SERVICES, Name
from tests.access.world import CASE_ACTS, CUSTOMER, DAY, PRICE, SITE, TASK_ACTS, calendar, purchase, shipment

# What a reader whose scope leaves the target out is answered: refused (403, or 404 where the id itself is not told),
# refused item by item, an answer that shows nothing of it, or everything, for what has no site or customer.
Reach = Literal["refused", "item", "hidden", "open"]
Body = Callable[[str], Any]
Ids = dict[str, str]


WORDS = {"dead_letter_id": "1", "what": "severity"}  # parts of a path that are no id of a target


@dataclass(frozen=True)
class Call:
    """How one route is asked."""

    name: Name
    site: Reach = "open"
    customer: Reach = "open"
    body: Body | None = None
    query: Callable[[str, Ids], dict[str, str]] | None = None
    ids: Callable[[str, str], dict[str, str]] | None = None  # by target and role, the names of its path's ids
    foreign: Reach = "open"  # what a machine of another source is answered
    elsewhere: Reach = "open"  # what a subscriber that is another warehouse's machine is answered

    def path(self, ids: Ids, target: str, role: str) -> str:
        """Return the path with the ids of a target, as a role would ask it."""
        named = self.ids(target, role) if self.ids else {}
        path = self.name[2]
        for part in path.split("/"):
            if part.startswith("{"):
                word = part[1:-1]
                path = path.replace(part, WORDS.get(word) or ids[named.get(word, word)])
        return path


def batch(item: Callable[[str], dict[str, Any]]) -> Body:
    """Return a batch of one item of a target."""
    return lambda target: {"source": "erp", "items": [{"key": f"k-{target}", **item(target)}]}


def _without(body: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


def _standard(service: str) -> list[Call]:
    some = "11111111-1111-4111-8111-111111111111"
    return [
        Call((service, "POST", "/world/advance"), body=lambda _: {"to": "2026-03-01T00:00:00Z"}),
        Call((service, "GET", "/world/quiet")),
        Call((service, "GET", "/openapi.json")),
        Call((service, "GET", "/dead-letters")),
        Call((service, "GET", "/dead-letters/{dead_letter_id}")),
        Call((service, "POST", "/dead-letters:retry"), body=lambda _: {"ids": []}),
        Call((service, "POST", "/dead-letters:drop"), body=lambda _: {"ids": []}),
        Call((service, "POST", "/causes:resolve"), body=lambda _: {"ids": [some]}),
    ]


WEEKS = [{"week_on": "2026-03-09", "quantity": 10}]
FORECAST = [
    Call(("forecast", "POST", "/forecasts"), "refused", body=lambda t: {"item": "kit", "site": SITE[t], "weeks": WEEKS}),
    Call(("forecast", "GET", "/forecasts"), "hidden"),
    Call(("forecast", "POST", "/forecasts:batch"), "item", body=batch(lambda t: {"item": "kit", "site": SITE[t], "weeks": WEEKS})),
    Call(
        ("forecast", "POST", "/forecasts/{forecast_id}/overrides"), "refused",
        body=lambda _: {"week_on": "2026-03-02", "quantity": 30, "reason": "another tender"},
    ),
    Call(("forecast", "POST", "/forecasts/{forecast_id}/publish"), "refused"),
    Call(("forecast", "GET", "/forecasts/{forecast_id}"), "refused"),
    Call(("forecast", "GET", "/forecasts/{forecast_id}/publications"), "refused"),
    Call(("forecast", "GET", "/overrides"), "hidden"),
    Call(("forecast", "GET", "/figures"), "refused", "refused"),
]  # fmt: skip


def _entry(target: str) -> dict[str, Any]:
    return {"item": "kit", "site": SITE[target], "kind": "receipt", "quantity": 1}


def _place(target: str, _: Ids) -> dict[str, str]:
    return {"item": "kit", "site": SITE[target]}


INVENTORY = [
    Call(("inventory", "POST", "/items"), body=lambda _: {"code": "kit"}),
    Call(("inventory", "GET", "/items")),
    Call(("inventory", "POST", "/items:batch"), body=batch(lambda _: {"code": "kit"})),
    Call(("inventory", "POST", "/sites"), "refused", body=lambda t: {"code": SITE[t], "country": "FR"}),
    Call(("inventory", "GET", "/sites"), "hidden", elsewhere="hidden"),
    Call(("inventory", "POST", "/sites:batch"), "item", body=batch(lambda t: {"code": SITE[t], "country": "FR"})),
    Call(("inventory", "POST", "/stock-entries"), "refused", body=_entry),
    Call(("inventory", "GET", "/stock-entries"), "hidden", elsewhere="hidden"),
    Call(("inventory", "POST", "/stock-entries:batch"), "item", body=batch(_entry)),
    Call(("inventory", "GET", "/stock"), "hidden", elsewhere="hidden"),
    Call(("inventory", "GET", "/shortages"), "hidden", elsewhere="hidden"),
    Call(("inventory", "GET", "/projections"), "refused", query=_place, elsewhere="refused"),
    Call(("inventory", "GET", "/available-to-promise"), "refused", query=_place, elsewhere="refused"),
    Call(("inventory", "GET", "/figures"), "refused", "refused"),
]

MILESTONE = {"kind": "departed", "occurred_at": "2026-03-03T08:00:00Z"}
LATER = {"expected_at": "2026-03-09T00:00:00Z", "reason": "customs"}
THERE = {"received_on": DAY.isoformat()}


def _planned(target: str) -> dict[str, Any]:
    return _without(shipment(target, f"N-{target}"), "source")


LOGISTICS = [
    Call(("logistics", "POST", "/shipments"), "refused", "refused", lambda t: shipment(t, f"N-{t}"), foreign="refused"),
    Call(("logistics", "GET", "/shipments"), "hidden", "hidden", foreign="hidden"),
    Call(("logistics", "POST", "/shipments:batch"), "item", "item", batch(_planned), foreign="refused"),
    Call(("logistics", "POST", "/shipments:import"), "item", "item", batch(lambda t: _planned(t) | {"reference": f"I-{t}"} | THERE)),
    Call(("logistics", "POST", "/shipments/{shipment_id}/milestones"), "refused", "refused", lambda _: MILESTONE, foreign="refused"),
    Call(("logistics", "POST", "/milestones:batch"), "item", "item", batch(lambda t: {"shipment": f"S-{t}", "planned_by": "erp", **MILESTONE}), foreign="item"),
    Call(("logistics", "POST", "/shipments/{shipment_id}/expected-arrival"), "refused", "refused", lambda _: LATER, foreign="refused"),
    Call(("logistics", "POST", "/shipments/{shipment_id}/receive"), "refused", "refused", lambda _: THERE, foreign="refused"),
    Call(("logistics", "POST", "/receipts:batch"), "item", "item", batch(lambda t: {"shipment": f"S-{t}", "planned_by": "erp", **THERE}), foreign="item"),
    Call(("logistics", "POST", "/shipments/{shipment_id}/cancel"), "refused", "refused", lambda _: {"reason": "not needed"}, foreign="refused"),
    Call(("logistics", "POST", "/carriers"), body=lambda _: {"code": "northline", "name": "Northline"}),
    Call(("logistics", "GET", "/carriers")),
    Call(("logistics", "POST", "/lanes"), body=lambda _: {"origin": "A", "destination": "B", "carrier": "northline", "mode": "road", "transit_days": 2}),
    Call(("logistics", "GET", "/lanes")),
    Call(("logistics", "GET", "/shipments/{shipment_id}"), "refused", "refused", foreign="refused"),
    Call(("logistics", "GET", "/figures"), "refused", "refused"),
    Call(("logistics", "GET", "/findings"), "hidden", "hidden"),
]  # fmt: skip

TERM = {"supplier": "Acme", "item": "kit", "effective_from": "2026-03-01", "price": PRICE}
CONFIRMED = {"lines": [{"reference": "1", "confirmed_on": DAY.isoformat()}]}


def _choice(target: str, role: str) -> dict[str, str]:
    return {"sourcing_id": "dear_sourcing_id"} if target == "own" and role == "procurement above the limit" else {}


PROCUREMENT = [
    Call(("procurement", "POST", "/suppliers"), body=lambda _: {"code": "Acme", "name": "Acme"}),
    Call(("procurement", "GET", "/suppliers")),
    Call(("procurement", "POST", "/suppliers:batch"), body=batch(lambda _: {"code": "Acme", "name": "Acme"})),
    Call(("procurement", "POST", "/terms"), body=lambda _: TERM),
    Call(("procurement", "GET", "/terms")),
    Call(("procurement", "POST", "/terms:batch"), body=batch(lambda _: TERM)),
    Call(("procurement", "POST", "/orders"), "refused", body=lambda t: purchase(t, f"N-{t}"), foreign="refused"),
    Call(("procurement", "GET", "/orders"), "hidden", foreign="hidden"),
    Call(("procurement", "POST", "/orders:batch"), "item", body=batch(lambda t: _without(purchase(t, f"B-{t}"), "source")), foreign="refused"),
    Call(("procurement", "POST", "/orders/{order_id}/change"), "refused", body=lambda t: {"lines": purchase(t)["lines"]}, foreign="refused"),
    Call(("procurement", "POST", "/orders/{order_id}/confirm"), "refused", body=lambda _: CONFIRMED, foreign="refused"),
    Call(("procurement", "POST", "/confirmations:batch"), "item", body=batch(lambda t: {"order": f"P-{t}", "placed_by": "erp", **CONFIRMED}), foreign="item"),
    Call(("procurement", "GET", "/orders/{order_id}"), "refused", foreign="refused"),
    Call(("procurement", "POST", "/sourcings/{sourcing_id}/choose"), "refused", "refused", ids=_choice),
    Call(("procurement", "POST", "/sourcings/{sourcing_id}/decline"), "refused", "refused", ids=_choice),
    Call(("procurement", "GET", "/sourcings"), "hidden", "hidden"),
    Call(("procurement", "GET", "/sourcings/{sourcing_id}"), "refused", "refused"),
    Call(("procurement", "GET", "/candidates"), "hidden", "hidden"),
    Call(("procurement", "GET", "/figures"), "refused", "refused"),
]  # fmt: skip

WHY = {"reason": "because it must be"}
SO = {"outcome": "all is well"}
BODIES: dict[str, Any] = {
    "acknowledge": None, "take": None, "resume": None, "accept": None, "pause": WHY, "reopen": WHY, "refuse": WHY, "waive": WHY, "return": WHY,
    "decide": {"choice": "wait for it"}, "verify": SO, "complete": SO, "commit": {"committed_to": "2026-03-20T00:00:00Z"},
    "hand-over": {"to_function": "planning-lead", "note": "please"}, "assign": {"to_function": "inventory", **WHY},
}  # fmt: skip


def _case_of(act: str) -> Callable[[str, str], dict[str, str]]:
    def named(target: str, role: str) -> dict[str, str]:
        if target != "own":
            return {}
        return {
            "case_id": "escalated"
            if role == "executive under its condition" and act in CASE_ACTS[:2]
            else f"case-{act}"
        }

    return named


def _exceptions_acts() -> list[Call]:
    cases = [
        Call(
            ("exceptions", "POST", f"/cases/{{case_id}}/{act}"),
            "refused",
            "refused",
            lambda _, a=act: BODIES[a],
            ids=_case_of(act),
        )
        for act in CASE_ACTS
    ]
    return cases + [
        Call(("exceptions", "POST", f"/tasks/{{task_id}}/{act}"), "refused", "refused", lambda _, a=act: BODIES[a])
        for act in TASK_ACTS
    ]


def _imported(target: str) -> dict[str, Any]:
    opened = {"kind": "opened", "occurred_at": "2026-03-01T08:00:00Z", "recorded_at": "2026-03-01T08:00:00Z"}
    return {"headline": f"a desk's incident {target}", "severity": "medium", "facts": [opened]}


def _cause(_: str, ids: Ids) -> dict[str, str]:
    return {"kind": "shipment-delay", "id": ids["cause_id"]}


SPAN = {"minutes": 60}
PLAYBOOK = {
    "kind": "shortage", "calendar": "weekdays", "ladder": "default", "acknowledge_within": SPAN,
    "tasks": [{"kind": "check-stock", "function": "inventory", "title": "Please count", "commit_within": SPAN, "complete_within": SPAN}],
}  # fmt: skip
EXCEPTIONS = [
    *_exceptions_acts(),
    Call(("exceptions", "POST", "/cases:import"), body=batch(_imported)),
    Call(("exceptions", "GET", "/cases"), "hidden", "hidden"),
    Call(("exceptions", "GET", "/cases/figures")),  # counts name no case; tests/exceptions/test_api.py narrows them
    Call(("exceptions", "GET", "/cases/{case_id}"), "refused", "refused"),
    Call(("exceptions", "GET", "/cases/{case_id}/timeline"), "refused", "refused"),
    Call(("exceptions", "GET", "/tasks"), "hidden", "hidden"),
    Call(("exceptions", "GET", "/tasks/{task_id}"), "refused", "refused"),
    Call(("exceptions", "GET", "/causes"), "hidden", "hidden", query=_cause),
    Call(("exceptions", "GET", "/figures"), "refused", "refused"),
    Call(("exceptions", "GET", "/playbooks")),
    Call(("exceptions", "POST", "/playbooks"), body=lambda _: PLAYBOOK),
    Call(("exceptions", "GET", "/thresholds")),
    Call(("exceptions", "POST", "/thresholds"), body=lambda _: {"currency": "EUR"}),
    Call(("exceptions", "GET", "/playbooks/{kind}/versions"), ids=lambda *_: {"kind": "kind"}),
    Call(("exceptions", "GET", "/thresholds/versions")),
]

LINE = {"reference": "1", "item": "kit", "quantity": "1", "value": PRICE, "promised_on": DAY.isoformat()}


def _customer(target: str) -> dict[str, Any]:
    return {"code": CUSTOMER[target], "name": CUSTOMER[target], "contact": "who@example.org"}


def _order(target: str) -> dict[str, Any]:
    return {"reference": f"N-{target}", "customer": CUSTOMER[target], "site": SITE[target], "lines": [LINE]}


SALES = [
    Call(("sales", "POST", "/customers"), "open", "refused", lambda t: {"source": "erp", **_customer(t)}, foreign="refused"),
    Call(("sales", "GET", "/customers"), "open", "hidden"),
    Call(("sales", "POST", "/customers:batch"), "open", "item", batch(_customer), foreign="refused"),
    Call(("sales", "POST", "/orders"), "refused", "refused", lambda t: {"source": "erp", **_order(t)}, foreign="refused"),
    Call(("sales", "GET", "/orders"), "hidden", "hidden"),
    Call(("sales", "POST", "/orders:batch"), "item", "item", batch(_order), foreign="refused"),
    Call(("sales", "POST", "/orders/{order_id}/lines"), "refused", "refused", lambda _: {"lines": [LINE | {"reference": "2"}]}, foreign="refused"),
    Call(("sales", "POST", "/order-lines/{order_line_id}/confirm"), "refused", "refused", lambda _: {"confirmed_on": DAY.isoformat()}, foreign="refused"),
    Call(("sales", "POST", "/promises/{order_line_id}/revise"), "refused", "refused", lambda _: {"promised_on": "2026-03-09", **WHY}),
    Call(("sales", "POST", "/promises/{order_line_id}/statements"), "refused", "refused", lambda _: {"stated_on": DAY.isoformat(), "version": 1}),
    Call(("sales", "POST", "/orders/{order_id}/cancel"), "refused", "refused", lambda _: WHY, foreign="refused"),
    Call(("sales", "GET", "/customers/{code}"), "open", "refused"),
    Call(("sales", "GET", "/orders/{order_id}"), "refused", "refused"),
    Call(("sales", "GET", "/promises/{order_line_id}"), "refused", "refused"),
    *(Call(("sales", "POST", f"/notices/{{notice_id}}/{act}"), "refused", "refused") for act in ("approve", "redraft", "retry")),
    Call(("sales", "POST", "/notices/{notice_id}/resolve"), "refused", "refused", lambda _: WHY),
    Call(("sales", "GET", "/notice-policy")),
    Call(("sales", "POST", "/notice-policy"), body=lambda _: {}),
    Call(("sales", "GET", "/notice-policy/versions")),
    Call(("sales", "GET", "/impacts"), "hidden", "hidden"),
    Call(("sales", "GET", "/impacts/{impact_id}"), "refused", "refused"),
    Call(("sales", "GET", "/notices"), "hidden", "hidden"),
    Call(("sales", "GET", "/notices/{notice_id}"), "refused", "refused"),
    Call(("sales", "GET", "/figures")),
]  # fmt: skip


def _opened(_: str, ids: Ids) -> dict[str, str]:
    return {"type": "exceptions.case.opened.v1", "subject": ids["case_id"]}


SCORECARD = [
    Call(("scorecard", "GET", "/causes/{fact_id}"), "refused", "refused"),
    Call(("scorecard", "POST", "/causes:walk"), "refused", "refused", lambda _: {"ids": []}),
    Call(("scorecard", "GET", "/facts"), "hidden", "hidden", query=_opened),
    Call(("scorecard", "GET", "/figures"), "refused", "refused"),
    Call(("scorecard", "GET", "/impacts/{cause_id}"), "refused", "refused"),
    Call(("scorecard", "GET", "/orphans"), "refused", "refused"),
    Call(("scorecard", "GET", "/external-causes"), "refused", "refused", query=lambda *_: {"kind": "act"}),
    Call(("scorecard", "GET", "/velocity")),
    Call(("scorecard", "GET", "/velocity/by/{what}")),
    Call(("scorecard", "GET", "/velocity/curve")),
    Call(("scorecard", "GET", "/velocity/phases")),
    Call(("scorecard", "GET", "/velocity/overdue")),
    Call(("scorecard", "GET", "/velocity/check"), "refused", "refused"),
    Call(("scorecard", "GET", "/velocity/cases/{case_id}"), "refused", "refused"),
    Call(("scorecard", "GET", "/measures"), "hidden", "hidden"),
]

LADDER_LEVEL = {"role": None, "after_minutes": 0}
COLLABORATION = [
    Call(("collaboration", "POST", "/functions"), body=lambda _: {"code": "sales", "name": "Sales"}),
    Call(("collaboration", "POST", "/people"), body=lambda _: {"code": "ana", "name": "Ana", "function": "sales"}),
    Call(("collaboration", "POST", "/calendars"), body=lambda _: calendar()),
    Call(("collaboration", "POST", "/rosters"), body=lambda _: {"function": "sales", "duties": []}),
    Call(("collaboration", "POST", "/ladders"), body=lambda _: {"calendar": "weekdays", "rungs": [LADDER_LEVEL], "max_escalations": 1}),
    *(Call(("collaboration", "GET", f"/{thing}")) for thing in ("functions", "people", "calendars", "rosters", "ladders", "figures")),
    Call(("collaboration", "GET", "/calendars/{code}")),
]  # fmt: skip

OWN = (*FORECAST, *INVENTORY, *LOGISTICS, *PROCUREMENT, *EXCEPTIONS, *SALES, *SCORECARD, *COLLABORATION)
CALLS: dict[Name, Call] = {
    call.name: call for call in (*OWN, *(one for service in SERVICES for one in _standard(service)))
}
