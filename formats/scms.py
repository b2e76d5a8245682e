"""The delivery records of the SCMS history: one row is one purchase line delivered in one shipment.

Reading judges each row by itself and then the rows against each other, in the order in which they became
known, so that what is written on a later record never decides over an earlier one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal, TypeVar

from formats import fields
from formats.dialect import Dialect, RawRow, WrongFile, read_sheet
from formats.fields import Amount, Day

T = TypeVar("T")
Fault = tuple[str, str, str]

Fulfilment = Literal["Direct Drop", "From RDC"]
FULFILMENTS: tuple[Fulfilment, ...] = ("Direct Drop", "From RDC")
PLACEHOLDER_SUPPLIER = "SCMS from RDC"
EXPECTED = "SCMS delivery records (CSV or tab-separated, UTF-8, plain or gzip, with their header row)"
MAX_SAID_CHARACTERS = 200

REQUIRED = (
    "ID",
    "Project Code",
    "PO / SO #",
    "ASN/DN #",
    "Country",
    "Fulfill Via",
    "PO Sent to Vendor Date",
    "Scheduled Delivery Date",
    "Delivered to Client Date",
    "Delivery Recorded Date",
    "Vendor",
    "Item Description",
    "Line Item Quantity",
    "Line Item Value",
)

# What all lines of a shipment, and all lines of an order, have in common.
OF_SHIPMENT = {
    "order": "PO / SO #",
    "project": "Project Code",
    "country": "Country",
    "fulfilment": "Fulfill Via",
    "vendor": "Vendor",
}
OF_ORDER = {name: column for name, column in OF_SHIPMENT.items() if name != "order"}


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """One usable row."""

    row: int
    row_hash: str
    line_id: str
    project: str
    order: str
    shipment: str
    country: str
    fulfilment: Fulfilment
    vendor: str
    item: str
    quantity: Decimal
    value: Decimal
    sent: Day
    scheduled_on: date
    delivered_on: date
    recorded_on: date
    mode: str
    product_group: str
    pack_units: Amount
    pack_price: Amount
    weight_kg: Amount
    freight_usd: Amount
    insurance_usd: Amount

    @property
    def known_on(self) -> date:
        """The first day on which this row was known to exist."""
        days = (self.sent.value, self.scheduled_on, self.recorded_on)
        return min(day for day in days if day is not None)


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A row that cannot be used: where it stands, which field, what it says and why that will not do."""

    row: int
    field: str
    value: str
    reason: str
    row_hash: str


@dataclass(frozen=True, slots=True)
class Repeated:
    """A row that says again, word for word, what another row said."""

    row: int
    of_row: int
    row_hash: str


@dataclass(frozen=True, slots=True)
class DeliveryFile:
    """All that a file said, in source order; every row of it is in exactly one of the three lists."""

    dialect: Dialect
    lines: tuple[DeliveryLine, ...]
    quarantined: tuple[Quarantined, ...]
    repeated: tuple[Repeated, ...]
    blank_lines: int


def read_deliveries(content: bytes) -> DeliveryFile:
    """Read the delivery records; raise `WrongFile` when the file as a whole is something else."""
    sheet = read_sheet(content, required=REQUIRED, expected=EXPECTED)
    place = {name: position for position, name in enumerate(sheet.header)}
    read = [_line(raw, place) for raw in sheet.rows]
    readable = [line for line in read if isinstance(line, DeliveryLine)]
    lines, conflicts, repeated = _agreeing(readable)
    quarantined = [row for row in read if isinstance(row, Quarantined)] + conflicts
    if not lines:
        first = min(quarantined, key=lambda row: row.row)
        raise WrongFile(
            f"Not one of the {len(read)} records can be used; row {first.row}: {first.field} "
            f"{first.value!r} {first.reason}.",
            expected=EXPECTED,
            advice="Compare that row with the description of the file.",
        )
    return DeliveryFile(
        dialect=sheet.dialect,
        lines=_with_references(lines),
        quarantined=tuple(sorted(quarantined, key=lambda row: row.row)),
        repeated=tuple(sorted(repeated, key=lambda row: row.row)),
        blank_lines=sheet.blank_lines,
    )


class _Refused(Exception):
    """A field cannot be used; carries its column, its text and the reason."""


class _Row:
    """The fields of one row by column; one that cannot be read is named."""

    def __init__(self, raw: RawRow, place: dict[str, int]) -> None:
        self._fields = raw.fields
        self._place = place

    def text(self, column: str) -> str:
        """Return what a column says, as it stands; an optional column may be absent."""
        return self._fields[self._place[column]].strip() if column in self._place else ""

    def read(self, column: str, reader: Callable[[str], T]) -> T:
        """Return what a column says, read by `reader`."""
        text = self.text(column)
        try:
            return reader(text)
        except fields.Unusable as reason:
            raise _Refused(column, text, str(reason)) from reason


def _line(raw: RawRow, place: dict[str, int]) -> DeliveryLine | Quarantined:
    if raw.fault is not None:
        return Quarantined(raw.row, "row", _shortened(raw.text), raw.fault, _hash((raw.text,)))
    row_hash = _hash(raw.fields)
    try:
        return _usable(_Row(raw, place), raw.row, row_hash)
    except _Refused as refused:
        column, text, reason = refused.args
        return Quarantined(raw.row, column, _shortened(text), reason, row_hash)


