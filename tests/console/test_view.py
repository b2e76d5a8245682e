"""What one reader may see of a fact (FLOW 4.3), without a server."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from chassis.http.auth import Actor
from console.server import broadcaster, view
from schemas.types import Money
from tests.console.served import opened


def actor(sites: set[str] | None = None, customers: set[str] | None = None) -> Actor:
    def scope(names: set[str] | None) -> frozenset[str] | None:
        return None if names is None else frozenset(names)

    return Actor(subject="ada", roles=frozenset({"viewer"}), sites=scope(sites), customers=scope(customers))


@pytest.mark.parametrize(
    ("reader", "seen"),
    [
        (actor(), True),
        (actor({"Near"}), True),
        (actor({"Far"}), False),
        (actor(None, {"Ours"}), True),
        (actor(None, {"Theirs"}), False),
        (actor({"Near"}, {"Theirs"}), False),
        (actor(set(), set()), False),
    ],
)
def test_a_fact_is_seen_at_ones_site_about_ones_customer(reader: Actor, seen: bool) -> None:
    """FLOW 4.3"""
    assert (view.visible_json(opened(1), reader) is not None) is seen


def test_a_fact_that_names_no_customer_is_not_for_readers_of_some_customers() -> None:
    """FLOW 4.3: as the API hides its case."""
    fact = opened(1, customers=())
    assert view.visible_json(fact, actor({"Near"})) is not None
    assert view.visible_json(fact, actor({"Near"}, {"Ours"})) is None
    assert view.visible_json(fact, actor({"Far"})) is None


def test_the_money_of_a_fact_is_that_of_the_lines_shown() -> None:
    fact = opened(1, customers=("Ours", "Theirs"))
    whole = fact.data.model_copy(update={"value_at_risk": Money(amount=Decimal(20), currency="EUR")})
    fact = fact.model_copy(update={"data": whole})
    for reader, money, hidden in (
        (actor(), "20.00", 0),
        (actor(None, {"Ours", "Theirs"}), "20.00", 0),
        (actor(None, {"Ours"}), "10.00", 1),
    ):
        told = json.loads(view.visible_json(fact, reader) or b"")["data"]
        assert (told["value_at_risk"], told["lines_out_of_scope"]) == ({"amount": money, "currency": "EUR"}, hidden)


def test_readers_of_one_scope_share_one_encoding_and_others_do_not() -> None:
    one, same, other = actor({"Near"}, {"Ours"}), actor({"Near"}, {"Ours"}), actor({"Near"})
    assert view.scope_of(one) == view.scope_of(same) != view.scope_of(other)


def test_who_sees_everything_is_told_of_no_line_out_of_scope() -> None:
    told = json.loads(view.visible_json(opened(1, customers=("Ours", "Theirs")), actor()) or b"")["data"]
    assert (len(told["lines"]), told["lines_out_of_scope"], told["customers"]) == (2, 0, ["Ours", "Theirs"])


@pytest.mark.parametrize("text", ["", "a", "a/b=1", "a/1=b", "a/1", "/1=", "a/1=1,,"])
def test_what_is_no_id_of_ours_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match="is not"):
        broadcaster.parse_vector(text)


def test_an_id_is_read_as_it_was_written() -> None:
    vector = {("exceptions.case", 1): 7, ("exceptions.case", 0): 3}
    assert broadcaster.parse_vector(broadcaster.format_vector(vector)) == vector
