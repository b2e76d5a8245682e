"""The delivery records are read in every dialect, and nothing in them is guessed in silence (FLOW 7.1)."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from formats.dialect import Dialect, WrongFile
from formats.fields import Reference
from formats.scms import DeliveryLine, Quarantined, read_deliveries
from tests.records import oracle
from tests.support.records import NATIVE, RECORDED, shared_file
from tests.support.scms_rows import COLUMNS, a_file, a_row


def only_quarantined(*rows: dict[str, str]) -> Quarantined:
    read = read_deliveries(a_file(a_row(id="900", shipment="ASN-900", order="SCMS-900"), *rows))
    (quarantined,) = read.quarantined
    return quarantined


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("mark", [False, True])
@pytest.mark.parametrize(("line_end", "named"), [("\n", "LF"), ("\r\n", "CRLF"), ("\r", "CR")])
@pytest.mark.parametrize(("delimiter", "called"), [(",", "comma"), ("\t", "tab")])
def test_every_dialect_reads_the_same(
    delimiter: str, called: str, line_end: str, named: str, mark: bool, packed: bool
) -> None:
    rows = [a_row(), a_row(id="2", item='Test "A", 30 Tests')]
    plain = read_deliveries(a_file(*rows))
    read = read_deliveries(a_file(*rows, delimiter=delimiter, line_end=line_end, mark=mark, packed=packed))
    assert read.lines == plain.lines
    assert (read.dialect.delimiter, read.dialect.line_end) == (called, named)
    assert (read.dialect.byte_order_mark, read.dialect.compressed) == (mark, packed)


def test_a_file_without_a_last_line_end_loses_no_row() -> None:
    assert len(read_deliveries(a_file(a_row(), a_row(id="2")).rstrip(b"\n")).lines) == 2


def test_columns_may_come_in_another_order_and_with_others_beside_them() -> None:
    out = io.StringIO()
    writer = csv.DictWriter(out, ("Remark", *reversed(COLUMNS)), restval="seen")
    writer.writeheader()
    writer.writerow(a_row())
    (line,) = read_deliveries(out.getvalue().encode()).lines
    assert (line.line_id, line.country, line.quantity) == ("1", "Côte d'Ivoire", Decimal(19))


def test_the_text_not_available_stays_a_text() -> None:
    (line,) = read_deliveries(a_file(a_row())).lines
    assert line.mode == "N/A"


def test_words_in_place_of_the_day_the_order_was_sent_are_kept() -> None:
    for words in ("Date Not Captured", "N/A - From RDC", "Pre-PQ Process"):
        (line,) = read_deliveries(a_file(a_row(sent=words))).lines
        assert (line.sent.value, line.sent.text) == (None, words)


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2-Jun-06", date(2006, 6, 2)),
        ("29-Feb-2012", date(2012, 2, 29)),
        ("6/2/06", date(2006, 6, 2)),
        ("12/31/2013", date(2013, 12, 31)),
        ("2014-06-30", date(2014, 6, 30)),
    ],
)
def test_a_day_is_read_in_each_written_form(written: str, day: date) -> None:
    (line,) = read_deliveries(a_file(a_row(scheduled=written, sent=written))).lines
    assert (line.scheduled_on, line.sent.value) == (day, day)


def test_a_reference_leads_to_the_amount_on_its_row_and_is_not_an_amount_itself() -> None:
    first, second = read_deliveries(
        a_file(a_row(id="7", freight="780.34"), a_row(id="8", freight="See ASN-8 (ID#:7)"))
    ).lines
    assert second.freight_usd.reference == Reference("ASN-8", "7")
    assert second.freight_usd.referred == first.freight_usd.value == Decimal("780.34")
    assert second.freight_usd.value is None


def test_a_reference_to_a_row_that_is_missing_or_of_another_shipment_stays_a_reference() -> None:
    rows = [
        a_row(id="7", shipment="ASN-7", order="SCMS-7"),
        a_row(id="8", freight="See ASN-8 (ID#:99)"),
        a_row(id="9", freight="See ASN-8 (ID#:7)"),
    ]
    _, missing, foreign = read_deliveries(a_file(*rows)).lines
    for line in (missing, foreign):
        assert line.freight_usd.reference is not None
        assert line.freight_usd.referred is None


def test_words_in_place_of_an_amount_are_kept_as_its_reason() -> None:
    (line,) = read_deliveries(
        a_file(a_row(freight="Freight Included in Commodity Cost", weight="Weight Captured Separately"))
    ).lines
    assert (line.freight_usd.value, line.freight_usd.text) == (None, "Freight Included in Commodity Cost")
    assert (line.weight_kg.value, line.weight_kg.text) == (None, "Weight Captured Separately")
    assert (line.insurance_usd.value, line.insurance_usd.text) == (None, "blank")


@pytest.mark.parametrize(
    ("field", "column", "value", "reason"),
    [
        ("id", "ID", "", "is blank"),
        ("vendor", "Vendor", "N/A", "names nothing"),
        ("item", "Item Description", "x" * 201, "is longer than 200 characters"),
        ("country", "Country", "Viet\x07nam", "holds a control character"),
        ("via", "Fulfill Via", "By Air", "is neither 'Direct Drop' nor 'From RDC'"),
        ("vendor", "Vendor", "SCMS from RDC", "is the placeholder of stock orders, on a Direct Drop line"),
        ("quantity", "Line Item Quantity", "-3", "is not above zero"),
        ("quantity", "Line Item Quantity", "0", "is not above zero"),
        ("quantity", "Line Item Quantity", "1,000", "is not a number"),
        ("quantity", "Line Item Quantity", "1e3", "is not a number"),
        ("quantity", "Line Item Quantity", "١٢", "is not a number"),
        ("quantity", "Line Item Quantity", "See ASN-93 (ID#:1281)", "is not a number"),
        ("value", "Line Item Value", "-0.01", "is negative"),
        ("value", "Line Item Value", "NaN", "is not a number"),
        ("value", "Line Item Value", "1" * 13, "has more than 12 digits or 6 decimal places"),
        ("scheduled", "Scheduled Delivery Date", "31-Feb-10", "is no day of the calendar"),
        ("scheduled", "Scheduled Delivery Date", "2-Foo-10", "is no day of the calendar"),
        (
            "scheduled",
            "Scheduled Delivery Date",
            "soon",
            "is not a day such as 2-Jun-06, 6/2/06 or 2006-06-02",
        ),
        ("delivered", "Delivered to Client Date", "", "is not a day such as 2-Jun-06, 6/2/06 or 2006-06-02"),
        ("recorded", "Delivery Recorded Date", "2-Jun-1066", "is outside the years 1990 to 2099"),
        ("sent", "PO Sent to Vendor Date", "13/45/09", "is no day of the calendar"),
    ],
)
def test_a_row_that_cannot_be_used_is_quarantined_with_number_field_value_and_reason(
    field: str, column: str, value: str, reason: str
) -> None:
    quarantined = only_quarantined(a_row(**{field: value}))
    assert (quarantined.row, quarantined.field, quarantined.reason) == (3, column, reason)
    assert quarantined.value == (value if len(value) <= 200 else value[:199] + "…")
    assert len(quarantined.row_hash) == 64


def test_a_row_with_a_field_too_few_is_quarantined_and_its_neighbors_are_read() -> None:
    lines = a_file(a_row(), a_row(id="2"), a_row(id="3")).split(b"\n")
    lines[2] = lines[2].rsplit(b",", 1)[0]
    read = read_deliveries(b"\n".join(lines))
    assert [line.line_id for line in read.lines] == ["1", "3"]
    assert [(row.row, row.field, row.reason) for row in read.quarantined] == [
        (3, "row", "it has 32 fields, the header names 33")
    ]


def test_a_quotation_mark_that_is_never_closed_spoils_its_own_row_only() -> None:
    lines = a_file(a_row(), a_row(id="2"), a_row(id="3")).split(b"\n")
    lines[2] = lines[2].replace(b'30 Tests"', b"30 Tests")
    read = read_deliveries(b"\n".join(lines))
    assert [line.line_id for line in read.lines] == ["1", "3"]
    assert [(row.row, row.reason) for row in read.quarantined] == [(3, "a quotation mark is opened and never closed")]


def test_an_id_used_twice_with_other_content_is_quarantined_and_the_first_stays() -> None:
    quarantined = only_quarantined(a_row(), a_row(quantity="20"))
    assert (quarantined.row, quarantined.field, quarantined.value) == (4, "ID", "1")
    assert quarantined.reason == "is used by row 3 with other content"


def test_a_row_that_is_there_twice_word_for_word_is_counted_once_and_said() -> None:
    read = read_deliveries(a_file(a_row(), a_row()))
    assert (len(read.lines), read.quarantined) == (1, ())
    assert [(row.row, row.of_row) for row in read.repeated] == [(3, 2)]


@pytest.mark.parametrize(
    ("changed", "column", "what"),
    [
        ({"country": "Vietnam"}, "Country", "shipment ASN-8"),
        ({"order": "SCMS-5"}, "PO / SO #", "shipment ASN-8"),
        ({"shipment": "ASN-9", "vendor": "Another"}, "Vendor", "order SCMS-4"),
        ({"shipment": "ASN-9", "project": "200-X"}, "Project Code", "order SCMS-4"),
    ],
)
def test_a_row_that_contradicts_its_shipment_or_order_is_quarantined(
    changed: dict[str, str], column: str, what: str
) -> None:
    quarantined = only_quarantined(a_row(), a_row(id="2", **changed))
    assert (quarantined.row, quarantined.field) == (4, column)
    assert quarantined.reason.startswith(f"contradicts row 3 of {what}, which says")


def test_of_two_rows_that_contradict_each_other_the_one_known_first_stays() -> None:
    """FLOW 7.2: what is known later decides nothing about what was known before, wherever it stands."""
    later = a_row(id="1", vendor="Another", scheduled="1-Jan-10", delivered="1-Jan-10", recorded="1-Jan-10")
    read = read_deliveries(a_file(later, a_row(id="1"), a_row(id="2", shipment="ASN-9")))
    assert [line.row for line in read.lines] == [3, 4]
    assert [row.row for row in read.quarantined] == [2]


def test_blank_lines_are_left_out_and_counted() -> None:
    content = a_file(a_row(), a_row(id="2")).replace(b"\n1,", b"\n\n  \n1,", 1)
    read = read_deliveries(content)
    assert ([line.row for line in read.lines], read.blank_lines) == ([4, 5], 2)


whole = a_file(a_row(), packed=True)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "The file is empty."),
        (b"\n\n", "The file is empty."),
        (a_file(), "holds a header and no record"),
        (b"\x00\x01\x02binary", "The file is binary: byte 1 is zero"),
        (b"PK\x03\x04rest", "a zip archive or an Excel workbook"),
        (a_file(a_row()).decode().encode("utf-16"), "UTF-16 text"),
        (a_file(a_row()).decode().encode("latin-1"), "not UTF-8 text: row 2 holds the byte 0xf4"),
        (b"name,age\nBob,7\n", "not the header of such a file: it begins 'name,age'"),
        (b"Once upon a time there was a truck.\n", "not the header of such a file"),
        (a_file(a_row()).replace(b"Country,", b"Land,", 1), "The column 'Country' is missing"),
        (a_file(a_row()).replace(b"Managed By", b"Country", 1), "names 'Country' more than once"),
        (a_file(a_row(), delimiter=";"), "not the header of such a file"),
        (
            a_file(a_row(quantity="none")),
            "Not one of the 1 records can be used; row 2: Line Item Quantity 'none'",
        ),
        (whole[: len(whole) // 2], "The gzip file ends in the middle"),
        (whole[:4], "The gzip file ends in the middle"),
        (whole[:-6], "The gzip file ends in the middle"),
        (whole[:40] + b"\xff\xff\xff" + whole[43:], "The gzip file is damaged"),
        (whole + b"tail", "followed by 4 bytes of something else"),
    ],
)
def test_another_file_altogether_is_refused_with_what_was_expected_and_what_to_do(content: bytes, says: str) -> None:
    with pytest.raises(WrongFile) as refused:
        read_deliveries(content)
    assert says in str(refused.value)
    assert "SCMS delivery records" in refused.value.expected
    assert refused.value.advice.endswith(".")


def test_a_gzip_file_of_several_members_is_read_whole() -> None:
    content = a_file(a_row(), a_row(id="2"))
    packed = gzip.compress(content[:500], mtime=0) + gzip.compress(content[500:], mtime=0)
    assert read_deliveries(packed).lines == read_deliveries(content).lines


names = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=60)


@given(
    items=st.lists(names, min_size=1, max_size=5),
    delimiter=st.sampled_from(",\t"),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    packed=st.booleans(),
)
def test_any_text_survives_every_dialect_or_its_row_is_quarantined(
    items: list[str], delimiter: str, line_end: str, packed: bool
) -> None:
    rows = [a_row(id="0")] + [a_row(id=str(number), item=item) for number, item in enumerate(items, start=1)]
    read = read_deliveries(a_file(*rows, delimiter=delimiter, line_end=line_end, packed=packed))
    seen = {line.line_id: line.item for line in read.lines}
    held = {row.row - 2 for row in read.quarantined}
    for number, item in enumerate(items, start=1):
        if number in held:
            assert item.strip() in {"", "N/A"}
        else:
            assert seen[str(number)] == item.strip()


@given(content=st.binary(max_size=400))
def test_no_bytes_at_all_bring_the_reader_down(content: bytes) -> None:
    with pytest.raises(WrongFile):
        read_deliveries(content)


@given(cut=st.integers(min_value=1, max_value=len(whole) - 1))
def test_a_gzip_file_cut_anywhere_is_refused(cut: int) -> None:
    with pytest.raises(WrongFile):
        read_deliveries(whole[:cut])


@given(
    cell=st.text(max_size=30).filter(lambda text: not set(text) & {"\n", "\r", "\0"}),
    column=st.sampled_from(COLUMNS),
)
def test_whatever_one_field_says_its_row_is_used_or_quarantined_and_never_lost(cell: str, column: str) -> None:
    try:
        content = a_file(a_row(id="0"), a_row() | {column: cell}, a_row(id="2"))
    except UnicodeEncodeError:
        return
    read = read_deliveries(content)
    assert len(read.lines) + len(read.quarantined) + len(read.repeated) == 3


@pytest.mark.records
def test_the_real_records_are_read_whole_and_as_they_are() -> None:
    path = shared_file(RECORDED)
    read = read_deliveries(path.read_bytes())
    assert read.dialect == Dialect(True, False, "comma", "LF")
    assert (len(read.lines), read.quarantined, read.repeated, read.blank_lines) == (8446, (), (), 0)
    for line, row in zip(read.lines, oracle.read_rows(path), strict=True):
        assert_says_the_same(line, row)


def assert_says_the_same(line: DeliveryLine, row: oracle.Row) -> None:
    texts = (line.line_id, line.shipment, line.order, line.project, line.country, line.vendor, line.item)
    columns = ("ID", "ASN/DN #", "PO / SO #", "Project Code", "Country", "Vendor", "Item Description")
    assert texts == tuple(row[column] for column in columns)
    assert line.scheduled_on == oracle.written_day(row["Scheduled Delivery Date"])
    assert line.delivered_on == oracle.written_day(row["Delivered to Client Date"])
    assert line.recorded_on == oracle.written_day(row["Delivery Recorded Date"])
    assert line.sent.value == oracle.sent_day(row["PO Sent to Vendor Date"])
    assert line.quantity == int(row["Line Item Quantity"])
    assert line.value == Decimal(row["Line Item Value"])


@pytest.mark.records
def test_the_references_of_the_real_records_lead_to_rows_of_the_same_shipment() -> None:
    lines = read_deliveries(shared_file(RECORDED).read_bytes()).lines
    freight = [line for line in lines if line.freight_usd.reference is not None]
    assert len(freight) == 2030
    assert sum(line.freight_usd.referred is None for line in freight) == 44
    assert all(line.freight_usd.reference.shipment == line.shipment for line in freight)


@pytest.mark.records
def test_the_native_file_gives_what_the_same_rows_give_as_plain_csv() -> None:
    native = read_deliveries(shared_file(NATIVE).read_bytes())
    plain = gzip.decompress(shared_file(RECORDED).read_bytes()).split(b"\n")
    assert native.dialect == Dialect(False, True, "comma", "CR")
    assert native.quarantined == ()
    assert native.lines == read_deliveries(b"\n".join(plain[:201]) + b"\n").lines
