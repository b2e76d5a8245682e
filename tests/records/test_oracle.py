"""The yardstick itself: it must give the published figures before anything is measured with it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tests.records import oracle
from tests.support.records import RECORDED, shared_file

pytestmark = pytest.mark.records


@pytest.fixture(scope="module")
def rows() -> list[oracle.Row]:
    return oracle.read_rows(shared_file(RECORDED))


def test_the_oracle_gives_exactly_the_published_figures(rows: list[oracle.Row]) -> None:
    assert oracle.figures(rows) == {
        "lines": 8446,
        "shipments": 5971,
        "units": 150937964,
        "value": Decimal("1304986496.42"),
        "late_lines": 939,
        "on_time_line_share": 0.8888,
        "late_shipments": 645,
        "delayed_shipments": 990,
        "confirmed_late": 645,
        "reported_late_only": 345,
        "cases": 990,
        "tasks": {"notify-customers": 990, "find-alternative-source": 990},
        "value_at_risk": Decimal("281159331.50"),
        "cases_with_candidate_for_every_line": 860,
        "cases_with_candidate_for_some_line": 891,
        "candidates_total": 4730,
    }


def test_the_late_shipments_are_the_delayed_ones_that_were_delivered_late(rows: list[oracle.Row]) -> None:
    shipments: dict[str, list[oracle.Row]] = {}
    for row in rows:
        shipments.setdefault(row["ASN/DN #"], []).append(row)
    late = {
        name
        for name, lines in shipments.items()
        if oracle.written_day(lines[0]["Delivered to Client Date"]) > oracle.due_day(lines)
    }
    assert late == {v.shipment for v in oracle.verdicts(rows) if v.verdict == "late"}


def test_until_a_day_counts_only_what_was_known_when_that_day_ended(rows: list[oracle.Row]) -> None:
    figures = oracle.figures(rows, date(2011, 6, 30))
    assert (figures["lines"], figures["cases"]) == (4957, 299)
    verdicts = [entry.verdict for entry in oracle.verdicts(rows, date(2011, 6, 30))]
    assert verdicts.count("open") == 26


def altered(row: oracle.Row, *, planned: bool, until: date) -> oracle.Row:
    """Rewrite every value of a row that nobody knew by `until`."""
    later = dict(row)
    if oracle.written_day(row["Delivery Recorded Date"]) > until:
        later |= {"Delivered to Client Date": "1-Jan-15", "Delivery Recorded Date": "2-Jan-15"}
    if not planned:
        later |= {
            "Line Item Quantity": "7",
            "Line Item Value": "1",
            "Vendor": "Another",
            "Country": "Elsewhere",
        }
        later |= {"Item Description": "Other", "Scheduled Delivery Date": "1-Dec-14"}
        later |= {"PO Sent to Vendor Date": "12/1/14"}
    return later


def test_what_was_not_known_by_a_day_does_not_move_its_fingerprint(rows: list[oracle.Row]) -> None:
    until = date(2011, 6, 30)
    planned = {entry.shipment for entry in oracle.verdicts(rows, until)}
    changed = [altered(row, planned=row["ASN/DN #"] in planned, until=until) for row in rows]
    assert oracle.fingerprint(oracle.verdicts(changed, until)) == oracle.fingerprint(oracle.verdicts(rows, until))
    assert oracle.fingerprint(oracle.verdicts(changed)) != oracle.fingerprint(oracle.verdicts(rows))
