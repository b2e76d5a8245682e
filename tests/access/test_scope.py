"""FLOW 4.3: API, live stream, `why`, impacts and figures decide by one rule which case a reader may see, and what of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from chassis.http.auth import actor_from
from console.server import view
from schemas.access import is_in_scope
from schemas.envelope import Envelope
from tests.access import world as worlds
from tests.exceptions import builders as cases
from tests.support.service import ServiceUnderTest, open_service

SITES, CUSTOMERS = ("Nearsite", "Farsite"), ("Ourclinic", "Theirclinic", "Thirdclinic")
Claims = dict[str, Any]
_numbers = count(1)


@pytest.fixture(scope="module")
def services(request: pytest.FixtureRequest) -> Iterator[tuple[ServiceUnderTest, ServiceUnderTest]]:
    """Exceptions with its rules, and the scorecard that hears what exceptions says."""
    infra = request.getfixturevalue("infra")
    urls = [infra.database(name) for name in ("exceptions", "scorecard")]
    try:
        with (
            open_service(worlds.parts("exceptions"), urls[0]) as response,
            open_service(worlds.parts("scorecard"), urls[1]) as scores,
        ):
            worlds.build_rules(worlds.World(response))
            yield response, scores
    finally:
        for url in urls:
            infra.drop_database(url)


def scopes(names: tuple[str, ...]) -> st.SearchStrategy[list[str] | str]:
    return st.one_of(st.just("*"), st.lists(st.sampled_from(names), unique=True))


READERS = st.lists(
    st.fixed_dictionaries({"sites": scopes(SITES), "customers": scopes(CUSTOMERS)}), min_size=1, max_size=3
)
LINES = st.lists(st.one_of(st.none(), st.sampled_from(CUSTOMERS)), min_size=1, max_size=3)


def open_case(services: tuple[ServiceUnderTest, ServiceUnderTest], site: str, customers: list[str | None]) -> Envelope:
    """Open a case for a late shipment whose lines name these customers; returns the fact that says so."""
    response, scores = services
    name = f"P{next(_numbers)}"
    lines = tuple(
        cases.shipment_line(number, value=f"{number}00.00", customer=customer, shipment=name)
        for number, customer in enumerate(customers, 1)
    )
    response.emitted()
    response.consume(cases.delayed(shipment=name, lines=lines, destination=site))
    facts = response.emitted()
    scores.consume(*facts)
    (opened,) = [fact for fact in facts if fact.type == "exceptions.case.opened.v1"]
    return opened


def ways(services: tuple[ServiceUnderTest, ServiceUnderTest], opened: Envelope, claims: Claims) -> dict[str, bool]:
    """Say by which ways a reader gets to see a case."""
    response, scores = services
    case_id, cause = opened.subject, opened.data.cause  # type: ignore[attr-defined]  # a fact of a case

    def ask(of: ServiceUnderTest, path: str) -> Any:
        return of.get(path, role="viewer", claims=claims)

    listed = ask(response, f"/cases?case_id={case_id}").json()["items"]
    facts = ask(scores, f"/facts?type={opened.type}&subject={case_id}").json()["items"]
    return {
        "stream": view.visible_json(opened, actor_from({"sub": "ada", "roles": ["viewer"], **claims})) is not None,
        "list": bool(listed),
        "tasks": bool(ask(response, f"/tasks?case_id={case_id}").json()["items"]),
        "cause": bool(ask(response, f"/causes?kind={cause.kind}&id={cause.id}").json()["cases"]),
        "case": ask(response, f"/cases/{case_id}").status_code == 200,
        "timeline": ask(response, f"/cases/{case_id}/timeline").status_code == 200,
        "why": ask(scores, f"/causes/{opened.id}").status_code == 200,
        "impacts": ask(scores, f"/impacts/{opened.id}").status_code == 200,
        "facts": bool(facts),
        "velocity": ask(scores, f"/velocity/cases/{case_id}").status_code == 200,
    }


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(site=st.sampled_from(SITES), customers=LINES, readers=READERS)
def test_every_way_out_agrees(
    services: tuple[ServiceUnderTest, ServiceUnderTest], site: str, customers: list[str | None], readers: list[Claims]
) -> None:
    opened = open_case(services, site, customers)
    for claims in readers:
        reader = actor_from({"sub": "ada", "roles": ["viewer"], **claims})
        named = {customer for customer in customers if customer}
        seen = is_in_scope(reader.sites, {site}) and is_in_scope(reader.customers, named)
        found = ways(services, opened, claims)
        assert found == dict.fromkeys(found, seen), claims
        if seen:
            _shows_the_same(services[0], opened, claims)


def _shows_the_same(response: ServiceUnderTest, opened: Envelope, claims: Claims) -> None:
    """The stream and both answers of the API show the same lines, and the money of these lines."""
    reader = actor_from({"sub": "ada", "roles": ["viewer"], **claims})
    told = json.loads(view.visible_json(opened, reader) or b"")["data"]
    whole = response.get(f"/cases/{opened.subject}", role="viewer", claims=claims).json()
    (row,) = response.get(f"/cases?case_id={opened.subject}", role="viewer", claims=claims).json()["items"]
    lines = {line["line_id"] for line in whole["affected_lines"]}
    assert {line["line_id"] for line in told["lines"]} == lines
    assert told["lines_out_of_scope"] == whole["lines_out_of_scope"]
    assert told["customers"] == whole["customers"] == row["customers"]
    value = sum(Decimal(line["value"]["amount"]) for line in whole["affected_lines"])
    assert {Decimal(one["value_at_risk"]["amount"]) for one in (told, whole, row)} == {value}


ONE: Claims = {"sites": "*", "customers": ["Ourclinic"]}


def test_a_case_that_names_no_customer_is_not_for_readers_of_some_customers(
    services: tuple[ServiceUnderTest, ServiceUnderTest],
) -> None:
    opened = open_case(services, "Nearsite", [None])
    assert set(ways(services, opened, ONE).values()) == {False}
    assert set(ways(services, opened, {"sites": ["Nearsite"], "customers": "*"}).values()) == {True}


def test_an_opening_fact_stays_hidden_after_the_api_shows_the_case(
    services: tuple[ServiceUnderTest, ServiceUnderTest],
) -> None:
    response, _ = services
    opened = open_case(services, "Nearsite", [None])
    response.consume(cases.impact(customers=(("Ourclinic", "key"),), cause=opened.data.cause))  # type: ignore[attr-defined]  # a fact of a case
    found = ways(services, opened, ONE)
    assert (found["case"], found["list"]) == (True, True)
    assert (found["stream"], found["why"], found["facts"]) == (False, False, False)


def test_sums_are_those_of_the_readers_lines(services: tuple[ServiceUnderTest, ServiceUnderTest]) -> None:
    """The money of other customers is in no list, whole, figure, timeline or fact of the stream."""
    response, _ = services
    before = _at_risk(response)
    opened = open_case(services, "Nearsite", ["Ourclinic", "Theirclinic"])
    impact = cases.impact(customers=(("Ourclinic", "key"), ("Theirclinic", "key")), cause=opened.data.cause)  # type: ignore[attr-defined]  # a fact of a case
    response.consume(impact)
    assert _at_risk(response) - before == Decimal(100)
    entries = response.get(f"/cases/{opened.subject}/timeline", role="viewer", claims=ONE).json()["items"]
    assert not [entry for entry in entries if "value_at_risk" in entry["content"]]
    everything = response.get(f"/cases/{opened.subject}/timeline").json()["items"]
    assert [entry for entry in everything if "value_at_risk" in entry["content"]]
    (reassessed,) = [fact for fact in response.emitted() if fact.type == "exceptions.case.reassessed.v1"]
    told = json.loads(view.visible_json(reassessed, actor_from({"sub": "ada", "roles": ["viewer"], **ONE})) or b"")[
        "data"
    ]
    assert "value_at_risk" not in told


def _at_risk(response: ServiceUnderTest) -> Decimal:
    figures = response.get("/cases/figures", role="viewer", claims=ONE).json()
    return sum((Decimal(money["amount"]) for money in figures["value_at_risk"]), Decimal(0))


def test_a_filter_by_a_foreign_customer_finds_nothing(services: tuple[ServiceUnderTest, ServiceUnderTest]) -> None:
    """The filter would say who else is affected by a case of the reader."""
    response, _ = services
    opened = open_case(services, "Nearsite", ["Ourclinic", "Theirclinic"])
    for customer, seen in (("Ourclinic", True), ("Theirclinic", False)):
        items = response.get(f"/cases?case_id={opened.subject}&customer={customer}", role="viewer", claims=ONE).json()[
            "items"
        ]
        assert bool(items) is seen


def test_a_list_by_money_goes_on_where_it_ended(services: tuple[ServiceUnderTest, ServiceUnderTest]) -> None:
    """The cursor of a reader of some customers holds the money that the reader sees."""
    response, _ = services
    ids = {str(open_case(services, "Nearsite", ["Theirclinic", customer]).subject) for customer in ("Ourclinic",) * 3}
    seen, cursor = list[dict[str, Any]](), ""
    while True:
        page = response.get(f"/cases?limit=2{cursor}", role="viewer", claims=ONE).json()
        seen += page["items"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    amounts = [Decimal(row["value_at_risk"]["amount"]) for row in seen]
    assert amounts == sorted(amounts, reverse=True)
    assert ids <= {row["case_id"] for row in seen}
    assert len({row["case_id"] for row in seen}) == len(seen)
