"""The delivery records through the whole system: every figure is the oracle's, asked from the services."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cli.exit_codes import ExitCode
from tests.records import oracle
from tests.support.command import Crossdock
from tests.support.records import NATIVE, RECORDED, shared_file
from tests.support.scms_rows import a_file

pytestmark = [pytest.mark.records, pytest.mark.postgres, pytest.mark.kafka]

UNTIL = date(2007, 9, 30)


def replayed(crossdock: Crossdock, file: Path, *arguments: str) -> dict[str, Any]:
    done = crossdock("replay", "scms", str(file), *arguments, "--json")
    assert done.code == ExitCode.OK, done.err
    told: dict[str, Any] = done.json
    return told


def plain_rows(rows: int) -> bytes:
    return b"\n".join(gzip.decompress(shared_file(RECORDED).read_bytes()).split(b"\n")[: rows + 1]) + b"\n"


def as_the_oracle_says(figures: dict[str, Any], rows: list[oracle.Row], until: date = date.max) -> bool:
    expected = oracle.figures(rows, until)
    for name, value in expected.items():
        assert figures[name] == (float(value) if isinstance(value, Decimal) else value), name
    for name in ("quarantined_rows", "duplicates", "dead_letters", "orphans"):
        assert figures[name] == 0, name
    assert figures["fingerprint"] == oracle.fingerprint(oracle.verdicts(rows, until))
    return True


def test_the_native_file_gives_what_its_rows_give_as_plain_csv_and_again_it_changes_nothing(
    crossdock: Crossdock, tmp_path: Path
) -> None:
    plain = tmp_path / "plain.csv"
    plain.write_bytes(plain_rows(200))
    rows = list(csv.DictReader(plain.read_text(encoding="utf-8").splitlines()))
    native = replayed(crossdock, shared_file(NATIVE))
    assert as_the_oracle_says(native, rows)
    before = topic_ends(crossdock, native["world"])
    again = replayed(crossdock, shared_file(NATIVE), "--into", native["world"])
    assert again["told"]["created"] == 0
    assert as_the_oracle_says(again, rows)
    assert topic_ends(crossdock, native["world"]) == before
    other = replayed(crossdock, plain)
    assert other["world"] != native["world"]
    assert as_the_oracle_says(other, rows)


def topic_ends(crossdock: Crossdock, world: str) -> dict[str, int]:
    """Return the end of every topic that the causal record hears: all of them."""
    from cli.client import Client
    from cli.roles import RoleTokens
    from cli.service_client import ServiceClient
    from cli.stack.state import Home

    with Client(world, home=Home(crossdock.home)) as client:
        doors = ServiceClient(client.addresses(), RoleTokens(client))
        ends: dict[str, int] = doors.ask("scorecard", "/world/quiet", role="sre")["ends"]
        doors.close()
    return ends


def test_until_a_day_nothing_that_is_written_on_later_rows_matters(crossdock: Crossdock, tmp_path: Path) -> None:
    """FLOW 7: nobody knows what is written on later rows."""
    rows = oracle.read_rows(shared_file(RECORDED))
    planned = {entry.shipment for entry in oracle.verdicts(rows, UNTIL)}
    altered = tmp_path / "altered.csv"
    altered.write_bytes(a_file(*(rewritten(row, planned=row["ASN/DN #"] in planned) for row in rows)))
    true = replayed(crossdock, shared_file(RECORDED), "--until", UNTIL.isoformat())
    assert as_the_oracle_says(true, rows, UNTIL)
    assert replayed(crossdock, altered, "--until", UNTIL.isoformat())["fingerprint"] == true["fingerprint"]


def rewritten(row: oracle.Row, *, planned: bool) -> oracle.Row:
    later = dict(row)
    if oracle.written_day(row["Delivery Recorded Date"]) > UNTIL:
        later |= {"Delivered to Client Date": "1-Jan-15", "Delivery Recorded Date": "2-Jan-15"}
    if not planned:
        later |= {"Line Item Quantity": "7", "Line Item Value": "1", "Vendor": "Another", "Country": "Elsewhere"}
        later |= {"Item Description": "Other", "Project Code": "X", "Scheduled Delivery Date": "1-Dec-14"}
        later |= {"PO Sent to Vendor Date": "12/1/14"}
    return later


def test_a_bad_row_is_left_out_and_said_and_a_file_can_be_imported_as_history(
    crossdock: Crossdock, tmp_path: Path
) -> None:
    content = plain_rows(40).split(b"\n")
    content[7] = content[7].replace(b"-06,", b"-66,", 1) if b"-06," in content[7] else b"spoiled"
    file = tmp_path / "one-bad-row.csv"
    file.write_bytes(b"\n".join(content))
    told = replayed(crossdock, file)
    assert (told["lines"], told["quarantined_rows"], told["quarantined"][0]["row"]) == (39, 1, 8)
    made = crossdock("world", "create", "history", "--json")
    assert made.code == ExitCode.OK, made.err
    done = crossdock("import", "scms", str(file), "--world", "history", "--json")
    assert done.code == ExitCode.OK, done.err
    assert (done.json["quarantined_rows"], done.json["refused"]) == (1, [])
    assert crossdock("import", "scms", str(file), "--world", "history", "--json").json["created"] == 0
    cases = crossdock("cases", "--world", "history", "--json")
    assert json.dumps(cases.json).count("case_id") == 0
