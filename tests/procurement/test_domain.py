"""What suppliers, terms, orders and rounds are; nothing here reads or writes."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from chassis.errors import Invalid
from schemas.procurement import AlternativeChosen, AlternativeDeclined, OrderChanged, OrderPlaced, SourcingOpened
from services.procurement import domain
from tests.procurement.builders import (
    BUYER,
    CASE,
    CAUSE,
    LATER,
    LEAD,
    NOW,
    TASK,
    TODAY,
    a_line,
    a_market,
    a_sheet,
    a_supplier,
    usd,
)


def a_round(*lines: domain.Line, market: domain.Market | None = None, limit: int | None = None) -> domain.Sourcing:
    sourcing, _ = domain.open_round(
        task_id=TASK,
        case_id=CASE,
        cause=CAUSE,
        lines=lines or (a_line(),),
        money_limit=usd(limit) if limit else None,
        market=market or a_market(a_sheet("gloves", "Cheap", "Dear")),
        now=NOW,
    )
    return sourcing


# ── terms, suppliers, orders ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"effective_to": TODAY - timedelta(days=1)}, "effective_to"),
        ({"freight": usd(1).model_copy(update={"currency": "EUR"})}, "freight"),
        ({"price": None}, "price"),
    ],
)
def test_a_term_that_contradicts_itself_is_refused_with_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        a_sheet("gloves", "Other", **changes)
    assert refused.value.field == field


def test_a_term_agreed_again_for_the_same_first_day_is_corrected() -> None:
    sheet = a_sheet("gloves", "Other")
    again = domain.upsert_term(
        sheet,
        item="gloves",
        supplier="Other",
        price=usd(4),
        freight=None,
        lead_time_days=1,
        minimum_quantity=None,
        capacity_per_week=None,
        effective_from=TODAY,
        effective_to=None,
        now=LATER,
    )
    (term,) = again.terms
    assert (term.price, term.recorded_at) == (usd(4), NOW), "since when it is known does not move"


def test_a_supplier_registered_again_unchanged_says_nothing() -> None:
    supplier = a_supplier("Other")
    again, said = domain.upsert_supplier(supplier, code="Other", name="Other", active=True, candidate=True, now=LATER)
    assert (again, said) == (supplier, [])


def an_order(*references: str) -> domain.PurchaseOrder:
    order, _ = domain.place_order(
        None,
        source="erp",
        reference="P1",
        supplier="ACME",
        destination="Abidjan",
        lines=asked(*references),
        occurred_at=NOW,
        now=NOW,
    )
    return order


def asked(*references: str, quantity: int = 10) -> list[domain.RequestedLine]:
    return [domain.RequestedLine(name, "gloves", Decimal(quantity), TODAY, usd(5)) for name in references]


def test_an_order_is_placed_once() -> None:
    with pytest.raises(domain.OrderKnown):
        domain.place_order(
            an_order("1"),
            source="erp",
            reference="P1",
            supplier="ACME",
            destination="Abidjan",
            lines=asked("1"),
            occurred_at=NOW,
            now=NOW,
        )


@pytest.mark.parametrize("references", [(), ("1", "1")])
def test_an_order_without_lines_or_with_a_line_twice_is_refused(references: tuple[str, ...]) -> None:
    with pytest.raises(Invalid):
        an_order(*references)


def test_a_change_adds_lines_keeps_the_others_and_tells_all_of_them() -> None:
    """FLOW 7.2: the second shipment of an order is a change that adds its lines."""
    order, said = domain.change_order(
        an_order("1"), supplier="ACME", destination="Abidjan", lines=asked("2"), occurred_at=LATER
    )
    assert [(line.position, line.reference) for line in order.lines] == [(1, "1"), (2, "2")]
    told = said[0]
    assert isinstance(told, OrderChanged)
    assert [line.reference for line in told.lines] == ["1", "2"]
    assert (
        domain.change_order(order, supplier="ACME", destination="Abidjan", lines=asked("2"), occurred_at=LATER)[1] == []
    )


def test_a_changed_line_must_be_confirmed_anew_and_an_unchanged_one_stays_confirmed() -> None:
    order, _ = domain.confirm_order(
        an_order("1", "2"), lines=[domain.Confirmation("1", TODAY), domain.Confirmation("2", TODAY)], now=NOW
    )
    order, _ = domain.change_order(
        order, supplier="ACME", destination="Abidjan", lines=[*asked("1"), *asked("2", quantity=11)], occurred_at=LATER
    )
    assert [line.confirmed_on for line in order.lines] == [TODAY, None]


def test_a_change_cannot_move_an_order_to_another_supplier() -> None:
    with pytest.raises(domain.OtherParty) as refused:
        domain.change_order(an_order("1"), supplier="Other", destination="Abidjan", lines=asked("2"), occurred_at=NOW)
    assert refused.value.field == "supplier"


def test_a_confirmation_keeps_the_day_of_need_beside_the_day_confirmed() -> None:
    order, said = domain.confirm_order(an_order("1"), lines=[domain.Confirmation("1", date(2026, 4, 1))], now=LATER)
    assert (order.lines[0].needed_on, order.lines[0].confirmed_on) == (TODAY, date(2026, 4, 1))
    assert order.lines[0].confirmed_quantity == Decimal(10)
    assert said[0].occurred_at == LATER
    assert domain.confirm_order(order, lines=[domain.Confirmation("1", date(2026, 4, 1))], now=LATER)[1] == []
    with pytest.raises(domain.UnknownOrderLine):
        domain.confirm_order(order, lines=[domain.Confirmation("9", TODAY)], now=LATER)


# ── rounds ───────────────────────────────────────────────────────────────────────────────────────


def test_a_round_tells_its_options_line_by_line_in_their_order() -> None:
    lines = (a_line("2"), a_line("1"))
    _, said = domain.open_round(
        task_id=TASK,
        case_id=CASE,
        cause=CAUSE,
        lines=lines,
        money_limit=None,
        market=a_market(a_sheet("gloves", "A", "B")),
        now=NOW,
    )
    told = said[0]
    assert isinstance(told, SourcingOpened)
    assert [(a.line_id, a.rank) for a in told.alternatives] == [(line.line_id, n) for line in lines for n in (1, 2)]


def choose(sourcing: domain.Sourcing, supplier: str, line: int = 0, by: Any = BUYER) -> Any:
    one = next(a for a in sourcing.alternatives if a.supplier == supplier and a.line_id == sourcing.lines[line].line_id)
    return domain.choose_alternative(
        sourcing, alternative_id=one.alternative_id, rationale="cheapest", by=by, now=LATER
    )


def test_a_choice_places_the_order_and_counts_the_lines_that_remain() -> None:
    sourcing = a_round(a_line("1"), a_line("2"))
    sourcing, order, said = choose(sourcing, "Cheap")
    assert (order.supplier, order.destination, order.cause, order.lines[0].quantity) == (
        "Cheap",
        "Abidjan",
        CAUSE,
        Decimal(100),
    )
    placed, chosen = said
    assert isinstance(placed, OrderPlaced)
    assert isinstance(chosen, AlternativeChosen)
    assert (placed.alternative_id, chosen.order_id, chosen.remaining_lines) == (
        chosen.alternative_id,
        order.order_id,
        1,
    )
    assert sourcing.state == "open"
    sourcing, _, said = choose(sourcing, "Dear", line=1)
    assert (sourcing.state, said[1].remaining_lines) == ("decided", 0)
    with pytest.raises(domain.RoundClosed, match="every line of it is decided"):
        choose(sourcing, "Cheap")


def test_a_line_is_decided_once() -> None:
    sourcing, _, _ = choose(a_round(a_line("1"), a_line("2")), "Cheap")
    with pytest.raises(domain.LineDecided, match="Cheap was chosen by pia"):
        choose(sourcing, "Dear")


def test_a_way_out_that_cannot_work_is_refused_with_its_reasons() -> None:
    market = a_market(a_sheet("gloves", "Late", lead_time_days=99))
    with pytest.raises(
        domain.CannotWork, match="Late cannot work: arrives 2026-06-09, later than the delayed delivery"
    ):
        choose(a_round(market=market), "Late", by=LEAD)


def test_above_the_limit_the_choice_is_the_planning_leads() -> None:
    """FLOW 3.3: the task carries the money limit above which the choice needs the planning lead."""
    assert choose(a_round(limit=600), "Cheap")[0].state == "decided"
    with pytest.raises(domain.AboveLimit):
        choose(a_round(limit=599), "Cheap")
    assert choose(a_round(limit=599), "Cheap", by=LEAD)[0].state == "decided"


def test_the_limit_holds_for_all_choices_of_a_round_together() -> None:
    sourcing, _, _ = choose(a_round(a_line("1"), a_line("2"), limit=1000), "Cheap")
    with pytest.raises(domain.AboveLimit):
        choose(sourcing, "Cheap", line=1)


def test_a_cost_that_nobody_knows_is_above_every_limit() -> None:
    market = a_market(a_sheet("gloves", "Unpriced", price=None, freight=None))
    with pytest.raises(domain.AboveLimit, match="its cost is unknown"):
        choose(a_round(market=market, limit=1_000_000), "Unpriced")
    assert choose(a_round(market=market), "Unpriced")[0].state == "decided"


def test_a_line_without_a_candidate_that_works_counts_as_remaining_until_somebody_declines_it() -> None:
    sourcing = a_round(a_line("1"), a_line("2", item="masks"))
    sourcing, _, said = choose(sourcing, "Cheap")
    assert said[1].remaining_lines == 1
    sourcing, told = domain.decline_line(
        sourcing, line_id=sourcing.lines[1].line_id, reason="nobody makes them", by=BUYER, now=LATER
    )
    assert isinstance(told[0], AlternativeDeclined)
    assert (sourcing.state, told[0].remaining_lines) == ("decided", 0)


def test_only_the_planning_lead_leaves_a_candidate_that_works() -> None:
    sourcing = a_round()
    line_id = sourcing.lines[0].line_id
    with pytest.raises(domain.HasCandidate):
        domain.decline_line(sourcing, line_id=line_id, reason="no money", by=BUYER, now=LATER)
    assert domain.decline_line(sourcing, line_id=line_id, reason="no money", by=LEAD, now=LATER)[0].state == "decided"


def test_what_was_shown_for_a_decided_line_stays_when_the_round_is_ranked_again() -> None:
    sourcing, _, _ = choose(a_round(a_line("1"), a_line("2")), "Cheap")
    before = [a for a in sourcing.alternatives if a.line_id == sourcing.lines[0].line_id]
    again, _ = domain.rank_again(
        sourcing, lines=(a_line("1", quantity=Decimal(1)), a_line("2")), market=a_market(), now=LATER
    )
    assert list(again.alternatives) == before
    assert (again.lines[0].quantity, len(again.remaining)) == (Decimal(100), 1)


def test_a_round_that_is_decided_is_neither_ranked_again_nor_closed() -> None:
    """FLOW 2.4: what a person decided stands."""
    sourcing, _, _ = choose(a_round(), "Cheap")
    assert domain.rank_again(sourcing, lines=(a_line(),), market=a_market(), now=LATER) == (sourcing, [])
    assert domain.close_round(sourcing, reason="withdrawn", now=LATER) == (sourcing, [])


def test_a_reopened_round_is_decided_anew_and_keeps_what_was_decided() -> None:
    market = a_market(a_sheet("gloves", "Cheap"))
    sourcing, first, _ = choose(a_round(market=market), "Cheap")
    sourcing, _ = domain.reopen_round(sourcing, lines=(a_line(),), money_limit=None, market=market, now=LATER)
    assert (sourcing.state, sourcing.opening, len(sourcing.remaining)) == ("open", 2, 1)
    sourcing, second, _ = choose(sourcing, "Cheap")
    assert first.order_id != second.order_id, "the second choice is another order"
    assert [(d.opening, d.order_id) for d in sourcing.decisions] == [(1, first.order_id), (2, second.order_id)]
