"""Who is a candidate, and how candidates are ranked: a total order that depends on nothing but what is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st

from services.procurement import domain
from tests.procurement.builders import LATER, NOW, ROUND, TODAY, a_line, a_market, a_record, a_sheet, usd


def ranked(line: domain.Line, *sheets: domain.TermSheet, **market: Any) -> list[domain.Alternative]:
    return list(domain.rank(ROUND, [line], a_market(*sheets, **market), now=NOW))


def merged(*sheets: domain.TermSheet) -> domain.TermSheet:
    return replace(sheets[0], terms=tuple(term for sheet in sheets for term in sheet.terms))


def only(found: list[domain.Alternative]) -> domain.Alternative:
    (one,) = found
    return one


# ── who is a candidate ───────────────────────────────────────────────────────────────────────────


def test_a_lines_own_supplier_is_no_way_out() -> None:
    """FLOW 7.3: candidates are the suppliers with a term for the item, but for the line's own."""
    assert [a.supplier for a in ranked(a_line(), a_sheet("gloves", "ACME", "Other"))] == ["Other"]


def test_only_the_very_same_item_counts() -> None:
    assert ranked(a_line(item="Gloves"), a_sheet("gloves", "Other")) == []


def test_a_placeholder_and_a_stranger_are_never_listed() -> None:
    assert ranked(a_line(), a_sheet("gloves", "Store"), candidate=False) == []
    market = replace(a_market(a_sheet("gloves", "Stranger")), suppliers={})
    assert domain.rank(ROUND, [a_line()], market, now=NOW) == ()


def test_a_term_counts_on_its_days_only() -> None:
    for effective_from, effective_to, listed in (
        (TODAY, TODAY, True),
        (TODAY + timedelta(days=1), None, False),
        (TODAY - timedelta(days=9), TODAY - timedelta(days=1), False),
    ):
        sheet = a_sheet("gloves", "Other", effective_from=effective_from, effective_to=effective_to)
        assert bool(ranked(a_line(), sheet)) is listed, effective_from


def test_the_agreed_term_that_began_last_holds_and_goes_before_an_observed_one() -> None:
    sheet = merged(
        a_sheet("gloves", "Other", price=usd(9), effective_from=TODAY - timedelta(days=30)),
        a_sheet("gloves", "Other", price=usd(3), effective_from=TODAY - timedelta(days=3)),
    )
    sheet = domain.observe_delivery(
        sheet, item="gloves", supplier="Other", received_on=TODAY, received_at=NOW, now=NOW - timedelta(days=1)
    )
    assert only(ranked(a_line(), sheet)).price == usd(3)


def test_an_observed_term_is_known_after_its_recording_and_not_before() -> None:
    """FLOW 7.3: known from the day of recording; what is recorded in the very instant of the round is not known to it."""
    sheet = domain.observe_delivery(
        None, item="gloves", supplier="Other", received_on=date(2020, 1, 1), received_at=NOW, now=NOW
    )
    assert ranked(a_line(), sheet) == []
    one = only(list(domain.rank(ROUND, [a_line()], a_market(sheet), now=LATER)))
    assert (one.feasible, one.landed_cost, one.arrives_on) == (True, None, None)
    assert one.reasons == ("no agreed price: observed deliveries only", "no agreed lead time: arrival unknown")


def test_two_lines_of_the_same_item_have_their_candidates_each() -> None:
    found = domain.rank(ROUND, [a_line("1"), a_line("2")], a_market(a_sheet("gloves", "A", "B")), now=NOW)
    assert [(a.supplier, a.rank) for a in found] == [("A", 1), ("B", 2), ("A", 1), ("B", 2)]
    assert len({a.alternative_id for a in found}) == 4


# ── how it is weighed ────────────────────────────────────────────────────────────────────────────


def test_landed_cost_is_price_and_freight_for_what_is_bought() -> None:
    assert only(ranked(a_line(), a_sheet("gloves", "Other"))).landed_cost == usd(600)


def test_a_minimum_quantity_is_bought_whole_and_said() -> None:
    one = only(ranked(a_line(), a_sheet("gloves", "Other", minimum_quantity=Decimal(150))))
    assert (one.feasible, one.quantity, one.surplus, one.landed_cost) == (True, Decimal(150), Decimal(50), usd(900))
    assert one.reasons == ("minimum quantity 150: 50 more than needed is bought",)


def test_a_minimum_quantity_of_more_than_twice_the_need_cannot_work() -> None:
    one = only(ranked(a_line(), a_sheet("gloves", "Other", minimum_quantity=Decimal(201))))
    assert not one.feasible
    assert one.reasons[0] == "the minimum quantity 201 is more than twice the 100 needed"


def test_capacity_moves_the_arrival_by_a_week_for_each_further_week() -> None:
    one = only(ranked(a_line(), a_sheet("gloves", "Other", capacity_per_week=Decimal(60))))
    assert one.arrives_on == TODAY + timedelta(days=9)
    assert one.reasons == ("arrives 2026-03-11, 7 days after the need", "takes 2 weeks at 60 a week")


