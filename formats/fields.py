"""What one field says: a day, a number, a name, a reference, or a word that stands where one should be."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

MAX_TEXT_CHARACTERS = 200
MAX_WHOLE_DIGITS = 12
MAX_DECIMAL_PLACES = 6
FIRST_YEAR, LAST_YEAR = 1990, 2099
NOT_AVAILABLE = "N/A"

MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
DAY_MONTH_YEAR = re.compile(r"([0-9]{1,2})-([A-Za-z]{3})-([0-9]{2}|[0-9]{4})")
MONTH_DAY_YEAR = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{2}|[0-9]{4})")
YEAR_MONTH_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")
REFERENCE = re.compile(r"See ((?:ASN|DN)-[0-9]+) \(ID#:([0-9]+)\)")


class Unusable(ValueError):
    """A field does not say what its column needs; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Reference:
    """`See ASN-93 (ID#:1281)`: the amount stands on another row of the shipment."""

    shipment: str
    line_id: str


@dataclass(frozen=True, slots=True)
class Amount:
    """A number, or None with the words that stood in its place.

    A reference keeps its target; `referred` is the amount found there, which belongs to the shipment and
    must not be added a second time.
    """

    value: Decimal | None
    text: str
    reference: Reference | None = None
    referred: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """A date, or None with the words that stood in its place."""

    value: date | None
    text: str


def a_date(text: str) -> date:
    """Read a day in one of the written forms; a year of two digits is of this century."""
    if found := DAY_MONTH_YEAR.fullmatch(text):
        day, month, year = int(found[1]), MONTHS.get(found[2].lower(), 0), found[3]
    elif found := MONTH_DAY_YEAR.fullmatch(text):
        day, month, year = int(found[2]), int(found[1]), found[3]
    elif found := YEAR_MONTH_DAY.fullmatch(text):
        day, month, year = int(found[3]), int(found[2]), found[1]
    else:
        raise Unusable("is not a day such as 2-Jun-06, 6/2/06 or 2006-06-02")
    whole_year = int(year) + (2000 if len(year) == 2 else 0)
    if not FIRST_YEAR <= whole_year <= LAST_YEAR:
        raise Unusable(f"is outside the years {FIRST_YEAR} to {LAST_YEAR}")
    try:
        return date(whole_year, month, day)
    except ValueError as error:
        raise Unusable("is no day of the calendar") from error


def a_day_or_words(text: str) -> Day:
    """Read a day, or words in its place (`Date Not Captured`); a broken date is not taken for words."""
    stripped = text.strip()
    if any(character.isdigit() for character in stripped):
        return Day(a_date(stripped), stripped)
    return Day(None, stripped or "blank")


def a_number(text: str) -> Decimal:
    """Read a plain decimal number; signs other than minus, thousands marks and exponents are not guessed."""
    found = NUMBER.fullmatch(text)
    if found is None:
        raise Unusable("is not a number")
    if len(found[2].lstrip("0")) > MAX_WHOLE_DIGITS or len((found[3] or "").rstrip("0")) > MAX_DECIMAL_PLACES:
        raise Unusable(f"has more than {MAX_WHOLE_DIGITS} digits or {MAX_DECIMAL_PLACES} decimal places")
    return Decimal(text)


def a_quantity(text: str) -> Decimal:
    """Read a number above zero."""
    number = a_number(text)
    if number <= 0:
        raise Unusable("is not above zero")
    return number


def a_value(text: str) -> Decimal:
    """Read a number that is not negative."""
    number = a_number(text)
    if number < 0:
        raise Unusable("is negative")
    return number


def an_amount(text: str) -> Amount:
    """Read a number or the words in its place; never refuses, the loop does not stand on it."""
    stripped = text.strip()
    if found := REFERENCE.fullmatch(stripped):
        return Amount(None, stripped, Reference(found[1], found[2]))
    try:
        return Amount(a_value(stripped), stripped)
    except Unusable:
        return Amount(None, stripped or "blank")


def a_name(text: str) -> str:
    """Read a name that identifies something; spaces inside are kept as they are."""
    name = text.strip()
    if not name:
        raise Unusable("is blank")
    if name == NOT_AVAILABLE:
        raise Unusable("names nothing")
    if len(name) > MAX_TEXT_CHARACTERS:
        raise Unusable(f"is longer than {MAX_TEXT_CHARACTERS} characters")
    if not name.isprintable() and any(unicodedata.category(character) in {"Cc", "Cs"} for character in name):
        raise Unusable("holds a control character")
    return name
