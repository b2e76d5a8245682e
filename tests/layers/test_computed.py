"""No computed amount, quantity or rate leaves its type's bounds: every domain function that computes, with extreme input (METRICS 1)."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings, strategies as st
from pydantic import TypeAdapter

from chassis.errors import Refusal
from schemas.amounts import AMOUNT_MAX, QUANTITY_MAX, minor_digits
from schemas.base import Event
from schemas.types import Money, Quantity, SignedQuantity
from services.exceptions.domain.case import value_of
from services.inventory import domain as inventory
from services.inventory.api.shapes import BucketShown, DayShown
from services.procurement import domain as procurement
from services.sales import domain as sales
from tests.exceptions import builders as of_exceptions
from tests.procurement import builders as of_procurement
from tests.sales import builders as of_sales

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday
STOCK = inventory.stock_id("kit", "LYO")
CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD", "XAU"])
QUANTITIES = st.one_of(
    st.decimals(min_value=0, max_value=QUANTITY_MAX, places=6),
    st.sampled_from([D(0), D("0.000001"), D("0.000004"), D("321.428572"), QUANTITY_MAX]),
)
AMOUNTS = st.one_of(
    st.decimals(min_value=0, max_value=AMOUNT_MAX, places=6),
    st.sampled_from([D(0), D("0.000001"), D("2.55"), D("33.333333"), AMOUNT_MAX]),
)


def within(value: Any, kind: Any) -> None:
    assert TypeAdapter(kind).validate_python(value) == value


def rounded(money: Money | None) -> None:
    if money is not None:
        assert money.amount == money.amount.quantize(D(1).scaleb(-minor_digits(money.currency)))
        within(money, Money)


def readable(events: list[Event]) -> None:
    for event in events:
        assert type(event).model_validate(event.model_dump(mode="json")) == event


def a_shortage(draw: Callable[..., Any]) -> None:
    outlook = inventory.Outlook(
        on_hand=draw(QUANTITIES) * draw(st.sampled_from([1, -1])),
        inbound=tuple(inventory.Arrival(NOW.date(), draw(QUANTITIES)) for _ in range(draw(st.integers(0, 3)))),
        orders=tuple(inventory.Promised(NOW.date(), draw(QUANTITIES)) for _ in range(draw(st.integers(0, 3)))),
        forecast=tuple(
            inventory.Week(NOW.date() + timedelta(weeks=n), draw(QUANTITIES)) for n in range(draw(st.integers(0, 3)))
        ),
    )
    days = inventory.project(outlook, today=NOW.date(), days=21)
    for day in days:
        assert day.forecast >= 0
        DayShown.model_validate(day)
    for bucket in inventory.available_to_promise(outlook, today=NOW.date(), days=21):
        BucketShown.model_validate(bucket)
    before, events = inventory.assess_shortage(
        None,
        stock=inventory.Stock(STOCK, "kit", "LYO", outlook.on_hand, NOW, 1, NOW, NOW),
        days=days,
        zone="UTC",
        behind=None,
        unit_value=Money(amount=draw(AMOUNTS), currency=draw(CURRENCIES)),
        reason="tried",
        now=NOW,
    )
    if before is not None:
        within(before.quantity, Quantity)
        within(before.projected, Quantity)
    readable(events)
    for event in events:
        rounded(event.value)  # type: ignore[attr-defined]  # only ShortagePredicted comes from nothing


def a_balance(draw: Callable[..., Any]) -> None:
    stock = None
    for number in range(4):
        kind = "opening" if stock is None else draw(st.sampled_from(["receipt", "issue", "count", "adjustment"]))
        try:
            stock, entry, events = inventory.record_entry(
                stock,
                entry_id=UUID(int=number),
                item="kit",
                site="LYO",
                kind=kind,
                quantity=draw(QUANTITIES),
                occurred_at=NOW,
                now=NOW,
                reason="tried",
            )
        except Refusal as refusal:
            assert refusal.detail
            continue
        within(stock.on_hand, SignedQuantity)
        within(entry.quantity, SignedQuantity)
        readable(events)


def a_landed_cost(draw: Callable[..., Any]) -> None:
    currency = draw(CURRENCIES)
    sheet = of_procurement.a_sheet(
        "gloves",
        "Other",
        price=Money(amount=draw(AMOUNTS), currency=currency),
        freight=Money(amount=draw(AMOUNTS), currency=currency),
        minimum_quantity=draw(QUANTITIES),
        capacity_per_week=draw(QUANTITIES),
    )
    record = of_procurement.a_record("Other", draw(st.integers(0, 5)), 7)
    line = of_procurement.a_line(quantity=draw(QUANTITIES))
    market = of_procurement.a_market(sheet, records=(record,))
    for one in procurement.rank(of_procurement.ROUND, [line], market, now=of_procurement.NOW):
        rounded(one.landed_cost)
        within(one.quantity, Quantity)
        within(one.surplus, Quantity)
        assert one.weeks is None or one.weeks < 2**31
        assert 0 <= D(one.on_time_share or "0") <= 1


def a_value_at_risk(draw: Callable[..., Any]) -> None:
    currency = draw(CURRENCIES)
    lines = tuple(
        of_exceptions.an_affected_line(n, "1").model_copy(
            update={"value": Money(amount=draw(AMOUNTS), currency=currency)}
        )
        for n in range(1, 4)
    )
    rounded(value_of(lines, (), currency))


def an_impact(draw: Callable[..., Any]) -> None:
    currency = draw(CURRENCIES)
    order = of_sales.an_order("O1", *(of_sales.new_line(str(n)) for n in (1, 2, 3)))
    values = [Money(amount=draw(AMOUNTS), currency=currency) for _ in order.lines]
    order = replace(
        order,
        lines=tuple(replace(line, value=value) for line, value in zip(order.lines, values, strict=True)),
    )
    impact, events = sales.assess_impact(
        sales.await_impact(of_sales.cause_of(), currency=currency, now=NOW),
        delay=of_sales.delayed(of_sales.shipped(order)),
        orders={order.order_id: order},
        tiers={},
        default_slip_days=7,
        now=NOW,
    )
    assert len(impact.lines) == len(order.lines)
    rounded(impact.value)
    readable(events)


def a_receipt(draw: Callable[..., Any]) -> None:
    order = of_sales.an_order()
    line = order.lines[0].order_line_id
    for _ in range(3):
        order = sales.record_actual(order, received={line: draw(QUANTITIES)}, actual_on=NOW.date())
    within(order.lines[0].received_quantity, Quantity)


def unrounded(source: str) -> list[int]:
    """Return the lines on which `Money(amount=…)` is given a calculation instead of a stated or a stored amount."""
    return [
        call.lineno
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Money"
        for given in call.keywords
        if given.arg == "amount" and any(isinstance(part, ast.BinOp) or _is_sum(part) for part in ast.walk(given.value))
    ]


def _is_sum(part: ast.AST) -> bool:
    return isinstance(part, ast.Call) and getattr(part.func, "id", "") == "sum"


def test_no_service_makes_money_of_a_calculation_without_rounding_it() -> None:
    """`Money.computed`, `Money.total` and `times` round; `Money(amount=…)` does not."""
    assert unrounded("Money(amount=a * b, currency=c)") == unrounded("Money(amount=sum(a), currency=c)") == [1]
    services = Path(__file__).parents[2] / "services"
    found = {str(path): lines for path in services.rglob("*.py") if (lines := unrounded(path.read_text()))}
    assert found == {}


COMPUTED = (a_shortage, a_balance, a_landed_cost, a_value_at_risk, an_impact, a_receipt)


@pytest.mark.parametrize("computed", COMPUTED, ids=lambda one: one.__name__)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_no_computed_number_leaves_its_bounds(computed: Callable[[Any], None], data: st.DataObject) -> None:
    computed(data.draw)