@pytest.mark.parametrize(
    ("term", "reason"),
    [
        ({"capacity_per_week": Decimal(0)}, "the supplier has no capacity for this item"),
        ({"lead_time_days": 10}, "arrives 2026-03-12, later than the delayed delivery itself (2026-03-11)"),
    ],
)
def test_a_candidate_that_cannot_work_stays_listed_with_the_reason(term: dict[str, Any], reason: str) -> None:
    one = only(ranked(a_line(), a_sheet("gloves", "Other", **term)))
    assert not one.feasible
    assert reason in one.reasons


def test_an_inactive_supplier_stays_listed_with_the_reason() -> None:
    one = only(ranked(a_line(), a_sheet("gloves", "Other"), active=False))
    assert (one.feasible, one.reasons[0]) == (False, "the supplier is not active")


def test_while_nobody_knows_when_the_delayed_delivery_comes_no_arrival_is_too_late() -> None:
    one = only(ranked(a_line(expected_on=None), a_sheet("gloves", "Other", lead_time_days=90)))
    assert one.feasible
    assert one.reasons == ("arrives 2026-05-31, 88 days after the need",)


def test_costs_in_another_currency_are_not_compared() -> None:
    sheet = merged(
        a_sheet("gloves", "Euro", price=usd(1).model_copy(update={"currency": "EUR"}), freight=None),
        a_sheet("gloves", "Dollar"),
    )
    found = ranked(a_line(), sheet)
    assert [a.supplier for a in found] == ["Dollar", "Euro"]
    assert "price in EUR, line in USD: costs are not compared" in found[1].reasons


def test_the_order_is_cost_arrival_minimum_capacity_and_past_on_time_share() -> None:
    sheet = merged(
        a_sheet("gloves", "A-infeasible", price=usd(1), lead_time_days=99),
        a_sheet("gloves", "B-unpriced", price=None, freight=None),
        a_sheet("gloves", "C-dear", price=usd(9)),
        a_sheet("gloves", "D-late", lead_time_days=5),
        a_sheet("gloves", "E-slow", lead_time_days=0, capacity_per_week=Decimal(99)),
        a_sheet("gloves", "F-unreliable", "G-reliable", "H-unknown"),
    )
    records = (a_record("F-unreliable", 5, 10), a_record("G-reliable", 9, 10))
    found = ranked(a_line(), sheet, records=records)
    assert [a.supplier[0] for a in found] == ["G", "F", "H", "D", "E", "C", "B", "A"]
    assert [a.rank for a in found] == list(range(1, 9))
    assert [a.on_time_share for a in found][:3] == ["0.9000", "0.5000", None]


NAMES = [f"V{n}" for n in range(8)]
TERMS = st.fixed_dictionaries(
    {
        "supplier": st.sampled_from(NAMES),
        "price": st.one_of(st.none(), st.integers(1, 3).map(usd)),
        "lead_time_days": st.one_of(st.none(), st.integers(0, 12)),
        "minimum_quantity": st.one_of(st.none(), st.sampled_from([50, 100, 150, 500]).map(Decimal)),
        "capacity_per_week": st.one_of(st.none(), st.sampled_from([0, 30, 100]).map(Decimal)),
        "effective_from": st.integers(-3, 1).map(lambda days: TODAY + timedelta(days=days)),
    }
)


@given(
    terms=st.lists(TERMS, max_size=14, unique_by=lambda t: (t["supplier"], t["effective_from"])),
    shares=st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 3)), max_size=8, unique_by=lambda s: s[0]),
    seed=st.randoms(use_true_random=False),
)
def test_the_ranking_is_total_the_same_every_time_and_independent_of_the_order_of_input(
    terms: list[dict[str, Any]], shares: list[tuple[str, int]], seed: Any
) -> None:
    """FLOW 3.3: whatever the order in which terms, suppliers and lines are given, the ranking is the same."""
    records = [a_record(supplier, on_time, 3) for supplier, on_time in shares]
    lines = [a_line("1"), a_line("2", quantity=Decimal(7), supplier="V0"), a_line("3", expected_on=None)]

    def once(shuffled: bool) -> dict[Any, list[domain.Alternative]]:
        mine, known, asked = list(terms), list(records), list(lines)
        if shuffled:
            for one in (mine, known, asked):
                seed.shuffle(one)
        sheet: domain.TermSheet | None = None
        for term in mine:
            sheet = domain.upsert_term(sheet, item="gloves", freight=None, effective_to=None, now=NOW, **term)
        market = a_market(*([sheet] if sheet else []), records=tuple(known))
        found: dict[Any, list[domain.Alternative]] = {line.line_id: [] for line in lines}
        for one in domain.rank(ROUND, asked, market, now=NOW):
            found[one.line_id].append(one)
        return found

    expected = once(shuffled=False)
    assert once(shuffled=True) == expected
    in_force = {t["supplier"] for t in terms if t["effective_from"] <= TODAY}
    for line in lines:
        options = expected[line.line_id]
        assert {a.supplier for a in options} == in_force - {line.supplier}, "every candidate is listed, once"
        assert [a.rank for a in options] == list(range(1, len(options) + 1)), "no two share a rank"
        feasible = [a.feasible for a in options]
        assert feasible == sorted(feasible, reverse=True), "what can work stands before what cannot"
        assert all(a.feasible or a.reasons for a in options), "what cannot work says why"
        costs = [a.landed_cost.amount for a in options if a.feasible and a.landed_cost]
        assert costs == sorted(costs)
