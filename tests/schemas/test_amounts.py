"""Computed amounts are rounded by their currency, once and half to even (METRICS 1)."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from hypothesis import example, given, strategies as st
from pydantic import TypeAdapter

from schemas.amounts import AMOUNT_MAX, QUANTITY_MAX, bounded_quantity, minor_digits, product
from schemas.types import Money, SignedQuantity

CURRENCIES = st.sampled_from(["EUR", "USD", "JPY", "XOF", "KWD", "TND", "CLF", "XAU", "XXX", "ZZZ"])
NUMBERS = st.decimals(min_value=-(D(10) ** 40), max_value=D(10) ** 40, allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("currency", "digits"),
    [("EUR", 2), ("USD", 2), ("JPY", 0), ("XOF", 0), ("KWD", 3), ("CLF", 4), ("XAU", 6), ("XXX", 2), ("ZZZ", 2)],
)
def test_a_currency_has_the_minor_digits_of_iso_4217(currency: str, digits: int) -> None:
    assert minor_digits(currency) == digits


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("819.6428586", "EUR", "819.64"),
        ("0.125", "EUR", "0.12"),
        ("0.135", "EUR", "0.14"),
        ("-0.125", "EUR", "-0.12"),
        ("2.5", "JPY", "2"),
        ("1.0005", "KWD", "1.000"),
        ("1.00055", "KWD", "1.001"),
        ("0.12499999999999999999999999999999999999", "EUR", "0.12"),
        ("0.12500000000000000000000000000000000001", "EUR", "0.13"),
    ],
)
def test_a_computed_amount_is_rounded_half_to_even_by_its_currency(amount: str, currency: str, rounded: str) -> None:
    assert Money.computed(D(amount), currency).amount == D(rounded)


def test_a_stated_amount_keeps_the_digits_that_it_was_stated_with() -> None:
    assert Money(amount=D("1.234567"), currency="EUR").amount == D("1.234567")


def test_an_amount_times_a_quantity_is_exact_before_it_is_rounded() -> None:
    price, quantity = D("99999999999999.999999"), D("0.000001")
    assert product(price, quantity) == D("99999999.999999999999")
    assert Money(amount=D("2.55"), currency="EUR").times(D("321.428572")).amount == D("819.64")


@given(amount=NUMBERS, currency=CURRENCIES)
@example(amount=AMOUNT_MAX, currency="EUR")
@example(amount=D("99999999999999.5"), currency="JPY")
def test_no_computed_amount_leaves_its_bounds(amount: D, currency: str) -> None:
    """An amount that is too large is told as the largest one; it never fails."""
    made = Money.computed(amount, currency)
    assert abs(made.amount) <= AMOUNT_MAX
    assert made.amount == made.amount.quantize(D(1).scaleb(-minor_digits(currency)))


@given(quantity=st.decimals(min_value=-(D(10) ** 20), max_value=D(10) ** 20, places=6))
@example(quantity=QUANTITY_MAX + D("0.000001"))
def test_no_computed_quantity_leaves_its_bounds(quantity: D) -> None:
    assert TypeAdapter(SignedQuantity).validate_python(bounded_quantity(quantity)) is not None
