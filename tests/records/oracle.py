"""The figures of the delivery records, counted straight from the file: the yardstick for every replay.

Plain Python over the csv module. It shares no line with `formats` or any service, on purpose: the
same mistake made twice would agree with itself.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

Row = dict[str, str]


class Verdict(NamedTuple):
    """What is known of one shipment: one entry of the fingerprint."""

    shipment: str
    due_on: str
    verdict: str
    candidates: tuple[tuple[str, str], ...]


def read_rows(path: Path) -> list[Row]:
    """Read the file as published: gzip, comma, line feeds."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def written_day(text: str) -> date:
    """Read `2-Jun-06`."""
    return datetime.strptime(text, "%d-%b-%y").date()


def sent_day(text: str) -> date | None:
    """Read `3/19/10`; a word instead of a date is None."""
    try:
        return datetime.strptime(text, "%m/%d/%y").date()
    except ValueError:
        return None


def due_day(rows: list[Row]) -> date:
    """The earliest scheduled day of a shipment."""
    return min(written_day(row["Scheduled Delivery Date"]) for row in rows)


def known_day(rows: list[Row]) -> date:
    """The day on which a shipment's plan becomes known."""
    days = [due_day(rows)] + [written_day(row["Delivery Recorded Date"]) for row in rows]
    days += [day for row in rows if (day := sent_day(row["PO Sent to Vendor Date"])) is not None]
    return min(days)


def direct_deliveries(rows: Iterable[Row]) -> dict[str, dict[str, date]]:
    """For each item the vendors that delivered it directly, with the first day that was recorded."""
    first: dict[str, dict[str, date]] = defaultdict(dict)
    for row in rows:
        if row["Fulfill Via"] == "Direct Drop":
            vendors, day = first[row["Item Description"]], written_day(row["Delivery Recorded Date"])
            vendors[row["Vendor"]] = min(day, vendors.get(row["Vendor"], day))
    return first


def candidates(rows: list[Row], direct: dict[str, dict[str, date]]) -> dict[str, list[str]]:
    """For each line of a shipment (by its ID) the other vendors known for the same item on the due day."""
    due = due_day(rows)
    return {
        row["ID"]: sorted(
            vendor
            for vendor, day in direct.get(row["Item Description"], {}).items()
            if day <= due and vendor != row["Vendor"]
        )
        for row in rows
    }


def verdicts(rows: list[Row], until: date = date.max) -> list[Verdict]:
    """Say of each shipment known by `until` what was known of it when that day ended."""
    shipments: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        shipments[row["ASN/DN #"]].append(row)
    direct = direct_deliveries(rows)
    said = []
    for name, lines in shipments.items():
        if known_day(lines) > until:
            continue
        due = due_day(lines)
        recorded = max(written_day(line["Delivery Recorded Date"]) for line in lines)
        delivered = max(written_day(line["Delivered to Client Date"]) for line in lines)
        delayed = recorded > due and due <= until
        if not delayed:
            verdict = "in-time" if recorded <= until else "planned"
        elif recorded > until:
            verdict = "open"
        else:
            verdict = "late" if delivered > due else "recorded-late"
        listed = candidates(lines, direct) if delayed else {}
        pairs = tuple(sorted((line, vendor) for line, vendors in listed.items() for vendor in vendors))
        said.append(Verdict(name, due.isoformat(), verdict, pairs))
    return sorted(said)


def fingerprint(verdicts: Iterable[Verdict]) -> str:
    """Hash the sorted list of shipment, due day, verdict and candidates."""
    listed = [[v.shipment, v.due_on, v.verdict, [list(pair) for pair in v.candidates]] for v in sorted(verdicts)]
    text = json.dumps(listed, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def figures(rows: list[Row], until: date = date.max) -> dict[str, Any]:
    """Count every figure that a replay of these rows must print."""
    said = {entry.shipment: entry for entry in verdicts(rows, until)}
    known = [row for row in rows if row["ASN/DN #"] in said]
    recorded = [row for row in known if written_day(row["Delivery Recorded Date"]) <= until]
    late = [
        row
        for row in recorded
        if written_day(row["Delivered to Client Date"]) > written_day(row["Scheduled Delivery Date"])
    ]
    cases = {name: entry for name, entry in said.items() if entry.verdict in {"late", "recorded-late", "open"}}
    lines_of_cases: dict[str, list[Row]] = defaultdict(list)
    for row in known:
        if row["ASN/DN #"] in cases:
            lines_of_cases[row["ASN/DN #"]].append(row)
    answered = {
        name: [any(line["ID"] == pair[0] for pair in cases[name].candidates) for line in lines]
        for name, lines in lines_of_cases.items()
    }
    count = [entry.verdict for entry in said.values()].count
    return {
        "lines": len(known),
        "shipments": len(said),
        "units": sum(int(row["Line Item Quantity"]) for row in known),
        "value": sum((Decimal(row["Line Item Value"]) for row in known), Decimal(0)),
        "late_lines": len(late),
        "on_time_line_share": round(1 - len(late) / len(recorded), 4) if recorded else None,
        "late_shipments": count("late"),
        "delayed_shipments": len(cases),
        "confirmed_late": count("late"),
        "reported_late_only": count("recorded-late"),
        "cases": len(cases),
        "tasks": {"notify-customers": len(cases), "find-alternative-source": len(cases)},
        "value_at_risk": sum(
            (Decimal(row["Line Item Value"]) for lines in lines_of_cases.values() for row in lines),
            Decimal(0),
        ),
        "cases_with_candidate_for_every_line": sum(all(flags) for flags in answered.values()),
        "cases_with_candidate_for_some_line": sum(any(flags) for flags in answered.values()),
        "candidates_total": sum(len(entry.candidates) for entry in cases.values()),
    }