def _usable(row: _Row, number: int, row_hash: str) -> DeliveryLine:
    fulfilment = row.read("Fulfill Via", _fulfilment)
    vendor = row.read("Vendor", fields.a_name)
    if fulfilment == "Direct Drop" and vendor == PLACEHOLDER_SUPPLIER:
        raise _Refused("Vendor", vendor, "is the placeholder of stock orders, on a Direct Drop line")
    return DeliveryLine(
        row=number,
        row_hash=row_hash,
        line_id=row.read("ID", fields.a_name),
        project=row.read("Project Code", fields.a_name),
        order=row.read("PO / SO #", fields.a_name),
        shipment=row.read("ASN/DN #", fields.a_name),
        country=row.read("Country", fields.a_name),
        fulfilment=fulfilment,
        vendor=vendor,
        item=row.read("Item Description", fields.a_name),
        quantity=row.read("Line Item Quantity", fields.a_quantity),
        value=row.read("Line Item Value", fields.a_value),
        sent=row.read("PO Sent to Vendor Date", fields.a_day_or_words),
        scheduled_on=row.read("Scheduled Delivery Date", fields.a_date),
        delivered_on=row.read("Delivered to Client Date", fields.a_date),
        recorded_on=row.read("Delivery Recorded Date", fields.a_date),
        mode=row.text("Shipment Mode"),
        product_group=row.text("Product Group"),
        pack_units=fields.an_amount(row.text("Unit of Measure (Per Pack)")),
        pack_price=fields.an_amount(row.text("Pack Price")),
        weight_kg=fields.an_amount(row.text("Weight (Kilograms)")),
        freight_usd=fields.an_amount(row.text("Freight Cost (USD)")),
        insurance_usd=fields.an_amount(row.text("Line Item Insurance (USD)")),
    )


def _fulfilment(text: str) -> Fulfilment:
    for fulfilment in FULFILMENTS:
        if text == fulfilment:
            return fulfilment
    raise fields.Unusable(f"is neither {FULFILMENTS[0]!r} nor {FULFILMENTS[1]!r}")


def _hash(values: Iterable[str]) -> str:
    return hashlib.sha256("\x1f".join(values).encode()).hexdigest()


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_SAID_CHARACTERS else text[: MAX_SAID_CHARACTERS - 1] + "…"


def _agreeing(
    read: list[DeliveryLine],
) -> tuple[list[DeliveryLine], list[Quarantined], list[Repeated]]:
    """Keep the rows that contradict no row known before them (then: above them); say what the others do."""
    kept: dict[str, DeliveryLine] = {}
    of_shipment: dict[str, DeliveryLine] = {}
    of_order: dict[str, DeliveryLine] = {}
    quarantined: list[Quarantined] = []
    repeated: list[Repeated] = []
    for line in sorted(read, key=lambda line: (line.known_on, line.row)):
        same = kept.get(line.line_id)
        if same is not None and same.row_hash == line.row_hash:
            repeated.append(Repeated(line.row, same.row, line.row_hash))
            continue
        if same is not None:
            fault: Fault | None = ("ID", line.line_id, f"is used by row {same.row} with other content")
        else:
            fault = _contradiction(
                line, of_shipment.get(line.shipment), f"shipment {line.shipment}", OF_SHIPMENT
            ) or _contradiction(line, of_order.get(line.order), f"order {line.order}", OF_ORDER)
        if fault is not None:
            quarantined.append(Quarantined(line.row, fault[0], _shortened(fault[1]), fault[2], line.row_hash))
            continue
        kept[line.line_id] = line
        of_shipment.setdefault(line.shipment, line)
        of_order.setdefault(line.order, line)
    return sorted(kept.values(), key=lambda line: line.row), quarantined, repeated


def _contradiction(line: DeliveryLine, first: DeliveryLine | None, what: str, columns: dict[str, str]) -> Fault | None:
    if first is None:
        return None
    for name, column in columns.items():
        mine, theirs = getattr(line, name), getattr(first, name)
        if mine != theirs:
            return column, mine, f"contradicts row {first.row} of {what}, which says {theirs!r}"
    return None


def _with_references(lines: list[DeliveryLine]) -> tuple[DeliveryLine, ...]:
    """Put beside each reference the amount on the row it names, where that row is of the same shipment."""
    by_id = {line.line_id: line for line in lines}

    def follow(line: DeliveryLine, name: Literal["weight_kg", "freight_usd"]) -> Amount:
        amount: Amount = getattr(line, name)
        if amount.reference is None:
            return amount
        target = by_id.get(amount.reference.line_id)
        if target is None or not target.shipment == line.shipment == amount.reference.shipment:
            return amount
        found: Amount = getattr(target, name)
        return replace(amount, referred=found.value)

    return tuple(
        replace(line, weight_kg=follow(line, "weight_kg"), freight_usd=follow(line, "freight_usd"))
        if line.weight_kg.reference or line.freight_usd.reference
        else line
        for line in lines
    )
