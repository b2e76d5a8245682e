"""Shared words of the published language: only what at least two services say."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Literal, Self
from uuid import UUID, uuid5

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from schemas.amounts import AMOUNT_DIGITS, DECIMALS, QUANTITY_DIGITS, product, rounded_amount

NAMESPACE = UUID("6f0e6ab3-4f2b-5a35-9a3e-2d9b1d6c7a10")


class Sensitive:
    """Mark on a field that not everybody may see; read by the API, the live stream and the topic's clearance."""

    def __init__(self, kind: Literal["cost", "freight", "contact", "raw"]) -> None:
        self.kind = kind

    def __repr__(self) -> str:
        return f"Sensitive({self.kind!r})"


class Paragraphs:
    """Mark on a text that may have several lines; every other string of a request body is one line."""


class Word(BaseModel):
    """A frozen value inside an event; tolerant of fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def _plain(value: Decimal) -> Decimal:
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()


def _at_least_cents(value: Decimal) -> Decimal:
    plain = value.normalize()  # a product of a price and a quantity has zeros that say nothing
    exponent = plain.as_tuple().exponent
    return plain.quantize(Decimal("0.01")) if isinstance(exponent, int) and exponent > -2 else plain


def _utc(value: datetime) -> datetime:
    try:
        return value if value.tzinfo is UTC else value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("an instant lies in the years 1 to 9999 of UTC") from error


Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
SiteCode = Code
ItemCode = Code
CustomerCode = Code
SupplierCode = Code
Text = Annotated[str, StringConstraints(max_length=4000), Paragraphs()]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=1000), Paragraphs()]
Instant = Annotated[AwareDatetime, AfterValidator(_utc)]
Quantity = Annotated[Decimal, Field(ge=0, max_digits=QUANTITY_DIGITS, decimal_places=DECIMALS), AfterValidator(_plain)]
SignedQuantity = Annotated[Decimal, Field(max_digits=QUANTITY_DIGITS, decimal_places=DECIMALS), AfterValidator(_plain)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]

FUNCTIONS = ("sales", "logistics", "inventory", "procurement")
Function = Literal["sales", "logistics", "inventory", "procurement", "planning-lead", "executive"]
Severity = Literal["low", "medium", "high", "critical"]
Tier = Literal["standard", "key", "strategic"]
CauseKind = Literal["shipment-delay", "shortage", "incident"]
DelayReason = Literal[
    "weather", "customs", "breakdown", "capacity", "documentation", "supplier", "silence", "other", "unknown"
]


class Money(Word):
    """An amount with its currency; never a float."""

    amount: Annotated[
        Decimal, Field(max_digits=AMOUNT_DIGITS, decimal_places=DECIMALS), AfterValidator(_at_least_cents)
    ]
    currency: Currency

    @classmethod
    def computed(cls, amount: Decimal, currency: str) -> Self:
        """Return a computed amount, rounded by its currency and within the bounds of an amount (METRICS 1)."""
        return cls(amount=rounded_amount(amount, currency), currency=currency)

    @classmethod
    def total(cls, amounts: Iterable[Decimal], currency: str) -> Self:
        """Return the sum of amounts of one currency."""
        return cls.computed(sum(amounts, Decimal(0)), currency)

    def times(self, quantity: Decimal) -> Self:
        """Return what a quantity costs at this price for one."""
        return self.computed(product(self.amount, quantity), self.currency)


class Cause(Word):
    """The root signal's subject; every consequence inherits it."""

    kind: CauseKind
    id: UUID


class By(Word):
    """Who acted, and in which role."""

    subject: Code
    role: Code


def subject_id(kind: str, source: str, reference: str) -> UUID:
    """Return the id that every service derives for the same thing named by its source."""
    return uuid5(NAMESPACE, f"{kind}/{source}/{reference}")


__all__ = [
    "FUNCTIONS",
    "NAMESPACE",
    "By",
    "Cause",
    "CauseKind",
    "Code",
    "Currency",
    "CustomerCode",
    "DelayReason",
    "Function",
    "Instant",
    "ItemCode",
    "Money",
    "Paragraphs",
    "Quantity",
    "Reason",
    "Sensitive",
    "Severity",
    "SignedQuantity",
    "SiteCode",
    "SupplierCode",
    "Text",
    "Tier",
    "Word",
    "date",
    "subject_id",
]
