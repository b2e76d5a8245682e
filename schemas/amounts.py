"""Bounds of computed numbers: money is rounded by its currency, a quantity has six decimals (METRICS 1)."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Context, Decimal

AMOUNT_DIGITS, QUANTITY_DIGITS, DECIMALS = 20, 18, 6
AMOUNT_MAX = Decimal("99999999999999.999999")
QUANTITY_MAX = Decimal("999999999999.999999")
_EXACT = Context(prec=200)  # wide enough for the product of an amount and a quantity: rounding happens once

# ISO 4217: currencies whose minor unit is not two digits. Metals and units of account have no minor unit and keep the
# six decimals that an amount may have. The code for no currency counts as two digits: its amount is 0.
_MINOR_DIGITS = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
    **dict.fromkeys(["XAG", "XAU", "XBA", "XBB", "XBC", "XBD", "XDR", "XPD", "XPT", "XSU", "XUA"], DECIMALS),
}


def minor_digits(currency: str) -> int:
    """Return how many decimals an amount of this currency has (ISO 4217); two for a code that is not in the list."""
    return _MINOR_DIGITS.get(currency, 2)


def rounded_amount(amount: Decimal, currency: str) -> Decimal:
    """Return a computed amount rounded half to even to its currency's decimals, and no larger than an amount can be."""
    step = Decimal(1).scaleb(-minor_digits(currency))
    largest = AMOUNT_MAX.quantize(step, ROUND_DOWN)
    if not -largest <= amount <= largest:
        return largest.copy_sign(amount)
    return amount.quantize(step, ROUND_HALF_EVEN, _EXACT)


def product(amount: Decimal, quantity: Decimal) -> Decimal:
    """Return an amount times a quantity, exact."""
    return _EXACT.multiply(amount, quantity)


def bounded_quantity(quantity: Decimal) -> Decimal:
    """Return a sum or a difference of quantities, no larger than a quantity can be."""
    return quantity if -QUANTITY_MAX <= quantity <= QUANTITY_MAX else QUANTITY_MAX.copy_sign(quantity)
